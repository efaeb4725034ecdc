"""Keys of encoded cells: digests of what a cell holds and of what encodes it."""

import marshal
import os
import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

import joblib
import numpy as np
from sklearn.base import BaseEstimator

from .._columns.files import read_source

#: Parameters that change no result.
_IDLE = {"n_jobs", "verbose", "on_error"}
#: Distributions whose versions may change results.
_LIBRARIES = ("numpy", "scipy", "opencv-python", "soundfile", "soxr", "scikit-learn")
_NUMBERS = (bool, int, float, np.number)


def find_keys(column, steps, by):
    """Find a key for each cell.

    Parameters
    ----------
    column : Column
        The cells.
    steps : list of transformer
        What encodes them, the first a loader if strings are paths.
    by : {"stat", "content"}
        What a file is known by.

    Returns
    -------
    list of (bytes, int or None)
        None where the cell is missing, and the row's number where it has no key.
    """
    digest = _import_digest()
    prefix = digest(repr([*map(_describe, steps), _list_versions(steps)]).encode())
    keys = [None] * len(column)
    digest_cell = _CellDigest(steps[0], by)
    for row in np.flatnonzero(~column.missing).tolist():
        content = digest_cell(column.cells[row])
        keys[row] = row if content is None else digest(prefix + content)
    return keys


class _CellDigest:
    """Bytes that tell a cell from all others, or None."""

    def __init__(self, loader, by):
        self.loads = hasattr(loader, "filesystem")
        # What a filesystem of the user's own holds may change unseen.
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
            return b"file" + self.digest(cell)
        if getattr(cell, "mode", None) in ("L", "RGB"):  # an image of PIL
            cell = np.asarray(cell)
        if isinstance(cell, np.ndarray) and not cell.dtype.hasobject:
            shape = f"array{cell.dtype.str}{cell.shape}".encode()
            return shape + self.digest(np.ascontiguousarray(cell))
        if isinstance(cell, _NUMBERS):
            return f"{type(cell).__name__}{cell!r}".encode()
        if isinstance(cell, (list, tuple)):
            parts = [self(part) for part in cell]
            if None not in parts:
                return repr((type(cell).__name__, parts)).encode()
        return None

    def _digest_file(self, path):
        try:
            if self.by == "content":
                return b"file" + self.digest(read_source(path, **self.bounds))
            if not os.path.isabs(path):
                path = os.path.join(self.folder, path)
            elif self.bounds["root"] is not None:
                return None  # refused, though it may be the same file
            status = os.stat(path)
        except (OSError, ValueError, TypeError):
            return None  # the loader will say what is wrong with it
        size, time = status.st_size, status.st_mtime_ns
        return f"path{size} {time} {path}".encode("utf-8", "surrogateescape")


def _describe(value):
    """Say what of a parameter or an estimator changes results, for repr to print."""
    if value is None or isinstance(value, (str, *_NUMBERS)):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, BaseEstimator):
        params = sorted(value.get_params(deep=False).items())
        described = [(k, _describe(v)) for k, v in params if k not in _IDLE]
        return type(value).__module__, type(value).__qualname__, described
    if isinstance(value, (list, tuple)):
        return [_describe(item) for item in value]
    if isinstance(value, dict):
        return [(_describe(k), _describe(v)) for k, v in value.items()]
    if hasattr(value, "__code__"):
        closure = [_describe(cell.cell_contents) for cell in value.__closure__ or ()]
        code = marshal.dumps(value.__code__)
        return value.__qualname__, code, _describe(value.__defaults__), closure
    return type(value).__qualname__, joblib.hash(value)


def _list_versions(steps):
    packages = {type(step).__module__.partition(".")[0] for step in steps}
    return [_find_version(name) for name in (*_LIBRARIES, *sorted(packages))]


@lru_cache
def _find_version(name):
    try:
        return name, version(name)
    except PackageNotFoundError:
        return name, getattr(sys.modules.get(name), "__version__", None)


def _import_digest():
    from xxhash import xxh3_128_digest

    return xxh3_128_digest
