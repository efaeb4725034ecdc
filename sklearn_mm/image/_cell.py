"""One image as it is, of its own size: what disturbances and drawings start from."""

import numpy as np

from .._columns.files import names_file
from ._pixels import as_pixels, convert_color, decode_image

#: Bound on height times width, checked before decoding.
_MAX_PIXELS = 2**26


def read_image(cell, cover=None):
    """Decode an image; an array of pixels is returned unchanged.

    Parameters
    ----------
    cell : bytes-like, ndarray or PIL image
        The image.
    cover : tuple of (int, int) or None
        Height and width that a JPEG decoded at a reduced scale must still cover.

    Returns
    -------
    ndarray of shape (H, W) or (H, W, C)
        Pixels in RGB order.
    """
    if names_file(cell):
        pixels, _ = decode_image(cell, "rgb", max_pixels=_MAX_PIXELS, cover=cover)
        return convert_color(pixels, "bgr", "rgb")
    pixels = as_pixels(cell, max_pixels=_MAX_PIXELS)
    is_unchanged = isinstance(cell, np.ndarray) and cell.dtype == pixels.dtype
    return cell if is_unchanged else pixels
