"""Disturbances of an image: blur, noise, occlusion."""

import numpy as np

from ._loader import ImageLoader
from ._pixels import as_pixels, one_thread, pixel_maximum

_LOADER = ImageLoader()


def blur(cell, strength, generator=None):
    """Blur with a Gaussian.

    Parameters
    ----------
    cell : bytes-like, ndarray of shape (H, W) or (H, W, C), or PIL image
        uint8, uint16 or float pixels.
    strength : float
        Standard deviation as a share of the shorter side.
    generator : Generator or None
        Ignored.

    Returns
    -------
    ndarray
        Pixels of the same shape and type.
    """
    import cv2

    pixels = _read(cell)
    sigma = strength * min(pixels.shape[:2])
    if sigma == 0:
        return pixels
    with one_thread():
        blurred = cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), sigma)
    return _as_pixels(blurred.reshape(pixels.shape), pixels)


def add_noise(cell, strength, generator):
    """Add white Gaussian noise to the pixels.

    Parameters
    ----------
    cell : bytes-like, ndarray of shape (H, W) or (H, W, C), or PIL image
        uint8, uint16 or float pixels.
    strength : float
        Standard deviation, relative to white.
    generator : Generator
        Draws the noise.

    Returns
    -------
    ndarray
        Pixels of the same shape and type, clipped to black and white.
    """
    pixels = _read(cell)
    scale = strength * _get_white(pixels)
    noise = generator.normal(size=pixels.shape, scale=scale)
    return _as_pixels(pixels + noise, pixels)


def occlude(cell, strength, generator):
    """Cover a rectangle of the image's aspect ratio with the mean colour.

    Parameters
    ----------
    cell : bytes-like, ndarray of shape (H, W) or (H, W, C), or PIL image
        uint8, uint16 or float pixels.
    strength : float
        Share of the area.
    generator : Generator
        Draws the position.

    Returns
    -------
    ndarray
        Pixels of the same shape and type.
    """
    pixels = _read(cell)
    height, width = pixels.shape[:2]
    area = strength * height * width
    rows = min(height, round(height * strength**0.5))
    if rows == 0:
        return pixels
    columns = min(width, round(area / rows))
    top = generator.integers(height - rows + 1)
    left = generator.integers(width - columns + 1)
    covered = pixels.copy()
    mean = pixels.mean(axis=(0, 1))
    covered[top : top + rows, left : left + columns] = _as_pixels(mean, pixels)
    return covered


def _get_white(pixels):
    """Return the value of white; floats above 1 were never scaled to [0, 1]."""
    if pixels.dtype.kind == "f":
        return max(1.0, float(np.nanmax(pixels)))
    return pixel_maximum(pixels.dtype)


def _read(cell):
    """Return the pixels of an image; those of an array keep their shape and type."""
    if not isinstance(cell, np.ndarray):
        return _LOADER.read_original(cell)
    pixels = as_pixels(cell, max_pixels=_LOADER.max_pixels)
    return cell if cell.dtype == pixels.dtype else pixels


def _as_pixels(values, like):
    values = np.clip(values, 0, _get_white(like))
    if like.dtype.kind != "f":
        values = np.rint(values)
    return values.astype(like.dtype)


#: By name, each with its default strengths.
DISTURBANCES = {
    "blur": (blur, (0.02, 0.05, 0.1)),
    "noise": (add_noise, (0.1, 0.2, 0.4)),
    "occlusion": (occlude, (0.1, 0.3, 0.5)),
}
