"""Detect which modality a column is of: by its files, and by the type of its cells."""

import os
import re
from collections import Counter
from numbers import Number

import numpy as np
import pandas as pd

from .._columns.files import read_head
from .._utils.imports import is_instance
from .dates import count_orders, parse_date
from .known import MODALITIES
from .scalars import find_kind, is_marker, is_number

#: Cells that are looked at, and those among them whose files are opened.
_CELLS = 200
_OPENED = 5
#: Share of cells that must agree on a modality.
_AGREE = 0.8
_MODALITY_OF = {
    f".{extension}": modality.name
    for modality in MODALITIES
    for extension in modality.extensions
}


def detect_modality(column, root=None, is_category=False):
    """Detect a column's modality.

    Parameters
    ----------
    column : Column
        The cells.
    root : str, PathLike or None
        Folder that paths are relative to. URLs are never opened.
    is_category : bool
        Whether the column's type says that it holds categories.

    Returns
    -------
    str
        Name of one of ``MODALITIES`` or ``TABLE_KINDS``, or "empty".
    str
        Why.
    """
    if column.cells.dtype.kind != "O" and column.cells.ndim == 1:
        return _detect_dtype(column.cells.dtype)
    sample = _take_sample(column)
    if not sample:
        return "empty", "no cell is there"
    kinds = _list_kinds(sample)
    counts = Counter(kind for kind in kinds if kind is not None)
    kind, count = counts.most_common(1)[0]
    cells = [cell for cell, other in zip(sample, kinds) if other == kind]
    if kind == "bytes" and all(map(_is_text, cells)):
        kind, cells = "string", [bytes(cell).decode() for cell in cells]
    if kind == "string":
        strings = [os.fspath(cell) for cell in cells]
        return _detect_strings(strings, column, len(sample), root, is_category)
    if is_category:
        return "category", _TYPED
    if count < _AGREE * counts.total():
        found = ", ".join(sorted(counts))
        return "category", f"its cells are of several kinds: {found}"
    if kind in _TABLE_REASONS:
        return kind, _TABLE_REASONS[kind]
    if kind == "bytes":
        return _detect_bytes(cells)
    if kind == "array":
        cells = [np.asarray(cell) for cell in cells]
        if len({c.ndim for c in cells}) > 1 or any(
            c.dtype.kind not in "biuf" for c in cells
        ):
            return "category", "lists or arrays of several kinds"
    return _ask_modalities(cells) or ("category", f"its values are of type {kind}")


_TYPED = "its type says so"
_TABLE_REASONS = {
    "category": "its values are members, identifiers or intervals",
    "boolean": "its values are true or false",
    "numeric": "its values are numbers",
    "datetime": "its values are dates",
}


def holds_categories(cells):
    """Whether the type of a column, before its cells are taken out, is a category."""
    dtype = getattr(cells, "dtype", None)
    if isinstance(dtype, pd.ArrowDtype):
        return is_instance(dtype.pyarrow_dtype, "pyarrow", "DictionaryType")
    return isinstance(dtype, pd.CategoricalDtype) or is_instance(
        dtype, "polars", "Categorical", "Enum"
    )


def holds_lists(column):
    """Whether a column's cells are lists of files or arrays, such as photographs."""
    present = np.flatnonzero(~column.missing)
    return len(present) > 0 and _is_list(column.cells[present[0]])


def sniff(head):
    """Return the name of the modality of a file by its first bytes, or None."""
    return next((m.name for m in MODALITIES if m.sniff and m.sniff(bytes(head))), None)


