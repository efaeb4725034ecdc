"""Kinds of table columns, which share one encoder: numbers, categories and dates."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_array, validate_data

from .._columns.modality import Modality
from ..vector._disturbances import DISTURBANCES


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


CATEGORY = Modality("category", make_encoder=make_table_encoder)
NUMERIC = Modality(
    "numeric", make_encoder=make_table_encoder, disturbances=DISTURBANCES
)
DATETIME = Modality("datetime", make_encoder=make_table_encoder)
BOOLEAN = Modality("boolean", make_encoder=make_table_encoder)

#: How the cells of each kind, a pandas Series, become a column for skrub.
READERS = {
    "category": lambda cells: cells.map(str, na_action="ignore").astype(object),
    "numeric": lambda cells: pd.to_numeric(cells, errors="coerce"),
    "datetime": lambda cells: pd.to_datetime(cells, errors="coerce"),
    "boolean": lambda cells: pd.to_numeric(cells.map(float, na_action="ignore")),
}
