"""Weights on the simplex that minimise the loss of fused out-of-fold predictions."""

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from .._utils.notices import warn_user

#: Probabilities are kept this far from zero.
_TINY = 1e-15
#: A gap to the optimum that is good enough, relative to the loss's scale.
_GAP = 1e-6


#: Smallest weight, other than zero, if modalities abstain on some rows.
_LEAST = 1e-3


def learn_weights(objective, n_modalities):
    """Minimise a loss over weights that are not negative and sum to one.

    If modalities abstain, the loss jumps as weights become zero: rows where only these
    modalities are present then get their plain mean. Weights are therefore at least
    0.001, and modalities are left out one by one as long as that lowers the loss.

    Parameters
    ----------
    objective : callable
        Returns loss and gradient for weights (n_modalities,). Its attribute
        ``complete`` is True if all modalities are present on all rows.
    n_modalities : int
        Number of weights.

    Returns
    -------
    weights : ndarray of shape (n_modalities,)
        The best weights; their loss exceeds that of equal weights, and of any single
        modality, by at most 1e-6.
    gap : float
        If all modalities are present on all rows, which makes the loss convex: an upper
        bound on how far the loss is above the optimum. Otherwise a bound on the
        distance from a stationary point among the modalities with a weight. It is the
        Frank-Wolfe gap ``g @ weights - min(g)`` of the gradient ``g``.

    References
    ----------
    M. Jaggi (2013), "Revisiting Frank-Wolfe: projection-free sparse convex
    optimization", ICML.
    """
    everyone = np.arange(n_modalities)
    best = _solve_among(objective, everyone, n_modalities)
    if objective.complete and best[3] <= _GAP:  # nothing is better by more than the gap
        return best[1], best[3]
    uniform = np.full(n_modalities, 1 / n_modalities)
    candidates = [best[:3], (objective(uniform)[0], uniform, everyone)]
    if not objective.complete:
        candidates.append(_leave_out(objective, best, n_modalities)[:3])
    for m, weights in enumerate(np.eye(n_modalities)):
        alone = everyone if objective.complete else everyone[m : m + 1]
        candidates.append((objective(weights)[0], weights, alone))
    _, weights, support = min(candidates, key=lambda candidate: candidate[0])
    gap = _compute_gap(objective(weights)[1], weights, support, objective.complete)
    if gap > _GAP:
        warn_user(
            f"The learned weights may be up to {gap:.1e} above the smallest loss.",
            ConvergenceWarning,
        )
    return weights, gap


def _leave_out(objective, best, n_modalities):
    """Leave modalities out one by one, the one whose absence lowers the loss most."""
    while len(best[2]) > 1:
        trials = [
            _solve_among(objective, np.delete(best[2], i), n_modalities)
            for i in range(len(best[2]))
        ]
        trial = min(trials, key=lambda candidate: candidate[0])
        if trial[0] >= best[0]:
            break
        best = trial
    return best


def _solve_among(objective, support, n_modalities):
    """Minimise over the weights of ``support``; also return the gap."""

    def scatter(part):
        weights = np.zeros(n_modalities)
        weights[support] = part
        return weights

    def within(part):
        loss, gradient = objective(scatter(part))
        return loss, gradient[support]

    least = 0 if objective.complete else _LEAST
    part = np.full(len(support), 1 / len(support))
    for tolerance in (1e-12, 1e-15, 1e-18):
        if len(support) > 1:
            part = _solve(within, part, tolerance, least)
        weights = scatter(part)
        loss, gradient = objective(weights)
        gap = _compute_gap(gradient, weights, support, objective.complete)
        if gap <= _GAP or len(support) == 1:
            break
    return loss, weights, support, gap


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
    return weights / weights.sum()


def _compute_gap(gradient, weights, support, complete):
    gradient = gradient[support]
    least = 0 if complete or len(support) == 1 else _LEAST
    smallest = least * gradient.sum() + (1 - least * len(support)) * gradient.min()
    return float(gradient @ weights[support] - smallest)


