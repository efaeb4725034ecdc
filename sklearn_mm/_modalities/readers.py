"""Read the columns of a table, each as the kind and in the form that ``fit`` found."""

from contextlib import suppress
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype

from .._columns.arrays import to_seconds
from .._columns.cells import make_cells, normalise_cells
from .._columns.column import describe_cell, find_missing
from .._utils.imports import is_instance
from .._utils.notices import warn_user
from .dates import count_orders, read_date, to_microseconds
from .scalars import is_marker, read_category, read_flag, read_number

#: Exceptions that mark a cell as unreadable.
_BAD = (ValueError, TypeError, ArithmeticError)


class Form(NamedTuple):
    """What ``fit`` learned about the strings in a column of numbers or dates.

    ``day_first`` is whether the day precedes the month, as in 31/12/2021, or None if
    there was no such date. ``markers`` is whether there were strings such as "n/a",
    which then stand for missing cells.
    """

    _trusted = True

    day_first: bool | None = None
    markers: bool = False


def find_form(cells, kind, name):
    """Learn how a column's strings are to be read.

    Parameters
    ----------
    cells : ndarray of shape (n_samples,)
        The column.
    kind : str
        Name of the kind of column.
    name : hashable
        Name of the column, for a warning where the day may be the month.

    Returns
    -------
    Form
        For :func:`read_column`.
    """
    if cells.dtype.kind != "O" or kind == "category":
        return Form()
    strings = _list_strings(cells)
    markers = any(map(is_marker, strings))
    if kind != "datetime":
        return Form(None, markers)
    lead, ordered = count_orders(strings)
    if ordered and lead == 0:
        example = min(string for string in strings if count_orders([string])[1])
        warn_user(
            f"X: column {name!r}: dates such as {example!r} do not show whether "
            "the day or the month comes first; it is read with the month first. If "
            "that is wrong, convert it by pandas.to_datetime(..., dayfirst=True).",
            causes={(name, "the month first")},
        )
    return Form(lead > 0 if ordered else None, markers)


def read_column(cells, kind, form):
    """Read a column.

    Parameters
    ----------
    cells : Series, ndarray or ExtensionArray of shape (n_samples,)
        The column.
    kind : str
        Name of the kind of column.
    form : Form
        How its strings are to be read.

    Returns
    -------
    Categorical or ndarray of shape (n_samples,)
        Categories, numbers as float64, or datetimes in UTC as datetime64[us].
    list of tuple (row, source, reason)
        The cells that could not be read, and are missing therefore.
    """
    cells = _as_array(cells, kind)
    if kind == "datetime" and cells.dtype.kind == "M":
        moments = to_microseconds(cells)
        if (np.isnat(moments) == np.isnat(cells)).all():
            return moments, []
    if kind in _FAST.get(cells.dtype.kind, ()):
        return cells.astype(np.float64), []
    if kind == "numeric" and cells.dtype.kind == "m":
        return to_seconds(cells), []
    if kind == "numeric" and infer_dtype(cells) in _NUMBERS:
        with suppress(OverflowError):  # of whole numbers beyond 1e308
            values = np.where(find_missing(cells), np.nan, cells)
            return values.astype(np.float64), []
    if kind == "datetime":
        return _read_dates(cells, form)
    return _read_cells(cells, kind, form)


def _as_array(cells, kind):
    """Convert a column to a typed array, or to an object array of cells."""
    if is_instance(cells, "polars", "Series"):
        dtype = cells.dtype
        typed = (dtype.is_numeric() and not dtype.is_decimal()) or dtype.is_temporal()
        typed = typed and kind != "category" and str(dtype) != "Time"
        cells = cells.to_numpy() if typed else cells.to_list()
    elif isinstance(cells, pd.Series):
        dtype = cells.dtype
        if isinstance(dtype, pd.DatetimeTZDtype):
            return cells.dt.tz_convert(None).to_numpy()
        if kind == "numeric" and dtype.kind in "biuf":
            return cells.to_numpy(np.float64, na_value=np.nan)
        cells = cells.to_numpy(None if dtype.kind in "biufmM" else object)
    if not isinstance(cells, np.ndarray):
        cells = make_cells(list(cells))
    return normalise_cells(cells) if cells.dtype.kind == "O" else cells


def _read_dates(cells, form):
    """Read cells as dates: strings of ISO 8601 all at once, and then the others."""
    moments = np.full(len(cells), np.datetime64("NaT"), "M8[us]")
    rows = [i for i, c in enumerate(cells) if isinstance(c, str) and c[4:8:3] == "--"]
    if rows:
        iso = pd.to_datetime(cells[rows], format="ISO8601", utc=True, errors="coerce")
        moments[rows] = to_microseconds(iso.tz_convert(None).to_numpy())
    rows = np.flatnonzero(np.isnat(moments))
    if form.day_first is None:
        form = form._replace(day_first=_find_order(cells[rows]))
    moments[rows], failures = _read_cells(cells[rows], "datetime", form)
    return moments, [(rows[row], *rest) for row, *rest in failures]


def _find_order(cells):
    lead, _ = count_orders(_list_strings(cells))
    return lead > 0 if lead else None


def _list_strings(cells):
    """Return the distinct strings among cells, those in bytes included."""
    strings = set()
    for cell in cells:
        if isinstance(cell, str):
            strings.add(cell)
        elif isinstance(cell, bytes):
            with suppress(ValueError):
                strings.add(_decode(cell))
    return strings


def _decode(cell):
    try:
        return bytes(cell).decode()
    except UnicodeDecodeError:
        raise ValueError("its bytes are not a text") from None


def _read_cells(cells, kind, form):
    """Read each distinct cell once."""
    values, failures, known = [None] * len(cells), [], {}
    for row in np.flatnonzero(~find_missing(cells)):
        cell = cells[row]
        try:
            key = type(cell), cell  # 1 is not True
            if key not in known:
                known[key] = _read_cell(cell, kind, form)
            value = known[key]
        except TypeError:  # not hashable
            value = _read_cell(cell, kind, form)
        if isinstance(value, Exception):
            failures.append((row, _describe(cell), str(value)))
        else:
            values[row] = value
    if kind == "category":
        names = sorted({name for name in values if name is not None})
        return pd.Categorical(values, pd.Index(names, dtype=object)), failures
    if kind == "datetime":
        values = [_NAT if value is None else value for value in values]
        return np.array(values, np.int64).view("M8[us]"), failures
    return np.array(values, np.float64), failures


def _read_cell(cell, kind, form):
    """Return a cell's value, None if it is missing, or the error."""
    try:
        if isinstance(cell, bytes | bytearray | memoryview):
            cell = _decode(cell)
        if form.markers and is_marker(cell):
            return None
        if kind == "datetime":
            return read_date(cell, form.day_first)
        return _READERS[kind](cell)
    except _BAD as error:
        return error


def _describe(cell):
    described = describe_cell(cell)
    return described if described != type(cell).__name__ else str(cell)[:200]


_NUMBERS = ("floating", "integer", "mixed-integer-float")
#: Kinds of which arrays of numbers and booleans need no further look.
_FAST = {"b": ("numeric", "boolean"), **dict.fromkeys("iuf", ("numeric",))}
_READERS = {"category": read_category, "numeric": read_number, "boolean": read_flag}
_NAT = np.iinfo(np.int64).min
