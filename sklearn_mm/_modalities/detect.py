"""Detect which modality a column is of: by its files, and by the type of its cells."""

import os
import re
from collections import Counter

import numpy as np
import pandas as pd

from .._columns.cells import explain_cell
from .._columns.files import is_base64, read_head
from .._utils.imports import is_instance
from .dates import count_orders, parse_date
from .known import MODALITIES, UNKNOWN
from .scalars import find_kind, is_marker, is_number

#: Cells that are looked at, and those among them whose files are opened.
_CELLS = 200
_OPENED = 5
#: First bytes of containers of audio or video: MP4, Matroska and ASF.
_SHARED = re.compile(rb"....ftyp|\x1aE\xdf\xa3|0&\xb2u", re.DOTALL)
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
        Name of one of ``MODALITIES`` or ``TABLE_KINDS``, or "empty", or "unknown".
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
        strings = [os.fsdecode(cell) for cell in cells]
        return _detect_strings(strings, column, len(sample), root, is_category)
    if is_category:
        return "category", _TYPED
    if count < _AGREE * counts.total():
        found = f"its cells are of several kinds: {', '.join(sorted(counts))}"
        if set(counts) <= {*_TABLE_REASONS, "string"} and not holds_lists(column):
            return "category", found
        return _detect_each(sample, kinds) or (UNKNOWN, found)
    if kind in _TABLE_REASONS and not holds_lists(column):
        return kind, _TABLE_REASONS[kind]
    if kind == "bytes":
        return _detect_bytes(cells)
    return _ask_modalities(cells) or (UNKNOWN, f"it holds {_explain(column)}")


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


def _detect_each(sample, kinds):
    """Detect cells of several types that are of one modality; None if they are not."""
    found = {
        _ask_modalities([cell for cell, other in zip(sample, kinds) if other == kind])
        for kind in set(kinds)
    }
    names = {result and result[0] for result in found}
    return found.pop() if len(names) == 1 and None not in names else None


def _explain(column):
    """Describe the first cell of a column that is of no modality."""
    present = (column.cells[row] for row in np.flatnonzero(~column.missing))
    return explain_cell(next(filter(_is_filled, present)))


def holds_lists(column):
    """Whether a column's cells are lists of files or arrays, such as photographs."""
    if column.cells.dtype.kind != "O":
        return False
    present = np.flatnonzero(~column.missing)
    cells = (column.cells[row] for row in present)
    return isinstance(next(filter(_is_filled, cells), None), list)


def sniff(head):
    """Return the name of the modality of a file by its first bytes, or None."""
    return next((m.name for m in MODALITIES if m.sniff and m.sniff(bytes(head))), None)


def _take_sample(column):
    """Take a few cells, evenly spaced; of a list of files or arrays its first item."""
    if column.cells.dtype.kind != "O":
        return list(column.cells[:: -(-len(column.cells) // _CELLS) or 1])
    present = np.flatnonzero(~column.missing)
    step = -(-len(present) // _CELLS) or 1
    cells = filter(_is_filled, (column.cells[row] for row in present[::step]))
    return [
        next(filter(_is_filled, cell)) if isinstance(cell, list) else cell
        for cell in cells
    ]


def _is_filled(cell):
    """Whether a cell is not missing, nor an array or list without an item."""
    if isinstance(cell, list):
        return any(map(_is_filled, cell))
    return cell is not None and not (isinstance(cell, np.ndarray) and cell.size == 0)


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
    if isinstance(cell, np.ndarray):
        is_numeric = cell.dtype.kind in "biuf"
        return f"{cell.ndim}-D arrays" if is_numeric else f"arrays of {cell.dtype}"
    return type(cell).__name__


def _detect_bytes(cells):
    found = Counter(sniff(cell[:512]) for cell in cells)
    modality, count = found.most_common(1)[0]
    if modality is None:
        start = bytes(cells[0][:8])
        return UNKNOWN, f"it holds bytes of an unknown format that begin with {start!r}"
    if count < _AGREE * len(cells):
        names = ", ".join(sorted(str(name) for name in found))
        return UNKNOWN, f"it holds files of several modalities: {names}"
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
        return modality or UNKNOWN, why
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
    """Open a few files and look at all names; None if they are not files."""
    heads = [read_head(path, root=root) for path in paths[:_OPENED]]
    kinds = [_sniff_file(path, head) for path, head in zip(paths, heads) if head]
    found = Counter(kinds)
    are_files = bool(heads) and None not in heads
    if not any(kinds) and all(map(is_base64, paths[:_OPENED])):
        are_files = False  # many a string of letters and digits looks like base64
    kind = next((kind for kind, _ in found.most_common() if kind), None)
    extensions = (os.path.splitext(path)[1].lower() for path in paths)
    named = Counter(_MODALITY_OF.get(extension) for extension in extensions)
    modality, count = named.most_common(1)[0] if named else (None, 0)
    if kind and len({*found} - {None}) == 1 and (modality or are_files):
        return kind, "by the files' first bytes"
    if modality and count >= _AGREE * n_cells:
        return modality, "by the files' extensions"
    if are_files and kind is None:
        return UNKNOWN, f"it holds files of an unknown format, such as {paths[0]!r}"
    return None, "it holds lists of strings that name no known files"


def _sniff_file(path, head):
    """Return the modality of a file; None if it is not known.

    Where containers of audio and video do not show at once what they hold, the first
    of the modalities that claim it wins: by name, or by the first bytes.
    """
    names = [modality.name for modality in MODALITIES]
    by_name = _MODALITY_OF.get(os.path.splitext(path)[1].lower())
    by_head = sniff(head)
    if by_name is None or by_head is None or not _SHARED.match(head):
        return by_head
    return min(by_name, by_head, key=names.index)


def _ask_modalities(cells):
    """Return the first modality that recognises cells, and why; None if none does."""
    if isinstance(cells[0], np.ndarray) and cells[0].dtype.kind not in "biuf":
        return None
    for modality in MODALITIES:
        reason = modality.detect(cells) if modality.detect else None
        if reason:
            return modality.name, reason
    return None
