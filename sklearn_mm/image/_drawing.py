"""Draw an image into axes."""

import numpy as np

from ._loader import ImageLoader
from ._pixels import convert_color, one_thread, pixel_maximum, resize

#: Pixels of the longer side: enough for an inch and a half.
_SIDE = 160


def draw(cell, ax):
    """Draw an image, shrunk to at most 160 pixels.

    Parameters
    ----------
    cell : bytes-like, ndarray of shape (H, W) or (H, W, C), or PIL image
        The image.
    ax : matplotlib Axes
        The axes.

    Returns
    -------
    matplotlib AxesImage
        The image in RGB, from 0 to 1.
    """
    with one_thread():
        pixels = ImageLoader().read_original(cell)
        white = pixel_maximum(pixels.dtype)
        pixels = convert_color(pixels, "rgb", "rgb").astype(np.float32)
        pixels = np.nan_to_num(pixels)
        pixels /= max(white, pixels.max()) or 1  # floats need not end at 1
        picture = _shrink(pixels.clip(0, 1))
    height, width = pixels.shape[:2]
    ax.set_label(f"{width} x {height} pixels")
    return ax.imshow(picture, interpolation="nearest")


def _shrink(pixels):
    ratio = _SIDE / max(pixels.shape[:2])
    if ratio >= 1:
        return pixels
    height, width = (max(1, round(side * ratio)) for side in pixels.shape[:2])
    return resize(pixels, height, width)
