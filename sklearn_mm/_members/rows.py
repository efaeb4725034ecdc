"""One modality's model: fitted on the rows where it is present, abstaining elsewhere.

A row is absent if all of its cells are missing, or if a transformer of the modality's
pipeline returns only NaN for it (a file that could not be read). A pipeline is
therefore run step by step, and each step sees the rows that are still present after
the steps before it.
"""

from typing import NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object

from .._columns.column import take_rows
from .._columns.table import n_rows, select_rows
from .._utils.imports import check_method_params, routing_enabled
from .columns import find_absent
from .labels import encode_rows, fit_model, is_supervised, names_labels


class AbsentModalityError(ValueError):
    """A modality is missing from every row that its model could learn from."""


class RowPredictions(NamedTuple):
    """A model's predictions of some rows of a table.

    Those of a classifier are lists by output, as :meth:`Codes.predict` returns them.
    """

    rows: np.ndarray  # (n_rows,) int
    values: object  # (n_rows, ...), a list of such by output, or None for no rows
    labels: list | None = None  # the classifier's labels by output


def fit_present(estimator, X, y, params):
    """Fit a modality's model on the rows where the modality is present.

    Parameters
    ----------
    estimator : estimator
        A clone, which is fitted in place.
    X : Series, DataFrame, ndarray or dict of arrays
        The modality's columns.
    y : ndarray of shape (n_samples, ...)
        Target.
    params : dict
        Arguments of ``fit``; those with one value per sample are indexed like rows.

    Returns
    -------
    estimator : estimator
        The fitted model.
    codes : Codes or None
        The labels that a classifier learned; None for a regressor.
    """
    if isinstance(estimator, FrozenEstimator):
        return fit_model(estimator, X, y, {})
    X, rows = _require_present(X, np.arange(len(y)))
    if not _is_chain(estimator):
        with take_rows(rows, len(y)):
            params = check_method_params(y, params, rows)
            return fit_model(estimator, X, y[rows], params, y)
    *steps, (name, last) = estimator.steps
    steps, y_steps = _prepare_steps(estimator, steps, y, rows)
    fitted, X, rows = _fit_steps(estimator, steps, X, y_steps, rows, len(y), params)
    part = Pipeline([(name, last)])
    part_params = _select_params(part, name, "fit", params)
    part_params = check_method_params(y, part_params, rows)
    with take_rows(rows, len(y)):
        part, codes = fit_model(part, X, y[rows], part_params, y)
    last = part.steps[0][1] if isinstance(part, Pipeline) else part
    estimator.steps = [*fitted, (name, last)]
    return estimator, codes


def _prepare_steps(pipeline, steps, y, rows):
    """Encode labels for supervised steps; skip these if there is a single label."""
    if not is_classifier(pipeline):
        return steps, y
    codes = encode_rows(y, rows)
    if not codes.any():
        steps = _skip_supervised(steps)
    return steps, y if names_labels(pipeline) else codes


def _skip_supervised(steps):
    kept = []
    for name, step in steps:
        if isinstance(step, Pipeline):
            step.steps = _skip_supervised(step.steps)
        kept.append((name, "passthrough" if is_supervised(step) else step))
    return kept


def _fit_steps(pipeline, steps, X, y, rows, n_samples, params):
    """Fit transformers in turn, each on the rows still present after the last."""
    fitted = []
    for name, step in steps:
        if step not in (None, "passthrough"):
            if _is_chain(step):
                inner = _select_params(step, name, "fit_transform", params, strip=True)
                step.steps, X, rows = _fit_steps(
                    step, step.steps, X, y, rows, n_samples, inner
                )
            else:
                # With a step after it, the pipeline's own cache serves this one too.
                part = Pipeline(
                    [(name, step), ("rest", "passthrough")], memory=pipeline.memory
                )
                part_params = _select_params(part, name, "fit_transform", params)
                part_params = check_method_params(y, part_params, rows)
                y_present = None if y is None else y[rows]
                with take_rows(rows, n_samples):
                    X = part.fit_transform(X, y_present, **part_params)
                step = part.steps[0][1]
                X, rows = _require_present(X, rows)
        fitted.append((name, step))
    return fitted, X, rows


