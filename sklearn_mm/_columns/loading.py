"""Load the cells of a column in threads, and report those that fail."""

from itertools import chain
from threading import Event, Semaphore

import joblib
import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

from .._utils.notices import Notice, post_notices, summarise
from ..exceptions import LoadError
from .column import describe_cell

#: Number of cells per task: small enough to balance the load, large enough to amortise
#: the overhead of a task.
CHUNK = 16
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
