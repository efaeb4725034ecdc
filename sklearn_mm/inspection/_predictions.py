"""Predictions computed once, in the form of an estimator that any scorer can score."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import check_scoring
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if

from .._members.columns import find_absent
from .._utils.imports import safe_indexing
from ..exceptions import AbstentionWarning
from ._cells import take_column, take_rows
from ._modalities import find_core, list_specs


def _model_has(method):
    def check(answers):
        getattr(answers.parts[0][0], method)
        return True

    return check


class Answers(BaseEstimator):
    """What fitted models answer for tables, looked up by the number of the row.

    Parameters
    ----------
    parts : list of tuple (estimator, table)
        Fitted models, each with its table; rows are counted from the first part's to
        the last part's.
    classes : ndarray or None
        Labels, if they are not to be the first model's: those of all parts.
    """

    def __init__(self, parts, classes=None):
        self.parts = parts
        self.classes = classes
        self._known = {}

    @property
    def classes_(self):
        """Class labels."""
        return self.parts[0][0].classes_ if self.classes is None else self.classes

    @available_if(_model_has("predict"))
    def predict(self, rows):
        """Look predictions up."""
        return self._look_up("predict", rows)

    @available_if(_model_has("predict_proba"))
    def predict_proba(self, rows):
        """Look probabilities up."""
        return self._look_up("predict_proba", rows)

    @available_if(_model_has("decision_function"))
    def decision_function(self, rows):
        """Look decisions up."""
        return self._look_up("decision_function", rows)

    def score(self, rows, y):
        """Score as the models do: from the predictions, if their ``score`` is plain."""
        model, table = self.parts[0]
        own = getattr(type(_find_scored(model)), "score", None)
        for mixin in (ClassifierMixin, RegressorMixin):
            if own is mixin.score:
                return own(self, rows, y)
        if len(self.parts) > 1:
            raise ValueError(
                f"{type(model).__name__} has a score of its own; give scoring=."
            )
        with quiet():
            return model.score(take_rows(table, rows), y)

    def _look_up(self, method, rows):
        if method not in self._known:
            with quiet():
                told = [self._ask(model, X, method) for model, X in self.parts]
            is_list = isinstance(told[0], list)
            join = np.concatenate
            known = [join(part) for part in zip(*told)] if is_list else join(told)
            self._known[method] = known
        known = self._known[method]
        if isinstance(known, list):
            return [part[rows] for part in known]
        return known[rows]

    def _ask(self, model, X, method):
        told = getattr(model, method)(X)
        if isinstance(told, list):
            return told
        told = np.asarray(told)
        if method != "predict_proba" or self.classes is None:
            return told
        aligned = np.zeros((len(told), len(self.classes)))
        aligned[:, np.searchsorted(self.classes, model.classes_)] = told
        return aligned

    def __sklearn_tags__(self):
        """Be what the models are."""
        return get_tags(self.parts[0][0])


class quiet(warnings.catch_warnings):
    """Keep it to ourselves that rows have no modality where we took it away."""

    def __enter__(self):
        super().__enter__()
        warnings.simplefilter("ignore", AbstentionWarning)


def _find_scored(model):
    """Find the estimator within wrappers whose ``score`` theirs is."""
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
    """Find the scorer, and its name.

    Parameters
    ----------
    estimator : estimator
        Whose ``score`` is used by default; of a search its scorer.
    scoring : str, callable or None
        As in scikit-learn.

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
    """Say which rows have a modality: some cell of it, and one that could be read.

    Parameters
    ----------
    estimator : estimator
        Fitted. A fusion estimator's ``transform`` gives NaN where a modality abstains.
    X : DataFrame, ndarray or dict of arrays
        The table.
    modalities : dict of str to list
        As :func:`find_modalities` gives it.

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
    with quiet():
        answers = np.asarray(core.transform(X), dtype=float)
    names = [name.partition("__") for name in core.get_feature_names_out()]
    for name in present.keys() & list_specs(core).keys():
        own = [i for i, (m, _, what) in enumerate(names) if m == name]
        own = [i for i in own if names[i][2] != "abstains"] or own
        present[name] &= ~np.isnan(answers[:, own]).all(axis=1)
    return present


def draw_samples(y, n_bootstraps, stratify, generator):
    """Draw the rows to score: all, then bootstrap samples of them.

    Parameters
    ----------
    y : array-like of shape (n_samples, ...)
        Target.
    n_bootstraps : int
        Number of samples.
    stratify : bool
        Whether each class is drawn from by itself, so that none gets lost.
    generator : RandomState
        Draws them.

    Returns
    -------
    list of ndarray of int
        ``1 + n_bootstraps`` of them.
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


def score_samples(answers, scorer, y, samples):
    """Score a model on several sets of rows, from predictions that are made once.

    Parameters
    ----------
    answers : Answers
        The predictions.
    scorer : callable
        As :func:`find_scorer` gives it.
    y : array-like of shape (n_samples, ...)
        Target.
    samples : list of ndarray of int
        Sets of rows.

    Returns
    -------
    ndarray of shape (n_sets,)
        Scores.
    """
    return np.array([scorer(answers, rows, safe_indexing(y, rows)) for rows in samples])
