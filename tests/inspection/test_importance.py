"""Importances: their sums, their errors, and what they say of noise."""

from itertools import permutations

import numpy as np
import pytest
from sklearn.base import clone, is_regressor
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer, make_scorer, r2_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline

from sklearn_mm import MultimodalVotingClassifier
from sklearn_mm.inspection import modality_importance
from sklearn_mm.inspection._cells import blank_cells
from sklearn_mm.inspection._modalities import find_modalities, list_others
from sklearn_mm.inspection._predictions import (
    CachedPredictions,
    draw_samples,
    find_scorer,
    score_samples,
)

from .conftest import COLUMNS, ESTIMATORS, VOTING, make_table

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.FusionWarning"),
    pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.AbstentionWarning"),
]


@pytest.mark.parametrize("method", ["permutation", "shapley"])
def test_the_better_modality_is_worth_more_for_every_estimator(fitted, method):
    X, y = make_table(fitted)
    before = X.copy()
    result = modality_importance(
        fitted, X, y, method=method, n_repeats=3, n_bootstraps=5, random_state=0
    )
    worth = dict(zip(result.modalities, result.importances_mean))
    if set(worth) != set(COLUMNS):  # column by column
        worth = {m: sum(worth[c] for c in columns) for m, columns in COLUMNS.items()}
    assert worth["b"] > worth["a"]
    assert result.scores["all"] == pytest.approx(fitted.score(X, y))
    n_repeats = 3 if method == "permutation" else 1
    assert result.importances.shape == (len(result.modalities), n_repeats)
    assert result.scoring == ("r2" if is_regressor(fitted) else "accuracy")
    assert (result.standard_errors >= 0).all()
    assert X.equals(before)


@pytest.mark.parametrize("scoring", [None, "neg_log_loss", "balanced_accuracy"])
def test_shapley_values_sum_to_what_all_score_beyond_none(voting, scoring):
    X, y = make_table()
    result = modality_importance(
        voting, X, y, method="shapley", scoring=scoring, n_bootstraps=0
    )
    gain = result.scores["all"] - result.scores["none"]
    assert result.importances_mean.sum() == pytest.approx(gain, abs=1e-12)
    assert np.isnan(result.standard_errors).all()


def test_shapley_values_are_the_mean_gain_over_all_orders():
    X, y = make_table()
    trees = clone(ESTIMATORS["trees"]).fit(*make_table(seed=1))
    result = modality_importance(trees, X, y, method="shapley", n_bootstraps=0)
    modalities = find_modalities(trees, X)
    orders = list(permutations(modalities))
    gains = dict.fromkeys(modalities, 0.0)
    for order in orders:
        scores = [
            trees.score(blank_cells(X, list_others(modalities, *order[:n])), y)
            for n in range(len(order) + 1)
        ]
        for n, name in enumerate(order):
            gains[name] += (scores[n + 1] - scores[n]) / len(orders)
    expected = [gains[name] for name in result.modalities]
    np.testing.assert_allclose(result.importances_mean, expected, atol=1e-12)


def test_one_column_is_permuted_as_scikit_learn_permutes_it():
    X, y = make_table(n_samples=600)
    model = LogisticRegression().fit(*make_table(seed=1))
    ours = modality_importance(model, X, y, n_repeats=20, random_state=0)
    theirs = permutation_importance(model, X, y, n_repeats=20, random_state=0)
    difference = ours.importances_mean - theirs.importances_mean
    spread = np.hypot(ours.importances_std, theirs.importances_std) / np.sqrt(20)
    assert (np.abs(difference) < 4 * spread + 1e-9).all()


def test_columns_of_a_modality_are_permuted_together():
    rng = np.random.default_rng(0)
    X = np.repeat(rng.normal(size=(200, 1)), 2, axis=1)

    class Same(DummyClassifier):
        def predict(self, X):
            return (X[:, 0] == X[:, 1]).astype(int)

    model = Same().fit(X, np.r_[0, np.ones(199)].astype(int))
    result = modality_importance(
        model, X, np.ones(200, int), modalities={"pair": [0, 1]}, random_state=0
    )
    assert result.scores["all"] == 1
    assert (result.importances == 0).all()


def test_the_standard_error_is_that_of_a_mean_of_paired_differences(voting):
    X, y = make_table(n_samples=300)
    result = modality_importance(
        voting, X, y, method="shapley", n_bootstraps=2000, random_state=0
    )
    right = {}
    for absent in [(), ("a",), ("b",), ("a", "b")]:
        keys = [i for i, name in enumerate("aabb") if name in absent]
        right[absent] = (voting.predict(blank_cells(X, keys)) == y).astype(float)
    gain = (right[()] - right["a",] + right["b",] - right["a", "b"]) / 2
    assert result.importances_mean[0] == pytest.approx(gain.mean())
    variance = sum(gain[y == c].var() * (y == c).sum() for c in range(3)) / len(y) ** 2
    assert result.standard_errors[0] == pytest.approx(np.sqrt(variance), rel=0.1)


