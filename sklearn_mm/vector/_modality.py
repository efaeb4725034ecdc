"""The vector modality: its cells and default encoder."""

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .._columns.arrays import agree_on_shape, find_majority
from .._columns.drawing import draw_lines
from .._columns.modality import Modality
from ._disturbances import DISTURBANCES
from ._stacker import VectorStacker


def make_encoder(on_error="raise"):
    """Return the default encoder: the numbers themselves, scaled."""
    return make_pipeline(VectorStacker(on_error=on_error), StandardScaler())


def detect(cells):
    """Return why cells are vectors, or None: 1-D arrays of nearly always one length."""
    if not all(isinstance(cell, np.ndarray) for cell in cells):
        return None
    if cells[0].ndim > 1 or not agree_on_shape(cells):
        return None
    return f"arrays of shape {find_majority(cell.shape for cell in cells)}"


VECTOR = Modality(
    "vector",
    make_encoder=make_encoder,
    detect=detect,
    disturbances=DISTURBANCES,
    draw=draw_lines,
)
