"""Calibration of a modality's probabilities on its out-of-fold predictions."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from .._utils.versions import VersionMixin


class _Identity(ClassifierMixin, VersionMixin, BaseEstimator):
    """A classifier whose samples are the probabilities that it predicts."""

    _trusted = True

    def fit(self, X, y):
        self.classes_ = np.arange(X.shape[1])
        return self

    def predict_proba(self, X):
        return X

    def predict(self, X):
        return X.argmax(axis=1)


def fit_calibrator(method, probabilities, codes, sample_weight=None):
    """Fit scikit-learn's calibration to out-of-fold probabilities.

    Parameters
    ----------
    method : {"sigmoid", "isotonic", "temperature"}
        As in :class:`~sklearn.calibration.CalibratedClassifierCV`.
    probabilities : ndarray of shape (n_samples, n_classes)
        Out-of-fold probabilities; NaN where the modality abstains.
    codes : ndarray of shape (n_samples,), int
        Codes of the true classes.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the samples.

    Returns
    -------
    callable
        Calibrates probabilities of the same shape, and leaves NaN as they are.
    """
    rows = np.flatnonzero(~np.isnan(probabilities[:, 0]))
    known = np.unique(codes[rows])
    if len(known) < 2:
        return _keep
    # Classes that do not occur cannot be calibrated.
    seen = probabilities[np.ix_(rows, known)]
    identity = FrozenEstimator(_Identity().fit(seen, None))
    once = [(np.arange(len(rows)), np.arange(len(rows)))]
    model = CalibratedClassifierCV(identity, method=method, cv=once, ensemble=False)
    weight = None if sample_weight is None else sample_weight[rows]
    model.fit(seen, np.searchsorted(known, codes[rows]), sample_weight=weight)
    return _Calibrator(model, known)


def _keep(probabilities):
    return probabilities


class _Calibrator:
    _trusted = True

    def __init__(self, model, known):
        self.model = model
        self.known = known

    def __call__(self, probabilities):
        rows = np.flatnonzero(~np.isnan(probabilities[:, 0]))
        calibrated = probabilities.copy()
        if len(rows):
            cells = np.ix_(rows, self.known)
            share = probabilities[cells].sum(axis=1, keepdims=True)
            calibrated[cells] = self.model.predict_proba(probabilities[cells]) * share
        return calibrated