@pytest.mark.parametrize("name", ["pipeline", "joint net", "table", "mean"])
def test_drop_trains_without_the_modality(name):
    imputer = SimpleImputer(keep_empty_features=True)
    table = make_pipeline(imputer, LogisticRegression())
    estimator = {**ESTIMATORS, "table": table}[name]
    X, y = make_table(estimator)
    columns = COLUMNS if name == "table" else None
    result = modality_importance(
        estimator, X, y, method="drop", modalities=columns, cv=3, n_bootstraps=3
    )
    assert result.modalities == ["a", "b"]
    assert result.importances_mean[1] > result.importances_mean[0]


def test_drop_compares_scores_out_of_fold():
    X, y = make_table()
    result = modality_importance(VOTING, X, y, method="drop", cv=4, n_bootstraps=0)
    whole = np.mean(cross_val_predict(VOTING, X, y, cv=4) == y)
    member = LogisticRegression()
    alone = np.mean(cross_val_predict(member, X[COLUMNS["b"]], y, cv=4) == y)
    assert result.scores["all"] == pytest.approx(whole)
    assert result.importances_mean[0] == pytest.approx(whole - alone)


def test_drop_aligns_classes_that_a_fold_lacks():
    X, y = make_table()
    y = np.where(np.arange(len(y)) == 5, 9, y)
    with pytest.warns(UserWarning, match="least populated class"):
        result = modality_importance(
            VOTING, X, y, method="drop", scoring="neg_log_loss", cv=3, n_bootstraps=2
        )
    assert np.isfinite(result.importances).all()


def test_a_search_is_dropped_from_with_what_it_found():
    X, y = make_table()
    search = clone(ESTIMATORS["search"]).fit(X, y)
    found = modality_importance(search, X, y, method="drop", n_bootstraps=0)
    best = modality_importance(
        search.best_estimator_, X, y, method="drop", n_bootstraps=0
    )
    np.testing.assert_array_equal(found.importances, best.importances)


def test_results_do_not_depend_on_n_jobs(voting):
    X, y = make_table()
    options = {"n_repeats": 2, "n_bootstraps": 3, "random_state": 0}
    alone = modality_importance(voting, X, y, **options)
    together = modality_importance(voting, X, y, n_jobs=2, **options)
    np.testing.assert_array_equal(alone.importances, together.importances)
    np.testing.assert_array_equal(alone.standard_errors, together.standard_errors)


def test_too_many_modalities_are_refused_by_shapley():
    X = np.random.default_rng(0).normal(size=(20, 13))
    y = np.arange(20) % 2
    model = LogisticRegression().fit(X, y)
    with pytest.raises(ValueError, match="2\\^13 coalitions.*at most 12"):
        modality_importance(model, X, y, method="shapley")


def test_what_cannot_be_done_is_refused(voting, frozen):
    X, y = make_table()
    with pytest.raises(ValueError, match="method"):
        modality_importance(voting, X, y, method="magic")
    with pytest.raises(ValueError, match="frozen"):
        modality_importance(frozen, X, y, method="drop")
    with pytest.raises(ValueError, match="only one"):
        modality_importance(voting, X, y, method="drop", modalities={"a": ["a0"]})
    with pytest.raises(ValueError, match="inconsistent"):
        modality_importance(voting, X, y[:-1])


SCORERS = ["accuracy", "neg_log_loss", "roc_auc_ovr", "f1_macro", "neg_brier_score"]


@pytest.mark.parametrize("scoring", SCORERS)
def test_scores_of_looked_up_predictions_are_those_of_the_model(voting, scoring):
    X, y = make_table()
    rows = np.random.default_rng(0).integers(len(y), size=80)
    scorer = get_scorer(scoring)
    answers = CachedPredictions([(voting, X)])
    given = scorer(answers, rows, y[rows])
    assert given == pytest.approx(scorer(voting, X.iloc[rows], y[rows]))


def test_the_default_score_is_the_estimators_own(fitted):
    X, y = make_table(fitted)
    scorer, _ = find_scorer(fitted, None)
    rows = np.arange(50)
    given = scorer(CachedPredictions([(fitted, X)]), rows, y[rows])
    assert given == pytest.approx(fitted.score(X.iloc[rows], y[rows]))


def test_a_score_of_the_estimators_own_is_asked_with_the_rows():
    class Own(MultimodalVotingClassifier):
        def score(self, X, y):
            return 100.0 + len(X)

    X, y = make_table()
    model = Own(VOTING.estimators).fit(X, y)
    assert CachedPredictions([(model, X)]).score(np.arange(7), y[:7]) == 107
    assert "r2_score" in find_scorer(model, make_scorer(r2_score))[1]


def test_predictions_are_made_once_for_all_samples(voting):
    X, y = make_table()
    calls = []

    class Counted(type(voting)):
        def predict(self, X):
            calls.append(len(X))
            return super().predict(X)

    model = Counted(VOTING.estimators).fit(X, y)
    samples = draw_samples(y, 10, True, np.random.RandomState(0))
    scores = score_samples(
        CachedPredictions([(model, X)]), find_scorer(model, None)[0], y, samples
    )
    assert calls == [len(X)]
    assert len(scores) == 11


def test_bootstrap_samples_keep_the_number_of_each_class():
    y = np.array(["x"] * 5 + ["y"] + ["z"] * 3)
    for rows in draw_samples(y, 20, True, np.random.RandomState(0)):
        assert sorted(y[rows]) == sorted(y)
