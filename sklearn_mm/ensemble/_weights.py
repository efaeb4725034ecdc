"""Weights on the simplex that minimise the loss of fused out-of-fold predictions."""

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from .._utils.notices import warn_user

#: Added to probabilities, so that no row counts without bounds.
_FLOOR = 1e-6
#: A gap to the optimum that is good enough, relative to the loss's scale.
_GAP = 1e-6
#: Smallest weight if modalities abstain: the loss jumps where a weight becomes zero.
_LEAST = 1e-3


def learn_weights(objective, n_modalities, n_rows, complete=True):
    """Minimise a loss over weights that are not negative and sum to one.

    What is minimised is the loss plus ``n_modalities / n_rows`` times the squared
    distance from equal weights, so that few rows move the weights little.

    Parameters
    ----------
    objective : callable
        Returns loss and gradient for weights (n_modalities,).
    n_modalities : int
        Number of weights.
    n_rows : float
        Number of rows that the loss is the mean of, or the sum of their weights.
    complete : bool, default=True
        Whether all modalities are present on all rows. Otherwise weights are at least
        0.001.

    Returns
    -------
    weights : ndarray of shape (n_modalities,)
        The weights.
    gap : float
        If the loss is convex, as those of the package are on complete rows: an upper
        bound on how far the penalised loss is above its minimum. Otherwise a bound on
        the distance from a stationary point. It is the Frank-Wolfe gap
        ``g @ weights - min(g)`` of the gradient ``g``.

    References
    ----------
    M. Jaggi (2013), "Revisiting Frank-Wolfe: projection-free sparse convex
    optimization", ICML.
    """
    equal = np.full(n_modalities, 1 / n_modalities)
    strength = n_modalities / n_rows
    least = 0.0 if complete else min(_LEAST, equal[0])

    def penalized(weights):
        loss, gradient = objective(weights)
        away = weights - equal
        return loss + strength * away @ away, gradient + 2 * strength * away

    weights = equal
    for tolerance in (1e-12, 1e-15, 1e-18):
        weights, gradient = _solve(penalized, weights, tolerance, least)
        gap = _compute_gap(gradient, weights, least)
        if gap <= _GAP:
            return weights, gap
    warn_user(
        f"The learned weights may be up to {gap:.1e} above the smallest loss.",
        ConvergenceWarning,
    )
    return weights, gap


def _solve(objective, start, tolerance, least):
    n_modalities = len(start)
    result = minimize(
        objective,
        start,
        jac=True,
        method="SLSQP",
        bounds=[(least, 1)] * n_modalities,
        constraints={
            "type": "eq",
            "fun": lambda weights: weights.sum() - 1,
            "jac": lambda weights: np.ones(n_modalities),
        },
        options={"ftol": tolerance, "maxiter": 200},
    )
    weights = np.clip(result.x, least, None)
    weights /= weights.sum()
    moved = np.abs(weights - result.x).max() > 1e-12
    return weights, objective(weights)[1] if moved else result.jac


def _compute_gap(gradient, weights, least):
    smallest = least * gradient.sum() + (1 - least * len(weights)) * gradient.min()
    return float(gradient @ weights - smallest)


def make_pool_objective(predictions, loss, fallback, sample_weight=None):
    """Make the loss of the weighted mean of the predictions that are present.

    Parameters
    ----------
    predictions : ndarray of shape (n_modalities, n_rows)
        Probabilities of the true class, or predicted numbers; NaN where a modality
        abstains.
    loss : callable
        Returns loss and derivative by row for fused predictions (n_rows,), which it may
        overwrite.
    fallback : ndarray of shape (n_rows,)
        The fused prediction where all modalities abstain.
    sample_weight : ndarray of shape (n_rows,) or None
        Weights of the rows.

    Returns
    -------
    callable
        Returns loss and gradient for positive weights (n_modalities,).
    """
    predictions = np.ascontiguousarray(predictions)
    absent = np.isnan(predictions)
    share, _ = to_share(sample_weight, predictions.shape[1])
    if not absent.any():
        fused = np.empty(len(share))  # allocating it for each call would cost as much

        def objective(weights):
            losses, slope = loss(np.dot(weights, predictions, out=fused))
            slope *= share
            return losses @ share, predictions @ slope

        return objective

    predictions = np.where(absent, 0, predictions)
    present = (~absent).astype(float)
    abstained = absent.all(axis=0)

    def objective_of_present(weights):
        total = weights @ present
        total[abstained] = 1
        total = np.maximum(total, np.finfo(float).tiny)
        fused = np.where(abstained, fallback, (weights @ predictions) / total)
        losses, slope = loss(fused.copy())
        slope = np.where(abstained, 0, slope * share / total)
        return losses @ share, predictions @ slope - present @ (slope * fused)

    return objective_of_present


def make_log_loss(n_rows):
    """Make the negative log of the true class's probability, and its derivative."""
    losses = np.empty(n_rows)

    def loss(fused):
        fused += _FLOOR
        np.negative(np.log(fused, out=losses), out=losses)
        return losses, np.divide(-1, fused, out=fused)

    return loss


def make_squared_loss(target):
    """Make the squared error of predictions, in units of the target's variance."""
    scale = max(float(np.var(target)), np.finfo(float).tiny)

    def loss(fused):
        error = fused - target
        return error**2 / scale, 2 * error / scale

    return loss


def to_share(sample_weight, n_rows):
    """Return the share of each row in a mean.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_rows,) or None
        Weights of the rows; all are equal by default, and where all are zero.
    n_rows : int
        Number of rows.

    Returns
    -------
    share : ndarray of shape (n_rows,)
        Shares that sum to one.
    total : float
        The sum of the weights, or the number of rows.
    """
    total = 0 if sample_weight is None else sample_weight.sum()
    if total > 0:
        return sample_weight / total, total
    return np.full(n_rows, 1 / n_rows), n_rows
