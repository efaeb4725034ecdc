"""Mean and standard deviation of a target of numbers."""

import numpy as np


def compute_mean_and_std(y, name="y"):
    """Compute the mean and standard deviation of a target, and refuse what has none.

    Parameters
    ----------
    y : ndarray of shape (n_samples, ...), float64
        Finite numbers.
    name : str
        What they are, for errors.

    Returns
    -------
    mean, std : ndarray of shape (...)
        By output; a constant one has the standard deviation 1.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = y.mean(axis=0), y.std(axis=0)
    if not np.isfinite(std).all():
        raise ValueError(
            f"{name} holds numbers of up to {np.abs(y).max():g}, whose squares are "
            "infinite. Divide them by a constant."
        )
    return mean, np.where(std > 0, std, 1)
