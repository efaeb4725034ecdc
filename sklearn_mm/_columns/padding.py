"""Samples of different lengths in one array, padded with NaN at the end."""

import numpy as np


def pad_samples(samples, *, length=None, sample_shape=()):
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

    Returns
    -------
    ndarray of shape (n_samples, length, ...), float32
        All NaN where a sample is missing.
    """
    if length is None:
        # At least 1: a row without any value could not be marked as missing.
        length = max((len(s) for s in samples if s is not None), default=1)
    padded = np.full((len(samples), length, *sample_shape), np.nan, dtype=np.float32)
    for row, sample in enumerate(samples):
        if sample is not None:
            sample = sample[:length]
            padded[row, : len(sample)] = sample
    return padded


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
