"""Logistic regression that is shrunk towards the log-linear pool of the modalities."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin

from ._dropout import add_dropped
from ._exponents import add_evidence, contaminate, gather_evidence, learn_exponents
from ._weights import to_share

#: Share of cells that are thought to be wrong, as in ``LogLinearPool``.
_CONTAMINATION = 0.02
#: Probabilities are kept this far from zero where they are features.
_FLOOR = 1e-3
#: Ridge penalties of the coefficients of evidence, and of those of other features.
_STRENGTH, _STRENGTH_OTHERS = 100.0, 1.0


class PooledLogisticRegression(ClassifierMixin, BaseEstimator):
    """Logistic regression on the modalities' evidence, shrunk towards their pool.

    The logarithms of the probabilities are those of the log-linear pool with learned
    exponents, plus a linear function of all modalities' log-probabilities and of the
    other features, whose coefficients a ridge penalty draws to zero. With few rows it
    is the pool, with many a multinomial logistic regression. A modality that abstains
    brings no evidence; in training modalities are dropped at random as well.

    Parameters
    ----------
    blocks : list of tuple (start, stop)
        Columns of each modality's probabilities: one for each class, or of two classes
        the second. The remaining columns are other features.
    classes : ndarray of shape (n_classes,)
        All classes, sorted; some may not occur in ``fit``.
    """

    _trusted = True

    def __init__(self, blocks, classes):
        self.blocks = blocks
        self.classes = classes

    def fit(self, X, y, sample_weight=None):
        """Fit the exponents, then the coefficients."""
        self.classes_ = np.asarray(self.classes)
        codes = np.searchsorted(self.classes_, y)
        n_classes = len(self.classes_)
        share, total = to_share(sample_weight, len(codes))
        counts = 0.5 + np.bincount(codes, share * total, n_classes)  # none is zero
        self.prior_ = counts / counts.sum()
        predictions, others = self._split(X)
        n_present = np.maximum((~np.isnan(others)).sum(axis=0), 1)
        self.mean_ = np.nansum(others, axis=0) / n_present
        std = np.sqrt(np.nansum((others - self.mean_) ** 2, axis=0) / n_present)
        self.scale_ = np.where(std > 0, std, 1)
        self.exponents_ = self._learn_exponents(predictions, codes, share * total)
        (predictions,), (codes,), share = add_dropped(
            [predictions], [codes], share / 2, max_rows=None
        )
        features = self._make_features(predictions, np.tile(others, (2, 1)))
        pooled = self._pool(predictions)
        self.coef_ = self._shrink(features, pooled, codes, share, total)
        return self

    def decision_function(self, X):
        """Compute the logarithms of the probabilities, or of two classes the odds."""
        predictions, others = self._split(X)
        features = self._make_features(predictions, others)
        scores = log_softmax(self._pool(predictions) + features @ self.coef_, axis=1)
        return scores if len(self.classes_) > 2 else scores[:, 1] - scores[:, 0]

    def predict_proba(self, X):
        """Predict probabilities of the classes."""
        scores = self.decision_function(X)
        if scores.ndim == 1:
            scores = np.column_stack([np.zeros(len(scores)), scores])
        return softmax(scores, axis=1)

    def predict(self, X):
        """Predict the class of each row."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _split(self, X):
        """Split into probabilities (n_modalities, n_rows, n_classes) and the rest."""
        n_classes, is_other = len(self.classes_), np.ones(X.shape[1], dtype=bool)
        predictions = np.empty((len(self.blocks), len(X), n_classes))
        for part, (start, stop) in zip(predictions, self.blocks):
            is_other[start:stop] = False
            block = X[:, start:stop]
            part[:] = np.hstack([1 - block, block]) if n_classes == 2 else block
        predictions = contaminate(predictions, _CONTAMINATION, self.prior_)
        return predictions, X[:, is_other]

    def _learn_exponents(self, predictions, codes, weight):
        if not len(predictions):
            return np.zeros(0)
        (predictions,), (codes,), weight = add_dropped([predictions], [codes], weight)
        share, total = to_share(weight, len(codes))
        evidence = gather_evidence(predictions, codes, share, self.prior_)
        return learn_exponents([evidence], len(predictions), total / 2)[0]

    def _pool(self, predictions):
        """Pool by the exponents: logarithms of probabilities (n_rows, n_classes)."""
        present = ~np.isnan(predictions).any(axis=2)
        return add_evidence(
            predictions, self.exponents_[:, None] * present, self.prior_
        )

    def _make_features(self, predictions, others):
        """Join a constant, the evidence and the other features; 0 where missing."""
        logs = np.log(np.maximum(predictions, _FLOOR) / self.prior_)
        logs -= logs.mean(axis=2, keepdims=True)
        others = (others - self.mean_) / self.scale_
        return np.nan_to_num(np.hstack([np.ones((len(others), 1)), *logs, others]))

    def _shrink(self, features, pooled, codes, share, total):
        """Fit the coefficients ``(n_features, n_classes)`` beside what is pooled."""
        shape = features.shape[1], pooled.shape[1]
        n_evidence = 1 + len(self.blocks) * shape[1]
        penalty = np.full((shape[0], 1), _STRENGTH_OTHERS / total)
        penalty[:n_evidence] = _STRENGTH / total
        rows = np.arange(len(codes))

        def objective(flat):
            coefficients = flat.reshape(shape)
            logs = log_softmax(pooled + features @ coefficients, axis=1)
            slope = np.exp(logs)
            slope[rows, codes] -= 1
            pull = penalty * coefficients
            loss = (pull * coefficients).sum() / 2 - logs[rows, codes] @ share
            return loss, (features.T @ (slope * share[:, None]) + pull).ravel()

        result = minimize(
            objective,
            np.zeros(np.prod(shape)),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 100},
        )
        return result.x.reshape(shape)
