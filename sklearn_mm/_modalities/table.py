"""A table: its columns, the modality of each, and the part that skrub encodes."""

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from .._columns.arrays import to_float32
from .._columns.column import as_column
from .._columns.loading import report_failures
from .._columns.modality import Modality
from .._columns.names import label_columns
from .._columns.table import column_names, frame_columns, get_column, read_table
from .._utils.memo import compute_once
from .detect import detect_modality, holds_categories, holds_lists
from .known import BY_NAME, TABLE_NAMES, UNKNOWN
from .readers import Form, find_form, read_column
from .scalars import find_kind

#: What a column may be declared as, beside the modalities: left out.
DROP = "drop"


class ColumnType(NamedTuple):
    """What a column is: the name of its modality, why, and what its cells are like."""

    _trusted = True

    modality: str
    reason: str
    lists: bool
    form: Form


def list_columns(X):
    """Return a table's columns by name; those of an array are called "x0", "x1", ...

    Parameters
    ----------
    X : DataFrame, pyarrow Table, dict of columns or ndarray of shape \
            (n_samples, n_columns)
        The table.

    Returns
    -------
    dict of hashable to Series or ndarray
        The columns.
    """
    X = read_table(X)
    columns = {name: get_column(X, name) for name in column_names(X)}
    if isinstance(X, np.ndarray):
        return {f"x{position}": column for position, column in columns.items()}
    return columns


def pick_columns(X, names=None):
    """Return some of a table's columns by name.

    Parameters
    ----------
    X : DataFrame, dict of arrays or ndarray of shape (n_samples, n_columns)
        The table.
    names : list or None
        Names of the columns, or positions in an array, where they are named anew: "x0"
        is the first of them. All by default.

    Returns
    -------
    dict of str to Series or ndarray
        The columns.
    """
    columns = list_columns(X)
    if names is None:
        return columns
    if isinstance(X, np.ndarray):
        return {f"x{i}": columns[f"x{position}"] for i, position in enumerate(names)}
    return {name: columns[name] for name in names if name in columns}


def read_declarations(declared, columns):
    """Read the parameter ``columns``: what a user says that columns are.

    Parameters
    ----------
    declared : dict or None
        By column name, or tuple of names that form one block: the name of a modality,
        "drop", a :class:`Modality`, or a tuple of one of these, the reason, and the
        form of the cells.
    columns : dict
        The columns that exist.

    Returns
    -------
    dict of name to tuple (str, str, Form or None)
        Modality, reason and form of the cells by column.
    list of tuple
        The blocks of several columns.
    dict of str to Modality
        The user's own modalities by name.
    """
    found, blocks, own = {}, [], {}
    for key, value in (declared or {}).items():
        details = "declared", None
        if isinstance(value, tuple):
            value, *details = value
        if isinstance(value, Modality):
            own[value.name] = _check_own(value, own)
            value = value.name
        elif value not in (*BY_NAME, DROP, "empty", UNKNOWN):
            raise ValueError(
                f"columns={{{key!r}: {value!r}}}: expected one of "
                f"{[*BY_NAME, DROP]} or a Modality."
            )
        names = [key] if key in columns or not isinstance(key, tuple) else list(key)
        lacking = [name for name in names if name not in columns]
        if lacking:
            raise ValueError(
                f"columns={{{key!r}: {value!r}}}: X has no column {lacking}, only "
                f"{list(columns)}."
            )
        for name in names:
            if name in found:
                raise ValueError(f"columns declares {name!r} more than once.")
            found[name] = value, *details
        if len(names) > 1 and value not in (*TABLE_NAMES, DROP):
            blocks.append(tuple(names))
    return found, blocks, own


def _check_own(modality, own):
    known = own.get(modality.name, BY_NAME.get(modality.name, modality))
    if known is not modality and known != modality:
        raise ValueError(
            f"there are two modalities called {modality.name!r}; give yours another "
            "name."
        )
    if modality.name in (DROP, "table", "empty", UNKNOWN):
        raise ValueError(
            f"a modality cannot be called {modality.name!r}, which has a meaning of "
            "its own."
        )
    return modality


def detect_columns(X, declared=None, *, names=None, root=None, owner="columns"):
    """Say what each column of a table is, as declared or else as detected.

    Within :func:`share_results`, each column of one table is detected once.

    Parameters
    ----------
    X : DataFrame, dict of arrays or ndarray of shape (n_samples, n_columns)
        The table.
    declared : dict of name to tuple (str, str, Form or None) or None
        Modality, reason and form of those columns that are known already.
    names : list or None
        The columns to look at; all by default. In an array their positions.
    root : str, PathLike or None
        Folder that paths are relative to.
    owner : str
        Name of the estimator, for errors.

    Returns
    -------
    dict of name to ColumnType
        By column.
    """
    types = {}
    for name, cells in pick_columns(X, names).items():
        column = as_column(cells, owner)
        modality, reason, form = (declared or {}).get(name) or compute_once(
            ("detect", id(X), name, root),
            partial(_detect, name, cells, column, root),
            keep=X,
        )
        if modality in TABLE_NAMES:
            refused = name if form is None else None
            form = form or find_form(column.cells, modality, name)
            if refused is not None and form.day_first is not None:
                reason += f", the {'day' if form.day_first else 'month'} first"
            if not _has_values(column, modality, form, refused):
                modality, reason = "empty", "no value is there"
        types[name] = ColumnType(modality, reason, holds_lists(column), form or Form())
    return types


