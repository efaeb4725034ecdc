"""Tables of targets: split into tasks, and predictions in the same container."""

import numpy as np
import pandas as pd

from .._utils.imports import is_instance


def split_tasks(y):
    """Split targets into tasks.

    Parameters
    ----------
    y : DataFrame, dict of arrays, or array-like of shape (n_samples, ...)
        A column for each task.

    Returns
    -------
    dict of str or int to Series
        Values by task; the columns of an array are numbered, a nameless vector is 0.
    """
    if is_instance(y, "polars", "DataFrame"):
        y = {name: y[name].to_list() for name in y.columns}
    if isinstance(y, dict):
        return {name: _as_series(values) for name, values in y.items()}
    if isinstance(y, pd.DataFrame):
        return {name: _as_series(y[name]) for name in y.columns}
    if isinstance(y, pd.Series):
        return {y.name if y.name is not None else 0: _as_series(y)}
    y = np.asarray(y)
    if y.ndim not in (1, 2):
        raise ValueError(
            f"y must be a DataFrame, a dict of arrays or an array of shape (n_samples, "
            f"n_tasks), got shape {y.shape}."
        )
    return {
        number: _as_series(values) for number, values in enumerate(np.atleast_2d(y.T))
    }


def _as_series(values):
    return pd.Series(values).reset_index(drop=True).infer_objects()


def get_container(y):
    """Return what kind of container targets came in, for :func:`pack_predictions`."""
    if isinstance(y, dict):
        return "dict"
    if isinstance(y, pd.DataFrame):
        return "pandas"
    if is_instance(y, "polars", "DataFrame"):
        return "polars"
    return "vector" if np.asarray(y).ndim == 1 else "array"


def pack_predictions(predicted, container, X):
    """Put predictions into the container that the targets came in.

    Parameters
    ----------
    predicted : dict of str to ndarray
        Predictions by task.
    container : {"dict", "pandas", "polars", "vector", "array"}
        The kind of container.
    X : DataFrame, ndarray or dict of arrays
        The table, whose index a pandas frame of predictions gets.

    Returns
    -------
    dict, DataFrame or ndarray
        The predictions.
    """
    if container == "dict":
        return predicted
    if container == "pandas":
        index = X.index if isinstance(X, pd.DataFrame) else None
        return pd.DataFrame(predicted, index=index)
    if container == "polars":
        import polars

        return polars.DataFrame(predicted)
    if container == "vector":
        return next(iter(predicted.values()))
    if len({array.dtype.kind in "OU" for array in predicted.values()}) > 1:
        predicted = {name: a.astype(object) for name, a in predicted.items()}
    return np.column_stack(list(predicted.values()))
