"""Stack a column of arrays or numbers into one array."""

from collections import Counter
from functools import partial

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.utils import check_array

from .column import as_column, describe_cell
from .loading import load_cells, report_failures
from .padding import PaddedArray, drop_samples, pad_samples, valid_lengths

#: Reasons given for refusing a cell.
_GAP = "some of its numbers are NaN"
INFINITE = "it holds infinity, or a number too large for float32"


def stack_cells(column, read, *, owner, on_error=None, ragged=False, shape=None):
    """Stack cells that are already arrays into one array.

    Parameters
    ----------
    column : Column
        Cells that numpy can convert to arrays: all of one shape, or, if ``ragged``,
        ``(length, ...)`` with any length.
    read : callable
        Converts a cell to a float32 array, or raises.
    owner : str
        Name of the estimator, for errors.
    on_error : {"raise", "warn", "missing"} or None
        What to do about cells that are not arrays of numbers, are empty, or differ in
        shape from the others.
    ragged : bool
        Whether lengths may differ; shorter samples are padded with NaN at the end.
    shape : tuple of int or None
        Required shape of a cell, without the length if ``ragged``. By default the
        shape of most cells.

    Returns
    -------
    ndarray of shape (n_samples, ...), float32
        All NaN where a sample is missing.
    """
    skip = int(ragged)
    samples = [None] * len(column)

    def store(row, cell):
        samples[row] = read(cell)

    failures = load_cells(column, store)
    present = {row: sample for row, sample in enumerate(samples) if sample is not None}
    if shape is None:
        shape = find_majority(sample.shape[skip:] for sample in present.values())
    for row, sample in present.items():
        if sample.shape[skip:] != shape:
            expected = str(("length", *shape) if ragged else shape).replace("'", "")
            reason = f"its shape {sample.shape} is not {expected}"
            failures.append((row, describe_cell(column.cells[row]), reason))
            samples[row] = None
        elif not ragged:
            samples[row] = sample[None]
    report_failures(sorted(failures), column, owner, on_error)
    stacked = pad_samples(samples, sample_shape=shape or ())
    return stacked if ragged or not shape else stacked[:, 0]


def find_majority(shapes):
    """Return the most frequent shape, the first of several; None if there is none."""
    return next((shape for shape, _ in Counter(shapes).most_common(1)), None)


def agree_on_shape(cells, share=0.95):
    """Whether nearly all arrays have one shape, so that the others are bad cells."""
    (_, count), *_ = Counter(cell.shape for cell in cells).most_common(1)
    return count >= share * len(cells)


def as_numbers(cell, ndim):
    """Convert a cell to a float32 array of at least ``ndim`` axes, or raise."""
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
    """Cast to float32; numbers that are too large become infinite, silently.

    Durations become seconds.
    """
    if numbers.dtype.kind in "cM":
        kind = "complex numbers" if numbers.dtype.kind == "c" else "dates"
        raise TypeError(f"it holds {kind}")
    if numbers.dtype.kind == "m":
        numbers = to_seconds(numbers)
    with np.errstate(over="ignore"):
        try:
            return numbers.astype(np.float32, copy=False)
        except OverflowError:  # Python integers are unbounded
            return numbers.astype(np.longdouble).astype(np.float32)


def to_seconds(durations):
    """Convert timedelta64 of any unit to seconds, float64; NaT becomes NaN."""
    if np.datetime_data(durations.dtype)[0] in ("Y", "M", "generic"):
        durations = durations.astype("m8[s]")  # years and months of average length
    return durations / np.timedelta64(1, "s")


