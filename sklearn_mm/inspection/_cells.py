"""Cells of a table that change places, go missing or are replaced, in a copy of it."""

import numpy as np
import pandas as pd
from pandas.api.extensions import take
from pandas.api.types import is_numeric_dtype, is_string_dtype
from scipy.sparse import issparse
from sklearn.utils import check_array

from .._utils.imports import is_instance, safe_indexing


def as_table(X):
    """Check that ``X`` is a table: a frame, a 2-D array, or a dict of arrays.

    Parameters
    ----------
    X : DataFrame, array-like of shape (n_samples, n_columns) or dict of arrays
        The table.

    Returns
    -------
    DataFrame, ndarray or dict of arrays
        A list of rows as an array, the rest as it is.
    """
    if issparse(X):
        raise TypeError(
            "X is sparse, but modalities are columns; convert it by X.toarray()."
        )
    if isinstance(X, dict) or hasattr(X, "columns"):
        return X
    if len(getattr(X, "shape", (0, 0))) == 1:
        raise ValueError(
            f"X is one column, a {type(X).__name__}; expected a table, as "
            "X.to_frame() gives it."
        )
    return check_array(X, dtype=None, ensure_all_finite=False)


def take_column(X, key):
    """Take a column out of a table: by its position, of a dict by its name."""
    if isinstance(X, dict):
        return X[key]
    if isinstance(X, pd.DataFrame):
        return X.iloc[:, key]
    return X[:, key]


def replace_columns(X, columns):
    """Give a copy of a table with some columns replaced.

    Parameters
    ----------
    X : DataFrame, ndarray or dict of arrays
        The table, which stays as it is.
    columns : dict of key to Series or ndarray
        New columns by position, of a dict by name.

    Returns
    -------
    same as ``X``
        The copy.
    """
    if isinstance(X, dict):
        return type(X)(**{**X, **columns})
    if isinstance(X, np.ndarray):
        kinds = {column.dtype.kind for column in columns.values()}
        kind = object if "O" in kinds else np.result_type(X, *columns.values())
        X = X.astype(object if X.dtype.kind in "UST" else kind)  # a copy
        for key, column in columns.items():
            X[:, key] = column
        return X
    if is_instance(X, "polars", "DataFrame"):
        return X.with_columns(
            [column.alias(X.columns[key]) for key, column in columns.items()]
        )
    X = X.copy(deep=False)
    for key, column in columns.items():
        X.isetitem(key, column)
    return X


def move_cells(X, keys, order):
    """Give a copy of a table in which columns hold the cells of other rows.

    Parameters
    ----------
    X : DataFrame, ndarray or dict of arrays
        The table, which stays as it is.
    keys : list
        Positions of the columns, of a dict their names.
    order : ndarray of shape (n_samples,), int
        For each row the row whose cells it gets; -1 makes them missing.

    Returns
    -------
    same as ``X``
        The copy. Where cells go missing, whole numbers become floats.
    """
    return replace_columns(X, {key: _move(take_column(X, key), order) for key in keys})


def blank_cells(X, keys, rows=None):
    """Give a copy of a table in which columns are missing from rows, or from all.

    Parameters
    ----------
    X : DataFrame, ndarray or dict of arrays
        The table, which stays as it is.
    keys : list
        Positions of the columns, of a dict their names.
    rows : ndarray of int or None
        The rows; all by default.

    Returns
    -------
    same as ``X``
        The copy.
    """
    order = np.arange(count_rows(X))
    order[slice(None) if rows is None else rows] = -1
    return move_cells(X, keys, order)


def take_rows(X, rows):
    """Take rows out of a table: DataFrame, ndarray or dict of arrays."""
    if isinstance(X, dict):
        return type(X)(**{key: safe_indexing(X[key], rows) for key in X})
    return safe_indexing(X, rows)


def count_rows(X):
    """Count the rows of a table."""
    return len(next(iter(X.values()))) if isinstance(X, dict) else len(X)


def put_cells(column, cells):
    """Make a column of new cells, of the kind that the old one is.

    Parameters
    ----------
    column : Series or ndarray
        The old column.
    cells : list
        The new cells.

    Returns
    -------
    Series or ndarray
        The new column.
    """
    if is_instance(column, "polars", "Series"):
        import polars as pl

        plain = all(isinstance(cell, str | float | int | None) for cell in cells)
        kind = None if plain else pl.Object
        return pl.Series(column.name, cells, dtype=kind, strict=False)
    if column.dtype.kind in "biuf" and isinstance(column.dtype, np.dtype):
        array = np.array(cells)
    else:
        array = np.empty(len(cells), dtype=object)
        for row, cell in enumerate(cells):  # np.array would stack those of one shape
            array[row] = cell
    if isinstance(column, pd.Series):
        return pd.Series(array, index=column.index, dtype=_find_dtype(column, array))
    return array


def _find_dtype(column, array):
    """Keep pandas' own types that can hold the cells."""
    if isinstance(column.dtype, np.dtype):
        return array.dtype
    if is_string_dtype(column.dtype) and is_string_dtype(array[~pd.isna(array)]):
        return column.dtype
    return "Float64" if is_numeric_dtype(column.dtype) else object


def _move(column, order):
    if is_instance(column, "polars", "Series"):
        import polars as pl

        if column.dtype == pl.Object:  # gather puts another cell where one is missing
            cells = [column[row] if row >= 0 else None for row in order.tolist()]
            return pl.Series(column.name, cells, dtype=pl.Object)
        return column.gather(pl.Series(order).replace(-1, None))
    if isinstance(column, pd.Series):
        plain = isinstance(column.dtype, np.dtype)
        array = column.to_numpy() if plain else column.array
        return pd.Series(_move_array(array, order), index=column.index)
    return _move_array(np.asarray(column), order)


def _move_array(array, order):
    missing = order < 0
    if not isinstance(array, np.ndarray):  # pandas' own types know missing values
        return take(array, order, allow_fill=True)
    moved = array[order]
    if not missing.any():
        return moved
    if array.ndim > 1 and array.dtype.kind in "biu":  # as floats they were no pixels
        cells = np.empty(len(order), dtype=object)
        for row in np.flatnonzero(~missing):
            cells[row] = moved[row]
        return cells
    if array.dtype.kind in "biu":
        moved = moved.astype(float)
    elif array.dtype.kind in "UST":
        moved = moved.astype(object)
    nothing = {"O": None, "M": np.datetime64("NaT"), "m": np.timedelta64("NaT")}
    moved[missing] = nothing.get(moved.dtype.kind, np.nan)
    return moved
