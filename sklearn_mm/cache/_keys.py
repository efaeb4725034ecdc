"""Keys of encoded cells: digests of the content of a cell and of its encoder."""

import os
from functools import lru_cache

import joblib
import numpy as np
from sklearn.base import BaseEstimator

from .._columns.files import read_source
from .._utils.imports import is_instance
from ._contents import digest_content, get_version
from ._steps import find_loader

#: Parameters that do not affect results.
_IDLE = {"n_jobs", "verbose", "on_error"}
#: Distributions whose versions may affect results.
_LIBRARIES = ("numpy", "scipy", "opencv-python", "soundfile", "soxr", "scikit-learn")
_NUMBERS = (bool, int, float, np.number)
_PLAIN = (type(None), str, *_NUMBERS)


def compute_keys(column, steps, by):
    """Compute a key for each cell.

    Parameters
    ----------
    column : Column
        The cells.
    steps : list of transformer
        The encoder. Strings are paths if the first step reads files.
    by : {"stat", "content"}
        What identifies a file.

    Returns
    -------
    list of (bytes, int or None)
        None where the cell is missing, and its position where it has no key.
    """
    digest = _import_digest()
    prefix = digest(repr([*map(describe, steps), _list_versions(steps)]).encode())
    keys = [None] * len(column)
    digest_cell = _CellDigest(find_loader(steps[0]), by)
    for row in np.flatnonzero(~column.missing).tolist():
        content = digest_cell(column.cells[row])
        keys[row] = row if content is None else digest(prefix + content)
    return keys


class _CellDigest:
    """Bytes that identify a cell, or None if it has no key."""

    def __init__(self, loader, by):
        self.loads = loader is not None
        # Files behind a custom filesystem may change unnoticed.
        self.loads_from_disk = self.loads and loader.filesystem is None
        names = ("root", "max_bytes")
        self.bounds = {name: getattr(loader, name, None) for name in names}
        self.folder = os.path.abspath(getattr(loader, "root", None) or "")
        self.loader = loader
        self.by = by
        self.digest = _import_digest()

    def __call__(self, cell):
        if isinstance(cell, (str, os.PathLike)) and self.loads:
            return self._digest_file(cell) if self.loads_from_disk else None
        if isinstance(cell, str):
            return b"text" + cell.encode("utf-8", "surrogatepass")
        if isinstance(cell, (bytes, bytearray, memoryview)):
            view = memoryview(cell)
            return b"file" + self.digest(view if view.c_contiguous else bytes(view))
        if is_instance(cell, "PIL.Image", "Image"):
            return self._digest_image(cell)
        if isinstance(cell, np.ma.MaskedArray):
            return None
        if isinstance(cell, np.ndarray) and not cell.dtype.hasobject:
            shape = f"array{cell.dtype!r}{cell.shape}".encode()
            return shape + self.digest(np.ascontiguousarray(cell))
        if isinstance(cell, _NUMBERS):
            return f"{type(cell).__name__}{cell!r}".encode()
        if isinstance(cell, (list, tuple)):
            parts = [self(part) for part in cell]
            if None not in parts:
                return repr((type(cell).__name__, parts)).encode()
        return None

    def _digest_image(self, image):
        """Identify a PIL image by its pixels and by all that says how to show them."""
        limit = getattr(self.loader, "max_pixels", None)
        if limit is not None and image.width * image.height > limit:
            return None  # the loader refuses it, before it is decoded
        try:
            pixels = self.digest(image.tobytes())  # decodes an image that was opened
            shown = image.mode, image.size, image.format, image.getpalette(None)
            known = joblib.hash((image.info, dict(image.getexif())))
        except Exception:  # whatever Pillow raises on damaged files
            return None  # the loader will report what is wrong with it
        return repr(("image", *shown, known)).encode() + pixels

    def _digest_file(self, path):
        try:
            if self.by == "content":
                return b"file" + self.digest(read_source(path, **self.bounds))
            if not os.path.isabs(path):
                path = os.path.join(self.folder, path)
            elif self.bounds["root"] is not None:
                return None  # the loader refuses it
            status = os.stat(path)
        except (OSError, ValueError, TypeError):
            return None  # the loader will report what is wrong with it
        size, time = status.st_size, status.st_mtime_ns
        return f"path{size} {time} {path}".encode("utf-8", "surrogateescape")


def describe(value):
    """Describe a parameter or estimator by all that affects results, as plain data."""
    if _is_plain(value):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, BaseEstimator):
        described = [
            (name, param if _is_plain(param) else describe(param))
            for name, param in _list_parameters(value)
        ]
        kind = type(value)
        return kind.__module__, kind.__qualname__, digest_content(kind), described
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [describe(item) for item in value]
    if isinstance(value, dict):
        return [(describe(k), describe(v)) for k, v in value.items()]
    return type(value).__qualname__, digest_content(value)


def _is_plain(value):
    """Whether ``repr`` describes a value completely."""
    if type(value) is tuple:
        return all(isinstance(item, _PLAIN) for item in value)
    return isinstance(value, _PLAIN)


def _list_parameters(estimator):
    """List the names and values of the parameters that affect results."""
    if type(estimator).get_params is not BaseEstimator.get_params:
        params = estimator.get_params(deep=False)
        return [(k, params[k]) for k in sorted(params) if k not in _IDLE]
    return [(k, getattr(estimator, k)) for k in _get_names(type(estimator))]


@lru_cache
def _get_names(kind):
    """Return the parameter names of a class, whose signature is slow to inspect."""
    return [name for name in kind._get_param_names() if name not in _IDLE]


def _list_versions(steps):
    packages = {type(step).__module__.partition(".")[0] for step in steps}
    return [(name, get_version(name)) for name in (*_LIBRARIES, *sorted(packages))]


def _import_digest():
    from xxhash import xxh3_128_digest

    return xxh3_128_digest
