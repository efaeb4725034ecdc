"""Statistics of each channel of sequences."""

from numbers import Real

import numpy as np

from .._columns.base import BaseArrayEncoder
from .._utils.imports import Interval, StrOptions
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
    and its share of the power. The statistics of a sequence depend neither on its
    padding nor on other sequences. The transformer is stateless.

    Parameters
    ----------
    sampling_rate : float, default=1.0
        Steps per unit of time, which sets the unit of the dominant frequency. By
        default it is in cycles per step.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that are not sequences of numbers: raise
        :class:`LoadError` after all cells have been tried, or treat them as missing,
        with or without a warning.

    Attributes
    ----------
    sample_shape_ : tuple of int
        Shape of the sequences seen in ``fit``, ``(time,)`` or ``(time, channels)``.

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
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "on_error": [StrOptions({"raise", "warn", "missing"})],
    }

    def __init__(self, sampling_rate=1.0, *, on_error="raise"):
        self.sampling_rate = sampling_rate
        self.on_error = on_error

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
    """Compute statistics ``(n, channels, 11)`` of sequences ``(n, time, channels)``."""
    mean = block.mean(axis=1)
    time = np.arange(block.shape[1]) - (block.shape[1] - 1) / 2
    slope = np.einsum("t,ntc->nc", time, block) / max((time**2).sum(), 1e-12)
    steps = np.diff(block, axis=1)
    change = np.abs(steps).mean(axis=1) if steps.shape[1] else np.zeros_like(mean)
    frequency, power = _compute_dominant(block - mean[:, None], sampling_rate)
    parts = [mean, block.std(axis=1), block.min(axis=1), block.max(axis=1)]
    parts += list(np.quantile(block, [0.25, 0.5, 0.75], axis=1))
    return np.stack([*parts, slope, change, frequency, power], axis=-1)


def _compute_dominant(centred, sampling_rate):
    """Compute the frequency with the most power, and its share, by sample and channel.

    ``centred`` is ``(n, time, channels)`` with mean zero.
    """
    length = centred.shape[1]
    spectrum = np.abs(np.fft.rfft(centred, axis=1)[:, 1:]) ** 2  # without the mean
    if spectrum.shape[1] == 0:
        return np.zeros((2, *centred[:, 0].shape))
    if length % 2 == 0:
        spectrum[:, -1] /= 2  # the last one has no negative counterpart
    total = spectrum.sum(axis=1)
    constant = np.ptp(centred, axis=1) == 0
    peak = np.where(constant, -1, spectrum.argmax(axis=1))
    frequency = (peak + 1) * (sampling_rate / length)
    share = np.where(constant, 0, spectrum.max(axis=1) / np.where(constant, 1, total))
    return frequency, share
