"""Checks of a network's input and output."""

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from .._columns.arrays import check_float32_range
from .._columns.table import check_unique_names


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


def check_outputs(outputs, owner):
    """Raise if a network's outputs are not finite.

    Parameters
    ----------
    outputs : ndarray of shape (n_samples, ...), or tuple of these
        The outputs.
    owner : str
        Name of the estimator, for errors.

    Returns
    -------
    ndarray or tuple of ndarray
        The outputs.
    """
    for part in outputs if isinstance(outputs, tuple) else (outputs,):
        if isinstance(part, tuple):
            check_outputs(part, owner)
        elif not np.isfinite(part).all():
            broken = ~np.isfinite(part.reshape(len(part), -1)).all(axis=1)
            raise ValueError(
                f"{owner}: the network gives no finite numbers for {broken.sum()} of "
                f"{len(part)} samples, the first at position {broken.argmax()}. Scale "
                "inputs that are very large."
            )
    return outputs
