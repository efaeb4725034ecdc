"""The steps of an encoder that learns nothing in ``fit``: found, set up and run."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from .._columns.base import learns
from ..exceptions import LoadError


def list_steps(encoder):
    """List the transformers of an encoder, those within nested pipelines too."""
    if not isinstance(encoder, Pipeline):
        return [encoder]
    steps = [step for _, step in encoder.steps if step not in (None, "passthrough")]
    return [inner for step in steps for inner in list_steps(step)]


def make_steps(encoder, owner, on_error, n_jobs):
    """Clone the steps of an encoder, and refuse those that learn.

    Parameters
    ----------
    encoder : transformer or Pipeline
        Not changed.
    owner : str
        Name of the estimator, for errors.
    on_error : {"raise", "missing"}
        What steps that have a choice do about bad cells.
    n_jobs : int or None
        Number of threads of steps that have them; None leaves it to them.

    Returns
    -------
    list of transformer
        Not fitted.
    """
    steps = []
    for step in list_steps(encoder):
        if learns(step):
            raise TypeError(
                f"{owner}: {type(step).__name__} learns in fit, so that what it makes "
                f"of a cell depends on other cells. Put it behind the {owner}."
            )
        step = clone(step)
        params = step.get_params(deep=False)
        if "on_error" in params:
            step.set_params(on_error=on_error)
        if "n_jobs" in params and n_jobs is not None:
            step.set_params(n_jobs=n_jobs)
        steps.append(step)
    return steps


def find_on_error(encoder):
    """Give the ``on_error`` of the first step that has one, else None."""
    steps = list_steps(encoder)
    return next((step.on_error for step in steps if hasattr(step, "on_error")), None)


def run_steps(steps, X, fit=False):
    """Transform by one step after the other, fitting each first where that is asked."""
    for step in steps:
        X = (step.fit(X) if fit else step).transform(X)
    if issparse(X):
        raise TypeError(
            f"{type(steps[-1]).__name__} returns a sparse matrix, which cannot be kept "
            "sample by sample."
        )
    return np.asarray(X, dtype=np.float32)


def try_rows(steps, cells, rows, failures, fit=False):
    """Encode rows, without those that a step refuses.

    Parameters
    ----------
    steps : list of transformer
        The encoder.
    cells : ndarray of shape (n_samples, ...)
        All cells.
    rows : list of int
        Which to encode.
    failures : dict of int to tuple (source, reason)
        Refused rows are added to it.
    fit : bool
        Whether the steps are fitted first.

    Returns
    -------
    ndarray of shape (n_rows, ...) or None
        None if no row is left.
    list of int
        The rows that are left.
    """
    while rows:
        try:
            encoded = run_steps(steps, cells[rows], fit)
        except LoadError as error:
            bad = {rows[row]: tuple(reason) for row, *reason in error.failures}
            if not bad:
                raise
            failures.update(bad)
            rows = [row for row in rows if row not in bad]
        else:
            if len(encoded) != len(rows):
                raise ValueError(
                    f"the encoder made {len(encoded)} samples of {len(rows)} cells; it "
                    "must give one for each."
                )
            return encoded, rows
    return None, rows
