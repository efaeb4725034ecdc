"""The video modality: its files, cells and default encoder."""

import numpy as np
from sklearn.pipeline import make_pipeline

from .._columns.modality import Modality
from ..image._modality import make_histograms
from ..vector import PooledEncoder
from ._drawing import draw
from ._frames import detect_container
from ._loader import VideoLoader

_EXTENSIONS = "avi mp4 m4v mov mkv webm mpg mpeg ts wmv flv ogv"


def make_encoder(**loading):
    """Return the default encoder: histograms of images, averaged over eight frames."""
    loading.pop("sparse", None)
    frames = PooledEncoder(make_histograms(), split_arrays=True)
    return make_pipeline(VideoLoader(8, (64, 64), "rgb", **loading), frames)


def sniff(head):
    """Whether a file is a video, by its first bytes."""
    return detect_container(head) is not None


def detect(cells):
    """Return why cells are videos, or None: arrays ``(time, H, W[, 3])``."""
    if not all(isinstance(cell, np.ndarray) and cell.ndim > 2 for cell in cells):
        return None
    return f"arrays of shape {cells[0].shape}"


VIDEO = Modality(
    "video",
    make_encoder=make_encoder,
    extensions=tuple(_EXTENSIONS.split()),
    sniff=sniff,
    detect=detect,
    draw=draw,
)
