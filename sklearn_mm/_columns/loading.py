"""Load the cells of a column in threads, and report those that fail."""

import os
from itertools import chain
from threading import Event, Semaphore

import joblib
import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

from .._utils.notices import Notice, post_notices, summarise
from ..exceptions import LoadError
from .column import describe_cell
from .files import lacks_file

#: Number of cells per task: small enough to balance the load, large enough to amortise
#: the overhead of a task.
CHUNK = 16
#: Number of files that are looked up in ``fit``, and of those that may be lacking.
_LOOKED_UP, _FEW = 200, 5
#: Exceptions that mark a cell as bad.
_BAD = (
    *(ValueError, TypeError, OSError, RuntimeError),
    *(ArithmeticError, LookupError, MemoryError),
)


def load_cells(column, load, *, rows=None, n_jobs=None):
    """Call ``load(row, cell)`` for every cell that is not missing.

    Parameters
    ----------
    column : Column
        The cells.
    load : callable
        Loads a cell and stores the result; raises if the cell is bad. Runs in threads,
        at most ``n_jobs`` at once.
    rows : ndarray of int or None
        Positions of the cells to load. By default all that are not missing.
    n_jobs : int or None
        Number of threads.

    Returns
    -------
    list of tuple (position, source, reason)
        The bad cells, for :func:`report_failures`.
    """
    if rows is None:
        rows = np.flatnonzero(~column.missing)
    if effective_n_jobs(n_jobs) == 1:
        failures = [_load_chunk(column.cells, rows, load)]
    else:
        failures = _load_in_threads(column.cells, rows, load, n_jobs)
    return [
        (row, describe_cell(column.cells[row]), reason)
        for row, reason in chain.from_iterable(failures)
    ]


def report_failures(failures, column, owner, on_error):
    """Raise, warn or stay silent about cells that could not be read.

    Parameters
    ----------
    failures : list of tuple (position, source, reason)
        The bad cells.
    column : Column
        The cells.
    owner : str
        Name of the estimator.
    on_error : {"raise", "warn", "missing"} or None
        What to do about them. If None, always raise (for estimators without an
        ``on_error`` parameter).
    """
    if not failures or on_error == "missing":
        return
    named = [(column.labels[position], *rest) for position, *rest in failures]
    if on_error == "warn":
        causes = [_identify(column.cells[position]) for position, *_ in failures]
        post_notices([Notice(owner, column.name, len(column), named, causes)])
        return
    message = summarise(owner, column.name, len(column), named)
    if on_error == "raise":
        message += 'Use on_error="missing" to treat such rows as missing.'
    raise LoadError(message.rstrip(), named)


def check_files_exist(column, loader, owner):
    """Raise if most of a column's files do not exist, because the folder is wrong.

    For ``fit``, before anything is loaded: whatever ``on_error`` says, nothing could be
    learned. A few paths are looked up.

    Parameters
    ----------
    column : Column
        The cells.
    loader : transformer or None
        Opens the files, and has ``root`` and ``filesystem``. If None, nothing does.
    owner : str
        Name of the estimator.
    """
    if loader is None or loader.filesystem is not None or column.cells.dtype != object:
        return
    present = np.flatnonzero(~column.missing)
    rows = present[:: -(-len(present) // _LOOKED_UP) or 1]
    rows = [r for r in rows if isinstance(column.cells[r], (str, os.PathLike))]
    lacking = [r for r in rows if lacks_file(column.cells[r], root=loader.root)]
    if len(lacking) < _FEW or len(lacking) <= len(rows) / 2:
        return
    failures = [
        (column.labels[r], describe_cell(column.cells[r]), "No such file or directory")
        for r in lacking
    ]
    example = os.fspath(column.cells[lacking[0]])
    folder = os.path.abspath(loader.root or "")
    where = "" if os.path.isabs(example) else f" in the folder {folder!r}"
    of_column = "" if column.name is None else f" of column {column.name!r}"
    raise LoadError(
        f"{owner}: {len(lacking)} of {len(rows)} files{of_column} that were looked up "
        f"do not exist, such as {describe_cell(example)}{where}. Pass root=, the "
        "folder that paths are relative to. Where there is no file on purpose, give "
        "None in place of its path.",
        failures,
    )


def _identify(cell):
    """Return what a cell has in common with its copies."""
    if isinstance(cell, str):
        return cell
    try:
        return joblib.hash(cell)
    except Exception:  # pickle raises errors of any type
        return describe_cell(cell)


def _load_in_threads(cells, rows, load, n_jobs):
    n_threads = effective_n_jobs(n_jobs)
    gate, stop = Semaphore(n_threads), Event()

    def load_chunk(chunk):
        with gate:
            return _load_chunk(cells, chunk, load, stop)

    try:
        return Parallel(n_jobs=n_jobs, require="sharedmem")(
            delayed(load_chunk)(rows[i : i + CHUNK]) for i in range(0, len(rows), CHUNK)
        )
    except BaseException:
        # Wait for all threads: one that still decodes at exit would abort the process.
        stop.set()
        for _ in range(n_threads):
            gate.acquire()
        raise


def _load_chunk(cells, rows, load, stop=None):
    failures = []
    for row in rows:
        if stop is not None and stop.is_set():
            break
        try:
            load(row, cells[row])
        except _BAD as error:
            reason = getattr(error, "strerror", None) or str(error)
            failures.append((row, reason.rstrip(".") or type(error).__name__))
    return failures
