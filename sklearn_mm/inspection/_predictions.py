"""Predictions that are computed once, as an estimator that any scorer can score."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import check_scoring
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if

from .._utils.imports import safe_indexing
from ..exceptions import AbstentionWarning
from ..tables import select_rows
from ._cells import find_absent, take_column
from ._modalities import find_core, list_specs


def _model_has(method):
    def check(predictions):
        getattr(predictions.parts[0][0], method)
        return True

    return check


class CachedPredictions(BaseEstimator):
    """Predictions of fitted models for tables, which are looked up by row number.

    Parameters
    ----------
    parts : list of tuple (estimator, table)
        Fitted models, each with its table. Row numbers continue from one table to the
        next.
    classes : ndarray or None
        Class labels of all models; None for those of the first one.
    """

    def __init__(self, parts, classes=None):
        self.parts = parts
        self.classes = classes
        self._cache = {}

    @property
    def classes_(self):
        """Class labels."""
        return self.parts[0][0].classes_ if self.classes is None else self.classes

    @available_if(_model_has("predict"))
    def predict(self, rows):
        """Look up predictions."""
        return self._look_up("predict", rows)

    @available_if(_model_has("predict_proba"))
    def predict_proba(self, rows):
        """Look up probabilities."""
        return self._look_up("predict_proba", rows)

    @available_if(_model_has("decision_function"))
    def decision_function(self, rows):
        """Look up decision values."""
        return self._look_up("decision_function", rows)

    def score(self, rows, y):
        """Score as the models do, from cached predictions where that is possible."""
        model, table = self.parts[0]
        own = getattr(type(_find_scored(model)), "score", None)
        for mixin in (ClassifierMixin, RegressorMixin):
            if own is mixin.score:
                return own(self, rows, y)
        if len(self.parts) > 1:
            raise ValueError(
                f"{type(model).__name__} overrides score; specify scoring=."
            )
        with ignore_abstention():
            return model.score(select_rows(table, rows), y)

    def _look_up(self, method, rows):
        if method not in self._cache:
            with ignore_abstention():
                parts = [self._predict(model, X, method) for model, X in self.parts]
            if isinstance(parts[0], list):  # one array for each output
                self._cache[method] = [np.concatenate(part) for part in zip(*parts)]
            else:
                self._cache[method] = np.concatenate(parts)
        predictions = self._cache[method]
        if isinstance(predictions, list):
            return [part[rows] for part in predictions]
        return predictions[rows]

    def _predict(self, model, X, method):
        predictions = getattr(model, method)(X)
        if isinstance(predictions, list):
            return predictions
        predictions = np.asarray(predictions)
        if method != "predict_proba" or self.classes is None:
            return predictions
        aligned = np.zeros((len(predictions), len(self.classes)))
        aligned[:, np.searchsorted(self.classes, model.classes_)] = predictions
        return aligned

    def __sklearn_tags__(self):
        """Return the tags of the models."""
        return get_tags(self.parts[0][0])


class ignore_abstention(warnings.catch_warnings):
    """Ignore warnings about rows without a modality, where we removed it ourselves."""

    def __enter__(self):
        super().__enter__()
        warnings.simplefilter("ignore", AbstentionWarning)


def _find_scored(model):
    """Find the estimator that wrappers delegate ``score`` to."""
    while True:
        if isinstance(model, Pipeline):
            model = model.steps[-1][1]
        elif isinstance(model, FrozenEstimator):
            model = model.estimator
        elif hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        else:
            return model


def find_scorer(estimator, scoring):
    """Find the scorer and its name.

    Parameters
    ----------
    estimator : estimator
        The estimator to score. A search has a scorer of its own.
    scoring : str, callable or None
        As in scikit-learn; None for the scorer of a search or ``score``.

    Returns
    -------
    callable
        ``scorer(estimator, X, y)``.
    str
        Its name.
    """
    if scoring is None:
        scoring = getattr(estimator, "scorer_", None)
        if isinstance(scoring, dict):
            scoring = scoring[estimator.refit]
        name = getattr(estimator, "scoring", None)
        if scoring is None or name is None:
            name = "accuracy" if is_classifier(estimator) else "r2"
    else:
        name = scoring
    return check_scoring(estimator, scoring=scoring), str(name)


def find_present(estimator, X, modalities):
    """Find the rows that have a modality: a cell that is present and can be read.

    Parameters
    ----------
    estimator : estimator
        Fitted. ``transform`` of a fusion estimator returns NaN where a modality
        abstains.
    X : DataFrame, ndarray or dict of arrays
        The table.
    modalities : dict of str to list
        Columns by modality, as returned by :func:`find_modalities`.

    Returns
    -------
    dict of str to ndarray of shape (n_samples,), bool
        By modality.
    """
    present = {
        name: ~np.logical_and.reduce([find_absent(take_column(X, k)) for k in keys])
        for name, keys in modalities.items()
    }
    core, _ = find_core(estimator)
    if not (hasattr(core, "transform") and hasattr(core, "estimators_")):
        return present
    with ignore_abstention():
        predictions = np.asarray(core.transform(X), dtype=float)
    names = [name.partition("__") for name in core.get_feature_names_out()]
    for name in present.keys() & list_specs(core).keys():
        own = [i for i, (modality, _, _) in enumerate(names) if modality == name]
        own = [i for i in own if names[i][2] != "abstains"] or own
        present[name] &= ~np.isnan(predictions[:, own]).all(axis=1)
    return present


def draw_samples(y, n_bootstraps, stratify, generator):
    """Draw sets of rows to score: all rows, then bootstrap samples of them.

    Parameters
    ----------
    y : array-like of shape (n_samples, ...)
        Target.
    n_bootstraps : int
        Number of samples.
    stratify : bool
        Whether to sample within each class, so that no class is lost.
    generator : RandomState
        Draws the samples.

    Returns
    -------
    list of ndarray of int
        ``1 + n_bootstraps`` sets of rows.
    """
    rows = np.arange(len(y))
    target = np.asarray(y)
    groups = [rows]
    if stratify and target.ndim == 1:
        codes = np.unique(target, return_inverse=True)[1]
        groups = [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]
    draw = generator.randint
    samples = [
        np.concatenate([group[draw(len(group), size=len(group))] for group in groups])
        for _ in range(n_bootstraps)
    ]
    return [rows, *samples]


def score_samples(predictions, scorer, y, samples):
    """Score a model on several sets of rows, from predictions that are computed once.

    Parameters
    ----------
    predictions : CachedPredictions
        The predictions.
    scorer : callable
        ``scorer(estimator, X, y)``, as returned by :func:`find_scorer`.
    y : array-like of shape (n_samples, ...)
        Target.
    samples : list of ndarray of int
        Sets of rows.

    Returns
    -------
    ndarray of shape (n_sets,)
        Scores.
    """
    return np.array(
        [scorer(predictions, rows, safe_indexing(y, rows)) for rows in samples]
    )
