"""Decode image files with OpenCV, and with Pillow what OpenCV gets wrong or cannot."""

import numpy as np

from ._formats import N_BYTES, identify
from ._header import open_by_pillow, read_image_header
from ._pixels import as_depth, check_pixels, from_pil
from ._tiff import choose_tiff_decoder, interpret_samples, read_tiff_layout

#: Formats that OpenCV decodes, besides PNG and TIFF.
_BY_OPENCV = ("jpeg", "gif", "bmp", "webp")
#: How far the last, partly filled block of a JPEG may shift the result, in pixels.
_SHIFT = 0.2


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
    check_pixels(header.height, header.width, max_pixels)
    flag, scale = cv2.IMREAD_GRAYSCALE if color == "gray" else cv2.IMREAD_COLOR, 1
    if header.format == "jpeg" and cover is not None:
        flag, scale = _reduced_flag(header, color, cover, flag)
    elif header.format == "png":
        flag |= cv2.IMREAD_ANYDEPTH  # keep 16 bits
    elif header.format == "tiff":
        return as_depth(_decode_tiff(data, flag)), False
    elif header.format not in _BY_OPENCV:
        return as_depth(_decode_by_pillow(data)), False
    return as_depth(_decode_by_opencv(data, flag)), scale > 1


def _decode_by_opencv(data, flag):
    import cv2

    try:
        pixels = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flag)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise _make_error(data)
    return pixels


def _decode_by_pillow(data):
    try:
        with open_by_pillow(identify(data[:N_BYTES]), data) as image:
            pixels = from_pil(image)
    except Exception:  # hostile files make Pillow raise almost anything
        raise _make_error(data) from None
    return pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., ::-1])


def _make_error(data):
    name = identify(data[:N_BYTES]).name
    return ValueError(f"the {name} file is damaged or cut off")


def _decode_tiff(data, flag):
    import cv2

    layout = read_tiff_layout(memoryview(data))
    decoder = choose_tiff_decoder(layout)
    if decoder == "samples":
        samples = _decode_by_opencv(data, cv2.IMREAD_UNCHANGED)
        return interpret_samples(samples, layout)
    if decoder == "opencv":
        try:
            return _decode_by_opencv(data, flag)
        except ValueError:  # such as small tiles
            pass
    if not layout.is_sound:
        raise _make_error(data)
    return _decode_by_pillow(data)


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
