"""MiniRocket's kernels: dilations, convolutions, and how often these exceed biases."""

from itertools import combinations

import numpy as np

from ._blocks import fill_gaps

LENGTH = 9
#: Positions of the three weights of each kernel that are 2; the other six are -1.
KERNELS = np.array(list(combinations(range(LENGTH), 3)))
#: Times that the rows of bytes are folded until a byte might overflow.
_N_FOLDS = 7
#: Bytes that are added without folding.
_FEW = 256
_SIDES = [0, 1, 2, 3, 5, 6, 7, 8]
_MAX_CHANNELS = 9
#: Standard deviation, relative to the mean, up to which a channel counts as constant.
_EPSILON = np.finfo(np.float32).eps


def make_dilations(length, n_biases, max_dilations):
    """Spread the biases of a kernel over exponentially growing dilations.

    Parameters
    ----------
    length : int
        Length of the sequences.
    n_biases : int
        Number of biases of a kernel at all dilations together.
    max_dilations : int
        Maximum number of dilations.

    Returns
    -------
    dilations : ndarray of shape (n_dilations,), int
        From 1 to the largest at which a kernel fits into a sequence.
    counts : ndarray of shape (n_dilations,), int
        Number of biases at each dilation.
    """
    n_dilations = min(n_biases, max_dilations)
    exponent = np.log2(max(1, (length - 1) / (LENGTH - 1)))
    dilations = np.logspace(0, exponent, n_dilations, base=2).astype(int)
    dilations, counts = np.unique(dilations, return_counts=True)
    counts = (counts * (n_biases / n_dilations)).astype(int)
    remainder = n_biases - counts.sum()
    counts += remainder // len(counts)
    counts[: remainder % len(counts)] += 1
    return dilations, counts


def draw_channels(n_channels, shape, rng):
    """Draw the channels of each kernel at each dilation.

    Parameters
    ----------
    n_channels : int
        Number of channels of a sequence.
    shape : tuple of (int, int)
        Numbers of dilations and of kernels.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    list of (list of tuple of int)
        Sorted channels, at most 9.
    """
    if n_channels == 1:
        return [[(0,)] * shape[1]] * shape[0]
    exponent = np.log2(min(n_channels, _MAX_CHANNELS) + 1)
    sizes = (2 ** rng.uniform(0, exponent, shape)).astype(int)
    return [
        [
            tuple(sorted(rng.choice(n_channels, size, replace=False).tolist()))
            for size in row
        ]
        for row in sizes
    ]


def compute_scale(samples):
    """Compute the standard deviation of each channel over samples.

    Parameters
    ----------
    samples : list of ndarray of shape (length, ...)
        Sequences, which may have gaps.

    Returns
    -------
    ndarray of shape (channels,), float32
        1 for a single channel, and for one that does not vary.
    """
    samples = [sample.reshape(len(sample), -1) for sample in samples]
    if samples[0].shape[1] == 1:
        return np.ones(1, dtype=np.float32)
    total = sum(np.nansum(s, axis=0, dtype=np.float64) for s in samples)
    n_values = np.maximum(1, sum((~np.isnan(s)).sum(axis=0) for s in samples))
    mean = total / n_values
    squares = sum(np.nansum((s - mean) ** 2, axis=0) for s in samples)
    scale = np.sqrt(squares / n_values)
    return np.where(scale > _EPSILON * np.abs(mean), scale, 1).astype(np.float32)


def make_block(batch, lengths, scale):
    """Scale padded sequences, fill gaps with lines, and padding with zeros.

    Parameters
    ----------
    batch : ndarray of shape (n_samples, time, ...)
        Sequences padded with NaN.
    lengths : ndarray of shape (n_samples,), int
        Their lengths.
    scale : ndarray of shape (channels,), float32
        What to divide each channel by.

    Returns
    -------
    ndarray of shape (channels, time, n_samples), float32
        A channel without any value is zero.
    """
    batch = batch.reshape(*batch.shape[:2], -1).astype(np.float32)
    outside = np.arange(batch.shape[1]) >= lengths[:, None]
    batch[outside] = 0
    for row in np.flatnonzero(np.isnan(batch).any(axis=(1, 2))):
        fill_gaps(batch[row : row + 1, : lengths[row]])
    batch[np.isnan(batch)] = 0
    batch /= scale
    return np.ascontiguousarray(batch.transpose(2, 1, 0))


def make_floor(n_steps, lengths):
    """Return what excludes the padding when it is added to outputs.

    Parameters
    ----------
    n_steps : int
        Number of steps of padded sequences.
    lengths : ndarray of shape (n_samples,), int
        Lengths of the sequences.

    Returns
    -------
    ndarray of shape (n_steps, n_samples), float32
        0 within a sequence, minus infinity after its end.
    """
    inside = np.arange(n_steps)[:, None] < lengths
    return np.where(inside, np.float32(0), np.float32(-np.inf))


def iter_outputs(block, floor, dilation, kernels):
    """Yield the outputs of kernels, which read zeros before and after a sequence.

    Parameters
    ----------
    block : ndarray of shape (time, n_samples), float32
        Sequences, with zeros after the end of shorter ones.
    floor : ndarray of shape (time, n_samples), float32
        Added to each output.
    dilation : int
        Steps between neighbouring weights.
    kernels : iterable of (int, int, int)
        Positions of the weights that are 2, in lexicographic order.

    Yields
    ------
    ndarray of shape (time, n_samples), float32
        Valid until the next one is yielded.
    """
    shifted = list(_iter_shifts(block, dilation))
    minus = floor - block
    for i in _SIDES:
        minus -= shifted[i]
    tripled = list(_iter_shifts(3 * block, dilation))
    # Kernels that begin alike share the sums of their first terms.
    sums, last = [minus, *(np.empty_like(block) for _ in range(3))], (None, None, None)
    for kernel in kernels:
        shared = next(i for i in range(3) if kernel[i] != last[i])
        for i in range(shared, 3):
            np.add(sums[i], tripled[kernel[i]], out=sums[i + 1])
        last = kernel
        yield sums[3]


def _iter_shifts(block, dilation):
    """Yield what each of the nine weights sees: views of one block between zeros."""
    n_steps, n_samples = block.shape
    margin = LENGTH // 2 * dilation
    padded = np.zeros((n_steps + 2 * margin, n_samples), dtype=block.dtype)
    padded[margin : margin + n_steps] = block
    for i in range(LENGTH):
        yield padded[i * dilation : i * dilation + n_steps]


def count_above(output, biases, buffer):
    """Count the steps at which an output exceeds each bias.

    Parameters
    ----------
    output : ndarray of shape (time, n_samples)
        Output of one kernel.
    biases : ndarray of shape (n_biases,)
        Its biases.
    buffer : ndarray of shape (n_biases, time, n_samples), bool
        Overwritten.

    Returns
    -------
    ndarray of shape (n_biases, n_samples), int
        The counts.
    """
    np.greater(output, biases[:, None, None], out=buffer)
    ones = buffer.view(np.uint8)
    # Fold the steps onto each other, which is fast, as long as no byte can overflow.
    n_steps, n_samples = ones.shape[1:]
    for _ in range(_N_FOLDS):
        half = n_steps // 2
        if half * n_samples < _FEW:
            break
        kept, n_steps = ones[:, :half], n_steps - half
        np.add(kept, ones[:, n_steps : n_steps + half], out=kept)
    return ones[:, :n_steps].sum(axis=1, dtype=np.intp)
