"""Importance of modalities: by permutation, Shapley values, or training without."""

from math import factorial
from numbers import Integral

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import check_cv
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_consistent_length

from .._utils.imports import (
    HasMethods,
    Interval,
    StrOptions,
    check_parameters,
    safe_indexing,
)
from .._utils.parallel import run_calls
from ..tables import n_rows, read_table, select_rows
from ._cells import blank_cells, move_cells
from ._modalities import find_core, find_modalities, list_others, list_specs
from ._predictions import CachedPredictions, draw_samples, find_scorer, score_samples

#: Largest number of modalities all of whose coalitions are tried.
_MAX_MODALITIES = 12
_CONSTRAINTS = {
    "estimator": [HasMethods(["fit", "predict"])],
    "method": [StrOptions({"permutation", "shapley", "drop"})],
    "n_repeats": [Interval(Integral, 1, None, closed="left")],
    "n_bootstraps": [Interval(Integral, 0, None, closed="left")],
}


def modality_importance(
    estimator,
    X,
    y,
    *,
    method="permutation",
    modalities=None,
    scoring=None,
    n_repeats=5,
    n_bootstraps=100,
    cv=5,
    n_jobs=None,
    random_state=None,
):
    """Measure how much each modality adds to an estimator's score.

    Parameters
    ----------
    estimator : estimator
        A fitted fusion estimator or joint net, a pipeline or search around one, or
        any estimator of tables. For "drop" it is cloned, and need not be fitted.
    X : DataFrame, ndarray or dict of arrays, with n_samples rows
        The table, preferably of held-out rows, except for "drop". It is not modified.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Target.
    method : {"permutation", "shapley", "drop"}, default="permutation"
        "permutation" shuffles the rows of a modality's columns together. "shapley"
        computes Shapley values by making modalities missing: the value of a modality is
        its gain in score, averaged over all orders in which modalities can be added;
        the values sum to the score with all modalities minus the score with none. It
        needs predictions for all 2^M coalitions of M modalities. "drop" cross-validates
        the estimator without the modality.
    modalities : dict of str to columns or None, default=None
        Columns of each modality. By default, those of the estimator's specs; if it has
        none, or they overlap or select columns with a callable, each column is a
        modality.
    scoring : str, callable or None, default=None
        A scorer, as returned by :func:`~sklearn.metrics.make_scorer`, or its name. By
        default, the estimator's ``score``.
    n_repeats : int, default=5
        Number of times that "permutation" shuffles each modality.
    n_bootstraps : int, default=100
        Number of bootstrap samples of the rows, for the standard errors.
    cv : int, splitter or iterable, default=5
        Cross-validation folds for "drop".
    n_jobs : int or None, default=None
        Number of permutations, coalitions or trainings to run in parallel.
    random_state : int, RandomState or None, default=None
        Determines permutations and bootstrap samples.

    Returns
    -------
    Bunch
        With ``importances`` (n_modalities, n_repeats), a single column except for
        "permutation"; ``importances_mean`` and ``importances_std`` over the repeats;
        ``standard_errors`` (n_modalities,) of the mean, from bootstrapping the rows;
        ``modalities``, their names; ``method``; ``scores``, a dict with the score of
        "all" modalities and, for "shapley", of "none"; ``scoring``, the scorer's name.

    Raises
    ------
    ValueError
        For "shapley", if there are more than 12 modalities.

    Notes
    -----
    Two redundant modalities both have low importance by "permutation" and "drop";
    "shapley" divides their contribution between them. Bootstrap samples are stratified
    by class, and predictions are computed only once.

    References
    ----------
    L. Breiman (2001), "Random forests", Machine Learning 45: permutation. L. S. Shapley
    (1953), "A value for n-person games", Contributions to the Theory of Games II.
    P. Hu, X. Li and Y. Zhou (2022), "SHAPE: an unified approach to evaluate the
    contribution and cooperation of individual modalities", IJCAI: Shapley values of
    modalities.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_mm import MultimodalVotingClassifier
    >>> from sklearn_mm.inspection import modality_importance
    >>> X, y = load_digits(return_X_y=True)  # upper rows and middles of digits
    >>> X, model = X / 16, LogisticRegression()
    >>> fusion = MultimodalVotingClassifier(
    ...     [("top", model, slice(0, 8)), ("middle", model, slice(16, 48))]
    ... ).fit(X[:1000], y[:1000])
    >>> result = modality_importance(fusion, X[1000:], y[1000:], method="shapley")
    >>> result.modalities, bool(result.importances_mean[1] > result.importances_mean[0])
    (['top', 'middle'], True)
    """
    arguments = dict(locals())
    check_parameters(
        _CONSTRAINTS,
        {key: arguments[key] for key in _CONSTRAINTS},
        "modality_importance",
    )
    X = read_table(X)
    check_consistent_length(np.empty(n_rows(X)), y)
    generator = check_random_state(random_state)
    if method == "drop":
        estimator = _find_retrained(estimator)
        parts = find_modalities(estimator, X, modalities)
        folds = [
            *check_cv(cv, y, classifier=is_classifier(estimator)).split(*_xy(X, y))
        ]
        y_tested = safe_indexing(y, np.concatenate([test for _, test in folds]))
    else:
        parts, y_tested = find_modalities(estimator, X, modalities), y
    scorer, name = find_scorer(estimator, scoring)
    samples = draw_samples(y_tested, n_bootstraps, is_classifier(estimator), generator)
    score = _Score(estimator, X, y_tested, parts, scorer, samples, n_jobs)
    if method == "permutation":
        values, scores = _permute(score, n_repeats, generator)
    elif method == "shapley":
        values, scores = _compute_shapley_values(score)
    else:
        values, scores = _train_without(score, y, folds)
    return _make_result(values, scores, list(parts), method, name)


