"""Draw an image into axes."""

import numpy as np

from .._columns.files import names_file
from ._cell import read_image
from ._header import read_image_header
from ._pixels import as_pixels, convert_color, one_thread, pixel_maximum, resize

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
        pixels = as_pixels(read_image(cell, cover=(_SIDE, _SIDE)))
        white = pixel_maximum(pixels.dtype)
        pixels = convert_color(pixels, "rgb", "rgb").astype(np.float32)
        pixels = np.nan_to_num(pixels)
        pixels /= max(white, pixels.max()) or 1  # floats need not end at 1
        picture = _shrink(pixels.clip(0, 1))
    height, width = _find_size(cell, pixels)
    ax.set_label(f"{width} x {height} pixels")
    return ax.imshow(picture, interpolation="nearest")


def _find_size(cell, pixels):
    """Return the size of an image whose pixels may be decoded at a reduced scale."""
    if not names_file(cell):
        return pixels.shape[:2]
    header = read_image_header(cell)
    size = header.height, header.width
    is_turned = (size[0] < size[1]) != (pixels.shape[0] < pixels.shape[1])
    return size[::-1] if is_turned else size


def _shrink(pixels):
    ratio = _SIDE / max(pixels.shape[:2])
    if ratio >= 1:
        return pixels
    height, width = (max(1, round(side * ratio)) for side in pixels.shape[:2])
    return resize(pixels, height, width)
