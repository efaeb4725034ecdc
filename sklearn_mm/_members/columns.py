"""A modality's columns: chosen out of a table, and checked to be in it."""

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.utils import check_array

from .._columns.column import as_column, find_missing
from .._utils.imports import (
    check_feature_names,
    check_n_features,
    get_column_indices,
    is_instance,
    num_samples,
    safe_indexing,
)


def select_columns(X, columns):
    """Take a modality's columns out of a table.

    Parameters
    ----------
    X : DataFrame, ndarray or dict of arrays
        The table.
    columns : str, int, list, slice or mask
        As in :class:`~sklearn.compose.ColumnTransformer`: a scalar gives a 1-D column.

    Returns
    -------
    Series, DataFrame, ndarray or dict of arrays
        The columns.
    """
    if isinstance(X, dict):
        return X[columns] if isinstance(columns, str) else _pick(X, columns)
    return safe_indexing(X, columns, axis=1)


def list_names(X, columns):
    """Return the names of a modality's columns, or their positions in an array.

    Parameters
    ----------
    X : DataFrame, ndarray or dict of arrays
        The table.
    columns : str, int, list, slice or mask
        As in :class:`~sklearn.compose.ColumnTransformer`.

    Returns
    -------
    list
        Names, or positions.
    """
    if isinstance(X, dict):
        return [columns] if isinstance(columns, str) else list(columns)
    positions = np.atleast_1d(get_column_indices(X, columns)).tolist()
    if hasattr(X, "columns"):
        return [X.columns[position] for position in positions]
    return positions


def select_rows(X, rows):
    """Take rows out of a modality's columns.

    Parameters
    ----------
    X : Series, DataFrame, ndarray, list or dict of arrays
        The columns.
    rows : ndarray of int
        The rows.

    Returns
    -------
    same as ``X``
        The rows of it.
    """
    return X[rows] if isinstance(X, dict) else safe_indexing(X, rows)


def _pick(X, names):
    return type(X)(**{name: X[name] for name in names})


def check_unique_names(X):
    """Refuse a frame that has several columns of one name."""
    columns = getattr(X, "columns", None)
    if isinstance(columns, pd.Index) and not columns.is_unique:
        names = columns[columns.duplicated()].unique().tolist()
        raise ValueError(
            f"X must have unique column names, but has several columns {names}."
        )


def find_absent(X):
    """Say which rows are missing in all of their cells.

    Parameters
    ----------
    X : Series, DataFrame, ndarray, sparse matrix, list or dict of arrays
        A modality's columns, or what a transformer made of them.

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


def is_names(columns):
    """Whether columns are chosen by their names."""
    return isinstance(columns, str) or (
        isinstance(columns, (list, tuple))
        and len(columns) > 0
        and all(isinstance(column, str) for column in columns)
    )


def is_nothing(columns):
    """Whether no column is chosen."""
    return isinstance(columns, (list, tuple)) and len(columns) == 0


class annotate:
    """Name the modality and its columns in whatever error comes out of it."""

    def __init__(self, name, columns):
        self.note = f"This happened in modality {name!r}, columns {columns!r}."

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if error is not None:
            error.add_note(self.note)
        return False


class ModalityColumnsMixin:
    """Checks a table, and that it holds ``_columns``, which are known by modality."""

    def _check_X(self, X, reset):
        """Check that ``X`` is a table, and the one that ``fit`` saw."""
        if issparse(X):
            raise TypeError(
                f"{type(self).__name__} takes no sparse X, because modalities are "
                "columns; convert it by X.toarray()."
            )
        check_unique_names(X)
        if not isinstance(X, dict) and not hasattr(X, "columns"):
            X = check_array(X, dtype=None, ensure_all_finite=False)
        if isinstance(X, dict):
            self.n_features_in_ = len(X) if reset else self.n_features_in_
        elif reset or not all(is_names(c) for c in self._columns.values()):
            check_feature_names(self, X, reset=reset)
            check_n_features(self, X, reset=reset)
        if not reset:
            self._check_columns(X)
        return X

    def _check_columns(self, X):
        """Check that columns chosen by name are there, with a word on what to do."""
        known = list(X) if isinstance(X, dict) else list(getattr(X, "columns", []))
        if not known:
            return
        for name, columns in self._columns.items():
            wanted = [columns] if isinstance(columns, str) else columns
            if not is_names(columns):
                continue
            lacking = [column for column in wanted if column not in known]
            if lacking:
                raise ValueError(
                    f"modality {name!r}: X has no column {lacking}, only {known}. Fill "
                    "a column with None to say that a modality is absent."
                )
