"""Sequences (time series of any length): padding, and statistics of each channel."""

from numbers import Integral, Real

import numpy as np

from ._column import (
    as_column,
    stack_cells,
)
from ._encoder import ArrayTransformer, BaseArrayEncoder
from ._imports import Interval, StrOptions, fit_context
from ._padding import pad_samples, valid_lengths

_STATISTICS = [
    "mean",
    "std",
    "min",
    "max",
    "quantile25",
    "median",
    "quantile75",
    "slope",
    "mean_absolute_change",
    "dominant_frequency",
    "dominant_power",
]


class SequencePadder(ArrayTransformer):
    """Stack sequences of different lengths into one array, padded with NaN.

    A cell is an array ``(time,)`` or ``(time, channels)``. The transformer is
    stateless; ``fit`` only remembers the number of channels.

    Parameters
    ----------
    max_length : int or None, default=None
        Number of steps of the result: longer sequences are cut at their end, shorter
        ones padded. By default nothing is cut.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that are no sequences of numbers, are empty, or have
        another number of channels.

    Attributes
    ----------
    sample_shape_ : tuple of int
        ``(channels,)``, or ``()`` for sequences ``(time,)``.

    Examples
    --------
    >>> from sklearn_mm import SequencePadder
    >>> SequencePadder().fit_transform([[1, 2, 3], [4], None])
    array([[ 1.,  2.,  3.],
           [ 4., nan, nan],
           [nan, nan, nan]], dtype=float32)
    """

    _parameter_constraints: dict = {
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "on_error": [StrOptions({"raise", "warn", "missing"})],
    }

    def __init__(self, max_length=None, *, on_error="raise"):
        self.max_length = max_length
        self.on_error = on_error

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters and remember the number of channels.

        Parameters
        ----------
        X : column of sequences
            Arrays ``(time,)`` or ``(time, channels)``.
        y : None
            Ignored.

        Returns
        -------
        self
            The transformer.
        """
        self.sample_shape_ = self._stack(X, None).shape[2:]
        return self

    def transform(self, X):
        """Stack the sequences.

        Parameters
        ----------
        X : column of sequences
            Arrays ``(time,)`` or ``(time, channels)``, or one array of them.

        Returns
        -------
        ndarray of shape (n_samples, time) or (n_samples, time, channels), float32
            Padded with NaN at the end; all NaN where a sequence is missing.
        """
        array = self._stack(X, getattr(self, "sample_shape_", None))
        if self.max_length is None or array.shape[1] == self.max_length:
            return array
        return pad_samples(array, length=self.max_length, sample_shape=array.shape[2:])

    def _stack(self, X, shape):
        owner = type(self).__name__
        return stack_cells(
            as_column(X, owner),
            owner=owner,
            on_error=self.on_error,
            ragged=True,
            shape=shape,
        )


class SequenceResampler(BaseArrayEncoder):
    """Values of sequences at equally spaced moments, from their first to their last.

    Makes vectors of one width of sequences of any length, by linear interpolation. The
    transformer is stateless.

    Parameters
    ----------
    n_steps : int, default=16
        Number of moments.

    Attributes
    ----------
    sample_shape_ : tuple of int
        Shape of the sequences that it was fitted on, ``(time,)`` or ``(time,
        channels)``.

    See Also
    --------
    SequenceStatistics : What does not depend on when something happens.

    Notes
    -----
    Gaps (NaN between values) are filled by linear interpolation.

    Examples
    --------
    >>> from sklearn_mm import SequenceResampler
    >>> SequenceResampler(n_steps=3).fit_transform([[0, 1, 2, 3, 4], [5, 6]])
    array([[0. , 2. , 4. ],
           [5. , 5.5, 6. ]], dtype=float32)
    """

    _parameter_constraints: dict = {
        "n_steps": [Interval(Integral, 1, None, closed="left")]
    }

    def __init__(self, n_steps=16):
        self.n_steps = n_steps

    def _check_array(self, array):
        return _check_sequences(array, type(self).__name__)

    def _encode(self, array):
        array = array if array.ndim == 3 else array[..., None]
        shape = (len(array), self.n_steps, array.shape[2])
        values = np.empty(shape, dtype=np.float32)
        for rows, block in _iter_blocks(array):
            moments = np.linspace(0, block.shape[1] - 1, self.n_steps)
            before = np.floor(moments).astype(int)
            after = np.minimum(before + 1, block.shape[1] - 1)
            share = (moments - before)[:, None]
            values[rows] = block[:, before] * (1 - share) + block[:, after] * share
        return values.reshape(len(array), -1)

    def _feature_names(self, sample_shape):
        n_channels = sample_shape[1] if len(sample_shape) == 2 else 1
        steps = range(self.n_steps)
        return [f"step{t}_channel{c}" for t in steps for c in range(n_channels)]


class SequenceStatistics(BaseArrayEncoder):
    """Statistics of each channel of sequences.

    Mean, standard deviation, minimum, maximum, quartiles, slope (of the least-squares
    line, per step), mean absolute change from one step to the next, dominant frequency
    and the share of the power at it. Each sequence is treated by itself: padding
    changes nothing. The transformer is stateless.

    Parameters
    ----------
    sampling_rate : float, default=1.0
        Steps per unit of time, in which the dominant frequency is given: by default in
        cycles per step.

    Attributes
    ----------
    sample_shape_ : tuple of int
        Shape of the sequences that it was fitted on, ``(time,)`` or ``(time,
        channels)``.

    Notes
    -----
    Gaps (NaN between values) are filled by linear interpolation. A constant channel has
    dominant frequency and power zero.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm import SequenceStatistics
    >>> waves = [np.sin(np.arange(50)), np.sin(np.arange(80) / 3)]
    >>> encoder = SequenceStatistics().set_output(transform="pandas")
    >>> encoder.fit_transform(waves)["channel0_dominant_frequency"].tolist()
    [0.159..., 0.05...]
    """

    _parameter_constraints: dict = {
        "sampling_rate": [Interval(Real, 0, None, closed="neither")]
    }

    def __init__(self, sampling_rate=1.0):
        self.sampling_rate = sampling_rate

    def _check_array(self, array):
        return _check_sequences(array, type(self).__name__)

    def _encode(self, array):
        array = array if array.ndim == 3 else array[..., None]
        shape = (len(array), array.shape[2], len(_STATISTICS))
        statistics = np.empty(shape, dtype=np.float32)
        for rows, block in _iter_blocks(array):
            statistics[rows] = _describe(block, self.sampling_rate)
        return statistics.reshape(len(array), -1)

    def _feature_names(self, sample_shape):
        n_channels = sample_shape[1] if len(sample_shape) == 2 else 1
        return [f"channel{c}_{s}" for c in range(n_channels) for s in _STATISTICS]


def _check_sequences(array, owner):
    if array.ndim in (2, 3):
        return array
    raise ValueError(
        f"{owner}: expected sequences (n_samples, time) or (n_samples, time, "
        f"channels), got {array.shape}."
    )


def _iter_blocks(array):
    """Yield rows of one length, which make a dense array, without gaps."""
    lengths = valid_lengths(array)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        yield rows, _fill_gaps(array[rows, :length].astype(np.float64))


def _describe(block, sampling_rate):
    """Statistics ``(n, channels, 11)`` of sequences ``(n, time, channels)``."""
    mean = block.mean(axis=1)
    time = np.arange(block.shape[1]) - (block.shape[1] - 1) / 2
    slope = np.einsum("t,ntc->nc", time, block) / max((time**2).sum(), 1e-12)
    steps = np.diff(block, axis=1)
    change = np.abs(steps).mean(axis=1) if steps.shape[1] else np.zeros_like(mean)
    frequency, power = _find_dominant(block - mean[:, None], sampling_rate)
    parts = [mean, block.std(axis=1), block.min(axis=1), block.max(axis=1)]
    parts += list(np.quantile(block, [0.25, 0.5, 0.75], axis=1))
    return np.stack([*parts, slope, change, frequency, power], axis=-1)


def _find_dominant(centred, sampling_rate):
    """Frequency of most power, and its share, of ``(n, time, channels)``."""
    length = centred.shape[1]
    spectrum = np.abs(np.fft.rfft(centred, axis=1)[:, 1:]) ** 2  # without the mean
    if spectrum.shape[1] == 0:
        return np.zeros((2, *centred[:, 0].shape))
    if length % 2 == 0:
        spectrum[:, -1] /= 2  # the last is no pair of a positive and a negative one
    total = spectrum.sum(axis=1)
    constant = np.ptp(centred, axis=1) == 0
    peak = np.where(constant, -1, spectrum.argmax(axis=1))
    frequency = (peak + 1) * (sampling_rate / length)
    share = np.where(constant, 0, spectrum.max(axis=1) / np.where(constant, 1, total))
    return frequency, share


def _fill_gaps(block):
    """Interpolate NaN between values linearly; a channel of NaN alone stays so."""
    for n, c in np.argwhere(np.isnan(block).any(axis=1)):
        channel = block[n, :, c]
        known = np.flatnonzero(~np.isnan(channel))
        if len(known):
            channel[:] = np.interp(np.arange(len(channel)), known, channel[known])
    return block
