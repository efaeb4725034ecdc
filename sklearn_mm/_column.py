"""A column: its cells, which are missing, and reports of bad cells."""

import os
import warnings
from dataclasses import dataclass
from itertools import chain
from threading import Event, Semaphore

import numpy as np
import pandas as pd
from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

from ._imports import is_instance
from ._padding import pad_samples

#: Cells that one task handles: small enough to share work, large enough to pay for it.
CHUNK = 16
#: Bad cells that an error or a warning names before it only counts.
NAMED = 10
#: What loading a bad cell may raise.
_BAD = (
    *(ValueError, TypeError, OSError, RuntimeError),
    *(ArithmeticError, LookupError, MemoryError),
)
#: Reason why numbers are refused.
INFINITE = "it holds infinity, or a number too large for float32"


class LoadError(ValueError):
    """Cells of a column that could not be read.

    Parameters
    ----------
    message : str
        What was wrong, where, and what would be right.
    failures : list of tuple (row, source, reason)
        The bad cells in the order of the column. ``row`` is the index label for a
        pandas column and the position otherwise; ``source`` says what the cell was
        (its path, or a description of it).

    Examples
    --------
    >>> from sklearn_mm import ImageLoader, LoadError
    >>> try:
    ...     ImageLoader().fit_transform([b"not an image"])
    ... except LoadError as error:
    ...     error.failures[0][:2]
    (0, '12 bytes')
    """

    def __init__(self, message, failures=()):
        super().__init__(message)
        self.failures = list(failures)

    def __reduce__(self):
        # An exception pickles its ``args`` alone; workers send errors back by pickle.
        return type(self), (str(self), self.failures), self.__dict__


class LoadWarning(UserWarning):
    """Cells that could not be read were treated as missing (``on_error="warn"``).

    Examples
    --------
    >>> import warnings
    >>> from sklearn_mm import ImageLoader, LoadWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", LoadWarning)
    ...     ImageLoader(on_error="warn").fit_transform([b"not an image"]).shape
    (1, 28, 28)
    """


@dataclass(frozen=True)
class Column:
    """One cell per sample.

    ``cells`` is a 1-D object array, or a numeric array ``(n_samples, ...)`` whose
    items along the first axis are the cells.
    """

    cells: np.ndarray
    missing: np.ndarray  # (n_samples,) bool
    labels: object  # the row names, something that can be indexed by position

    def __len__(self):
        return len(self.cells)


def as_column(X, owner):
    """Make a :class:`Column` of whatever a user hands over as one.

    Parameters
    ----------
    X : pandas or polars Series or one-column DataFrame, list, ndarray
        The cells.
    owner : str
        Name of the estimator, for errors.
    """
    X = _squeeze_frame(X, owner)
    labels = range(len(X)) if not isinstance(X, pd.Series) else X.index
    cells = _as_cells(X, owner)
    return Column(cells, find_missing(cells), labels)


def _squeeze_frame(X, owner):
    if not hasattr(X, "__len__") or isinstance(X, (str, bytes, dict, set)):
        raise TypeError(
            f"{owner}: expected a column (a Series, a list or an array with one cell "
            f"per sample), got one {type(X).__name__}. Put it into a list: [value]."
        )
    if isinstance(X, pd.DataFrame):
        columns = [X.iloc[:, i] for i in range(X.shape[1])]
    elif is_instance(X, "polars", "DataFrame"):
        columns = X.get_columns()
    elif isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "OUST":
        columns = list(X.T)
    else:
        return X
    if len(columns) != 1:
        names = list(getattr(X, "columns", range(len(columns))))
        raise ValueError(
            f"{owner}: expected one column, got {len(columns)}: {names}. Give each "
            "column an encoder of its own by a ColumnTransformer or a fusion estimator."
        )
    return columns[0]


def _as_cells(X, owner):
    if isinstance(X, pd.Series):
        numeric = X.dtype.kind in "biufc" and isinstance(X.dtype, np.dtype)
        return X.to_numpy() if numeric else X.to_numpy(dtype=object)
    if is_instance(X, "polars", "Series"):
        nested = is_instance(X.dtype, "polars", "Array")
        X = X.to_numpy() if nested else X.to_list()
    if isinstance(X, np.ndarray):
        return X.astype(object) if X.dtype.kind in "UST" else X
    cells = np.empty(len(X), dtype=object)
    for row, cell in enumerate(X):  # np.array(X) would stack cells of one shape
        cells[row] = cell
    return cells


def find_missing(cells):
    """Say which cells are missing: ``None``, ``NaN``, ``pd.NA``, or an all-NaN sample.

    Parameters
    ----------
    cells : ndarray of shape (n_samples, ...)
        Objects, or a numeric array.

    Returns
    -------
    ndarray of shape (n_samples,), bool
        True where the sample is missing.
    """
    if cells.dtype.kind == "O":
        return np.asarray(pd.isna(cells), dtype=bool)
    missing = np.zeros(len(cells), dtype=bool)
    if cells.dtype.kind != "f" or cells.size == 0:
        return missing
    flat = cells.reshape(len(cells), -1)
    candidates = np.flatnonzero(np.isnan(flat[:, 0]))  # few: look at these alone
    missing[candidates] = np.isnan(flat[candidates]).all(axis=1)
    return missing