def _xy(X, y):
    return np.empty((n_rows(X), 1)), y


def _make_result(values, scores, names, method, scoring):
    """Summarise ``values`` of shape (n_modalities, n_repeats, 1 + n_bootstraps)."""
    importances = values[:, :, 0]
    bootstraps = values[:, :, 1:].mean(axis=1)  # (n_modalities, n_bootstraps)
    errors = np.full(len(names), np.nan)
    if bootstraps.shape[1] > 1:
        errors = bootstraps.std(axis=1, ddof=1)
    return Bunch(
        importances=importances,
        importances_mean=importances.mean(axis=1),
        importances_std=importances.std(axis=1),
        standard_errors=errors,
        modalities=names,
        method=method,
        scores={key: float(value[0]) for key, value in scores.items()},
        scoring=scoring,
    )


class _Score:
    """Scores of an estimator on variants of a table, for several sets of rows.

    Parameters
    ----------
    estimator, X, y, modalities, scorer, samples, n_jobs
        See :func:`modality_importance`; ``modalities`` has the columns by name, and
        ``samples`` the sets of rows.
    """

    def __init__(self, estimator, X, y, modalities, scorer, samples, n_jobs):
        self.estimator = estimator
        self.X = X
        self.y = y
        self.modalities = modalities
        self.scorer = scorer
        self.samples = samples
        self.n_jobs = n_jobs

    def run(self, call, arguments):
        """Score the predictions that ``call`` returns for each tuple of arguments."""
        rest = self.scorer, self.y, self.samples
        calls = [(_run, call, own, *rest) for own in arguments]
        return np.array(run_calls(calls, self.n_jobs))


def _run(call, arguments, scorer, y, samples):
    return score_samples(call(*arguments), scorer, y, samples)


def _permute(score, n_repeats, generator):
    n_samples = n_rows(score.X)
    unchanged = np.arange(n_samples)
    calls = [(score.estimator, score.X, [], unchanged)]
    for keys in score.modalities.values():
        for _ in range(n_repeats):
            order = generator.permutation(n_samples)
            calls.append((score.estimator, score.X, keys, order))
    baseline, *permuted = score.run(_predict_moved, calls)
    permuted = np.reshape(permuted, (len(score.modalities), n_repeats, -1))
    return baseline - permuted, {"all": baseline}


def _predict_moved(estimator, X, keys, order):
    return CachedPredictions([(estimator, move_cells(X, keys, order))])


def _compute_shapley_values(score):
    names = list(score.modalities)
    if len(names) > _MAX_MODALITIES:
        raise ValueError(
            f"method='shapley' tries all 2^{len(names)} coalitions of {len(names)} "
            f"modalities, but at most {_MAX_MODALITIES} are supported. Group columns "
            "with modalities={...}, or use method='permutation'."
        )
    calls = []
    for coalition in range(2 ** len(names)):
        present = [name for m, name in enumerate(names) if coalition >> m & 1]
        absent = list_others(score.modalities, *present)
        calls.append((score.estimator, score.X, absent))
    scores = score.run(_predict_blanked, calls)  # (2^M, 1 + n_bootstraps)
    values = [_compute_shapley(scores, m, len(names)) for m in range(len(names))]
    return np.array(values)[:, None], {"all": scores[-1], "none": scores[0]}


def _compute_shapley(scores, m, n_modalities):
    """Compute the mean gain of modality ``m`` over all orders of the modalities.

    ``scores`` are indexed by coalition, a bit mask; ``orders`` counts the orders in
    which exactly the coalition's modalities come before ``m``.
    """
    value = np.zeros(scores.shape[1])
    for coalition in range(len(scores)):
        if coalition >> m & 1:
            continue
        before = coalition.bit_count()
        orders = factorial(before) * factorial(n_modalities - before - 1)
        gain = scores[coalition | 1 << m] - scores[coalition]
        value += orders / factorial(n_modalities) * gain
    return value


def _predict_blanked(estimator, X, keys):
    return CachedPredictions([(estimator, blank_cells(X, keys))])


def _find_retrained(estimator):
    """Return the estimator to retrain; for a search, its best estimator."""
    if isinstance(estimator, FrozenEstimator):
        raise ValueError(
            "method='drop' retrains, but the estimator is frozen. Use 'permutation' or "
            "'shapley'."
        )
    return getattr(estimator, "best_estimator_", estimator)


def _train_without(score, y, folds):
    if len(score.modalities) < 2:
        raise ValueError(
            "method='drop' trains without a modality, but there is only one: "
            f"{list(score.modalities)}."
        )
    variants = [(score.estimator, score.X)]
    for name, keys in score.modalities.items():
        variants.append(_drop_modality(score.estimator, score.X, name, keys))
    baseline, *without = score.run(
        _predict_out_of_fold, [(*variant, y, folds) for variant in variants]
    )
    return (baseline - np.array(without))[:, None], {"all": baseline}


def _drop_modality(estimator, X, name, keys):
    """Return an estimator and its table without a modality."""
    core, prefix = find_core(estimator)
    specs = list_specs(core)
    if name in specs and find_modalities(estimator, X).get(name) == keys:
        dropped = {f"{prefix}{name}": "drop"}
        return clone(estimator).set_params(**dropped), X
    return estimator, blank_cells(X, keys)


def _predict_out_of_fold(estimator, X, y, folds):
    parts = []
    for train, test in folds:
        model = clone(estimator).fit(select_rows(X, train), safe_indexing(y, train))
        parts.append((model, select_rows(X, test)))
    has_labels = is_classifier(estimator) and np.ndim(y) == 1
    return CachedPredictions(parts, np.unique(y) if has_labels else None)
