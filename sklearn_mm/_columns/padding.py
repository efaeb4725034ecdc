"""Samples of different lengths in one array, padded with NaN at the end."""

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

#: Bytes up to which an array is always padded, and times as many values as the samples
#: have, from which a larger one is not padded until it is used.
_SMALL = 2**26
_SPARSE = 4
#: Number of values that are padded at a time where an array is not padded as a whole.
_BLOCK = 2**20


class Signals(np.ndarray):
    """An array of signals that knows their sampling rate.

    Attributes
    ----------
    sampling_rate : float or None
        Sampling rate, in Hz.
    """

    sampling_rate = None

    def __array_finalize__(self, source):
        self.sampling_rate = getattr(source, "sampling_rate", None)

    def __reduce__(self):
        return _restore, (np.asarray(self), self.sampling_rate)

    def __repr__(self):
        return repr(np.asarray(self))


def _restore(array, sampling_rate):
    """Return an array that knows its sampling rate, if there is one."""
    if sampling_rate is None:
        return array
    signals = array.view(Signals)
    signals.sampling_rate = sampling_rate
    return signals


class PaddedArray(NDArrayOperatorsMixin):
    """A float32 array of samples that is padded with NaN only where it is used.

    It takes the place of an array that would be large and mostly padding. Encoders of
    this package read the samples one by one; anything else gets the padded array, as
    from :func:`numpy.asarray`.

    Parameters
    ----------
    samples : list of (ndarray of shape (length, ...) or None)
        The samples in float32, without padding; None where a sample is missing.
    length : int
        Length of the array along its second axis.
    sample_shape : tuple of int
        Shape of a sample without its length.
    sampling_rate : float or None
        Sampling rate of signals, in Hz.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, samples, length, sample_shape=(), sampling_rate=None):
        self.samples = samples
        self.sampling_rate = sampling_rate
        self.shape = (len(samples), length, *sample_shape)

    @property
    def ndim(self):
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self):
        """Number of values, padding included."""
        return int(np.prod(self.shape))

    def __len__(self):
        return len(self.samples)

    def __iter__(self):
        return (self[row] for row in range(len(self)))

    def __getitem__(self, key):
        rows, *rest = key if isinstance(key, tuple) else (key,)
        if rest == [Ellipsis]:
            rest = []
        if isinstance(rows, (int, np.integer)) and not isinstance(rows, bool):
            row = _fill([self.samples[rows]], (1, *self.shape[1:]))
            row = _restore(row, self.sampling_rate)[0]
            return row[tuple(rest)] if rest else row
        is_list = isinstance(rows, (list, np.ndarray)) and np.ndim(rows) == 1
        if rest or not (isinstance(rows, slice) or is_list):
            return np.asarray(self)[key]
        return pad_samples(
            [self.samples[i] for i in np.arange(len(self))[rows]],
            length=self.shape[1],
            sample_shape=self.shape[2:],
            sampling_rate=self.sampling_rate,
        )

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("A PaddedArray must be copied to become an array.")
        array = _fill(self.samples, self.shape)
        return array if dtype is None else array.astype(dtype, copy=False)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return getattr(ufunc, method)(*map(_as_ndarray, inputs), **kwargs)

    def __array_function__(self, function, types, args, kwargs):
        args = [_as_ndarray(argument) for argument in args]
        return function(*args, **kwargs)

    def __getattr__(self, name):
        if name.startswith("_") or not hasattr(np.ndarray, name):
            raise AttributeError(f"PaddedArray has no attribute {name!r}")
        return getattr(np.asarray(self), name)

    def __repr__(self):
        return f"<PaddedArray of shape {self.shape}, float32>"


def _as_ndarray(value):
    if isinstance(value, (list, tuple)):
        return type(value)(map(_as_ndarray, value))
    return np.asarray(value) if isinstance(value, PaddedArray) else value


def pad_samples(samples, *, length=None, sample_shape=(), sampling_rate=None):
    """Stack samples of different lengths, padding with NaN at the end.

    Parameters
    ----------
    samples : list of (ndarray of shape (length, ...) or None)
        ``None`` is a missing sample.
    length : int or None
        Length of the result; longer samples are cut. By default that of the longest
        sample.
    sample_shape : tuple of int
        Shape of a sample without its length.
    sampling_rate : float or None
        Sampling rate that the array shall know, in Hz.

    Returns
    -------
    ndarray or PaddedArray of shape (n_samples, length, ...), float32
        All NaN where a sample is missing.
    """
    if length is None:
        # At least 1: a row without any value could not be marked as missing.
        length = max((len(s) for s in samples if s is not None), default=1)
    shape = (len(samples), length, *sample_shape)
    size = np.prod(shape, dtype=float)
    n_values = sum(min(s.size, size) for s in samples if s is not None)
    if 4 * size > _SMALL and size > _SPARSE * n_values:
        samples = [None if s is None else _strip(s[:length]) for s in samples]
        return PaddedArray(samples, length, sample_shape, sampling_rate)
    return _restore(_fill(samples, shape), sampling_rate)


def _strip(sample):
    """Cut the padding off a sample; return None if nothing is left."""
    (length,) = valid_lengths(sample[None])
    return sample[:length].astype(np.float32, copy=False) if length else None


def _fill(samples, shape):
    padded = np.full(shape, np.nan, dtype=np.float32)
    for row, sample in enumerate(samples):
        if sample is not None:
            sample = sample[: shape[1]]
            padded[row, : len(sample)] = sample
    return padded


def unpad(array):
    """Return the samples of an array without their padding.

    Parameters
    ----------
    array : ndarray or PaddedArray of shape (n_samples, length, ...)
        Samples padded with NaN at the end.

    Returns
    -------
    list of (ndarray of shape (length, ...) or None)
        None where the sample is missing.
    """
    if isinstance(array, PaddedArray):
        return list(array.samples)
    lengths = valid_lengths(array)
    return [sample[:n] if n else None for sample, n in zip(array, lengths)]


def drop_samples(array, rows):
    """Return a copy of an array whose samples of some rows are missing."""
    if isinstance(array, PaddedArray):
        samples = [None if r in rows else s for r, s in enumerate(array.samples)]
        return PaddedArray(
            samples, array.shape[1], array.shape[2:], array.sampling_rate
        )
    array = array.copy()
    array[rows] = np.nan
    return array


def iter_padded(array, rows):
    """Yield rows of an array, in groups that are padded as little as possible.

    Parameters
    ----------
    array : ndarray or PaddedArray of shape (n_samples, ...)
        The samples.
    rows : ndarray of int
        Rows of present samples.

    Yields
    ------
    ndarray of int
        Some of the rows.
    ndarray of shape (n_rows, ...)
        Their samples: all rows, unless the array is padded only where it is used.
    """
    if not isinstance(array, PaddedArray):
        yield rows, array if len(rows) == len(array) else array[rows]
        return
    lengths = np.array([len(array.samples[row]) for row in rows])
    order = np.argsort(lengths, kind="stable")
    width = max(1, int(np.prod(array.shape[2:])))
    while len(order):
        # The last sample of a group is its longest one.
        n_values = np.arange(1, len(order) + 1) * lengths[order] * width
        size = max(1, np.searchsorted(n_values, _BLOCK, side="right"))
        group, order = rows[order[:size]], order[size:]
        samples = [array.samples[row] for row in group]
        shape = (len(group), len(samples[-1]), *array.shape[2:])
        yield group, _fill(samples, shape)


def valid_lengths(padded):
    """Compute the lengths of NaN-padded samples, up to the last step not all NaN.

    Parameters
    ----------
    padded : ndarray of shape (n_samples, length, ...)
        Samples padded with NaN at the end.

    Returns
    -------
    ndarray of shape (n_samples,), int
        0 where the sample is missing.
    """
    n_samples, length = padded.shape[:2]
    if length == 0:
        return np.zeros(n_samples, dtype=np.intp)
    valid = ~np.isnan(padded)  # (n_samples, length, ...)
    if padded.ndim > 2:
        valid = valid.any(axis=tuple(range(2, padded.ndim)))
    lengths = length - np.argmax(valid[:, ::-1], axis=1)
    return np.where(valid.any(axis=1), lengths, 0)
