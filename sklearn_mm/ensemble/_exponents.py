"""Exponents of the log-linear pool, by Newton's method with a certificate."""

from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .._utils.notices import warn_user

#: A gap to the optimum that is good enough, in nats.
_GAP = 1e-6
#: Probabilities are kept this far from zero, so that no row counts without bounds.
_FLOOR = 1e-6
#: How strongly the mean exponent is drawn to one, which bounds it on separable rows.
_PULL = 0.1


@dataclass
class Evidence:
    """What modalities say beyond a prior, by row, and the true classes.

    Parameters
    ----------
    logs : ndarray of shape (n_modalities, n_rows, n_classes)
        Logarithms of the probabilities minus those of the prior; 0 where a modality
        abstains.
    log_prior : ndarray of shape (n_classes,)
        Logarithms of the prior.
    target : ndarray of shape (n_rows,), int
        Codes of the true classes.
    share : ndarray of shape (n_rows,)
        Weight of each row in the mean loss; the weights sum to one.
    """

    logs: np.ndarray
    log_prior: np.ndarray
    target: np.ndarray
    share: np.ndarray

    def __post_init__(self):
        rows = np.arange(len(self.target))
        self.logs = self.logs - self.logs[:, rows, self.target][:, :, None]
        self.offset = self.log_prior - self.log_prior[self.target][:, None]

    def __call__(self, exponents):
        """Compute the log-loss, its gradient and its Hessian."""
        n_modalities = len(exponents)
        logs = self.logs.reshape(n_modalities, -1)
        odds = (exponents @ logs).reshape(self.offset.shape) + self.offset
        loss, proba = _compute_log_loss(odds, self.share)
        weighted = self.logs * proba
        means = weighted.sum(axis=2)  # (n_modalities, n_rows)
        weighted *= self.share[:, None]
        second = logs @ weighted.reshape(n_modalities, -1).T
        return loss, means @ self.share, second - (means * self.share) @ means.T


@dataclass
class Sharpening:
    """The log-loss of fused probabilities raised to a power of each row.

    A row's power is the first exponent plus those of the modalities that are present.

    Parameters
    ----------
    fused : ndarray of shape (n_rows, n_classes)
        Fused probabilities.
    present : ndarray of shape (n_modalities, n_rows), bool
        Where modalities are present.
    target : ndarray of shape (n_rows,), int
        Codes of the true classes.
    share : ndarray of shape (n_rows,)
        Weight of each row in the mean loss; the weights sum to one.
    """

    fused: np.ndarray
    present: np.ndarray
    target: np.ndarray
    share: np.ndarray

    def __post_init__(self):
        logs = np.log(np.maximum(self.fused, _FLOOR))
        self.logs = logs - logs[np.arange(len(logs)), self.target][:, None]
        constant = np.ones((1, len(logs)))
        self.present = np.concatenate([constant, self.present])

    def __call__(self, exponents):
        """Compute the log-loss, its gradient and its Hessian."""
        odds = self.logs * (exponents @ self.present)[:, None]
        loss, proba = _compute_log_loss(odds, self.share)
        mean = np.einsum("nk,nk->n", proba, self.logs)
        variance = np.einsum("nk,nk,nk->n", proba, self.logs, self.logs) - mean**2
        hessian = (self.present * (variance * self.share)) @ self.present.T
        return loss, self.present @ (mean * self.share), hessian


def _compute_log_loss(odds, share):
    """Compute the mean log-loss of log-odds to the true class, and probabilities."""
    top = odds.max(axis=1, keepdims=True)
    powers = np.exp(odds - top)
    sums = powers.sum(axis=1, keepdims=True)
    return (np.log(sums) + top)[:, 0] @ share, powers / sums


def contaminate(predictions, share, prior):
    """Mix probabilities with a share of the class frequencies.

    Parameters
    ----------
    predictions : ndarray of shape (n_modalities, n_samples, n_classes)
        Probabilities; NaN where a modality abstains.
    share : float
        The share.
    prior : ndarray of shape (n_classes,)
        Class frequencies.

    Returns
    -------
    ndarray of shape (n_modalities, n_samples, n_classes)
        The mixture; NaN where a modality abstains.
    """
    return (1 - share) * predictions + share * prior if share else predictions


