"""Voting rules: how the predictions of several modalities become one."""

from abc import ABC, abstractmethod

import numpy as np
from sklearn.base import BaseEstimator

from ._weights import (
    log_loss_of,
    make_pool_objective,
    make_product_objective,
    make_squared_loss,
)

#: Probabilities are kept this far from zero before logarithms are taken.
_TINY = 1e-15


class PoolingRule(BaseEstimator, ABC):
    """Base class of voting rules.

    Subclass it, define ``fuse``, and pass an instance as ``voting``. Parameters of
    ``__init__`` can be tuned as ``voting__parameter``.

    To support ``weights="learned"``, also define a method ``objective(predictions,
    target, prior, sample_weight=None)``. It returns a function that takes weights of
    shape (n_modalities,) and returns the loss of the fused predictions and its gradient
    of the same shape. Its arguments are those of ``fuse``, predicted out of fold, NaN
    where a modality abstains; ``target`` holds class codes of shape (n_samples,), or
    numbers of shape (n_samples, n_outputs).

    The class attribute ``method`` names what the modalities' classifiers compute:
    "predict_proba" (the default) or "predict", whose labels reach ``fuse`` as
    probabilities of 0 and 1, and which leaves the vote without ``predict_proba``.

    See Also
    --------
    LinearPool : The rule of ``voting="soft"``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_mm import MultimodalVotingClassifier
    >>> from sklearn_mm.ensemble import PoolingRule
    >>> class Maximum(PoolingRule):
    ...     def fuse(self, predictions, weights, prior):
    ...         highest = np.nanmax(predictions, axis=0)
    ...         return highest / highest.sum(axis=1, keepdims=True)
    >>> X, y = load_iris(return_X_y=True)
    >>> members = [("sepal", GaussianNB(), [0, 1]), ("petal", GaussianNB(), [2, 3])]
    >>> fusion = MultimodalVotingClassifier(members, voting=Maximum()).fit(X, y)
    >>> bool(fusion.score(X, y) > 0.9)
    True
    """

    method = "predict_proba"
    objective = None

    @abstractmethod
    def fuse(self, predictions, weights, prior):
        """Fuse the modalities' predictions.

        Parameters
        ----------
        predictions : ndarray of shape (n_modalities, n_samples, n_classes or n_outputs)
            Probabilities of the classes, or predicted numbers; NaN where a modality
            abstains. Rows on which all abstain are left out.
        weights : ndarray of shape (n_modalities, n_samples)
            Weights, 0 where a modality abstains, and not all 0 in any row. Where none
            abstains they sum to one, unless they are those of ``"confidence"``.
        prior : ndarray of shape (n_classes or n_outputs,)
            Class frequencies of the training set, or the mean of its target.

        Returns
        -------
        ndarray of shape (n_samples, n_classes or n_outputs)
            Fused predictions.
        """


class _Average(PoolingRule):
    """Weighted mean of the predictions."""

    def fuse(self, predictions, weights, prior):
        """Average the predictions of the modalities that are present.

        Parameters
        ----------
        predictions : ndarray of shape (n_modalities, n_samples, n_classes or n_outputs)
            Predictions; NaN where a modality abstains.
        weights : ndarray of shape (n_modalities, n_samples)
            Weights, 0 where a modality abstains.
        prior : ndarray of shape (n_classes or n_outputs,)
            Ignored.

        Returns
        -------
        ndarray of shape (n_samples, n_classes or n_outputs)
            The weighted mean.
        """
        return weighted_mean(predictions, weights)


