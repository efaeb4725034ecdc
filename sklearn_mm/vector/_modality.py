"""The vector modality: its cells and default encoder."""

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .._columns.drawing import draw_lines
from .._columns.modality import Modality
from ._disturbances import DISTURBANCES
from ._stacker import VectorStacker


def make_encoder(on_error="raise"):
    """Return the default encoder: the numbers themselves, scaled."""
    return make_pipeline(VectorStacker(on_error=on_error), StandardScaler())


def detect(cells):
    """Return why cells are vectors, or None: 1-D arrays of one length."""
    if not all(isinstance(cell, np.ndarray) for cell in cells):
        return None
    if cells[0].ndim > 1 or len({cell.shape for cell in cells}) > 1:
        return None
    return f"arrays of shape {cells[0].shape} all"


VECTOR = Modality(
    "vector",
    make_encoder=make_encoder,
    detect=detect,
    disturbances=DISTURBANCES,
    draw=draw_lines,
)
