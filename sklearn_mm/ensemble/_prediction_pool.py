"""How the modalities' predictions of numbers become one."""

import numpy as np

from ._weights import learn_weights, make_pool_objective, make_squared_loss


class PredictionPool:
    """Fuses predictions by weighted mean or median, the weights given or learned.

    Answers are a list of one array ``(n_modalities, n_samples, n_outputs)``, NaN where
    a modality abstains.

    Parameters
    ----------
    rule : {"mean", "median"}
        Weighted mean, or weighted median.
    weights : ndarray of shape (n_modalities,) or "learned"
        Weights; learned ones minimise the squared error of the weighted mean.
    fallback : ndarray of shape (n_outputs,)
        Predicted where all abstain: the training mean.
    """

    _trusted = True

    def __init__(self, rule, weights, fallback):
        self.rule = rule
        self.weights = weights
        self.fallback = fallback

    def fit(self, answers=None, target=None, sample_weight=None):
        """Learn weights from out-of-fold answers, if they are to be learned."""
        self.gap_ = None
        if isinstance(self.weights, np.ndarray):
            self.weights_ = self.weights / self.weights.sum()
            return self
        (part,) = answers
        n_modalities, n_rows, n_outputs = part.shape
        spread = target.std(axis=0)
        spread = np.where(spread > 0, spread, 1)  # outputs count by their own units
        objective = make_pool_objective(
            (part / spread).reshape(n_modalities, -1),
            make_squared_loss((target / spread).ravel()),
            np.tile(self.fallback / spread, n_rows),
            None if sample_weight is None else np.repeat(sample_weight, n_outputs),
        )
        self.weights_, self.gap_ = learn_weights(objective, n_modalities)
        return self

    def calibrated(self, answers):
        """Answers as they are fused."""
        return answers

    def fuse(self, answers):
        """Fuse answers.

        Returns
        -------
        list of one ndarray of shape (n_samples, n_outputs)
            Fused predictions.
        ndarray of shape (n_samples,), bool
            Rows on which no modality with a weight answers; they get the fallback.
        """
        (part,) = answers
        weights = self.weights_[:, None] * ~np.isnan(part[:, :, 0])
        silent = weights.sum(axis=0) == 0
        find = _find_median if self.rule == "median" else _find_mean
        fused = find(part, np.where(silent, 1, weights))
        fused[silent] = self.fallback
        return [fused], silent

    def spread(self, answers):
        """Weighted standard deviation of the answers, ``(n_samples, n_outputs)``."""
        (part,) = answers
        weights = self.weights_[:, None] * ~np.isnan(part[:, :, 0])
        weights = np.where(weights.sum(axis=0) == 0, 1, weights)
        return np.sqrt(_find_mean((part - _find_mean(part, weights)) ** 2, weights))


def _find_mean(part, weights):
    total = np.einsum("mn,mno->no", weights, np.nan_to_num(part))
    return total / weights.sum(axis=0)[:, None]


def _find_median(part, weights):
    """Lower weighted median; the mean of both where the weights split in halves."""
    order = np.argsort(part, axis=0)  # NaN last, with weight zero
    ordered = np.take_along_axis(part, order, axis=0)
    shares = np.broadcast_to((weights / weights.sum(axis=0))[:, :, None], part.shape)
    heights = np.cumsum(np.take_along_axis(shares, order, axis=0), axis=0)
    low = (heights < 0.5 - 1e-12).sum(axis=0)
    high = (heights < 0.5 + 1e-12).sum(axis=0)
    high = np.minimum(high, len(part) - 1)
    ends = [np.take_along_axis(ordered, i[None], axis=0)[0] for i in (low, high)]
    return (ends[0] + np.where(np.isnan(ends[1]), ends[0], ends[1])) / 2
