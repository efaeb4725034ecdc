"""Rows to train on, and rows that tell when to stop."""

import numpy as np
import torch
from sklearn.model_selection import train_test_split


def split_rows(n_samples, fraction, labels=None):
    """Set a fraction of the rows aside at random.

    Parameters
    ----------
    n_samples : int
        Number of rows.
    fraction : float
        Share to set aside, rounded down.
    labels : ndarray of shape (n_samples,) or None
        Classes to keep the shares of, where there are enough of each.

    Returns
    -------
    tuple of (ndarray, ndarray)
        The rows to train on and those set aside, of which there may be none.
    """
    rows = np.arange(n_samples)
    n_valid = int(fraction * n_samples)
    if n_valid == 0:
        return rows, rows[:0]
    if labels is not None and (labels.ndim > 1 or labels.dtype.kind not in "iu"):
        labels = None
    if labels is not None:
        counts = np.unique(labels, return_counts=True)[1]
        if counts.min() < 2 or min(n_valid, n_samples - n_valid) < len(counts):
            labels = None
    seed = int(torch.randint(2**31 - 1, (1,)))  # from the generator that fit seeded
    return train_test_split(rows, test_size=n_valid, stratify=labels, random_state=seed)
