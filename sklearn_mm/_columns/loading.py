"""Load the cells of a column in threads, and report those that fail."""

import warnings
from itertools import chain
from threading import Event, Semaphore

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

from ..exceptions import LoadError, LoadWarning
from .column import describe_cell

#: Number of cells per task: small enough to balance the load, large enough to amortise
#: the overhead of a task.
CHUNK = 16
#: Number of bad cells that an error or a warning lists; the others are only counted.
NAMED = 10
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
    list of tuple (row, source, reason)
        The bad cells, for :func:`report_failures`.
    """
    if rows is None:
        rows = np.flatnonzero(~column.missing)
    if effective_n_jobs(n_jobs) == 1:
        failures = [_load_chunk(column.cells, rows, load)]
    else:
        failures = _load_in_threads(column.cells, rows, load, n_jobs)
    return [
        (column.labels[row], describe_cell(column.cells[row]), reason)
        for row, reason in chain.from_iterable(failures)
    ]


def report_failures(failures, owner, n_samples, on_error):
    """Raise, warn or stay silent about cells that could not be read.

    Parameters
    ----------
    failures : list of tuple (row, source, reason)
        The bad cells.
    owner : str
        Name of the estimator.
    n_samples : int
        Number of cells in the column.
    on_error : {"raise", "warn", "missing"} or None
        What to do about them. If None, always raise (for estimators without an
        ``on_error`` parameter).
    """
    if not failures or on_error == "missing":
        return
    message = _summarise(owner, failures, n_samples)
    if on_error == "warn":
        warnings.warn(message + "Treated as missing.", LoadWarning, stacklevel=3)
        return
    if on_error == "raise":
        message += 'Use on_error="missing" to treat such rows as missing.'
    raise LoadError(message.rstrip(), failures)


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


def _summarise(owner, failures, n_samples):
    if len(failures) == 1:
        row, source, reason = failures[0]
        return f"{owner}: row {row} ({source}) could not be used: {reason}. "
    lines = [f"  row {row} ({source}): {why}" for row, source, why in failures[:NAMED]]
    if len(failures) > NAMED:
        lines.append(f"  and {len(failures) - NAMED} more")
    head = f"{owner}: {len(failures)} of {n_samples} cells could not be used:"
    return "\n".join([head, *lines]) + "\n"
