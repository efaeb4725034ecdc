"""Check, resize, crop, pad and convert pixels with OpenCV."""

from contextlib import contextmanager
from threading import Lock

import numpy as np

from .._columns.arrays import to_float32
from .._utils.constraints import PairOfCounts
from .._utils.imports import is_instance

#: Averaged pixels that shrink by less than this factor are interpolated.
_SLIGHT = 1.5

_lock = Lock()
_users = 0
_saved = None


@contextmanager
def one_thread():
    """Restrict OpenCV to one thread and silence its log; restore both at the end.

    OpenCV's own threads bring nothing for small images, and its log would repeat our
    errors. Both settings are global, so the users of this context are counted.
    """
    global _users, _saved
    import cv2
    from cv2.utils import logging

    with _lock:
        if _users == 0:
            _saved = cv2.getNumThreads(), logging.getLogLevel()
            cv2.setNumThreads(1)
            logging.setLogLevel(logging.LOG_LEVEL_SILENT)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                cv2.setNumThreads(_saved[0])
                logging.setLogLevel(_saved[1])


def check_pixels(height, width, max_pixels):
    """Raise if an image has more than ``max_pixels`` pixels."""
    if max_pixels is not None and height * width > max_pixels:
        raise ValueError(
            f"its {width}x{height} pixels exceed max_pixels={max_pixels:,}"
        )


def as_pixels(cell, *, max_pixels=None):
    """Convert an array or a PIL image to pixels.

    Parameters
    ----------
    cell : ndarray of shape (H, W) or (H, W, C), or PIL image
        C is 1 (gray), 2 (gray, alpha), 3 (RGB) or 4 (RGB, alpha).
    max_pixels : int or None
        Maximum height times width.

    Returns
    -------
    ndarray of shape (H, W) or (H, W, 3)
        uint8, uint16 or float32; alpha is dropped.
    """
    if is_instance(cell, "PIL.Image", "Image"):
        check_pixels(cell.height, cell.width, max_pixels)
        cell = from_pil(cell)
    if not hasattr(cell, "__array__") and not isinstance(cell, (list, tuple)):
        raise TypeError(
            "expected an image as a path, bytes, an array (H, W) or (H, W, C), or a "
            f"PIL image, got {type(cell).__name__}"
        )
    pixels = np.asarray(cell)
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] > 4):
        is_planar = pixels.ndim == 3 and pixels.shape[0] <= 4
        hint = (
            "; move its channels from the first axis to the last" if is_planar else ""
        )
        raise ValueError(
            f"its shape {pixels.shape} is not (H, W) or (H, W, C) with 1 to 4 channels"
            f"{hint}"
        )
    if pixels.size == 0:
        raise ValueError(f"its shape {pixels.shape} holds no pixels")
    check_pixels(*pixels.shape[:2], max_pixels)
    return _drop_alpha(as_depth(pixels))


def from_pil(image):
    """Convert a PIL image to an array, its EXIF orientation applied, without alpha."""
    # Pillow is already imported if the user has an image of it.
    from PIL import ImageOps

    # Older versions of Pillow open 16-bit PNG and PGM files as 32-bit integers.
    is_16_bit = image.mode == "I" and image.format in ("PNG", "PPM")
    image = ImageOps.exif_transpose(image)
    if image.mode in ("La", "RGBa"):  # colours multiplied by alpha
        image = image.convert("LA" if image.mode == "La" else "RGBA")
    if image.mode not in ("1", "L", "RGB", "I", "F") and image.mode[:4] != "I;16":
        image = image.convert("L" if image.mode == "LA" else "RGB")
    pixels = np.asarray(image)
    return pixels.astype(np.uint16) if is_16_bit else pixels


