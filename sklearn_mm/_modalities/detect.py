"""Which modality a column is of: by its type, its files' names and first bytes."""

import os
from collections import Counter
from datetime import date
from numbers import Number

import numpy as np

from .._columns.files import read_head
from .._utils.imports import is_instance
from ..video._frames import detect_container

#: Modalities whose columns have an encoder each, and those that share a table's.
OWN = ("image", "audio", "video", "sequence", "vector", "text")
TABLE = ("category", "numeric", "datetime", "boolean")
#: What of a table a user may declare: booleans are known by their type.
TABLE_DECLARED = ("category", "numeric", "datetime")
#: Cells that are looked at, and those among them whose files are opened.
_CELLS = 200
_OPENED = 5
#: Share of cells that must agree on a modality.
_AGREE = 0.8
#: Distinct values above which words are a text, if there are this many in the mean.
_DISTINCT = 40
_WORDS = 2
_EXTENSIONS = {
    "image": "jpg jpeg jpe jfif png webp bmp gif tif tiff ppm pgm pbm",
    "audio": "wav flac ogg oga opus mp3 aiff aif au m4a",
    "video": "avi mp4 m4v mov mkv webm mpg mpeg ts wmv flv ogv",
}
_MODALITY_OF = {
    f".{extension}": modality
    for modality, extensions in _EXTENSIONS.items()
    for extension in extensions.split()
}


def detect_modality(column, root=None):
    """Find a column's modality.

    Parameters
    ----------
    column : Column
        The cells.
    root : str, PathLike or None
        Folder that paths are relative to. URLs are never opened.

    Returns
    -------
    str
        One of ``OWN`` or ``TABLE``, or "empty".
    str
        Why.
    """
    cells = column.cells
    if cells.dtype.kind != "O":
        return _detect_numeric(cells)
    present = np.flatnonzero(~column.missing)
    if not len(present):
        return "empty", "no cell is there"
    step = -(-len(present) // _CELLS)
    # Of a list of files or arrays, such as four photographs, the first tells.
    sample = [cells[row] for row in present[::step]]
    sample = [cell[0] if _is_list(cell) else cell for cell in sample]
    kinds = [_detect_cell(cell) for cell in sample]
    found = Counter(kinds)
    (modality, why), count = found.most_common(1)[0]
    if modality == "path":
        return _detect_strings(sample, root, holds_lists(column))
    if modality == "array" and count >= _AGREE * len(sample):
        arrays = [cell for cell, (kind, _) in zip(sample, kinds) if kind == "array"]
        return _detect_arrays([np.asarray(cell) for cell in arrays])
    if count < _AGREE * len(sample):
        kinds = sorted({f"{m} ({w})" for m, w in found})
        return "category", f"its cells are of several kinds: {', '.join(kinds)}"
    return modality, why


def holds_lists(column):
    """Whether a column's cells are lists of files or arrays, such as photographs."""
    present = np.flatnonzero(~column.missing)
    return len(present) > 0 and _is_list(column.cells[present[0]])


def _is_list(cell):
    return (
        isinstance(cell, (list, tuple))
        and len(cell) > 0
        and not (len(cell) == 2 and isinstance(cell[1], Number))
        and isinstance(cell[0], (str, bytes, os.PathLike, np.ndarray))
    )


def sniff(data):
    """Tell the modality of an encoded file by its first bytes, or give None."""
    head = bytes(data[:64])
    if head[:4] == b"RIFF":
        kinds = {b"WAVE": "audio", b"WEBP": "image", b"AVI ": "video"}
        return kinds.get(head[8:12])
    if head.startswith(
        (b"\xff\xd8\xff", b"\x89PNG", b"BM", b"II*\0", b"MM\0*", b"GIF8")
    ):
        return "image"
    if head.startswith((b"fLaC", b"ID3", b"FORM", b".snd")) or (
        head[:1] == b"\xff" and head[1:2] >= b"\xe0"
    ):
        return "audio"
    if head[:4] == b"OggS":
        return "video" if b"theora" in head else "audio"
    if head[4:11] == b"ftypM4A":
        return "audio"
    return "video" if detect_container(data) else None


def _detect_numeric(cells):
    """Detect by the shape and type of a numeric array ``(n_samples, ...)``."""
    kind = cells.dtype.kind
    if cells.ndim > 1:
        return _detect_arrays(list(cells[:: -(-len(cells) // _CELLS) or 1]))
    names = {"b": "boolean", "M": "datetime", "m": "numeric"}
    return names.get(kind, "numeric"), f"its type is {cells.dtype}"


def _detect_cell(cell):
    """Give a cell's modality and why, or what else has to be looked at."""
    if isinstance(cell, (bool, np.bool_)):
        return "boolean", "its values are true or false"
    if isinstance(cell, Number):
        return "numeric", "its values are numbers"
    if isinstance(cell, (date, np.datetime64)):
        return "datetime", "its values are dates"
    if isinstance(cell, (str, os.PathLike)):
        return "path", ""
    if isinstance(cell, (bytes, bytearray, memoryview)):
        modality = sniff(cell)
        return (modality, "by the first bytes") if modality else ("category", "bytes")
    if is_instance(cell, "PIL.Image", "Image"):
        return "image", "PIL images"
    if isinstance(cell, tuple) and len(cell) == 2 and isinstance(cell[1], Number):
        return "audio", "pairs (array, sampling rate)"
    if isinstance(cell, (np.ndarray, list, tuple)):
        return "array", ""
    return "category", f"its values are of type {type(cell).__name__}"


def _detect_strings(sample, root, lists):
    """Tell files from texts and categories; a list's strings are files or nothing."""
    strings = [os.fspath(c) for c in sample if isinstance(c, (str, os.PathLike))]
    paths = [string for string in strings if "://" not in string]
    modality, why = _detect_files(paths, len(sample), root)
    if modality or lists:
        return modality or "category", why
    n_words = np.mean([len(string.split()) for string in strings])
    n_distinct = len(set(strings))
    # Of a sample, the share of distinct values says whether there are more in all.
    many = n_distinct > min(_DISTINCT, 0.5 * len(strings))
    if n_words >= _WORDS and many:
        return "text", f"{n_words:.0f} words in the mean, {n_distinct} distinct"
    return "category", f"{n_words:.1f} words in the mean, {n_distinct} distinct"


def _detect_files(paths, n_cells, root):
    """Open a few and look at all names; None if they are no files that are known."""
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


def _detect_arrays(sample):
    """Tell images, series and vectors by shapes, types and values."""
    shapes = {array.shape for array in sample}
    n_axes = {len(shape) for shape in shapes}
    if len(n_axes) > 1 or any(array.dtype.kind not in "biuf" for array in sample):
        return "category", "lists or arrays of several kinds"
    (n_axes,) = n_axes
    shown = f"arrays of shape {sample[0].shape}"
    if n_axes <= 1:
        same = len(shapes) == 1
        return ("vector", f"{shown} all") if same else ("sequence", "lengths differ")
    last = {shape[-1] for shape in shapes}
    if n_axes == 3 and last <= {1, 3, 4}:
        return "image", shown
    if n_axes > 2:
        return "video", shown
    return ("image" if all(map(_is_picture, sample)) else "sequence"), shown


def _is_picture(array):
    """Whether ``(a, b)`` looks like pixels: bytes, or about square and in [0, 1]."""
    if array.dtype == np.uint8:
        return True
    height, width = array.shape
    if array.size == 0:
        return False
    in_range = np.nanmin(array) >= 0 and np.nanmax(array) <= 1
    return (
        in_range
        and min(height, width) >= 8
        and max(height, width) < 4 * min(height, width)
    )
