"""MiniRocket: proportions of positive values of many dilated convolutions."""

from collections import defaultdict
from numbers import Integral

import numpy as np
from joblib import Parallel, delayed
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._columns.base import BaseArrayEncoder
from .._columns.padding import unpad, valid_lengths
from .._utils.imports import Interval, StrOptions
from ._blocks import check_sequences
from ._convolutions import (
    KERNELS,
    compute_scale,
    count_above,
    draw_channels,
    iter_outputs,
    make_block,
    make_dilations,
    make_floor,
)

_GOLDEN = (np.sqrt(5) + 1) / 2
#: Number of values of a batch, whose convolutions stay in the processor's cache.
_BATCH = 2**17
#: Number of values that a shorter sequence counts as, to bound a batch's features.
_SHORT = 2**8


class SequenceKernels(BaseArrayEncoder):
    """Proportions of positive values of convolutions with many fixed kernels.

    This is MiniRocket [1]_. Sequences are convolved with 84 kernels of length 9, whose
    weights are -1 and 2, at up to 32 dilations each. A feature is the proportion of
    steps where the output of one convolution exceeds one bias. Biases are quantiles of
    the outputs for training sequences drawn at random. Sequences with channels are
    convolved in random subsets of up to 9 channels, which are scaled and added.

    The features are meant for a regularized linear model, such as scikit-learn's
    ``RidgeClassifierCV``.

    Parameters
    ----------
    n_features : int, default=10_000
        Number of features, at least 84. It is rounded down to a multiple of 84.
    max_dilations : int, default=32
        Maximum number of dilations of a kernel. They grow exponentially from 1 to the
        largest that fits into the longest training sequence. More biases are used where
        there are fewer dilations.
    n_jobs : int or None, default=None
        Number of threads, as in joblib.
    random_state : int, RandomState or None, default=None
        Draws the training sequences of the biases and the channels of the kernels.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that are not sequences of numbers: raise
        :class:`LoadError` after all cells have been tried, or treat them as missing,
        with or without a warning.

    Attributes
    ----------
    sample_shape_ : tuple of int
        Shape of the sequences seen in ``fit``, ``(time,)`` or ``(time, channels)``.
    dilations_ : ndarray of shape (n_dilations,), int
        Steps between neighbouring weights of a kernel.
    channels_ : list of (list of tuple of int)
        Channels that a kernel adds up, for each dilation and kernel.
    scale_ : ndarray of shape (n_channels,), float32
        Standard deviation of each channel in the sequences drawn, 1 for a single one.
    biases_ : list of ndarray of shape (84, n_biases), float32
        Biases of each kernel, for each dilation.

    See Also
    --------
    SequenceStatistics : A few interpretable features, without anything learned.

    Notes
    -----
    Sequences may be longer or shorter than those of ``fit``, and of different lengths.
    Gaps (NaN between values) are filled by linear interpolation; a channel without any
    value counts as zero. Memory is bounded by batches of a few sequences per thread.

    There are two differences from [1]_. All kernels read zeros before and after a
    sequence, as in its authors' code for different lengths, where otherwise half of the
    kernels leave out the ends. Channels are divided by their standard deviations, so
    that those in large units do not drown others.

    References
    ----------
    .. [1] A. Dempster, D. F. Schmidt and G. I. Webb (2021). "MiniRocket: A Very Fast
       (Almost) Deterministic Transform for Time Series Classification". Proceedings of
       the 27th ACM SIGKDD Conference on Knowledge Discovery and Data Mining.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import RidgeClassifierCV
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_mm import SequenceKernels
    >>> rng = np.random.default_rng(0)
    >>> up, down = np.linspace(0, 3, 30), np.linspace(3, 0, 30)
    >>> waves = [wave + rng.normal(size=30) for wave in [up, down] * 20]
    >>> y = ["up", "down"] * 20
    >>> model = make_pipeline(SequenceKernels(random_state=0), RidgeClassifierCV())
    >>> model.fit(waves[:30], y[:30]).score(waves[30:], y[30:])
    1.0
    """

    _parameter_constraints: dict = {
        "n_features": [Interval(Integral, len(KERNELS), None, closed="left")],
        "max_dilations": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "on_error": [StrOptions({"raise", "warn", "missing"})],
    }

    def __init__(
        self,
        n_features=10_000,
        *,
        max_dilations=32,
        n_jobs=None,
        random_state=None,
        on_error="raise",
    ):
        self.n_features = n_features
        self.max_dilations = max_dilations
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.on_error = on_error

    def _learn(self, array):
        super()._learn(array)
        rng = check_random_state(self.random_state)
        n_channels = array.shape[2] if array.ndim == 3 else 1
        samples = [sample for sample in unpad(array) if sample is not None]
        samples = samples or [np.zeros((1, n_channels), dtype=np.float32)]
        self.dilations_, counts = make_dilations(
            max(map(len, samples)), self.n_features // len(KERNELS), self.max_dilations
        )
        shape = len(self.dilations_), len(KERNELS)
        self.channels_ = draw_channels(n_channels, shape, rng)
        examples = rng.randint(len(samples), size=shape)
        self.scale_ = compute_scale([samples[i] for i in np.unique(examples)])
        # A low-discrepancy sequence spreads the quantiles of nearby features.
        quantiles = np.arange(1, len(KERNELS) * counts.sum() + 1) * _GOLDEN % 1
        ends = np.cumsum(len(KERNELS) * counts)[:-1]
        self.biases_ = [
            self._compute_biases(j, [samples[i] for i in examples[j]], levels)
            for j, levels in enumerate(np.split(quantiles, ends))
        ]

    def _compute_biases(self, j, samples, quantiles):
        """Compute quantiles of the outputs for one sample per kernel."""
        quantiles = quantiles.reshape(len(KERNELS), -1)
        biases = np.empty(quantiles.shape, dtype=np.float32)
        for k, sample in enumerate(samples):
            channels, length = list(self.channels_[j][k]), len(sample)
            batch = sample.reshape(1, length, -1)[..., channels]
            block = make_block(batch, np.array([length]), self.scale_[channels])
            total, floor = block.sum(axis=0), np.float32(0)
            kernels = KERNELS[k : k + 1]
            (output,) = iter_outputs(total, floor, self.dilations_[j], kernels)
            biases[k] = np.quantile(output, quantiles[k])
        return biases

    def _check_array(self, array):
        return check_sequences(array, type(self).__name__)

    def _check_width(self, sample_shape):
        check_is_fitted(self)
        return sum(biases.size for biases in self.biases_)

    def _encode(self, array):
        lengths = valid_lengths(array)
        order = np.argsort(lengths, kind="stable")
        features = np.empty((len(array), self._check_width(None)), dtype=np.float32)

        def encode(rows):
            batch = array[rows, : lengths[rows].max()]
            features[rows] = self._encode_batch(batch, lengths[rows])

        Parallel(n_jobs=self.n_jobs, require="sharedmem")(
            delayed(encode)(rows) for rows in _split(order, lengths)
        )
        return features

    def _encode_batch(self, batch, lengths):
        """Compute features ``(n_samples, n_features_out)`` of padded sequences."""
        block = make_block(batch, lengths, self.scale_)
        floor = make_floor(batch.shape[1], lengths)
        dilations = range(len(self.dilations_))
        parts = [self._encode_dilation(block, floor, j) for j in dilations]
        counts = np.concatenate([part.reshape(-1, len(batch)) for part in parts])
        return (counts / lengths.astype(np.float32)).T

    def _encode_dilation(self, block, floor, j):
        """Count steps ``(n_kernels, n_biases, n_samples)`` above each bias."""
        dilation, biases = self.dilations_[j], self.biases_[j]
        counts = np.empty((*biases.shape, block.shape[2]), dtype=np.float32)
        buffer = np.empty((biases.shape[1], *block.shape[1:]), dtype=bool)
        for channels, kernels in _group(self.channels_[j]):
            total = _add_channels(block, channels)
            outputs = iter_outputs(total, floor, dilation, KERNELS[kernels])
            for k, output in zip(kernels, outputs):
                counts[k] = count_above(output, biases[k], buffer)
        return counts

    def _feature_names(self, sample_shape):
        return [
            f"dilation{dilation}_kernel{a}{b}{c}_bias{i}"
            for dilation, biases in zip(self.dilations_, self.biases_)
            for a, b, c in KERNELS
            for i in range(biases.shape[1])
        ]

    def __sklearn_tags__(self):
        """Declare that biases are learned in ``fit``."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = True
        return tags


def _split(order, lengths):
    """Split rows in order of length into batches of few values."""
    while len(order):
        # The last sequence of a batch is its longest one.
        n_values = np.arange(1, len(order) + 1) * np.maximum(lengths[order], _SHORT)
        size = max(1, np.searchsorted(n_values, _BATCH, side="right"))
        yield order[:size]
        order = order[size:]


def _group(channels):
    """List the kernels that use each set of channels."""
    groups = defaultdict(list)
    for k, subset in enumerate(channels):
        groups[subset].append(k)
    return groups.items()


def _add_channels(block, channels):
    """Add some channels of a block ``(channels, time, n_samples)``."""
    first, *others = channels
    total = block[first]
    for channel in others:
        total = total + block[channel]
    return total
