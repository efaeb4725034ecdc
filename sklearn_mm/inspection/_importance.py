"""What each modality is worth: permuted, left out of coalitions, or of the training."""

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
from ._cells import as_table, blank_cells, count_rows, move_cells, take_rows
from ._modalities import find_core, find_modalities, list_others, list_specs
from ._predictions import Answers, draw_samples, find_scorer, score_samples

#: Beyond this many modalities there are too many coalitions to try them all.
_MOST = 12
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
        A fitted fusion estimator, joint net, pipeline or search of these, or any
        estimator over a table. For "drop" it need not be fitted, and is cloned.
    X : DataFrame, ndarray or dict of arrays, with n_samples rows
        The table; rows that were not fitted on, except for "drop". It stays as it is.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Target.
    method : {"permutation", "shapley", "drop"}, default="permutation"
        "permutation" shuffles a modality's columns together among the rows. "shapley"
        makes modalities missing and shares the score out: a modality's value is its
        gain, averaged over all orders in which the modalities can join; the values sum
        to the score of all less the score of none. It asks the estimator about all
        2^M coalitions. "drop" trains without the modality, cross-validated.
    modalities : dict of str to columns or None, default=None
        Columns of each modality. By default those of the estimator's own specs; if it
        has none, or they overlap or choose by a callable, each column is a modality.
    scoring : str, callable or None, default=None
        A scorer as :func:`~sklearn.metrics.make_scorer` makes them, or its name; by
        default the estimator's own score.
    n_repeats : int, default=5
        How often "permutation" shuffles each modality.
    n_bootstraps : int, default=100
        Bootstrap samples of the rows for the standard errors.
    cv : int, splitter or iterable, default=5
        Folds for "drop".
    n_jobs : int or None, default=None
        Permutations, coalitions or trainings at the same time.
    random_state : int, RandomState or None, default=None
        Of the permutations and bootstrap samples.

    Returns
    -------
    Bunch
        With ``importances`` (n_modalities, n_repeats), of a single column but for
        "permutation"; ``importances_mean``, ``importances_std`` over the repeats;
        ``standard_errors`` (n_modalities,), of the mean, from resampling the rows;
        ``modalities``, their names; ``method``; ``scores``, a dict with the score of
        "all", for "shapley" also that of "none"; ``scoring``, the scorer's name.

    Raises
    ------
    ValueError
        For "shapley", if there are more than 12 modalities.

    Notes
    -----
    A modality that repeats what another says is worth little to "permutation" and
    "drop"; "shapley" shares their worth among both. Bootstrap samples hold as many rows
    of each class as there are; the predictions are made once.

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
    >>> worth = modality_importance(fusion, X[1000:], y[1000:], method="shapley")
    >>> worth.modalities, bool(worth.importances_mean[1] > worth.importances_mean[0])
    (['top', 'middle'], True)
    """
    given = dict(locals())
    check_parameters(
        _CONSTRAINTS, {key: given[key] for key in _CONSTRAINTS}, "modality_importance"
    )
    X = as_table(X)
    check_consistent_length(np.empty(count_rows(X)), y)
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
        values, scores = _share_out(score)
    else:
        values, scores = _leave_out(score, y, folds)
    return _make_result(values, scores, list(parts), method, name)


def _xy(X, y):
    return np.empty((count_rows(X), 1)), y


def _make_result(values, scores, names, method, scoring):
    """Sum up ``values`` (n_modalities, n_repeats, 1 + n_bootstraps)."""
    importances = values[:, :, 0]
    spread = values[:, :, 1:].mean(axis=1)
    enough = spread.shape[1] > 1
    return Bunch(
        importances=importances,
        importances_mean=importances.mean(axis=1),
        importances_std=importances.std(axis=1),
        standard_errors=(
            spread.std(axis=1, ddof=1) if enough else np.full(len(names), np.nan)
        ),
        modalities=names,
        method=method,
        scores={key: float(value[0]) for key, value in scores.items()},
        scoring=scoring,
    )


class _Score:
    """Scores of an estimator on variants of a table, for all samples of rows at once.

    Parameters
    ----------
    estimator, X, y, modalities, scorer, samples, n_jobs
        As in :func:`modality_importance`, and what was found for it.
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
        """Score what ``call`` makes of each of the arguments; they run in parallel."""
        rest = self.scorer, self.y, self.samples
        calls = [(_run, call, own, *rest) for own in arguments]
        return np.array(run_calls(calls, self.n_jobs))


