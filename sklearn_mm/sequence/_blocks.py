"""Group padded sequences by length into dense arrays without gaps."""

import numpy as np

from .._columns.padding import valid_lengths


def check_sequences(array, owner):
    """Return an array of sequences, or raise if it is not one."""
    if array.ndim in (2, 3):
        return array
    raise ValueError(
        f"{owner}: expected sequences (n_samples, time) or (n_samples, time, "
        f"channels), got {array.shape}."
    )


def iter_blocks(array):
    """Yield the rows of each length and their dense array without gaps."""
    lengths = valid_lengths(array)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        yield rows, fill_gaps(array[rows, :length].astype(np.float64))


def fill_gaps(block):
    """Interpolate NaN between values linearly; leave channels that are all NaN."""
    for n, c in np.argwhere(np.isnan(block).any(axis=1)):
        channel = block[n, :, c]
        known = np.flatnonzero(~np.isnan(channel))
        if len(known):
            channel[:] = np.interp(np.arange(len(channel)), known, channel[known])
    return block
