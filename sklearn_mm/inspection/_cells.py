"""Copies of a table in which cells are moved, missing or replaced."""

import numpy as np
import pandas as pd
from pandas.api.extensions import take
from pandas.api.types import is_numeric_dtype, is_string_dtype

from .._utils.imports import is_instance
from ..modalities import read_cells
from ..tables import column_names, n_rows, read_table


def name_columns(X):
    """Return the columns' names by key: by position, in a dict by name.

    Parameters
    ----------
    X : DataFrame, ndarray or dict of arrays
        The table.

    Returns
    -------
    dict of key to hashable
        The columns of an array are called "x0", "x1", ...
    """
    names = column_names(X)
    if isinstance(X, dict):
        return dict(zip(names, names))
    if isinstance(X, np.ndarray):
        return {i: f"x{i}" for i in names}
    return dict(enumerate(names))


def take_column(X, key):
    """Return a column of a table, by position, in a dict by name."""
    if isinstance(X, dict):
        return X[key]
    if isinstance(X, pd.DataFrame):
        return X.iloc[:, key]
    return X[:, key]


def find_absent(column):
    """Find the rows in which a column is missing.

    Parameters
    ----------
    column : Series, DataFrame or ndarray
        The column; in a dict it may be a block of several.

    Returns
    -------
    ndarray of shape (n_samples,), bool
        True where all cells are missing.
    """
    if isinstance(column, np.ndarray) and column.ndim == 2 and column.dtype == object:
        return np.logical_and.reduce([read_cells(part).missing for part in column.T])
    if hasattr(column, "columns"):
        keys = name_columns(column)
        parts = [take_column(column, key) for key in keys]
        return np.logical_and.reduce([read_cells(part).missing for part in parts])
    return read_cells(column).missing


def list_items(cell):
    """Return the items of a cell that is a list of files or arrays, or the cell."""
    return list(cell) if read_cells([cell]).are_lists else [cell]


def replace_columns(X, columns):
    """Return a copy of a table with some columns replaced.

    Parameters
    ----------
    X : DataFrame, ndarray or dict of arrays
        The table, which is not modified.
    columns : dict of key to Series or ndarray
        New columns by position, in a dict by name.

    Returns
    -------
    same as ``X``
        The copy.
    """
    if isinstance(X, dict):
        return read_table({**X, **columns})
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
    """Return a copy of a table in which columns hold the cells of other rows.

    Parameters
    ----------
    X : DataFrame, ndarray or dict of arrays
        The table, which is not modified.
    keys : list
        Positions of the columns, in a dict their names.
    order : ndarray of shape (n_samples,), int
        For each row, the row that its cells come from; -1 makes them missing.

    Returns
    -------
    same as ``X``
        The copy. Columns of integers with missing cells become floats.
    """
    return replace_columns(X, {key: _move(take_column(X, key), order) for key in keys})


def blank_cells(X, keys, rows=None):
    """Return a copy of a table in which columns are missing from some or all rows.

    Parameters
    ----------
    X : DataFrame, ndarray or dict of arrays
        The table, which is not modified.
    keys : list
        Positions of the columns, in a dict their names.
    rows : ndarray of int or None
        The rows; None for all.

    Returns
    -------
    same as ``X``
        The copy.
    """
    order = np.arange(n_rows(X))
    order[slice(None) if rows is None else rows] = -1
    return move_cells(X, keys, order)


def put_cells(column, cells):
    """Return a column of new cells, of the same type of container as the old one.

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
    """Return the dtype of a new Series, an extension type if it can hold the cells."""
    if isinstance(column.dtype, np.dtype):
        return array.dtype
    if is_string_dtype(column.dtype) and is_string_dtype(array[~pd.isna(array)]):
        return column.dtype
    return "Float64" if is_numeric_dtype(column.dtype) else object


def _move(column, order):
    if is_instance(column, "polars", "Series"):
        import polars as pl

        if column.dtype == pl.Object:  # gather fills a gap with another cell
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
    if not isinstance(array, np.ndarray):  # extension types have missing values
        return take(array, order, allow_fill=True)
    moved = array[order]
    if not missing.any():
        return moved
    if array.ndim > 1 and array.dtype.kind in "biu":  # pixels must stay integers
        cells = np.empty(len(order), dtype=object)
        for row in np.flatnonzero(~missing):
            cells[row] = moved[row]
        return cells
    if array.dtype.kind in "biu":
        moved = moved.astype(float)
    elif array.dtype.kind in "UST":
        moved = moved.astype(object)
    gaps = {"O": None, "M": np.datetime64("NaT"), "m": np.timedelta64("NaT")}
    moved[missing] = gaps.get(moved.dtype.kind, np.nan)
    return moved