def gather_evidence(predictions, target, share, prior):
    """Take the logarithms of probabilities relative to a prior.

    Parameters
    ----------
    predictions : ndarray of shape (n_modalities, n_rows, n_classes)
        Probabilities; NaN where a modality abstains.
    target : ndarray of shape (n_rows,), int
        Codes of the true classes.
    share : ndarray of shape (n_rows,)
        Weight of each row in the mean loss; the weights sum to one.
    prior : ndarray of shape (n_classes,)
        Class frequencies.

    Returns
    -------
    Evidence
        The loss as a function of the exponents.
    """
    return Evidence(*_take_logs(predictions, prior), target, share)


def add_evidence(predictions, exponents, prior):
    """Add the modalities' evidence to the logarithms of the class frequencies.

    Parameters
    ----------
    predictions : ndarray of shape (n_modalities, n_rows, n_classes)
        Probabilities; NaN where a modality abstains.
    exponents : ndarray of shape (n_modalities, n_rows)
        Exponents of each row, 0 where a modality abstains.
    prior : ndarray of shape (n_classes,)
        Class frequencies.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
        Logarithms of the fused probabilities, up to a constant for each row.
    """
    logs, log_prior = _take_logs(predictions, prior)
    return np.einsum("mn,mnk->nk", exponents, logs) + log_prior


def _take_logs(predictions, prior):
    """Take logarithms relative to the prior, 0 for NaN, and those of the prior."""
    log_prior = np.log(np.maximum(prior, _FLOOR))
    logs = np.log(np.maximum(predictions, _FLOOR)) - log_prior
    logs[np.isnan(logs)] = 0
    return logs, log_prior


def learn_exponents(parts, n_modalities, n_rows, least=0.0):
    """Minimise a log-loss over exponents that are not negative.

    What is minimised is the mean log-loss of the outputs, plus ``1 / n_rows`` times the
    squared distances of the exponents from their mean, plus a tenth of that for the
    distance of the mean from one: few rows change little but the sharpness.

    Parameters
    ----------
    parts : list of callable
        Return loss, gradient and Hessian for exponents, one for each output.
    n_modalities : int
        Number of exponents.
    n_rows : float
        Number of rows that the loss is the mean of, or the sum of their weights.
    least : float, default=0.0
        Smallest exponent.

    Returns
    -------
    exponents : ndarray of shape (n_modalities,)
        The exponents.
    gap : float
        Upper bound on how far the penalised loss is above its minimum, which follows
        from its strong convexity.

    References
    ----------
    S. Boyd and L. Vandenberghe (2004), "Convex optimization", section 9.1.2.
    """
    mean = np.full((n_modalities, n_modalities), 1 / n_modalities)
    curvature = 2 / n_rows * (np.eye(n_modalities) - mean + _PULL * mean)
    convexity = 2 / n_rows * _PULL  # the smallest eigenvalue of the curvature

    def penalized(exponents):
        losses, gradients, hessians = zip(*(part(exponents) for part in parts))
        away = exponents - 1
        pull = curvature @ away
        return (
            np.mean(losses) + pull @ away / 2,
            np.mean(gradients, axis=0) + pull,
            np.mean(hessians, axis=0) + curvature,
        )

    return _minimize(penalized, np.ones(n_modalities), least, convexity)


def _minimize(objective, exponents, least, convexity):
    """Newton's method over the exponents that are not held at the bound."""
    loss, gradient, hessian = objective(exponents)
    for _ in range(100):
        gap = _bound_gap(gradient, exponents - least, convexity)
        if gap <= _GAP / 100:
            break
        free = (exponents > least) | (gradient < 0)
        step = np.zeros_like(exponents)
        step[free] = -np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
        for size in 0.5 ** np.arange(30):
            trial = np.maximum(exponents + size * step, least)
            found = objective(trial)
            if found[0] <= loss + 1e-4 * gradient @ (trial - exponents):
                break
        else:
            break
        exponents, (loss, gradient, hessian) = trial, found
    if gap > _GAP:
        warn_user(
            f"The learned exponents may be up to {gap:.1e} above the smallest loss.",
            ConvergenceWarning,
        )
    return exponents, float(gap)


def _bound_gap(gradient, room, convexity):
    """Bound what a strongly convex function may lose within bounds below."""
    step = np.maximum(-gradient / convexity, -room)
    return max(-(gradient @ step + convexity / 2 * step @ step), 0.0)