def as_depth(pixels):
    """Convert pixels to uint8, uint16 or float32, whose white is 255, 65,535 or 1.

    uint8 and uint16 remain what they are. Wider and signed integers do not say what
    white is, so their maximum decides: a mask up to 1, 8 bits up to 255, 16 bits up to
    65,535.
    """
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if pixels.dtype in (np.uint8, np.uint16):
        return pixels
    if pixels.dtype.kind == "b":
        return pixels.astype(np.float32)
    if pixels.dtype.kind == "f":
        pixels = to_float32(pixels)
        if not np.isfinite(pixels).all():
            raise ValueError("some of its pixels are NaN or infinite")
        return pixels
    if pixels.dtype.kind not in "iu":
        raise TypeError(
            f"its {pixels.dtype} values are not pixels; use uint8, uint16, or floats"
        )
    least, most = pixels.min(), pixels.max()
    if least < 0 or most > 65535:
        raise ValueError(
            f"its {pixels.dtype} values span {least} to {most}, which is neither 8 nor "
            "16 bits; convert them to floats in [0, 1], or to uint8 or uint16"
        )
    return pixels.astype(
        np.float32 if most <= 1 else np.uint8 if most <= 255 else np.uint16
    )


def _drop_alpha(pixels):
    if pixels.ndim == 2:
        return pixels
    return np.ascontiguousarray(
        pixels[..., 0] if pixels.shape[2] < 3 else pixels[..., :3]
    )


def check_range(pixels):
    """Raise if float pixels are outside of [0, 1], as ``scale=True`` requires."""
    if pixels.dtype.kind == "f" and not (pixels.min() >= 0 and pixels.max() <= 1.001):
        raise ValueError(
            f"its float pixels span {pixels.min():g} to {pixels.max():g}, not [0, 1]; "
            "divide them by their maximum, store them as uint8, or use scale=False"
        )


def pixel_maximum(dtype):
    """Return the value of white: 255, 65535, or 1 for floats."""
    return np.iinfo(dtype).max if dtype.kind == "u" else 1


def check_size(size):
    """Return height and width as ``int``, or raise."""
    if not PairOfCounts("height, width").is_satisfied_by(size):
        raise ValueError(f"size must be (height, width) in pixels, got {size!r}.")
    return int(size[0]), int(size[1])


def resize(pixels, height, width, *, averaged=False):
    """Average areas along an axis that shrinks, interpolate along one that grows.

    Pixels that were ``averaged`` in decoding are interpolated if they shrink slightly:
    this takes a sixth of the time and is within one or two dB of averaging again.
    """
    import cv2

    least = min(height / pixels.shape[0], width / pixels.shape[1])
    if averaged and least > 1 / _SLIGHT:
        return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)
    shrunk = min(height, pixels.shape[0]), min(width, pixels.shape[1])
    if shrunk != pixels.shape[:2]:
        pixels = cv2.resize(pixels, shrunk[::-1], interpolation=cv2.INTER_AREA)
    if shrunk != (height, width):
        pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)
    return pixels


def crop_to(pixels, height, width):
    """Cut out the largest centred part with the aspect ratio ``height, width``."""
    ratio = min(pixels.shape[0] / height, pixels.shape[1] / width)
    rows = max(1, round(height * ratio))
    columns = max(1, round(width * ratio))
    top = (pixels.shape[0] - rows) // 2
    left = (pixels.shape[1] - columns) // 2
    return np.ascontiguousarray(pixels[top : top + rows, left : left + columns])


def pad_to(pixels, height, width):
    """Resize to fit within ``height, width`` and centre it on black."""
    ratio = min(height / pixels.shape[0], width / pixels.shape[1])
    rows = min(height, max(1, round(pixels.shape[0] * ratio)))
    columns = min(width, max(1, round(pixels.shape[1] * ratio)))
    padded = np.zeros((height, width, *pixels.shape[2:]), dtype=pixels.dtype)
    top, left = (height - rows) // 2, (width - columns) // 2
    padded[top : top + rows, left : left + columns] = resize(pixels, rows, columns)
    return padded


def convert_color(pixels, order, color):
    """Convert (H, W) or (H, W, 3) pixels in "rgb" or "bgr" order to gray or RGB."""
    import cv2

    if color == "gray":
        if pixels.ndim == 2:
            return pixels
        code = cv2.COLOR_RGB2GRAY if order == "rgb" else cv2.COLOR_BGR2GRAY
        return cv2.cvtColor(pixels, code)
    if pixels.ndim == 2:
        return np.broadcast_to(pixels[..., None], (*pixels.shape, 3))
    return pixels if order == "rgb" else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
