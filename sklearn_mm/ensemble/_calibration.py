"""Calibration of a modality's probabilities on its out-of-fold answers."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from .._utils.versions import VersionMixin


class _Given(ClassifierMixin, VersionMixin, BaseEstimator):
    """A classifier whose samples are the probabilities that it answers."""

    _trusted = True

    def fit(self, X, y):
        self.classes_ = np.arange(X.shape[1])
        return self

    def predict_proba(self, X):
        return X

    def predict(self, X):
        return X.argmax(axis=1)


def fit_calibrator(method, answers, codes, sample_weight=None):
    """Fit scikit-learn's calibration to answers that were given out of fold.

    Parameters
    ----------
    method : {"sigmoid", "isotonic", "temperature"}
        As in :class:`~sklearn.calibration.CalibratedClassifierCV`.
    answers : ndarray of shape (n_samples, n_classes)
        Probabilities; NaN where the modality abstains.
    codes : ndarray of shape (n_samples,), int
        The true classes' numbers.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the samples.

    Returns
    -------
    callable
        Calibrates answers of the same shape, and leaves NaN as they are.
    """
    rows = np.flatnonzero(~np.isnan(answers[:, 0]))
    known = np.unique(codes[rows])
    if len(known) < 2:
        return _leave
    seen = answers[np.ix_(rows, known)]  # classes that never come cannot be calibrated
    given = FrozenEstimator(_Given().fit(seen, None))
    once = [(np.arange(len(rows)), np.arange(len(rows)))]
    model = CalibratedClassifierCV(given, method=method, cv=once, ensemble=False)
    weight = None if sample_weight is None else sample_weight[rows]
    model.fit(seen, np.searchsorted(known, codes[rows]), sample_weight=weight)
    return _Calibrator(model, known)


def _leave(answers):
    return answers


class _Calibrator:
    _trusted = True

    def __init__(self, model, known):
        self.model = model
        self.known = known

    def __call__(self, answers):
        rows = np.flatnonzero(~np.isnan(answers[:, 0]))
        calibrated = answers.copy()
        if len(rows):
            cells = np.ix_(rows, self.known)
            share = answers[cells].sum(axis=1, keepdims=True)
            calibrated[cells] = self.model.predict_proba(answers[cells]) * share
        return calibrated