def make_pool_objective(predictions, loss, fallback, sample_weight=None):
    """Make the loss of the weighted mean of the predictions that are present.

    Parameters
    ----------
    predictions : ndarray of shape (n_modalities, n_rows)
        Probabilities of the true class, or predicted numbers; NaN where a modality
        abstains.
    loss : callable
        Returns loss and derivative by row for fused predictions (n_rows,).
    fallback : ndarray of shape (n_rows,)
        The fused prediction where all modalities abstain. Where only modalities of
        weight zero are present, it is their mean.
    sample_weight : ndarray of shape (n_rows,) or None
        Weights of the rows.

    Returns
    -------
    callable
        Returns loss and gradient for weights (n_modalities,).
    """
    predictions = np.ascontiguousarray(predictions.T)  # (n_rows, n_modalities)
    present = ~np.isnan(predictions)
    complete = present.all()
    predictions = predictions if complete else np.where(present, predictions, 0)
    present = present.astype(float)
    n_present = present.sum(axis=1)
    mean = predictions.sum(axis=1) / np.maximum(n_present, 1)
    fallback = np.where(n_present > 0, mean, fallback)
    share = _to_share(sample_weight, len(predictions))

    def objective(weights):
        fused = predictions @ weights  # (n_rows,)
        if not complete:
            total = present @ weights
            ignored = total <= 0
            total = np.where(ignored, 1, total)
            fused = np.where(ignored, fallback, fused / total)
        losses, slope = loss(fused)
        slope = slope * share
        if not complete:
            slope = np.where(ignored, 0, slope / total)
            return losses @ share, predictions.T @ slope - present.T @ (slope * fused)
        return losses @ share, predictions.T @ slope

    objective.complete = complete
    return objective


def make_product_objective(logs, true, fallback, sample_weight=None, log_prior=None):
    """Make the log-loss of the logarithmic opinion pool, convex in the weights.

    Parameters
    ----------
    logs : ndarray of shape (n_modalities, n_rows, n_classes)
        Logarithms of the probabilities; NaN where a modality abstains.
    true : ndarray of shape (n_rows,), int
        Code of the true class.
    fallback : ndarray of shape (n_rows,)
        Probability of the true class where all modalities abstain. Where only
        modalities of weight zero are present, they count equally.
    sample_weight : ndarray of shape (n_rows,) or None
        Weights of the rows.
    log_prior : ndarray of shape (n_classes,) or None
        If given, each modality's evidence beyond the prior counts ``n_modalities``
        times its weight, and the prior once.

    Returns
    -------
    callable
        Returns loss and gradient for weights (n_modalities,).
    """
    n_modalities, n_rows, n_classes = logs.shape
    present = ~np.isnan(logs[:, :, 0])  # (n_modalities, n_rows)
    divides = log_prior is not None
    log_prior = log_prior if divides else np.zeros(n_classes)
    logs = np.where(present[:, :, None], logs - log_prior, 0)
    rows = np.arange(n_rows)
    logs -= logs[:, rows, true][:, :, None]  # relative to the true class
    offset = log_prior - log_prior[true][:, None]  # (n_rows, n_classes)
    share = _to_share(sample_weight, n_rows)

    equal = present / n_modalities  # (n_modalities, n_rows)

    def objective(weights):
        weights = weights[:, None] * present
        ignored = weights.sum(axis=0) <= 0
        weights = np.where(ignored, equal, weights)
        abstained = ~present.any(axis=0)
        # Weights of a row are divided by their sum, or by a constant.
        total = np.where(abstained, 1, weights.sum(axis=0))
        scale = np.full(n_rows, 1 / n_modalities) if divides else total
        scores = np.einsum("mn,mnk->nk", weights, logs) / scale[:, None]
        odds = scores + offset  # (n_rows, n_classes)
        top = odds.max(axis=1, keepdims=True)
        powers = np.exp(odds - top)
        sums = powers.sum(axis=1)
        losses = np.where(abstained, -np.log(fallback), np.log(sums) + top[:, 0])
        slope = powers / sums[:, None] * np.where(ignored, 0, share / scale)[:, None]
        gradient = np.tensordot(logs, slope, 2)
        if not divides:
            gradient -= present @ np.einsum("nk,nk->n", slope, scores)
        return losses @ share, gradient

    objective.complete = present.all()
    return objective


def log_loss_of(fused):
    """Compute the negative log of the true class's probability, and its derivative."""
    fused = np.maximum(fused, _TINY)
    return -np.log(fused), -1 / fused


def make_squared_loss(target):
    """Make the squared error of predictions, in units of the target's variance."""
    scale = max(float(np.var(target)), np.finfo(float).tiny)

    def loss(fused):
        error = fused - target
        return error**2 / scale, 2 * error / scale

    return loss


def _to_share(sample_weight, n_rows):
    if sample_weight is None:
        return np.full(n_rows, 1 / n_rows)
    return sample_weight / sample_weight.sum()
