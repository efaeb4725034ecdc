"""Checks of a target, and its mean and standard deviation."""

import numpy as np
import pandas as pd


def require_target(y, owner):
    """Raise if there is no target."""
    if y is None:
        raise ValueError(f"{owner} requires y to be passed, but the target y is None.")


def check_target(y, owner):
    """Raise if a target is not a column or table, or is missing in some rows.

    Parameters
    ----------
    y : array-like of shape (n_samples, ...)
        Labels or numbers.
    owner : str
        Name of the estimator, for errors.
    """
    require_target(y, owner)
    # numpy would turn the NaN in a list of strings into the string "nan".
    values = np.asarray(y) if hasattr(y, "dtype") else np.asarray(y, dtype=object)
    if values.ndim == 0:
        raise ValueError(
            f"{owner}: y must have a label or number for each row, got one "
            f"{type(y).__name__}."
        )
    missing = pd.isna(values).any(axis=tuple(range(1, values.ndim)))
    if missing.any():
        raise ValueError(
            f"{owner}: y contains NaN or None: {missing.sum()} of {len(values)} labels "
            f"are missing, the first in row {missing.argmax()}. Drop these rows from X "
            "and y."
        )


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
