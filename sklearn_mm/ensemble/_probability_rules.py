"""Voting rules for class probabilities and for votes."""

import numpy as np
from scipy.special import softmax

from ._dropout import add_dropped
from ._exponents import add_evidence, contaminate, gather_evidence, learn_exponents
from ._rules import Average, PoolingRule
from ._weights import make_log_loss, make_pool_objective, to_share

#: Probabilities are kept this far from zero before logarithms are taken.
_TINY = 1e-15


class LinearPool(Average):
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
        return make_pool_objective(
            true, make_log_loss(len(target)), floor, sample_weight
        )


class MajorityVote(Average):
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

    The rule of ``voting="product"``. A modality that rules a class out nearly vetoes
    it, so all of them should be well calibrated.

    Parameters
    ----------
    divide_prior : bool, default=False
        Count each modality's evidence beyond the class frequencies once, and the class
        frequencies once, as is right for modalities that are independent given the
        class. The weight of a modality is then an exponent, which is 1 if all weights
        are equal.
    contamination : float in [0, 1), default=0.02
        Share of cells that are thought to be wrong, as if they belonged to another row.
        Each modality's probabilities are mixed with that share of the class
        frequencies, which bounds what one modality can say against all others. 0.1 is
        better where modalities often contradict each other.

    References
    ----------
    J. Kittler, M. Hatef, R. P. W. Duin and J. Matas (1998), "On combining classifiers",
    IEEE Transactions on Pattern Analysis and Machine Intelligence 20. C. Genest and
    J. V. Zidek (1986), "Combining probability distributions: a critique and an
    annotated bibliography", Statistical Science 1. P. J. Huber (1964), "Robust
    estimation of a location parameter", Annals of Mathematical Statistics 35, for the
    model of contamination.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm.ensemble import LogLinearPool
    >>> predictions = np.array([[[0.9, 0.1]], [[0.5, 0.5]]])
    >>> prior = np.array([0.5, 0.5])
    >>> pool = LogLinearPool()
    >>> pool.fuse(predictions, np.array([[0.5], [0.5]]), prior).round(2)
    array([[0.74, 0.26]])
    """

    can_learn = True

    def __init__(self, divide_prior=False, contamination=0.02):
        self.divide_prior = divide_prior
        self.contamination = contamination

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
        predictions = contaminate(predictions, self.contamination, prior)
        logs = np.log(np.clip(np.nan_to_num(predictions, nan=1.0), _TINY, 1))
        if self.divide_prior:
            log_prior = np.log(np.clip(prior, _TINY, 1))
            # Equal weights count the evidence of each present modality once.
            weights = weights * len(predictions)
            scores = np.einsum("mn,mnk->nk", weights, logs - log_prior) + log_prior
        else:
            scores = np.einsum("mn,mnk->nk", weights, logs)
            scores /= weights.sum(axis=0)[:, None]
        return softmax(scores, axis=1)

    def learn(self, predictions, target, priors, sample_weight=None):
        """Learn exponents that minimise the log-loss, drawn to equal ones.

        They are learned on the rows as they are and once more with modalities dropped
        at random; of more than 10,000 rows, as many are drawn. What is learned is the
        sharpness of the pool as well, and each modality's evidence beyond the class
        frequencies counts by its exponent, whether ``divide_prior`` is set or not.

        Parameters
        ----------
        predictions : list of ndarray of shape (n_modalities, n_samples, n_classes)
            Out-of-fold probabilities by output; NaN where a modality abstains.
        target : list of ndarray of shape (n_samples,), int
            Codes of the true classes by output.
        priors : list of ndarray of shape (n_classes,)
            Class frequencies by output.
        sample_weight : ndarray of shape (n_samples,) or None, default=None
            Weights of the samples.

        Returns
        -------
        rule : PoolingRule
            The rule that fuses by these exponents.
        exponents : ndarray of shape (n_modalities,)
            The exponents.
        gap : float
            Upper bound on how far the penalised log-loss is above its minimum.
        """
        predictions, target, weight = add_dropped(predictions, target, sample_weight)
        share, total = to_share(weight, len(target[0]))
        parts = [
            gather_evidence(
                contaminate(part, self.contamination, prior), codes, share, prior
            )
            for part, codes, prior in zip(predictions, target, priors)
        ]
        rule = EvidencePool(self.contamination)
        return rule, *learn_exponents(parts, len(predictions[0]), total / 2)


class EvidencePool(PoolingRule):
    """Multiplies the evidence of the modalities by learned exponents.

    Fused probabilities are proportional to ``prior * prod((p / prior) ** exponent)``
    over the modalities that are present.
    """

    _trusted = True
    takes_exponents = True

    def __init__(self, contamination):
        self.contamination = contamination

    def fuse(self, predictions, weights, prior):
        """Fuse the modalities' probabilities; ``weights`` are the exponents."""
        predictions = contaminate(predictions, self.contamination, prior)
        return softmax(add_evidence(predictions, weights, prior), axis=1)
