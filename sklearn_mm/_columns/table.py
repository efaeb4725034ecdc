"""Tables: read whatever a user passes as one, and take columns and rows out of it."""

import os

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype
from scipy.sparse import issparse
from sklearn.utils import check_array

from .._utils.imports import is_instance, num_samples, safe_indexing
from .cells import arrow_to_series, loses_in_pandas, normalise_container
from .column import as_column
from .selection import Selection, read_name


class Columns(dict):
    """A dict of arrays of one length, whose rows can be taken together.

    Keys are the columns' names, any hashable. Indexing by an array, list or slice takes
    rows, and ``len`` is the number of rows, as in skorch's ``SliceDict``, so that
    scikit-learn and skorch can split and batch it.
    """

    def __len__(self):
        return len(next(iter(self.values()), ()))

    def __bool__(self):
        return True

    def __getitem__(self, key):
        if isinstance(key, tuple) and len(key) == 2 and key[1] is Ellipsis:
            key = key[0]  # scikit-learn takes rows so
        if not isinstance(key, np.ndarray | list | slice):
            return super().__getitem__(key)
        return type(self)({name: array[key] for name, array in self.items()})

    @property
    def shape(self):
        """The number of rows, in a tuple."""
        return (len(self),)


def read_table(X):
    """Read a table, whichever container it comes in.

    Parameters
    ----------
    X : DataFrame, pyarrow Table, dict of columns or array-like of shape \
            (n_samples, n_columns)
        A pandas or polars frame, a pyarrow table or record batch, a dict or skorch
        ``SliceDict``, an array, or a list of rows.

    Returns
    -------
    DataFrame, Columns or ndarray of shape (n_samples, n_columns)
        Frames and arrays are returned as they are, without a copy; a pyarrow table
        becomes a pandas frame.

    Examples
    --------
    >>> from sklearn_mm.tables import n_rows, read_table
    >>> n_rows(read_table({"price": [3.5, 2.0], "zip": ["04109", "10115"]}))
    2
    """
    if issparse(X):
        raise TypeError(
            "X is sparse, but modalities are columns; convert it with X.toarray()."
        )
    if isinstance(X, dict):
        return X if isinstance(X, Columns) else _read_dict(X)
    if is_instance(X, "pyarrow", "Table", "RecordBatch"):
        return _read_arrow(X)
    if hasattr(X, "columns"):
        check_unique_names(X)
        return X
    if isinstance(X, pd.Series) or is_instance(X, "polars", "Series"):
        raise ValueError(
            f"X is one column, a {type(X).__name__}; expected a table, such as "
            "X.to_frame()."
        )
    _refuse_cells(X)
    return check_array(X, dtype=None, ensure_all_finite=False)


def _refuse_cells(X):
    """Raise an error if X is a cell, or a list of cells or of dicts, without data."""
    first = X[0] if isinstance(X, list | tuple) and X else X
    if not (first is None or isinstance(first, str | bytes | os.PathLike | dict)):
        return
    kind = type(first).__name__
    if first is not X:
        kind = f"{type(X).__name__} of {kind}"
    remedy = "for one column, {'name': X}"
    if isinstance(first, dict):
        remedy = "for one dict per row, pandas.DataFrame(X)"
    raise TypeError(
        f"X is not a table, but a {kind}; expected a frame, a dict of columns or a 2-D "
        f"array, such as {remedy}."
    )


def check_unique_names(X):
    """Raise an error if several columns of a frame have the same name."""
    columns = getattr(X, "columns", None)
    if isinstance(columns, pd.Index) and not columns.is_unique:
        _refuse_duplicates(columns[columns.duplicated()].unique().tolist())


def _refuse_duplicates(names):
    raise ValueError(
        f"X must have unique column names, but has several columns {names}."
    )