def _detect(name, cells, column, root):
    """Detect a column's modality; the form of its cells is still unknown."""
    if column.cells.dtype.kind == "c":
        raise TypeError(
            f"column {name!r} of X holds complex numbers; make columns of their real "
            "and imaginary parts."
        )
    return *detect_modality(column, root, holds_categories(cells)), None


def refuse_unknown(types):
    """Raise an error if the cells of a column are of no modality.

    Parameters
    ----------
    types : dict of name to ColumnType
        By column.
    """
    for name, found in types.items():
        if found.modality == UNKNOWN:
            raise TypeError(
                f"column {name!r} of X cannot be encoded: {found.reason}. Convert it "
                "to arrays, texts or numbers, declare what it is by columns="
                f"{{{name!r}: ...}}, or leave it out by columns={{{name!r}: 'drop'}}."
            )


def get_modality(name, own=None):
    """Return the modality of a name, one of the user's own or of the package."""
    return (own or {}).get(name) or BY_NAME[name]


def is_content(name):
    """Whether a modality's columns have an encoder each, that is, are no table."""
    return name not in (*TABLE_NAMES, DROP, "empty")


def _has_values(column, kind, form, name=None):
    """Whether there is something to learn: what is infinite in float32 is not.

    If nothing can be read as this kind, a column that has a ``name`` is refused.
    """
    present = np.flatnonzero(~column.missing)
    for start in range(0, len(present), 1000):  # as a rule, the first ones suffice
        rows = present[start : start + 1000]
        values, failures = read_column(column.cells[rows], kind, form)
        if values.dtype.kind == "f":
            values = np.where(np.isinf(to_float32(values)), np.nan, values)
        if pd.notna(values).any():
            return True
        if failures and name is not None:
            row, source, reason = failures[0]
            raise ValueError(
                f"no cell of column {name!r} of X can be read as {kind!r}, such as row "
                f"{column.labels[rows[row]]} ({source}): {reason}. Declare what it is "
                "by columns={...}."
            )
    return False


def make_table(columns, types, on_error):
    """Make a pandas frame of columns of numbers, categories, dates and booleans.

    Parameters
    ----------
    columns : dict of name to Series or ndarray
        All columns.
    types : dict of name to ColumnType
        Those to take, and what ``fit`` found them to be. In a fold's rows a column may
        seem empty, or of another kind than in all.
    on_error : {"raise", "warn", "missing"}
        What to do about cells that cannot be read as that.

    Returns
    -------
    DataFrame
        Of index 0, 1, ... and with :func:`label_columns` as names.
    """
    table, labels = {}, label_columns(types)
    for name, found in types.items():
        table[labels[name]] = _read(name, columns[name], found, on_error)
    return frame_columns(table.values(), list(table))


def _read(name, cells, found, on_error):
    """Read a column as what it was found to be, and report what is not."""
    values, failures = read_column(cells, found.modality, found.form)
    if failures:
        column = replace(as_column(cells, "X"), name=name)
        report_failures(failures, column, "X", on_error)
    return values


def join_columns(columns, names, on_error):
    """Make one column of several: an array of vectors, or lists of cells.

    Parameters
    ----------
    columns : dict of name to Series or ndarray
        All columns.
    names : sequence
        Those to join.
    on_error : {"raise", "warn", "missing"}
        What to do about cells among numbers that are none.

    Returns
    -------
    ndarray of shape (n_samples, n_columns), or object array of lists
        Numbers as one array; other cells as a list for each row, without the missing
        ones, or None where all are missing.
    bool
        Whether cells are lists.
    """
    parts = [as_column(columns[name], "columns") for name in names]
    if {_find_first_kind(part) for part in parts} - {None} == {"numeric"}:
        number = ColumnType("numeric", "", False, Form())
        vectors = [_read(name, columns[name], number, on_error) for name in names]
        return np.column_stack(vectors), False
    cells = np.empty(len(parts[0]), dtype=object)
    for row in range(len(cells)):
        present = [part.cells[row] for part in parts if not part.missing[row]]
        cells[row] = present or None
    return cells, True


def _find_first_kind(column):
    """Return the kind of the first present cell, "numeric" of booleans, or None."""
    present = np.flatnonzero(~column.missing)
    if len(present) == 0:
        return None
    kind = find_kind(column.cells[present[0]])
    return {"boolean": "numeric", None: "other"}.get(kind, kind)


def name_features(names, columns, labels, shared):
    """Name features ``column__feature``.

    Parameters
    ----------
    names : list of str
        As their encoder names them.
    columns : sequence
        The columns that it encodes.
    labels : dict of hashable to str
        What columns are called in the names of features.
    shared : bool
        Whether it encodes a table, and names each feature by its column first.

    Returns
    -------
    list of str
        Of ``size_small``, for example, ``size__small``.
    """
    if not shared:
        ends = [columns[0]] if len(columns) == 1 else [columns[0], columns[-1]]
        return [f"{'..'.join(labels[end] for end in ends)}__{name}" for name in names]
    own = {label: labels[column] for column, label in label_columns(columns).items()}
    own = dict(sorted(own.items(), key=lambda pair: -len(pair[0])))
    return [_split_name(name, own) for name in names]


def _split_name(name, labels):
    """Tell a feature of the table from its column: ``size_small``, ``size__small``."""
    for column, label in labels.items():
        if name == column:
            return f"{label}__value"
        if name.startswith(f"{column}_"):
            return f"{label}__{name[len(column) + 1 :]}"
    return f"table__{name}"
