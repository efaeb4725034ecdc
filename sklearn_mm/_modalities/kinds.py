"""Kinds of table columns, which share one encoder: numbers, categories and dates."""

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_array, validate_data

from .._columns.modality import Disturbance, Modality
from .scalars import read_number


class DoublePrecision(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Convert the numbers of a frame or an array to float64."""

    _trusted = True

    def fit(self, X, y=None):
        """Remember the columns."""
        validate_data(self, X, skip_check_array=True)
        return self

    def transform(self, X):
        """Convert the numbers."""
        return check_array(X, dtype=np.float64, ensure_all_finite=False)


def make_table_encoder():
    """Return the default encoder: skrub's vectorizer, scaled with outliers squashed."""
    from skrub import DatetimeEncoder, SquashingScaler, TableVectorizer

    dates = DatetimeEncoder(periodic_encoding="spline")
    # Large outliers overflow in float32 when they are squashed.
    steps = TableVectorizer(datetime=dates), DoublePrecision(), SquashingScaler(5.0)
    return make_pipeline(*steps)


def add_noise(cell, strength, generator):
    """Add Gaussian noise to a number; a duration or a time becomes its seconds."""
    return float(read_number(cell) + strength * generator.normal())


_NOISE = {"noise": Disturbance(add_noise, (0.1, 0.3, 1.0), relative=True)}
CATEGORY = Modality("category", make_encoder=make_table_encoder)
NUMERIC = Modality("numeric", make_encoder=make_table_encoder, disturbances=_NOISE)
DATETIME = Modality("datetime", make_encoder=make_table_encoder)
BOOLEAN = Modality("boolean", make_encoder=make_table_encoder)
