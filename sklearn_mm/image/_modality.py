"""The image modality: its files, cells and default encoder."""

import numpy as np
from sklearn.pipeline import FeatureUnion, make_pipeline

from .._columns.modality import Modality
from .._utils.imports import is_instance
from ._disturbances import DISTURBANCES
from ._drawing import draw
from ._histograms import ColorHistogramEncoder, HOGEncoder
from ._loader import ImageLoader

_EXTENSIONS = "jpg jpeg jpe jfif png webp bmp gif tif tiff ppm pgm pbm"
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"BM", b"II*\0", b"MM\0*", b"GIF8")


def make_histograms():
    """Return histograms of gradients and of colours, for images of 64 x 64 pixels."""
    return FeatureUnion(
        [
            ("hog", HOGEncoder(cell_size=(8, 8))),
            ("color", ColorHistogramEncoder(grid=(2, 2))),
        ]
    )


def make_encoder(**loading):
    """Return the default encoder: histograms of images of 64 x 64 pixels."""
    loading.pop("sparse", None)
    return make_pipeline(ImageLoader((64, 64), "rgb", **loading), make_histograms())


def sniff(head):
    """Whether a file is an image, by its first bytes."""
    is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    return is_webp or head.startswith(_BEGINNINGS)


def detect(cells):
    """Return why cells are images, or None: by their type, or by shape and values."""
    if all(is_instance(cell, "PIL.Image", "Image") for cell in cells):
        return "PIL images"
    if not all(isinstance(cell, np.ndarray) for cell in cells):
        return None
    has_channels = {cell.shape[-1] for cell in cells if cell.ndim == 3} <= {1, 3, 4}
    if cells[0].ndim == 3 and has_channels:
        return f"arrays of shape {cells[0].shape}"
    if cells[0].ndim == 2 and all(map(_is_picture, cells)):
        return f"arrays of shape {cells[0].shape}"
    return None


def _is_picture(array):
    """Whether ``(a, b)`` looks like pixels: bytes, or about square and in [0, 1]."""
    if array.dtype == np.uint8:
        return True
    if array.size == 0:
        return False
    short, long = sorted(array.shape)
    in_range = np.nanmin(array) >= 0 and np.nanmax(array) <= 1
    return in_range and short >= 8 and long < 4 * short


IMAGE = Modality(
    "image",
    make_encoder=make_encoder,
    extensions=tuple(_EXTENSIONS.split()),
    sniff=sniff,
    detect=detect,
    disturbances=DISTURBANCES,
    draw=draw,
)