class LinearPool(_Average):
    """Weighted mean of the class probabilities, the linear opinion pool.

    The rule of ``voting="soft"``. One wrong modality is averaged away.

    References
    ----------
    M. Stone (1961), "The opinion pool", Annals of Mathematical Statistics 32.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm.ensemble import LinearPool
    >>> predictions = np.array([[[0.9, 0.1]], [[0.3, 0.7]]])  # two modalities, one row
    >>> LinearPool().fuse(predictions, np.array([[0.5], [0.5]]), None)
    array([[0.6, 0.4]])
    """

    def objective(self, predictions, target, prior, sample_weight=None):
        """Return the log-loss as a function of the weights.

        Parameters
        ----------
        predictions : ndarray of shape (n_modalities, n_samples, n_classes)
            Out-of-fold probabilities; NaN where a modality abstains.
        target : ndarray of shape (n_samples,), int
            Codes of the true classes.
        prior : ndarray of shape (n_classes,)
            Class frequencies.
        sample_weight : ndarray of shape (n_samples,) or None
            Weights of the samples.

        Returns
        -------
        callable
            Maps weights to loss and gradient.
        """
        true = predictions[:, np.arange(len(target)), target]
        floor = np.maximum(prior[target], _TINY)
        return make_pool_objective(true, log_loss_of, floor, sample_weight)


class MajorityVote(_Average):
    """Weighted share of the modalities that predict each class.

    The rule of ``voting="hard"``, for classifiers without probabilities. A tie goes to
    the class that sorts first.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm.ensemble import MajorityVote
    >>> votes = np.array([[[1.0, 0.0]], [[0.0, 1.0]], [[0.0, 1.0]]])
    >>> MajorityVote().fuse(votes, np.array([[0.5], [0.25], [0.25]]), None)
    array([[0.5, 0.5]])
    """

    method = "predict"


class LogLinearPool(PoolingRule):
    """Normalised geometric mean of the class probabilities, the logarithmic pool.

    The rule of ``voting="product"``. A modality that rules a class out vetoes it, so
    all of them should be well calibrated.

    Parameters
    ----------
    divide_prior : bool, default=False
        Count each modality's evidence beyond the class frequencies once, and the class
        frequencies once, as is right for modalities that are independent given the
        class. The weight of a modality is then an exponent, which is 1 if all weights
        are equal.

    References
    ----------
    J. Kittler, M. Hatef, R. P. W. Duin and J. Matas (1998), "On combining classifiers",
    IEEE Transactions on Pattern Analysis and Machine Intelligence 20. C. Genest and
    J. V. Zidek (1986), "Combining probability distributions: a critique and an
    annotated bibliography", Statistical Science 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm.ensemble import LogLinearPool
    >>> predictions = np.array([[[0.9, 0.1]], [[0.5, 0.5]]])
    >>> prior = np.array([0.5, 0.5])
    >>> pool = LogLinearPool()
    >>> pool.fuse(predictions, np.array([[0.5], [0.5]]), prior).round(2)
    array([[0.75, 0.25]])
    """

    def __init__(self, divide_prior=False):
        self.divide_prior = divide_prior

    def fuse(self, predictions, weights, prior):
        """Multiply the probabilities of the modalities that are present.

        Parameters
        ----------
        predictions : ndarray of shape (n_modalities, n_samples, n_classes)
            Probabilities; NaN where a modality abstains.
        weights : ndarray of shape (n_modalities, n_samples)
            Weights, 0 where a modality abstains.
        prior : ndarray of shape (n_classes,)
            Class frequencies.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities.
        """
        logs = np.log(np.clip(np.nan_to_num(predictions, nan=1.0), _TINY, 1))
        if self.divide_prior:
            log_prior = np.log(np.clip(prior, _TINY, 1))
            # Equal weights count the evidence of each present modality once.
            weights = weights * len(predictions)
            scores = np.einsum("mn,mnk->nk", weights, logs - log_prior) + log_prior
        else:
            scores = np.einsum("mn,mnk->nk", weights, logs)
            scores /= weights.sum(axis=0)[:, None]
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def objective(self, predictions, target, prior, sample_weight=None):
        """Return the log-loss as a function of the weights, which is convex in them.

        Parameters
        ----------
        predictions : ndarray of shape (n_modalities, n_samples, n_classes)
            Out-of-fold probabilities; NaN where a modality abstains.
        target : ndarray of shape (n_samples,), int
            Codes of the true classes.
        prior : ndarray of shape (n_classes,)
            Class frequencies.
        sample_weight : ndarray of shape (n_samples,) or None
            Weights of the samples.

        Returns
        -------
        callable
            Maps weights to loss and gradient.
        """
        return make_product_objective(
            np.log(np.clip(predictions, _TINY, 1)),
            target,
            np.maximum(prior[target], _TINY),
            sample_weight,
            np.log(np.maximum(prior, _TINY)) if self.divide_prior else None,
        )


