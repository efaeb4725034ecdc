"""Single cells of a table: the kind of each type, and how each kind reads a cell."""

import re
from datetime import date, time, timedelta
from enum import Enum
from numbers import Number
from os import PathLike, fspath
from uuid import UUID

import numpy as np
import pandas as pd

from .._columns.arrays import to_seconds
from .dates import read_date

#: What files hold in place of a missing number or date, in lower case.
_MARKERS = {
    *("", "na", "n/a", "#na", "#n/a", "#n/a n/a", "<na>", "nan", "-nan", "nat"),
    *("null", "none", "?", "...", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"),
}
_NUMBER = re.compile(
    r"\s*[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?)\s*", re.IGNORECASE
)
_FLOAT = re.compile(r"([+-]?\d+)\.0")
_FLAGS = {"true": 1.0, "false": 0.0}
#: The kinds of columns by the type of a cell; the first that fits counts.
_KINDS = [
    ((Enum, UUID, pd.Interval), "category"),
    ((bool, np.bool_), "boolean"),
    ((date, np.datetime64, pd.Period), "datetime"),
    ((timedelta, np.timedelta64, time, Number), "numeric"),
]


def find_kind(cell):
    """Return the kind of column that a cell belongs to, or None.

    Parameters
    ----------
    cell : object
        Strings and bytes may be of any kind, and others may be no scalars: None.
    """
    if isinstance(cell, complex | np.complexfloating | str | bytes) and not isinstance(
        cell, Enum
    ):
        return None
    return next((kind for types, kind in _KINDS if isinstance(cell, types)), None)


def is_marker(cell):
    """Whether a cell is a string that stands for a missing number or date."""
    return isinstance(cell, str) and cell.strip().lower() in _MARKERS


def is_number(text):
    """Whether a string is a number."""
    return _NUMBER.fullmatch(text) is not None


def read_number(cell):
    """Read a cell as a number: a duration or a time of day in seconds."""
    if isinstance(cell, Enum):
        cell = cell.value
    if isinstance(cell, timedelta):
        return cell.total_seconds()
    if isinstance(cell, np.timedelta64):
        return float(to_seconds(cell))
    if isinstance(cell, time):
        whole = cell.hour * 3600 + cell.minute * 60 + cell.second
        return whole + cell.microsecond / 1e6
    if isinstance(cell, str) and is_number(cell):
        return float(cell)
    if find_kind(cell) in ("numeric", "boolean"):
        return float(cell)
    raise ValueError("not a number" if isinstance(cell, str) else _refuse(cell))


def read_flag(cell):
    """Read a cell as a boolean: 1 or 0."""
    if isinstance(cell, str):
        cell = _FLAGS.get(cell.strip().lower(), cell)
    number = read_number(cell)
    if number not in (0, 1):
        raise ValueError("neither true nor false")
    return number


def read_category(cell):
    """Read a cell as the name of a category, which equal values of any type share."""
    if isinstance(cell, Enum):
        cell = cell.value
    if isinstance(cell, PathLike):
        cell = fspath(cell)
    if isinstance(cell, str):
        whole = _FLOAT.fullmatch(cell)  # a code with a decimal, next to missing ones
        cell = whole[1] if whole else cell
        return cell.encode(errors="backslashreplace").decode()
    kind = find_kind(cell)
    if kind is None:
        raise TypeError(_refuse(cell))
    if kind == "datetime" and not isinstance(cell, pd.Period):
        moment = pd.Timestamp(np.datetime64(read_date(cell), "us"))
        return str(moment).removesuffix(" 00:00:00")
    if isinstance(cell, timedelta | np.timedelta64):
        return str(pd.Timedelta(seconds=read_number(cell)))
    if kind == "numeric" and not isinstance(cell, time):
        return _name_number(cell)
    return str(cell)


def _name_number(cell):
    """Name a number by as few digits as it needs: 10115 also if it is 10115.0."""
    try:
        whole = int(cell)
    except OverflowError:  # infinity
        return str(float(cell))
    if whole == cell:
        return str(whole)
    return str(cell if isinstance(cell, np.floating) else float(cell))


def _refuse(cell):
    return f"its type {type(cell).__name__} is not supported"
