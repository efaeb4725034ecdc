"""A column of cells: normalise the container, and find which cells are missing."""

import os
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from .._utils.imports import is_instance
from .cells import make_cells, normalise_cells, normalise_container
from .padding import PaddedArray

_ROWS = ContextVar("rows", default=None)


@dataclass(frozen=True)
class Column:
    """One cell per sample.

    ``cells`` is a 1-D object array, or a numeric array ``(n_samples, ...)`` whose
    items along the first axis are the cells.
    """

    cells: np.ndarray
    missing: np.ndarray  # (n_samples,) bool
    labels: object  # the row labels, indexable by position
    name: object = None

    def __len__(self):
        return len(self.cells)


def as_column(X, owner, *, convert=True):
    """Convert any supported container to a :class:`Column`.

    Parameters
    ----------
    X : pandas or polars Series or one-column DataFrame, list, ndarray
        The cells. Arrays and cells of other libraries are converted.
    owner : str
        Name of the estimator, for errors.
    convert : bool
        Whether cells of other libraries and lists of numbers become arrays.
    """
    X = _squeeze_frame(normalise_container(X), owner)
    labels = X.index if isinstance(X, pd.Series) else _number_rows(len(X))
    cells = _as_cells(X, convert)
    if convert and cells.dtype.kind == "O":
        cells = normalise_cells(cells)
    # A Series without a name has none in pandas, and an empty one in polars.
    name = getattr(X, "name", None)
    return Column(cells, find_missing(cells), labels, None if name == "" else name)


@contextmanager
def take_rows(rows, n_samples):
    """Label the rows of columns without labels by their numbers in a larger table.

    Parameters
    ----------
    rows : ndarray of int
        Which rows of the table the columns hold. Within another such context, the table
        itself may hold some rows of a larger one.
    n_samples : int
        Number of rows of the table.
    """
    with _set_rows(np.asarray(_number_rows(n_samples))[rows]):
        yield


def count_rows():
    """Label the rows of columns without labels by their positions again."""
    return _set_rows(None)


@contextmanager
def _set_rows(rows):
    token = _ROWS.set(rows)
    try:
        yield
    finally:
        _ROWS.reset(token)


def _number_rows(n_rows):
    rows = _ROWS.get()
    return range(n_rows) if rows is None or len(rows) != n_rows else rows.tolist()


def _squeeze_frame(X, owner):
    if issparse(X):
        raise TypeError(f"{owner}: a sparse matrix; convert it with X.toarray().")
    if not hasattr(X, "__len__") or isinstance(X, (str, bytes, dict, set)):
        raise TypeError(
            f"{owner}: expected a column (a Series, a list or an array with one cell "
            f"per sample), got one {type(X).__name__}. Put it into a list: [value]."
        )
    if isinstance(X, pd.DataFrame):
        columns = [X.iloc[:, i] for i in range(X.shape[1])]
    elif is_instance(X, "polars", "DataFrame"):
        columns = X.get_columns()
    elif isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "OUST":
        columns = list(X.T)
    else:
        return X
    if len(columns) != 1:
        names = list(getattr(X, "columns", range(len(columns))))
        raise ValueError(
            f"{owner}: expected one column, got {len(columns)}: {names}. Give each "
            "column its own encoder with a ColumnTransformer or a fusion estimator."
        )
    return columns[0]


def _as_cells(X, convert):
    if isinstance(X, pd.Series):
        numeric = X.dtype.kind in "biufc" and isinstance(X.dtype, np.dtype)
        return X.to_numpy() if numeric else X.to_numpy(dtype=object)
    if is_instance(X, "polars", "Series"):
        X = _read_polars(X, convert)
    if isinstance(X, PaddedArray):
        return X
    if not isinstance(X, np.ndarray):
        return make_cells(X)
    X = _decode_bytes(X) if X.dtype.kind == "S" else X
    return X.astype(object) if X.dtype.kind in "USTV" else X


def _read_polars(series, convert):
    """Return an array of an Array column, else a list; inner arrays keep their type."""
    if is_instance(series.dtype, "polars", "Array"):
        return series.to_numpy()
    if convert and is_instance(series.dtype, "polars", "List"):
        return [None if cell is None else cell.to_numpy() for cell in series]
    return series.to_list()


def _decode_bytes(cells):
    """Decode fixed-width bytes, which numpy uses for texts, where they are texts."""
    try:
        return np.char.decode(cells, "utf-8")
    except UnicodeDecodeError:
        return cells


def find_missing(cells):
    """Find the missing cells: None, NaN, NaT, ``pd.NA`` or an all-NaN sample.

    Parameters
    ----------
    cells : ndarray of shape (n_samples, ...)
        Objects, or a numeric array.

    Returns
    -------
    ndarray of shape (n_samples,), bool
        True where the sample is missing.
    """
    if isinstance(cells, PaddedArray):
        return np.array([sample is None for sample in cells.samples], dtype=bool)
    if cells.dtype.kind == "O":
        return np.asarray(pd.isna(cells), dtype=bool)
    missing = np.zeros(len(cells), dtype=bool)
    if cells.dtype.kind not in "fmM" or cells.size == 0:
        return missing
    if cells.dtype.kind in "mM":
        return np.isnat(cells).reshape(len(cells), -1).all(axis=1)
    flat = cells.reshape(len(cells), -1)
    candidates = np.flatnonzero(np.isnan(flat[:, 0]))  # few, so only check these
    missing[candidates] = np.isnan(flat[candidates]).all(axis=1)
    return missing


def describe_cell(cell):
    """Describe a cell briefly for an error: its path, or its type and size."""
    if isinstance(cell, (str, os.PathLike)):
        text = repr(os.fspath(cell))
        return text if len(text) <= 200 else f"{text[:197]}..."
    if isinstance(cell, (bytes, bytearray, memoryview)):
        return f"{len(cell)} bytes"
    if isinstance(cell, np.ndarray):
        return f"array of shape {cell.shape}, {cell.dtype}"
    if isinstance(cell, (tuple, list)):
        return f"{type(cell).__name__} of {len(cell)}"
    return type(cell).__name__
