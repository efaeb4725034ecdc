"""Quantiles of sequences over intervals of time and bands of frequency."""

from numbers import Integral

import numpy as np

from .._columns.base import BaseArrayEncoder
from .._columns.padding import valid_lengths
from .._utils.imports import Interval, StrOptions
from ._blocks import check_sequences, iter_blocks

#: Number of values of a batch, padding included, which bounds the memory.
_BATCH = 2**19
#: Larger numbers are cut, so that sums over a sequence do not exceed float32.
_LARGEST = 1e30


class SequenceQuantiles(BaseArrayEncoder):
    """Quantiles of each channel of sequences over dyadic intervals (QUANT).

    Four representations of a sequence are divided into 1, 2, 4, ... intervals of equal
    length, and again into intervals shifted by half of their length: the values, their
    first difference smoothed over five steps, their second difference and the
    magnitudes of their Fourier transform, whose intervals are bands of frequency. The
    features are quantiles of each interval; the mean of the interval is subtracted from
    every other one. The transformer is stateless.

    The intervals divide each sequence by its own length, without its padding. The
    numbers of quantiles are those of a sequence of ``n_steps`` steps, so that sequences
    of any length become vectors of one width, by default 692 features per channel.
    Sequences of exactly ``n_steps`` steps have the features of [1]_.

    Parameters
    ----------
    depth : int, default=6
        Number of divisions into intervals, the last one into ``2 ** (depth - 1)``.
        Short ``n_steps`` allow fewer.
    quantile_divisor : int, default=4
        Number of steps per quantile: an interval of ``length`` steps has
        ``1 + (length - 1) // quantile_divisor`` quantiles.
    n_steps : int, default=64
        Length of a sequence from which the numbers of intervals and quantiles are
        derived. The number of features grows in proportion to it.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that are not sequences of numbers: raise
        :class:`LoadError` after all cells have been tried, or treat them as missing,
        with or without a warning.

    Attributes
    ----------
    sample_shape_ : tuple of int
        Shape of the sequences seen in ``fit``, ``(time,)`` or ``(time, channels)``.

    See Also
    --------
    SequenceStatistics : Few features, which name what they measure.
    SequenceResampler : Values at equally spaced steps.

    Notes
    -----
    Gaps (NaN between values) are filled by linear interpolation. A channel without any
    value has NaN features. Differences of sequences that are too short for them are
    zero. Fourier magnitudes are multiplied by the square root of ``n_steps`` over the
    length of the sequence, so that noise has the same magnitude at any length.

    References
    ----------
    .. [1] A. Dempster, D. F. Schmidt, G. I. Webb (2024), "QUANT: a minimalist interval
       method for time series classification", Data Mining and Knowledge Discovery 38.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm import SequenceQuantiles
    >>> waves = [np.sin(np.arange(50)), np.sin(np.arange(80) / 3)]
    >>> SequenceQuantiles().fit_transform(waves).shape
    (2, 692)
    """

    _parameter_constraints: dict = {
        "depth": [Interval(Integral, 1, None, closed="left")],
        "quantile_divisor": [Interval(Integral, 1, None, closed="left")],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "on_error": [StrOptions({"raise", "warn", "missing"})],
    }

    def __init__(self, depth=6, quantile_divisor=4, *, n_steps=64, on_error="raise"):
        self.depth = depth
        self.quantile_divisor = quantile_divisor
        self.n_steps = n_steps
        self.on_error = on_error

    def _check_array(self, array):
        return check_sequences(array, type(self).__name__)

    def _encode(self, array):
        array = array if array.ndim == 3 else array[..., None]
        layouts = self._make_layouts()
        n_quantiles = sum(counts.sum() for _, counts in layouts.values())
        features = np.empty((len(array), array.shape[2], n_quantiles), np.float32)
        for rows in _iter_batches(array):
            representations = _represent(array[rows], self.n_steps)
            parts = [
                _compute_quantiles(*representations[name], *layout)
                for name, layout in layouts.items()
            ]
            features[rows] = np.concatenate(parts, axis=-1)
        return features.reshape(len(array), -1)

    def _feature_names(self, sample_shape):
        n_channels = sample_shape[1] if len(sample_shape) == 2 else 1
        names = [
            f"{representation}_{interval}_quantile{q}"
            for representation, (divisions, counts) in self._make_layouts().items()
            for interval, count in zip(_name_intervals(divisions), counts, strict=True)
            for q in range(count)
        ]
        return [f"channel{c}_{name}" for c in range(n_channels) for name in names]

    def _make_layouts(self):
        """Return the divisions, and quantiles per interval, of each representation."""
        layouts = {}
        for name, length in _get_lengths(self.n_steps).items():
            divisions = _make_divisions(length, self.depth)
            (sizes,) = _divide([length], divisions)[1]
            layouts[name] = divisions, 1 + (sizes - 1) // self.quantile_divisor
        return layouts