def _take_sample(column):
    """Take a few cells, evenly spaced; of a list of files or arrays its first item."""
    if column.cells.dtype.kind != "O":
        return list(column.cells[:: -(-len(column.cells) // _CELLS) or 1])
    present = np.flatnonzero(~column.missing)
    step = -(-len(present) // _CELLS) or 1
    cells = [column.cells[row] for row in present[::step]]
    return [cell[0] if _is_list(cell) else cell for cell in cells]


def _is_list(cell):
    return (
        isinstance(cell, (list, tuple))
        and len(cell) > 0
        and not _is_pair(cell)
        and isinstance(cell[0], (str, bytes, os.PathLike, np.ndarray))
    )


def _is_pair(cell):
    return len(cell) == 2 and isinstance(cell[1], Number)


def _detect_dtype(dtype):
    names = {"b": "boolean", "M": "datetime"}
    return names.get(dtype.kind, "numeric"), f"its type is {dtype}"


def _list_kinds(cells):
    """Return the kind of each cell; of strings, beside numbers or dates, what they say.

    A string that stands for a missing number is None.
    """
    kinds = [_kind_of(cell) for cell in cells]
    if "string" in kinds and set(_TABLE_REASONS).intersection(kinds):
        kinds = [
            _kind_of_string(str(cell)) if kind == "string" else kind
            for cell, kind in zip(cells, kinds)
        ]
    if "numeric" in kinds:
        kinds = ["numeric" if kind == "boolean" else kind for kind in kinds]
    return kinds


def _kind_of_string(text):
    if is_marker(text):
        return None
    if is_number(text):
        return "numeric"
    return "string" if parse_date(text, False) is None else "datetime"


def _kind_of(cell):
    """Return what a cell is, as far as its type shows."""
    if (kind := find_kind(cell)) is not None:
        return kind
    if isinstance(cell, (str, os.PathLike)):
        return "string"
    if isinstance(cell, (bytes, bytearray, memoryview)):
        return "bytes"
    if isinstance(cell, tuple) and _is_pair(cell):
        return "pair"
    if isinstance(cell, (np.ndarray, list, tuple)):
        return "array"
    return type(cell).__name__


def _detect_bytes(cells):
    found = Counter(sniff(cell[:512]) for cell in cells)
    modality, count = found.most_common(1)[0]
    if modality is None:
        return "category", "bytes"
    if count < _AGREE * len(cells):
        return "category", "files of several kinds"
    return modality, "by the first bytes"


def _is_text(cell):
    try:
        return bytes(cell).decode().isprintable() and len(cell) < 100
    except UnicodeDecodeError:
        return False


def _detect_strings(strings, column, n_cells, root, is_category):
    """Tell files from texts and categories; strings in lists can only be files."""
    paths = [string for string in strings if "://" not in string]
    modality, why = _detect_files(paths, n_cells, root)
    if modality or holds_lists(column):
        return modality or "category", why
    if is_category:
        return "category", _TYPED
    n_words = np.mean([len(string.split()) for string in strings])
    reason = f"{n_words:.1f} words on average, {len(set(strings))} distinct"
    return (
        _detect_dates(strings)
        or _ask_modalities(strings)
        or _detect_numbers(strings)
        or ("category", reason)
    )


def _detect_dates(strings):
    strings = [string for string in strings if not is_marker(string)]
    day_first = count_orders(strings)[0] > 0
    n_dates = sum(parse_date(string, day_first) is not None for string in strings)
    if strings and n_dates >= _AGREE * len(strings):
        return "datetime", "its strings are dates"
    return None


def _detect_numbers(strings):
    """Recognise numbers; digits that begin with a zero are a code."""
    strings = [string for string in strings if not is_marker(string)]
    if not strings or not all(map(is_number, strings)):
        return None
    if any(map(re.compile(r"\s*[+-]?0\d").match, strings)):
        return None
    return "numeric", "its strings are numbers"


def _detect_files(paths, n_cells, root):
    """Open a few files and look at all names; None if they are not known files."""
    heads = [read_head(p, root=root) for p in paths[:_OPENED] if len(p) < 4096]
    kinds = {sniff(head) for head in heads if head} - {None}
    extensions = (os.path.splitext(path)[1].lower() for path in paths)
    found = Counter(_MODALITY_OF.get(extension) for extension in extensions)
    modality, count = found.most_common(1)[0] if found else (None, 0)
    if len(kinds) == 1 and (modality or len(heads) == len(paths[:_OPENED])):
        return kinds.pop(), "by the files' first bytes"
    if modality and count >= _AGREE * n_cells:
        return modality, "by the files' extensions"
    return None, "strings in lists that name no known files"


def _ask_modalities(cells):
    """Return the first modality that recognises cells, and why; None if none does."""
    for modality in MODALITIES:
        reason = modality.detect(cells) if modality.detect else None
        if reason:
            return modality.name, reason
    return None