def predict_present(estimator, X, method, codes=None):
    """Predict the rows where a modality is present, by its model.

    Parameters
    ----------
    estimator : estimator
        The fitted model.
    X : Series, DataFrame, ndarray or dict of arrays
        The modality's columns.
    method : str
        "predict", "predict_proba", ...
    codes : Codes or None, default=None
        The labels that a classifier learned.

    Returns
    -------
    RowPredictions
        Predictions of these rows.
    """
    n_samples = n_rows(X)
    X, rows = _keep_present(X, np.arange(n_samples))
    while isinstance(estimator, FrozenEstimator):
        estimator = estimator.estimator
    if _is_chain(estimator):
        *steps, (_, last) = estimator.steps
        X, rows = _transform_steps(steps, X, rows, n_samples)
        estimator = last
    labels = None if codes is None else codes.labels
    if not len(rows):
        return RowPredictions(rows, None, labels)
    with take_rows(rows, n_samples):
        if codes is None:
            return RowPredictions(rows, getattr(estimator, method)(X))
        return RowPredictions(rows, codes.predict(estimator, X, method), labels)


def transform_present(transformer, X, y=None, fit=False):
    """Transform the rows where a modality is present, step by step.

    Parameters
    ----------
    transformer : transformer, Pipeline or None
        Fitted in place if ``fit``; None returns the columns as they are.
    X : Series, DataFrame, ndarray or dict of arrays
        The modality's columns.
    y : array-like of shape (n_samples, ...) or None
        Target, for transformers that use one.
    fit : bool
        Whether to fit first.

    Returns
    -------
    X : ndarray, sparse matrix or DataFrame
        Output of the last step, for the rows still present after all steps.
    rows : ndarray of shape (n_present,), int
        These rows.
    """
    rows = np.arange(n_rows(X))
    steps = [] if transformer is None else [("transformer", transformer)]
    if not fit:
        return _transform_steps(steps, *_keep_present(X, rows), len(rows))
    n_samples = len(rows)
    X, rows = _require_present(X, rows)
    chain = Pipeline([*steps, ("rest", "passthrough")])
    return _fit_steps(chain, steps, X, y, rows, n_samples, {})[1:]


def predict_fold(estimator, X, y, fold, method, params):
    """Fit a modality's model on a fold's training rows, and predict its test rows.

    Parameters
    ----------
    estimator : estimator
        A clone, which is fitted in place.
    X : Series, DataFrame, ndarray or dict of arrays
        The modality's columns.
    y : ndarray of shape (n_samples, ...)
        Target.
    fold : tuple of (ndarray, ndarray)
        Rows to fit on, and rows to predict.
    method : str
        "predict", "predict_proba", ...
    params : dict
        Arguments of ``fit``.

    Returns
    -------
    RowPredictions or ValueError
        Predictions of the test rows where the modality is present. There are none if
        the modality is missing from all training rows. The error with which the model
        refused the training rows, if it did.
    """
    train, test = fold
    train_params = check_method_params(y, params, train)
    X_train, y_train = select_rows(X, train), y[train]
    try:
        with take_rows(train, len(y)):
            estimator, codes = fit_present(estimator, X_train, y_train, train_params)
    except AbsentModalityError:
        return RowPredictions(test[:0], None)
    except ValueError as error:
        return error
    with take_rows(test, len(y)):
        rows, values, labels = predict_present(
            estimator, select_rows(X, test), method, codes
        )
    return RowPredictions(test[rows], values, labels)


def _transform_steps(steps, X, rows, n_samples):
    for _, step in steps:
        while isinstance(step, FrozenEstimator):
            step = step.estimator
        if step in (None, "passthrough") or not len(rows):
            continue
        if _is_chain(step):
            X, rows = _transform_steps(step.steps, X, rows, n_samples)
        else:
            with take_rows(rows, n_samples):
                X = step.transform(X)
            X, rows = _keep_present(X, rows)
    return X, rows


def _is_chain(estimator):
    # transform_input sends metadata through steps together with X: left to Pipeline.
    return isinstance(estimator, Pipeline) and estimator.transform_input is None


def _keep_present(X, rows):
    """Drop absent rows of ``X``, and of ``rows``, their numbers in the table."""
    present = ~find_absent(X)
    if present.all():
        return X, rows
    kept = np.flatnonzero(present)
    return select_rows(X, kept), rows[kept]


def _require_present(X, rows):
    """Drop absent rows, and raise an error if no row is left to learn from."""
    X, rows = _keep_present(X, rows)
    if len(rows) == 0:
        raise AbsentModalityError(
            "the modality is missing from every row of X. on_absent='drop' leaves it "
            "out."
        )
    return X, rows


def _select_params(part, name, method, params, strip=False):
    """Select the arguments that are meant for one step of a pipeline."""
    if routing_enabled():
        names = get_routing_for_object(part).consumes(method, params.keys())
        return {key: params[key] for key in names}
    prefix = f"{name}__"
    return {
        key.removeprefix(prefix) if strip else key: value
        for key, value in params.items()
        if key.startswith(prefix)
    }
