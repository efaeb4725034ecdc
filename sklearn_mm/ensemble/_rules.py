"""Voting rules: how the predictions of several modalities become one."""

from abc import ABC, abstractmethod

import numpy as np
from sklearn.base import BaseEstimator

from ._weights import learn_weights, to_share


class PoolingRule(BaseEstimator, ABC):
    """Base class of voting rules.

    Subclass it, define ``fuse``, and pass an instance as ``voting``. Parameters of
    ``__init__`` can be tuned as ``voting__parameter``.

    To support ``weights="learned"``, also define a method ``objective(predictions,
    target, prior, sample_weight=None)``. It returns a function that takes weights of
    shape (n_modalities,) that sum to one, and returns the mean loss of the fused
    predictions and its gradient of the same shape. Its arguments are those of ``fuse``,
    predicted out of fold, NaN where a modality abstains; ``target`` holds class codes
    of shape (n_samples,), or numbers of shape (n_samples, n_outputs).

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
    takes_exponents = False  # weights are exponents of any sum

    @property
    def can_learn(self):
        """Whether weights can be learned."""
        return self.objective is not None

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

    def learn(self, predictions, target, priors, sample_weight=None):
        """Learn weights that minimise ``objective``, drawn to equal ones.

        Parameters
        ----------
        predictions : list of ndarray of shape (n_modalities, n_samples, n_classes)
            Out-of-fold predictions by output of the target; those of a regression are
            one array (n_modalities, n_samples, n_outputs).
        target : list of ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Class codes by output, or one array of numbers.
        priors : list of ndarray of shape (n_classes or n_outputs,)
            Class frequencies by output, or the mean of the target.
        sample_weight : ndarray of shape (n_samples,) or None, default=None
            Weights of the samples.

        Returns
        -------
        rule : PoolingRule
            The rule that fuses by these weights.
        weights : ndarray of shape (n_modalities,)
            The weights.
        gap : float
            Upper bound on how far the penalised loss is above its minimum.
        """
        parts = [
            self.objective(part, truth, prior, sample_weight)
            for part, truth, prior in zip(predictions, target, priors)
        ]

        def objective(weights):
            losses, gradients = zip(*(part(weights) for part in parts))
            return np.mean(losses), np.mean(gradients, axis=0)

        complete = not np.isnan(predictions[0]).any()
        _, n_rows = to_share(sample_weight, len(target[0]))
        weights, gap = learn_weights(objective, len(predictions[0]), n_rows, complete)
        return self, weights, gap


class Average(PoolingRule):
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
