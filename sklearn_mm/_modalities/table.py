"""A table: its columns by name, what a user declares of them, and what skrub gets."""

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_array

from .._columns.arrays import to_float32
from .._columns.column import as_column
from .._members.columns import check_unique_names
from .._utils.imports import is_instance
from .detect import detect_modality, holds_lists
from .known import NAMES, TABLE_NAMES


def list_columns(X):
    """Give a table's columns by name: of a frame, a dict of arrays, or an array.

    Parameters
    ----------
    X : DataFrame, dict of arrays or ndarray of shape (n_samples, n_columns)
        The table.

    Returns
    -------
    dict of str to Series or ndarray
        The columns, those of an array by the names "x0", "x1", ...
    """
    if isinstance(X, dict) and not issparse(X):
        return dict(X)
    if is_instance(X, "polars", "DataFrame"):
        return {name: X[name] for name in X.columns}
    if isinstance(X, pd.DataFrame):
        check_unique_names(X)
        return {name: X[name] for name in X.columns}
    X = check_array(X, dtype=None, ensure_all_finite=False)
    return {f"x{i}": X[:, i] for i in range(X.shape[1])}


def read_declarations(params, columns):
    """Read which columns an estimator's parameters declare.

    Parameters
    ----------
    params : object
        Has an attribute for each modality: a name, a list of names, or None.
    columns : dict
        The columns that there are.

    Returns
    -------
    dict of str to tuple (modality, reason)
        By column.
    """
    declared = {}
    for modality in (*NAMES, "category", "numeric", "datetime", "drop"):
        names = getattr(params, modality)
        for name in [names] if isinstance(names, str) else names or []:
            if name not in columns:
                raise ValueError(
                    f"{modality}={names!r}: X has no column {name!r}, only "
                    f"{list(columns)}."
                )
            first, _ = declared.setdefault(name, (modality, "declared"))
            if first != modality:
                raise ValueError(
                    f"column {name!r} is declared as {first} and as {modality}."
                )
    return declared


def find_modalities(params, columns):
    """Find the modalities of all columns, as declared or else by their cells.

    Parameters
    ----------
    params : MultimodalVectorizer
        Has the declarations, ``root`` and ``verbose``.
    columns : dict of str to Series or ndarray
        The columns.

    Returns
    -------
    dict of str to str
        The modality of each column.
    dict of str to str
        Why.
    set of str
        The columns whose cells are lists.
    """
    declared = read_declarations(params, columns)
    owner = type(params).__name__
    modalities, reasons, lists = {}, {}, set()
    for name, column in columns.items():
        column = as_column(column, owner)
        found = declared.get(name) or detect_modality(column, params.root)
        if found[0] in TABLE_NAMES and not _has_values(column, found[0]):
            found = "empty", "no value is there"
        modalities[name], reasons[name] = found
        if holds_lists(column):
            lists.add(name)
        if params.verbose:
            print(f"[{owner}] {name}: {found[0]} ({found[1]})")
    return modalities, reasons, lists


def _has_values(column, kind):
    """Whether a table can learn from a column: what is infinite in float32 is none."""
    if column.missing.all():
        return False
    if kind != "numeric" or column.cells.dtype.kind not in "fO":
        return True
    numbers = pd.to_numeric(pd.Series(column.cells), errors="coerce")
    numbers = numbers.to_numpy(np.float64, na_value=np.nan)
    return bool(np.isfinite(to_float32(numbers)).any())


def make_table(columns, kinds):
    """Make a pandas frame of columns of numbers, categories, dates and booleans.

    Parameters
    ----------
    columns : dict of str to Series or ndarray
        All columns.
    kinds : dict of str to str
        Those to take, and what they are: "category" is read as strings, "numeric" and
        "datetime" as such, with NaN where that cannot be done.

    Returns
    -------
    DataFrame
        Of index 0, 1, ...
    """
    read = {
        "category": lambda cells: cells.map(str, na_action="ignore").astype(object),
        "numeric": lambda cells: pd.to_numeric(cells, errors="coerce"),
        "datetime": lambda cells: pd.to_datetime(cells, errors="coerce"),
        "boolean": lambda cells: pd.to_numeric(cells.map(float, na_action="ignore")),
    }
    table = {}
    for name, kind in kinds.items():
        cells = columns[name]
        if is_instance(cells, "polars", "Series"):
            cells = cells.to_list()
        cells = pd.Series(cells).reset_index(drop=True)
        # Of a fold's rows a column may seem empty, or of another kind than of all.
        table[str(name)] = read.get(kind, read["category"])(cells)
    return pd.DataFrame(table)


def find_dates(encoder):
    """Give the columns that skrub's vectorizer, if it is one, took for dates."""
    steps = (
        [s for _, s in encoder.steps] if isinstance(encoder, Pipeline) else [encoder]
    )
    kinds = getattr(steps[0], "column_to_kind_", {})
    return [column for column, kind in kinds.items() if kind == "datetime"]


def name_features(names, columns, shared):
    """Name features ``column__feature``.

    Parameters
    ----------
    names : list of str
        As their encoder names them.
    columns : list of str
        The columns that it encodes.
    shared : bool
        Whether it encodes several, and names each feature by its column first.

    Returns
    -------
    list of str
        Of ``size_small``, for example, ``size__small``.
    """
    if not shared:
        return [f"{columns[0]}__{name}" for name in names]
    columns = sorted(columns, key=len, reverse=True)
    return [_split_name(name, columns) for name in names]


def _split_name(name, columns):
    """Tell a feature of the table from its column: ``size_small``, ``size__small``."""
    for column in columns:
        if name == column:
            return f"{column}__value"
        if name.startswith(f"{column}_"):
            return f"{column}__{name[len(column) + 1 :]}"
    return f"table__{name}"
