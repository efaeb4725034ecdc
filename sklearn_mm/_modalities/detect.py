"""Detect which modality a column is of: by its files, and by the type of its cells."""

import os
from collections import Counter
from datetime import date
from numbers import Number

import numpy as np

from .._columns.files import read_head
from .known import MODALITIES

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


def detect_modality(column, root=None):
    """Detect a column's modality.

    Parameters
    ----------
    column : Column
        The cells.
    root : str, PathLike or None
        Folder that paths are relative to. URLs are never opened.

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
    kinds = [_kind_of(cell) for cell in sample]
    kind, count = Counter(kinds).most_common(1)[0]
    cells = [cell for cell, other in zip(sample, kinds) if other == kind]
    if kind == "string":
        return _detect_strings([os.fspath(c) for c in cells], column, len(sample), root)
    if count < _AGREE * len(sample):
        found = ", ".join(sorted(set(kinds)))
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


_TABLE_REASONS = {
    "boolean": "its values are true or false",
    "numeric": "its values are numbers",
    "datetime": "its values are dates",
}


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


def _kind_of(cell):
    """Return what a cell is, as far as its type shows."""
    kinds = [
        ((bool, np.bool_), "boolean"),
        (Number, "numeric"),
        ((date, np.datetime64), "datetime"),
        ((str, os.PathLike), "string"),
        ((bytes, bytearray, memoryview), "bytes"),
    ]
    for types, kind in kinds:
        if isinstance(cell, types):
            return kind
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


def _detect_strings(strings, column, n_cells, root):
    """Tell files from texts and categories; strings in lists can only be files."""
    paths = [string for string in strings if "://" not in string]
    modality, why = _detect_files(paths, n_cells, root)
    if modality or holds_lists(column):
        return modality or "category", why
    n_words = np.mean([len(string.split()) for string in strings])
    reason = f"{n_words:.1f} words on average, {len(set(strings))} distinct"
    return _ask_modalities(strings) or ("category", reason)


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