def _run(call, arguments, scorer, y, samples):
    return score_samples(call(*arguments), scorer, y, samples)


# Permutation.


def _permute(score, n_repeats, generator):
    n_samples = count_rows(score.X)
    unchanged = np.arange(n_samples)
    calls = [(score.estimator, score.X, [], unchanged)]
    for keys in score.modalities.values():
        for _ in range(n_repeats):
            order = generator.permutation(n_samples)
            calls.append((score.estimator, score.X, keys, order))
    whole, *permuted = score.run(_ask_moved, calls)
    permuted = np.reshape(permuted, (len(score.modalities), n_repeats, -1))
    return whole - permuted, {"all": whole}


def _ask_moved(estimator, X, keys, order):
    return Answers([(estimator, move_cells(X, keys, order))])


# Shapley values.


def _share_out(score):
    names = list(score.modalities)
    if len(names) > _MOST:
        raise ValueError(
            f"method='shapley' tries all 2^{len(names)} coalitions of {len(names)} "
            f"modalities; at most {_MOST} can be had. Put columns together by "
            "modalities={...}, or use method='permutation'."
        )
    calls = []
    for coalition in range(2 ** len(names)):
        present = [name for m, name in enumerate(names) if coalition >> m & 1]
        absent = list_others(score.modalities, *present)
        calls.append((score.estimator, score.X, absent))
    worth = score.run(_ask_blanked, calls)  # (2^M, 1 + n_bootstraps)
    values = np.array([_find_value(worth, m, len(names)) for m in range(len(names))])
    return values[:, None], {"all": worth[-1], "none": worth[0]}


def _find_value(worth, m, n_modalities):
    """Mean gain of one modality over all orders, of which a coalition begins some."""
    value = np.zeros(worth.shape[1])
    for coalition in range(len(worth)):
        if coalition >> m & 1:
            continue
        before = coalition.bit_count()
        orders = factorial(before) * factorial(n_modalities - before - 1)
        gain = worth[coalition | 1 << m] - worth[coalition]
        value += orders / factorial(n_modalities) * gain
    return value


def _ask_blanked(estimator, X, keys):
    return Answers([(estimator, blank_cells(X, keys))])


# Training without a modality.


def _find_retrained(estimator):
    """Find the estimator that is trained anew: of a search the one that it found."""
    if isinstance(estimator, FrozenEstimator):
        raise ValueError(
            "method='drop' trains anew, which a frozen estimator does not; use "
            "'permutation' or 'shapley'."
        )
    return getattr(estimator, "best_estimator_", estimator)


def _leave_out(score, y, folds):
    if len(score.modalities) < 2:
        raise ValueError(
            "method='drop' trains without a modality; there is only one, "
            f"{list(score.modalities)}."
        )
    variants = [(score.estimator, score.X)]
    for name, keys in score.modalities.items():
        variants.append(_without(score.estimator, score.X, name, keys))
    whole, *without = score.run(
        _ask_out_of_fold, [(*variant, y, folds) for variant in variants]
    )
    return (whole - np.array(without))[:, None], {"all": whole}


def _without(estimator, X, name, keys):
    """Give an estimator and its table without a modality."""
    core, prefix = find_core(estimator)
    specs = list_specs(core)
    if name in specs and find_modalities(estimator, X).get(name) == keys:
        part = "__transformer" if hasattr(core, "branches") else ""
        dropped = {f"{prefix}{name}{part}": "drop"}
        return clone(estimator).set_params(**dropped), X
    return estimator, blank_cells(X, keys)


def _ask_out_of_fold(estimator, X, y, folds):
    parts = []
    for train, test in folds:
        model = clone(estimator).fit(take_rows(X, train), safe_indexing(y, train))
        parts.append((model, take_rows(X, test)))
    whole = is_classifier(estimator) and np.ndim(y) == 1
    return Answers(parts, np.unique(y) if whole else None)