def _read_dict(X):
    cells = {read_name(name): cells for name, cells in X.items()}
    columns = Columns({name: _read_cells(c, name) for name, c in cells.items()})
    lengths = {name: len(cells) for name, cells in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the columns of X differ in length: {lengths}.")
    return columns


def _read_cells(cells, name):
    """One column of a dict as an array ``(n_samples, ...)``."""
    if isinstance(cells, pd.Categorical):
        return cells  # not a Series: its rows are taken by position
    cells = normalise_container(cells)
    if isinstance(cells, np.ndarray) and cells.ndim and cells.dtype.kind not in "SV":
        return cells
    if isinstance(getattr(cells, "dtype", None), pd.CategoricalDtype):
        return pd.Categorical(cells)
    elif is_instance(cells, "polars", "Series") and cells.dtype.is_numeric():
        return cells.to_numpy()
    elif is_instance(getattr(cells, "dtype", None), "polars", "Categorical", "Enum"):
        return pd.Categorical(cells.to_list())
    elif isinstance(cells, list) and infer_dtype(cells) in _NUMBERS:
        return pd.Series(cells).to_numpy()  # None becomes NaN
    elif hasattr(cells, "columns") and cells.shape[1] > 1:  # of numbers
        return np.asarray(cells)
    return as_column(cells, f"column {name!r} of X").cells


_NUMBERS = {"integer", "floating", "mixed-integer-float"}


def _read_arrow(table):
    names = table.schema.names
    if len(set(names)) < len(names):
        _refuse_duplicates(sorted({n for n in names if names.count(n) > 1}))
    frame = table.to_pandas()
    for position, name in enumerate(frame.columns):
        # An index that pandas stored in the table is not among the frame's columns.
        stored = name if name in names else str(name)
        if stored in names and loses_in_pandas(table.column(stored)):
            cells = arrow_to_series(table.column(stored))
            frame.isetitem(position, cells.array)
    return frame


def column_names(X):
    """List the names of a table's columns; of an array, their positions.

    Parameters
    ----------
    X : DataFrame, Columns or ndarray of shape (n_samples, n_columns)
        The table, as :func:`read_table` returns it.

    Returns
    -------
    list of hashable
        Names, in the order of the columns.

    Examples
    --------
    >>> from sklearn_mm.tables import column_names, read_table
    >>> column_names(read_table({"price": [3.5, 2.0], 7: [1, 2]}))
    ['price', 7]
    """
    if isinstance(X, dict):
        return list(X)
    if hasattr(X, "columns"):
        return list(map(read_name, X.columns))
    return list(range(X.shape[1]))


def list_names(X, columns):
    """List the names of chosen columns; in an array, their positions.

    Parameters
    ----------
    X : DataFrame, Columns or ndarray of shape (n_samples, n_columns)
        The table.
    columns : hashable, list, slice or mask
        As :class:`Selection` reads them.

    Returns
    -------
    list of hashable
        Names, in the order of the selection.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_mm.tables import list_names
    >>> list_names(pd.DataFrame({"a": [1], "b": [2], "c": [3]}), slice(1, None))
    ['b', 'c']
    """
    names = column_names(X)
    return [names[position] for position in Selection(columns, names).positions]


def get_column(X, name):
    """Get one column by its name, or of an array by its position.

    Parameters
    ----------
    X : DataFrame, Columns or ndarray of shape (n_samples, n_columns)
        The table.
    name : hashable
        One of :func:`column_names`.

    Returns
    -------
    Series or ndarray of shape (n_samples, ...)
        The column.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm.tables import get_column
    >>> get_column(np.array([[1, 2], [3, 4]]), 1)
    array([2, 4])
    """
    return _take_position(X, column_names(X).index(read_name(name)))


def select_columns(X, columns):
    """Take columns out of a table, chosen as in ``ColumnTransformer``.

    Parameters
    ----------
    X : DataFrame, Columns or ndarray of shape (n_samples, n_columns)
        The table.
    columns : hashable, list, slice or mask
        Names or positions, as :class:`Selection` reads them.

    Returns
    -------
    Series, DataFrame, ndarray or Columns
        A scalar gives a 1-D column, anything else a table. Out of ``Columns`` this is
        a pandas frame if each column has one cell per row, so that an estimator that
        knows no dicts can use it.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_mm.tables import select_columns
    >>> frame = pd.DataFrame({3: [1, 2], 1: [5, 6]})
    >>> select_columns(frame, 1).tolist()  # a name, not a position
    [5, 6]
    """
    chosen = Selection(columns, column_names(X))
    positions = chosen.positions
    if chosen.is_scalar:
        return _take_position(X, positions[0])
    if isinstance(X, np.ndarray):
        return X[:, positions]
    if isinstance(X, pd.DataFrame):
        return X.iloc[:, positions]
    names = column_names(X)
    names = [names[position] for position in positions]
    return _take_names(X, names) if isinstance(X, dict) else X[names]


def _take_names(X, names):
    columns = Columns({name: X[name] for name in names})
    if any(getattr(array, "ndim", 1) > 1 for array in columns.values()):
        return columns
    series = [_as_series(array) for array in columns.values()]
    return frame_columns(series, names, range(n_rows(X)))


def _as_series(array):
    try:
        return pd.Series(array).infer_objects()
    except UnicodeEncodeError:  # pandas' type of strings takes no lone surrogates
        return pd.Series(array, dtype=object)


def frame_columns(columns, names, index=None):
    """Put columns side by side in a pandas frame, whatever their names.

    Parameters
    ----------
    columns : sequence of Series
        The columns.
    names : sequence of hashable
        Their names; tuples remain tuples.
    index : sequence or None
        The row labels. By default those of the columns.

    Returns
    -------
    DataFrame
        The frame.
    """
    frame = pd.DataFrame(dict(enumerate(columns)), index=index)
    kind = None if all(isinstance(name, str) for name in names) else object
    try:
        frame.columns = pd.Index(names, tupleize_cols=False, dtype=kind)
    except UnicodeEncodeError:  # pandas' type of strings takes no lone surrogates
        frame.columns = pd.Index(names, tupleize_cols=False, dtype=object)
    return frame


def _take_position(X, position):
    if isinstance(X, np.ndarray):
        return X[:, position]
    if isinstance(X, pd.DataFrame):
        return X.iloc[:, position]
    return X[column_names(X)[position]]


def select_rows(X, rows):
    """Take rows out of a table or a column.

    Parameters
    ----------
    X : DataFrame, Series, Columns, ndarray, sparse matrix or list
        The table or column.
    rows : ndarray of int
        The rows.

    Returns
    -------
    same as ``X``
        Its rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm.tables import read_table, select_rows
    >>> table = read_table({"price": [3.5, 2.0, 8.0]})
    >>> select_rows(table, np.array([0, 2]))["price"].tolist()
    [3.5, 8.0]
    """
    return X[rows] if isinstance(X, dict) else safe_indexing(X, rows)


def n_rows(X):
    """Count the rows of a table or a column.

    Parameters
    ----------
    X : DataFrame, Series, Columns, ndarray, sparse matrix or list
        The table or column.

    Returns
    -------
    int
        The number of rows.

    Examples
    --------
    >>> from sklearn_mm.tables import n_rows, read_table
    >>> n_rows(read_table([[1, 2], [3, 4], [5, 6]]))
    3
    """
    return num_samples(X)
