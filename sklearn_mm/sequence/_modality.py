"""The sequence modality: its cells and default encoder."""

import numpy as np
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler

from .._columns.arrays import agree_on_shape
from .._columns.modality import Modality
from ._disturbances import DISTURBANCES
from ._drawing import draw
from ._padder import SequencePadder
from ._resampler import SequenceResampler
from ._statistics import SequenceStatistics


def make_encoder(on_error="raise"):
    """Return the default encoder: scaled statistics, and values at 16 moments."""
    parts = [("statistics", SequenceStatistics()), ("values", SequenceResampler())]
    padder = SequencePadder(on_error=on_error)
    return make_pipeline(padder, FeatureUnion(parts), StandardScaler())


def detect(cells):
    """Return why cells are sequences, or None: 2-D arrays, or 1-D of any length."""
    if not all(isinstance(cell, np.ndarray) for cell in cells):
        return None
    if cells[0].ndim == 2:
        return f"arrays of shape {cells[0].shape}"
    if cells[0].ndim == 1 and not agree_on_shape(cells):
        return "lengths differ"
    return None


SEQUENCE = Modality(
    "sequence",
    make_encoder=make_encoder,
    detect=detect,
    disturbances=DISTURBANCES,
    draw=draw,
)