def as_array(X, owner, *, ragged, on_error=None, shape=None, gaps=True):
    """Convert a loader's array, or a column of arrays, to one float32 array.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...), or column of arrays
        The samples.
    owner : str
        Name of the estimator, for errors.
    ragged : bool
        Whether samples may differ in length; shorter ones are padded with NaN.
    on_error : {"raise", "warn", "missing"} or None
        What to do about cells that are not arrays or have the wrong shape.
    shape : tuple of int or None
        Shape of a cell, if known, without the length if ``ragged``.
    gaps : bool
        Whether individual numbers of a sample may be NaN.

    Returns
    -------
    ndarray or PaddedArray of shape (n_samples, ...), float32
        All NaN where a sample is missing.
    """
    column = as_column(X, owner)
    array = column.cells
    if array.dtype.kind not in "biuf" or array.ndim == 1:
        array = stack_cells(
            column,
            partial(as_numbers, ndim=int(ragged)),
            owner=owner,
            on_error=on_error,
            ragged=ragged,
            shape=shape,
        )
    if isinstance(array, PaddedArray):
        faults = _find_sample_faults(array.samples, gaps)
    else:
        array = to_float32(array)
        faults = _find_faults(array, ragged, gaps)
    if faults:
        failures = [
            (row, describe_cell(column.cells[row]), reason)
            for row, reason in sorted(faults.items())
        ]
        report_failures(failures, column, owner, on_error)
        array = drop_samples(array, list(faults))
    return array


def _find_sample_faults(samples, gaps):
    """Return a dict from row to the reason why a sample without padding is refused."""
    faults = {}
    for row, sample in enumerate(samples):
        if sample is not None and np.isinf(sample).any():
            faults[row] = INFINITE
        elif sample is not None and not gaps and np.isnan(sample).any():
            faults[row] = _GAP
    return faults


def _find_faults(array, ragged, gaps):
    """Return a dict from row to the reason why its sample is refused."""
    flat = array.reshape(len(array), -1 if array.size else 0)
    faults = {}
    if not gaps:
        n_known = (~np.isnan(flat)).sum(axis=1)
        n_expected = flat.shape[1] * (n_known > 0)
        if ragged:  # padding at the end is not a gap
            size = flat.shape[1] // max(1, array.shape[1])
            n_expected = valid_lengths(array) * size
        rows = np.flatnonzero(n_known != n_expected)
        faults |= dict.fromkeys(rows.tolist(), _GAP)
    rows = np.flatnonzero(np.isinf(flat).any(axis=1))
    return faults | dict.fromkeys(rows.tolist(), INFINITE)


def as_samples(X, owner, takes_ids=False):
    """Convert columns of numbers or arrays, or a transformer's output, to one array.

    Parameters
    ----------
    X : ndarray, sparse matrix, DataFrame, Series or list
        One row or cell per sample. A single column of numbers becomes vectors of
        length one.
    owner : str
        Name of the estimator, for errors.
    takes_ids : bool, default=False
        Whether the numbers are token ids.

    Returns
    -------
    ndarray of shape (n_samples, ...), float32 or int64
        Has at least two axes.
    """
    X = X.toarray() if issparse(X) else X
    if isinstance(X, pd.DataFrame | pd.Series) and _is_numeric(X):
        X = X.to_numpy(dtype=np.float64, na_value=np.nan)  # pd.NA is not a number
    if not isinstance(X, np.ndarray) or X.dtype.kind == "O":
        shape = getattr(X, "shape", (len(X),))
        table = np.asarray(X)
        is_column = len(shape) == 1 or shape[1] == 1
        if is_column and table.dtype.kind not in "biuf":  # cells that are arrays
            table = as_array(X, owner, ragged=True)
        X = table
    with np.errstate(over="ignore"):  # check_array reports infinite values
        X = check_array(
            X,
            dtype=np.int64 if takes_ids else np.float32,
            ensure_2d=False,
            allow_nd=True,
            ensure_all_finite="allow-nan",
            ensure_min_samples=0,
            estimator=owner,
        )
    return X[:, None] if X.ndim == 1 else X


def check_float32_range(X, owner):
    """Raise if a number is infinite or becomes infinite in float32."""
    if X.dtype != np.float64 or X.size == 0:
        return
    largest = max(np.fmax.reduce(X, axis=None), -np.fmin.reduce(X, axis=None))
    if largest > np.finfo(np.float32).max:
        raise ValueError(
            f"{owner}: Input X contains infinity or a value too large for "
            "dtype('float32')."
        )


def _is_numeric(X):
    kinds = X.dtypes if isinstance(X, pd.DataFrame) else [X.dtype]
    return all(map(pd.api.types.is_any_real_numeric_dtype, kinds))