def _iter_batches(array):
    """Yield rows of similar length, few enough to bound the memory."""
    order = np.argsort(valid_lengths(array), kind="stable")
    size = max(1, _BATCH // (array.shape[1] * array.shape[2]))
    yield from np.split(order, range(size, len(order), size))


def _represent(array, n_steps):
    """Return the lengths and NaN-padded values of each representation of sequences.

    ``array`` is ``(n, time, channels)``, the lengths are ``(n,)`` and the values
    ``(n, channels, time + 2)``: windows may begin up to two steps late.
    """
    lengths = valid_lengths(array)
    shape = (len(array), array.shape[2])
    padded = {
        name: (n, np.full((*shape, n.max() + 2), np.nan, np.float32))
        for name, n in _get_lengths(lengths).items()
    }
    for rows, block in iter_blocks(array):
        values = np.clip(block.transpose(0, 2, 1), -_LARGEST, _LARGEST)
        for name, part in _transform(values.astype(np.float32), n_steps).items():
            padded[name][1][rows, :, : part.shape[-1]] = part
    return padded


def _transform(values, n_steps):
    """Return the four representations of sequences ``(n, channels, time)``.

    The magnitudes of noise grow with the square root of its length: all are scaled to
    the length ``n_steps``.
    """
    steps = _difference(values)
    padded = np.pad(steps, [(0, 0), (0, 0), (2, 2)], mode="edge")
    scale = np.float32(np.sqrt(n_steps / values.shape[-1]))
    return {
        "value": values,
        "difference": sum(padded[..., i : i + steps.shape[-1]] for i in range(5)) / 5,
        "second_difference": _difference(steps),
        "spectrum": np.abs(np.fft.rfft(values)) * scale,
    }


def _difference(values):
    """Return differences along the last axis: one zero if there is one value only."""
    return np.diff(values) if values.shape[-1] > 1 else values - values


def _get_lengths(n_steps):
    """Return the length of each representation of sequences of some steps."""
    return {
        "value": n_steps,
        "difference": np.maximum(n_steps - 1, 1),
        "second_difference": np.maximum(n_steps - 2, 1),
        "spectrum": n_steps // 2 + 1,
    }


def _make_divisions(length, depth):
    """Return divisions of a length: the number of intervals, and whether shifted."""
    divisions = []
    for n in 2 ** np.arange(min(depth, int(length).bit_length())):
        divisions.append((n, False))
        sizes = np.diff(length * np.arange(n + 1) // n)
        if n > 1 and np.quantile(sizes, 0.5, method="lower") > 1:
            divisions.append((n, True))
    return divisions


def _divide(lengths, divisions):
    """Return the starts and lengths ``(n, n_intervals)`` of all intervals.

    Every interval has at least one step.
    """
    lengths = np.asarray(lengths)[:, None]
    starts, ends = [], []
    for n, is_shifted in divisions:
        edges = lengths * np.arange(n + 1) // n
        if is_shifted:
            edges = edges[:, :-1] + -(-lengths // (2 * n))
        starts.append(edges[:, :-1])
        ends.append(edges[:, 1:])
    starts = np.minimum(np.concatenate(starts, axis=1), lengths - 1)
    return starts, np.maximum(np.concatenate(ends, axis=1) - starts, 1)


def _name_intervals(divisions):
    """Return names of intervals as ``"1of2"``, and ``"1.5of2"`` where shifted."""
    return [
        f"{i + 1}{'.5' if is_shifted else ''}of{n}"
        for n, is_shifted in divisions
        for i in range(n - is_shifted)
    ]


def _compute_quantiles(lengths, values, divisions, counts):
    """Compute ``counts`` quantiles of the intervals, every other one less the mean.

    ``values`` is ``(n, channels, time)``, the result ``(n, channels, counts.sum())``.
    """
    rows = np.arange(len(values))[:, None]
    starts, sizes = _divide(lengths, divisions)
    # Sums from the beginning, which do not depend on the padding in their rounding.
    sums = np.cumsum(values, axis=-1, dtype=np.float64)
    sums = np.pad(sums, [(0, 0), (0, 0), (1, 0)])
    means = sums[rows, :, starts + sizes] - sums[rows, :, starts]
    means /= sizes[:, :, None]  # (n, n_intervals, channels)
    quantiles = np.empty((*values.shape[:2], counts.sum()), dtype=np.float32)
    firsts = np.cumsum(counts) - counts
    parts = np.concatenate([[n] * (n - is_shifted) for n, is_shifted in divisions])
    # Intervals of about the same length are sorted together.
    for n, count in set(zip(parts, counts, strict=True)):
        same = np.flatnonzero((parts == n) & (counts == count))
        windows = _cut(values, rows, starts[:, same], sizes[:, same])
        found = _interpolate(windows, sizes[:, same], count)
        if count > 1:
            found[..., 1::2] -= means[:, same, :, None]
        columns = firsts[same, None] + np.arange(count)
        quantiles[:, :, columns] = found.transpose(0, 2, 1, 3)
    return quantiles


def _cut(values, rows, starts, sizes):
    """Return sorted windows ``(n, n_intervals, channels, size)``, padded with NaN."""
    size = sizes.max()
    windows = np.lib.stride_tricks.sliding_window_view(values, size, axis=-1)
    windows = windows[rows, :, starts]
    outside = np.arange(size) >= sizes[:, :, None, None]
    np.copyto(windows, np.nan, where=outside)
    windows.sort(axis=-1)
    return windows


def _interpolate(ordered, sizes, count):
    """Return ``count`` equally spaced quantiles of sorted windows, or the median."""
    levels = np.linspace(0, 1, count) if count > 1 else np.array([0.5])
    position = levels * (sizes[:, :, None, None] - 1)
    below = position.astype(int)  # (n, n_intervals, 1, count)
    above = np.minimum(below + 1, sizes[:, :, None, None] - 1)
    weight = (position - below).astype(np.float32)
    lower = np.take_along_axis(ordered, below, axis=-1)
    upper = np.take_along_axis(ordered, above, axis=-1)
    return lower * (1 - weight) + upper * weight
