"""A modality's columns: checked to be in the table, and which rows lack them all."""

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from .._columns.column import as_column, find_missing
from .._columns.names import make_header
from .._columns.selection import Selection
from .._columns.table import column_names, read_table
from .._utils.imports import (
    check_feature_names,
    check_n_features,
    is_instance,
    num_samples,
)


def find_absent(X):
    """Find the rows where a modality is absent: all of their cells are missing.

    Parameters
    ----------
    X : Series, DataFrame, ndarray, sparse matrix, list or dict of arrays
        A modality's columns, or the output of a transformer.

    Returns
    -------
    ndarray of shape (n_samples,), bool
        True where a row is absent.
    """
    if isinstance(X, dict):
        columns = list(X.values())
    elif isinstance(X, pd.DataFrame):
        columns = [X.iloc[:, i] for i in range(X.shape[1])]
    elif is_instance(X, "polars", "DataFrame"):
        columns = X.get_columns()
    elif isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind == "O":
        columns = list(X.T)
    elif issparse(X):
        return _find_absent_sparse(X)
    elif isinstance(X, np.ndarray):
        return find_missing(X)
    else:
        columns = [X]
    if not columns:
        return np.zeros(num_samples(X), dtype=bool)
    return np.logical_and.reduce([as_column(c, "modality").missing for c in columns])


def _find_absent_sparse(X):
    X = X.tocsr()
    n_missing = np.zeros(X.shape[0], dtype=np.intp)
    stored = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    np.add.at(n_missing, stored[np.isnan(X.data)], 1)
    return (n_missing == X.shape[1]) & (n_missing > 0)


class annotate:
    """Add a modality's name and columns to an error raised inside."""

    def __init__(self, name, columns):
        self.note = f"This happened in modality {name!r}, columns {columns!r}."

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if error is not None:
            error.add_note(self.note)
        return False


class ModalityColumnsMixin:
    """Reads a table, and checks that it has the columns of ``_columns``.

    ``_columns`` is a dict of the columns by modality.
    """

    def _check_X(self, X, reset):
        """Read a table, and check that it is like the one that ``fit`` saw."""
        X = read_table(X)
        if reset or not self._chooses_by_name(X):
            header = make_header(X)
            check_feature_names(self, header, reset=reset)
            check_n_features(self, header, reset=reset)
        if not reset:
            self._check_columns(X)
        return X

    def _chooses_by_name(self, X):
        names = column_names(X)
        return all(Selection(c, names).by_name for c in self._columns.values())

    def _check_columns(self, X):
        """Check that columns chosen by name exist."""
        if isinstance(X, np.ndarray):
            return
        names = column_names(X)
        for modality, columns in self._columns.items():
            lacking = Selection(columns, names).lacking
            if lacking:
                raise ValueError(
                    f"modality {modality!r}: X has no column {lacking}, only {names}. "
                    "Fill a column with None to mark a modality as absent."
                )
