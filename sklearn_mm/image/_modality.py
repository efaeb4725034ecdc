"""The image modality: its files, cells and default encoder."""

import numpy as np
from sklearn.pipeline import FeatureUnion, make_pipeline

from .._columns.modality import Modality
from .._utils.imports import is_instance
from ._disturbances import DISTURBANCES
from ._drawing import draw
from ._formats import is_image
from ._histograms import ColorHistogramEncoder, HOGEncoder
from ._loader import ImageLoader

#: Of image files, including those that only other software reads: the error about
#: them names the format.
_EXTENSIONS = (
    "jpg jpeg jpe jfif png apng webp bmp dib gif tif tiff ppm pgm pbm pnm pfm avif "
    "avifs heic heif hif jp2 j2k jpf jpx jxl jxr psd qoi exr hdr dcm svg xcf dng cr2 "
    "cr3 nef arw orf raf rw2 pef"
)


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
    sniff=is_image,
    detect=detect,
    disturbances=DISTURBANCES,
    draw=draw,
)
