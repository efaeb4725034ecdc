"""The steps of an encoder that learns nothing in ``fit``: list, clone and run them."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from .._columns.base import learns
from .._columns.column import count_rows
from .._columns.padding import PaddedArray
from ..exceptions import LoadError


def list_steps(encoder):
    """List the transformers of an encoder, including those of nested pipelines."""
    if not isinstance(encoder, Pipeline):
        return [encoder]
    steps = [step for _, step in encoder.steps if step not in (None, "passthrough")]
    return [inner for step in steps for inner in list_steps(step)]


def make_steps(encoder, owner, on_error, n_jobs):
    """Clone the steps of an encoder, and raise if one of them learns.

    Parameters
    ----------
    encoder : transformer or Pipeline
        Not changed.
    owner : str
        Name of the estimator, for errors.
    on_error : {"raise", "missing"}
        Set on the steps and loaders that have this parameter.
    n_jobs : int or None
        Number of threads, set likewise. If None, the steps keep their own.

    Returns
    -------
    list of transformer
        Not fitted.
    """
    steps = []
    for step in list_steps(encoder):
        if learns(step):
            raise TypeError(
                f"{owner}: {type(step).__name__} learns in fit, so its output for a "
                f"cell depends on other cells. Put it after the {owner}."
            )
        step = clone(step)
        for estimator in (step, getattr(step, "loader", None)):
            if hasattr(estimator, "on_error"):
                estimator.on_error = on_error
            if hasattr(estimator, "n_jobs") and n_jobs is not None:
                estimator.n_jobs = n_jobs
        steps.append(step)
    return steps


def find_loader(step):
    """Return the transformer that opens files for a step, or None."""
    if hasattr(step, "get_loader"):
        step = step.get_loader()
    return step if hasattr(step, "filesystem") else None


def find_on_error(encoder):
    """Return the ``on_error`` of the first step or loader that has one, else None."""
    for step in list_steps(encoder):
        for estimator in (step, getattr(step, "loader", None)):
            if hasattr(estimator, "on_error"):
                return estimator.on_error
    return None


def make_blank(column):
    """Return a column of one missing cell, of the same kind as another column.

    Parameters
    ----------
    column : Column
        The other column.

    Returns
    -------
    ndarray of shape (1, ...)
        None or NaN.
    """
    if column.cells.dtype.kind == "O":
        return np.array([None], dtype=object)
    return np.full((1, *column.cells.shape[1:]), np.nan, dtype=np.float32)


def run_steps(steps, cells, fit=False):
    """Encode cells, leaving out those that a step refuses.

    Parameters
    ----------
    steps : list of transformer
        The encoder.
    cells : ndarray of shape (n_samples, ...)
        The cells.
    fit : bool
        Whether to fit each step first.

    Returns
    -------
    encoded : ndarray of shape (n_rows, ...), float32, or None
        None if every cell was refused.
    rows : list of int
        Positions of the encoded cells.
    refused : dict of int to tuple (source, reason)
        The refused cells by position.
    """
    rows, refused = list(range(len(cells))), {}
    while rows or not refused:
        X = cells[rows]
        try:
            with count_rows():
                for step in steps:
                    X = (step.fit(X) if fit else step).transform(X)
        except LoadError as error:
            bad = {rows[row]: tuple(reason) for row, *reason in error.failures}
            if not bad:
                raise
            refused |= bad
            rows = [row for row in rows if row not in bad]
        else:
            return _check_encoded(X, len(rows), steps[-1]), rows, refused
    return None, rows, refused


def _check_encoded(X, n_samples, step):
    if issparse(X):
        raise TypeError(
            f"{type(step).__name__} returns a sparse matrix, which cannot be stored "
            "sample by sample."
        )
    if not isinstance(X, PaddedArray):
        X = np.asanyarray(X, dtype=np.float32)
    if len(X) != n_samples:
        raise ValueError(
            f"the encoder returned {len(X)} samples for {n_samples} cells; it "
            "must return one per cell."
        )
    return X
