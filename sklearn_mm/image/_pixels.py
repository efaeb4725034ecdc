"""Decode, resize, crop, pad and convert pixels with OpenCV."""

from contextlib import contextmanager
from numbers import Integral
from threading import Lock

import numpy as np

from .._columns.arrays import to_float32
from .._utils.imports import is_instance
from ._header import read_image_header

#: Averaged pixels that shrink by less than this factor are interpolated.
_SLIGHT = 1.5
#: How far the last, partly filled block of a JPEG may shift the result, in pixels.
_SHIFT = 0.2

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


def decode_image(data, color, *, max_pixels=None, cover=None):
    """Decode an image file from memory.

    Parameters
    ----------
    data : bytes-like
        The encoded image.
    color : {"gray", "rgb"}
        Color of the output that the pixels will be converted to.
    max_pixels : int or None
        Maximum height times width, checked in the header before decoding.
    cover : tuple of (int, int) or None
        Height and width that a JPEG decoded at a reduced scale must still cover.
        By default it is decoded at full size.

    Returns
    -------
    ndarray of shape (H, W) or (H, W, 3)
        8-bit, 16-bit or float pixels, channels in BGR order.
    bool
        Whether each pixel is the mean of several pixels of the file.
    """
    import cv2

    header = read_image_header(data)
    _check_pixels(header.height, header.width, max_pixels)
    flag, scale = cv2.IMREAD_GRAYSCALE if color == "gray" else cv2.IMREAD_COLOR, 1
    if header.format == "jpeg" and cover is not None:
        flag, scale = _reduced_flag(header, color, cover, flag)
    elif header.format in ("png", "tiff"):
        flag |= cv2.IMREAD_ANYDEPTH  # keep 16 bits and floats
    try:
        pixels = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flag)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise ValueError(f"the {header.format.upper()} file is damaged or cut off")
    return _as_depth(pixels), scale > 1


def _check_pixels(height, width, max_pixels):
    if max_pixels is not None and height * width > max_pixels:
        raise ValueError(
            f"its {width}x{height} pixels exceed max_pixels={max_pixels:,}"
        )


def _reduced_flag(header, color, cover, full_size_flag):
    """Choose the smallest scale that covers the target in any EXIF orientation."""
    import cv2

    name = "GRAYSCALE" if color == "gray" else "COLOR"
    for scale in (8, 4, 2):
        if all(
            side >= scale * max(cover) and -side % scale * max(cover) <= _SHIFT * side
            for side in (header.height, header.width)
        ):
            return getattr(cv2, f"IMREAD_REDUCED_{name}_{scale}"), scale
    return full_size_flag, 1


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
        _check_pixels(cell.height, cell.width, max_pixels)
        cell = _from_pil(cell)
    if not hasattr(cell, "__array__") and not isinstance(cell, (list, tuple)):
        raise TypeError(
            "expected an image as a path, bytes, an array (H, W) or (H, W, C), or a "
            f"PIL image, got {type(cell).__name__}"
        )
    pixels = np.asarray(cell)
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] > 4):
        raise ValueError(
            f"its shape {pixels.shape} is not (H, W) or (H, W, C) with 1 to 4 channels"
        )
    if pixels.size == 0:
        raise ValueError(f"its shape {pixels.shape} holds no pixels")
    _check_pixels(*pixels.shape[:2], max_pixels)
    return _drop_alpha(_as_depth(pixels))


def _from_pil(image):
    # Pillow is already imported if the user has an image of it.
    from PIL import ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode in ("L", "RGB", "F") or image.mode.startswith("I;16"):
        return np.asarray(image)
    if image.mode == "I":  # 16-bit PNGs open as 32-bit integers
        return np.asarray(image).astype(np.uint16)
    return np.asarray(image.convert("L" if image.mode in ("1", "LA") else "RGB"))


def _as_depth(pixels):
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if pixels.dtype in (np.uint8, np.uint16):
        return pixels
    if pixels.dtype.kind == "f":
        pixels = to_float32(pixels)
        if not np.isfinite(pixels).all():
            raise ValueError("some of its pixels are NaN or infinite")
        return pixels
    if pixels.dtype.kind == "b":
        return pixels.astype(np.float32)
    if pixels.dtype.kind in "iu" and pixels.min() >= 0 and pixels.max() <= 255:
        return pixels.astype(np.uint8)
    raise TypeError(
        f"its {pixels.dtype} values are not pixels; use uint8, uint16, or floats"
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
    size = tuple(size)
    if len(size) != 2 or not all(isinstance(s, Integral) and s > 0 for s in size):
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