class WeightedMean(_Average):
    """Weighted mean of predicted numbers, the rule of ``voting="mean"``.

    References
    ----------
    L. Breiman (1996), "Stacked regressions", Machine Learning 24: weights that are not
    negative, learned on cross-validated predictions.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm.ensemble import WeightedMean
    >>> predictions = np.array([[[1.0]], [[2.0]], [[9.0]]])  # three modalities, one row
    >>> WeightedMean().fuse(predictions, np.full((3, 1), 1 / 3), None)
    array([[4.]])
    """

    def objective(self, predictions, target, prior, sample_weight=None):
        """Return the squared error of the weighted mean as a function of the weights.

        Parameters
        ----------
        predictions : ndarray of shape (n_modalities, n_samples, n_outputs)
            Out-of-fold predictions; NaN where a modality abstains.
        target : ndarray of shape (n_samples, n_outputs)
            The target.
        prior : ndarray of shape (n_outputs,)
            Mean of the target.
        sample_weight : ndarray of shape (n_samples,) or None
            Weights of the samples.

        Returns
        -------
        callable
            Maps weights to loss and gradient.
        """
        n_modalities, n_rows, n_outputs = predictions.shape
        std = target.std(axis=0)
        std = np.where(std > 0, std, 1)  # each output counts in its own units
        return make_pool_objective(
            (predictions / std).reshape(n_modalities, -1),
            make_squared_loss((target / std).ravel()),
            np.tile(prior / std, n_rows),
            None if sample_weight is None else np.repeat(sample_weight, n_outputs),
        )


class WeightedMedian(WeightedMean):
    """Weighted median of predicted numbers, the rule of ``voting="median"``.

    One wrong modality hardly moves it. Learned weights are those of the weighted mean.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm.ensemble import WeightedMedian
    >>> predictions = np.array([[[1.0]], [[2.0]], [[9.0]]])
    >>> WeightedMedian().fuse(predictions, np.full((3, 1), 1 / 3), None)
    array([[2.]])
    """

    def fuse(self, predictions, weights, prior):
        """Take the lower weighted median; the mean of both where weights tie.

        Parameters
        ----------
        predictions : ndarray of shape (n_modalities, n_samples, n_outputs)
            Predictions; NaN where a modality abstains.
        weights : ndarray of shape (n_modalities, n_samples)
            Weights, 0 where a modality abstains.
        prior : ndarray of shape (n_outputs,)
            Ignored.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs)
            The weighted median.
        """
        order = np.argsort(predictions, axis=0)  # NaN last, with weight zero
        ordered = np.take_along_axis(predictions, order, axis=0)
        shares = (weights / weights.sum(axis=0))[:, :, None]
        shares = np.broadcast_to(shares, predictions.shape)
        heights = np.cumsum(np.take_along_axis(shares, order, axis=0), axis=0)
        low = (heights < 0.5 - 1e-12).sum(axis=0)
        high = (heights < 0.5 + 1e-12).sum(axis=0)
        high = np.minimum(high, len(predictions) - 1)
        ends = [np.take_along_axis(ordered, i[None], axis=0)[0] for i in (low, high)]
        return (ends[0] + np.where(np.isnan(ends[1]), ends[0], ends[1])) / 2


def weighted_mean(predictions, weights):
    """Average predictions over modalities, NaN left out.

    Parameters
    ----------
    predictions : ndarray of shape (n_modalities, n_samples, n_outputs)
        Predictions.
    weights : ndarray of shape (n_modalities, n_samples)
        Weights.

    Returns
    -------
    ndarray of shape (n_samples, n_outputs)
        The mean.
    """
    total = np.einsum("mn,mno->no", weights, np.nan_to_num(predictions))
    return total / weights.sum(axis=0)[:, None]
