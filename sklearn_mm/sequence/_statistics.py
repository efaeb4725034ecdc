"""Sequences (time series of any length): padding, and statistics of each channel."""

from numbers import Real

import numpy as np

from .._columns.base import BaseArrayEncoder
from .._utils.imports import Interval
from ._blocks import check_sequences, iter_blocks

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
        return check_sequences(array, type(self).__name__)

    def _encode(self, array):
        array = array if array.ndim == 3 else array[..., None]
        shape = (len(array), array.shape[2], len(_STATISTICS))
        statistics = np.empty(shape, dtype=np.float32)
        for rows, block in iter_blocks(array):
            statistics[rows] = _describe(block, self.sampling_rate)
        return statistics.reshape(len(array), -1)

    def _feature_names(self, sample_shape):
        n_channels = sample_shape[1] if len(sample_shape) == 2 else 1
        return [f"channel{c}_{s}" for c in range(n_channels) for s in _STATISTICS]


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