def load_cells(column, load, *, owner, on_error=None, n_jobs=None):
    """Call ``load(row, cell)`` for every cell that is there and report those that fail.

    Parameters
    ----------
    column : Column
        The cells.
    load : callable
        Stores what it makes of the cell; raises where the cell is bad. Runs in
        threads, at most ``n_jobs`` at once.
    owner : str
        Name of the estimator, for errors.
    on_error : {"raise", "warn", "missing"} or None
        What to do about bad cells once all cells have been tried. None raises for an
        estimator that leaves its users no choice.
    n_jobs : int or None
        Number of threads.
    """
    failures = try_cells(column, np.flatnonzero(~column.missing), load, n_jobs)
    report_failures(failures, owner, len(column), on_error)


def try_cells(column, rows, load, n_jobs=None):
    """Call ``load(row, cell)`` for some cells and list those that fail.

    Parameters
    ----------
    column : Column
        The cells.
    rows : ndarray of int
        Those to load.
    load : callable
        See :func:`load_cells`.
    n_jobs : int or None
        Number of threads.

    Returns
    -------
    list of tuple (row, source, reason)
        The bad cells.
    """
    if effective_n_jobs(n_jobs) == 1:
        failures = [_load_chunk(column.cells, rows, load)]
    else:
        failures = _load_in_threads(column.cells, rows, load, n_jobs)
    return [
        (column.labels[row], describe_cell(column.cells[row]), reason)
        for row, reason in chain.from_iterable(failures)
    ]


def report_failures(failures, owner, n_samples, on_error):
    """Raise, warn or say nothing about cells that could not be read.

    Parameters
    ----------
    failures : list of tuple (row, source, reason)
        The bad cells.
    owner : str
        Name of the estimator.
    n_samples : int
        Number of cells in all.
    on_error : {"raise", "warn", "missing"} or None
        What to do; None raises for an estimator that leaves its users no choice.
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
    except BaseException:  # a thread that still decodes at exit would abort the process
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


def describe_cell(cell):
    """Describe a cell in a few words for an error: its path, or its type and size."""
    if isinstance(cell, (str, os.PathLike)):
        text = repr(os.fspath(cell))
        return text if len(text) <= 200 else f"{text[:197]}..."
    if isinstance(cell, (bytes, bytearray, memoryview)):
        return f"{len(cell)} bytes"
    if isinstance(cell, np.ndarray):
        return f"array of shape {cell.shape}, {cell.dtype}"
    if isinstance(cell, (tuple, list)):
        return f"{type(cell).__name__} of {len(cell)}"
    return type(cell).__name__


def stack_cells(column, *, owner, on_error=None, ragged=False, shape=None):
    """Stack cells that are arrays already into one array.

    Parameters
    ----------
    column : Column
        Cells that numpy can turn into arrays, ``(...)`` all of one shape or, if
        ``ragged``, ``(length, ...)`` of any length.
    owner : str
        Name of the estimator, for errors.
    on_error : {"raise", "warn", "missing"} or None
        What to do about cells that are no arrays of numbers, empty, or of another
        shape than the others.
    ragged : bool
        Whether lengths may differ; shorter samples are padded with NaN at their end.
    shape : tuple of int or None
        Shape that cells must have, without the length if ``ragged``. That of the
        first good cell if None.

    Returns
    -------
    ndarray of shape (n_samples, ...), float32
        All NaN where a sample is missing.
    """
    skip = int(ragged)
    samples = [None] * len(column)
    common = shape

    def store(row, cell):
        nonlocal common
        sample = _as_numbers(cell, ndim=skip)
        common = sample.shape[skip:] if common is None else common
        if sample.shape[skip:] != common:
            expected = ("length", *common) if ragged else common
            expected = str(expected).replace("'", "")
            raise ValueError(f"its shape {sample.shape} is not {expected}")
        samples[row] = sample if ragged else sample[None]

    load_cells(column, store, owner=owner, on_error=on_error)
    stacked = pad_samples(samples, sample_shape=common or ())
    return stacked if ragged or not common else stacked[:, 0]


def _as_numbers(cell, ndim):
    if isinstance(cell, (str, bytes)):
        raise TypeError(f"it is a {type(cell).__name__}, not an array of numbers")
    numbers = to_float32(np.asarray(cell))
    if np.isinf(numbers).any():
        raise ValueError(INFINITE)
    if numbers.ndim < ndim:
        raise TypeError("it is a single number, not an array")
    if numbers.size == 0:
        raise ValueError("it is empty")
    return numbers


def to_float32(numbers):
    """Cast numbers; what float32 cannot hold becomes infinite, without a warning."""
    if numbers.dtype.kind == "c":
        raise TypeError("it holds complex numbers")
    with np.errstate(over="ignore"):
        try:
            return numbers.astype(np.float32, copy=False)
        except OverflowError:  # of Python's integers, which have no bound
            return numbers.astype(np.longdouble).astype(np.float32)
