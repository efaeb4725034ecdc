"""Checks of a network's input and output."""

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from .._columns.arrays import check_float32_range
from .._columns.table import check_unique_names
from .._utils.notices import warn_user
from ..exceptions import AbstentionWarning


def check_samples(net, X, reset, takes_ids):
    """Return samples as an array of floats or token ids.

    Parameters
    ----------
    net : estimator
        The network, whose ``n_features_in_`` vectors are compared with.
    X : array-like of shape (n_samples, ...)
        Samples.
    reset : bool
        Whether to set ``n_features_in_``.
    takes_ids : bool
        Whether samples are token ids.

    Returns
    -------
    ndarray of shape (n_samples, ...)
        The samples, NaN allowed.
    """
    options = {
        "dtype": np.int64 if takes_ids else [np.float32, np.float64],
        "ensure_all_finite": "allow-nan",
        "allow_nd": True,
    }
    check_unique_names(X)
    if not hasattr(X, "ndim"):
        free = {"dtype": None, "ensure_2d": False, "ensure_all_finite": False}
        X = check_array(X, allow_nd=True, ensure_min_samples=0, **free)
    if X.ndim == 2:
        X = validate_data(net, X, reset=reset, **options)
    else:
        X = check_array(X, estimator=net, **options)
    check_float32_range(X, type(net).__name__)
    return X


def check_outputs(outputs, owner, samples):
    """Raise if a network's outputs are not finite.

    Parameters
    ----------
    outputs : ndarray of shape (n_samples, ...), or tuple of these
        The outputs.
    owner : str
        Name of the estimator, for errors.
    samples : ndarray, or dict of ndarray
        The inputs, for errors.

    Returns
    -------
    ndarray or tuple of ndarray
        The outputs.
    """
    for part in outputs if isinstance(outputs, tuple) else (outputs,):
        if isinstance(part, tuple):
            check_outputs(part, owner, samples)
        elif not np.isfinite(part).all():
            broken = ~np.isfinite(part).all(axis=tuple(range(1, part.ndim)))
            raise ValueError(
                f"{owner}: the network returns NaN or infinity for {broken.sum()} of "
                f"{len(part)} samples. {explain_broken(samples)}"
            )
    return outputs


def explain_broken(samples):
    """Say what to do about a network that returns NaN, by what is in its inputs."""
    arrays = samples.values() if isinstance(samples, dict) else [samples]
    kinds = [array.dtype.kind for array in arrays]
    if any(k == "f" and np.isnan(a).any() for k, a in zip(kinds, arrays)):
        return (
            "There is NaN among the inputs (padding, or missing numbers): impute it, "
            "or let the module replace it, as by x.nan_to_num()."
        )
    return "Scale inputs that are very large."


def warn_absent(absent):
    """Warn of rows that are missing, or have none of the modalities."""
    warn_user(
        f"all values are missing from {absent.sum()} of {len(absent)} rows, which get "
        "the training set's prior.",
        AbstentionWarning,
    )
