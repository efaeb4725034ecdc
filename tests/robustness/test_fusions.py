"""Splitters of any kind, and weights beside absence, against slow loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)

from sklearn_mm import MultimodalVotingClassifier, MultimodalVotingRegressor
from sklearn_mm.ensemble import LinearPool

from .hostile import examples

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.FusionWarning"),
    pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.AbstentionWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:The groups parameter is ignored"),
    pytest.mark.filterwarnings("ignore:modality .* is missing from every row"),
]
N_ROWS = 12
ROWS = st.lists(st.integers(-N_ROWS, N_ROWS - 1), max_size=2 * N_ROWS)
MASK = st.lists(st.booleans(), min_size=N_ROWS, max_size=N_ROWS)
#: Ways to write rows: in any order, several times, from the end, as a mask.
FORMS = st.one_of(
    ROWS,
    ROWS.map(lambda rows: np.array(rows, dtype=int)),
    MASK,
    MASK.map(np.array),
    st.permutations(range(N_ROWS)),
)
FOLDS = st.lists(st.tuples(FORMS.filter(lambda rows: np.size(rows) > 0), FORMS))
WHOLE = st.tuples(st.just(list(range(N_ROWS))), st.permutations(range(N_ROWS)))
SPLITTERS = st.one_of(
    FOLDS,
    st.lists(WHOLE, min_size=1, max_size=2),
    st.sampled_from(
        [
            ShuffleSplit(3, test_size=0.4, random_state=0),
            RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
            KFold(4, shuffle=True, random_state=0),
            LeaveOneOut(),
            TimeSeriesSplit(3),
            GroupKFold(3),
            2,
        ]
    ),
    st.lists(st.integers(-1, 3), min_size=N_ROWS, max_size=N_ROWS).map(PredefinedSplit),
)


class Line(RegressorMixin, BaseEstimator):
    """A line through the origin."""

    def fit(self, X, y):
        self.slope_ = (X[:, 0] @ y) / max(X[:, 0] @ X[:, 0], 1e-9)
        return self

    def predict(self, X):
        return X[:, 0] * self.slope_


def list_rows(rows):
    """The positions that rows in any form mean."""
    if len(rows) and isinstance(rows[0], bool | np.bool_):
        return [i for i, chosen in enumerate(rows) if chosen]
    return [int(row) % N_ROWS for row in rows]


def score_slowly(column, y, folds):
    """R² of out-of-fold predictions, the last of a row, and the mean where absent."""
    predicted = {}
    for train, test in folds:
        train = [i for i in list_rows(train) if not np.isnan(column[i])]
        for row in list_rows(test):
            predicted.setdefault(row, y.mean())
            if train and not np.isnan(column[row]):
                line = Line().fit(column[train][:, None], y[train])
                predicted[row] = line.predict(column[[row]][:, None])[0]
    rows = list(predicted)
    errors = [(predicted[row] - y[row]) ** 2 for row in rows]
    return 1 - sum(errors) / (((y[rows] - y[rows].mean()) ** 2).sum() or 1)


@examples(60)
@given(SPLITTERS, st.integers(0, 5), st.booleans())
def test_out_of_fold_predictions_reach_their_rows(cv, seed, is_generator):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(N_ROWS, 2)), rng.normal(size=N_ROWS)
    X[rng.random((N_ROWS, 2)) < 0.2] = np.nan
    X[0] = 1, 1
    groups = np.arange(N_ROWS) // 2
    splitter = KFold(cv) if isinstance(cv, int) else cv
    folds = cv
    if not isinstance(cv, list):
        folds = list(splitter.split(X, y, groups))
    given = (fold for fold in folds) if is_generator else cv
    members = [("a", Line(), [0]), ("b", Line(), [1])]
    model = MultimodalVotingRegressor(members, weights="learned", cv=given)
    no_test = all(not list_rows(test) for _, test in folds)
    if no_test or any(not list_rows(train) for train, _ in folds):
        with pytest.raises(ValueError, match="cv"):
            model.fit(X, y, groups=groups)
        return
    model.fit(X, y, groups=groups)
    for i, name in enumerate("ab"):
        expected = score_slowly(X[:, i], y, folds)
        assert model.unimodal_scores_[name] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        ([([0, 1, 12], [2])], "row 12"),
        ([([0, 1], [-13])], "row -13"),
        ([([0, 1], [0.5])], "positions of rows, or a mask"),
        ([([True, False], [2])], "mask of 12 entries"),
        ([[0, 1, 2]], "a pair"),
        (iter([]), "0 folds.*generator"),
    ],
)
def test_folds_that_mean_no_rows_are_refused(cv, message):
    X = np.random.default_rng(0).normal(size=(N_ROWS, 2))
    members = [("a", Line(), [0]), ("b", Line(), [1])]
    model = MultimodalVotingRegressor(members, weights="learned", cv=cv)
    with pytest.raises(ValueError, match=message):
        model.fit(X, X[:, 0])


class Reading(ClassifierMixin, BaseEstimator):
    """Reads its probabilities from the table."""

    def fit(self, X, y):
        self.classes_ = np.arange(3)
        return self

    def predict_proba(self, X):
        return X

    def predict(self, X):
        return X.argmax(axis=1)


class ReadingNumber(RegressorMixin, BaseEstimator):
    """Reads its prediction from the table."""

    def fit(self, X, y):
        self.is_fitted_ = True
        return self

    def predict(self, X):
        return X[:, 0]


def weigh_slowly(weights, present):
    """Weights of one row: equal ones where only those of weight zero are present."""
    kept = [w for w, is_present in zip(weights, present) if is_present]
    kept = kept if sum(kept) > 0 else [1.0] * len(kept)
    return [w / sum(kept) for w in kept]


def fuse_slowly(rule, parts, weights, prior):
    """Fuse the predictions of one row by the rule's definition."""
    present = [not np.isnan(part[0]) for part in parts]
    if not any(present):
        return prior
    shares = weigh_slowly(weights, present)
    parts = [part for part, is_present in zip(parts, present) if is_present]
    if rule == "product":
        parts = [0.98 * part + 0.02 * prior for part in parts]
        fused = np.prod([part**w for part, w in zip(parts, shares)], axis=0)
        return fused / fused.sum()
    if rule == "hard":
        parts = [np.eye(3)[part.argmax()] for part in parts]
    if rule == "median":
        pairs = sorted((part[0], w) for part, w in zip(parts, shares))
        below = np.cumsum([w for _, w in pairs])
        low = next(v for (v, _), b in zip(pairs, below) if b > 0.5 - 1e-9)
        high = [v for (v, _), b in zip(pairs, below) if b > 0.5 + 1e-9]
        return np.array([(low + (high[0] if high else low)) / 2])
    return sum(w * part for part, w in zip(parts, shares))


def make_predictions(seed, absent):
    rng = np.random.default_rng(seed)
    predictions = rng.dirichlet(np.ones(3), size=(3, N_ROWS))
    predictions[np.array(absent).reshape(3, N_ROWS)] = np.nan
    predictions[:, 0] = 1 / 3  # no modality is missing everywhere
    return predictions


SHARES = st.sampled_from([0.0, 0.0, 0.2, 1.0, 3.0])
WEIGHTS = st.lists(SHARES, min_size=3, max_size=3).filter(any)
ABSENT = st.lists(st.booleans(), min_size=3 * N_ROWS, max_size=3 * N_ROWS)


@examples(40)
@given(
    st.sampled_from(["soft", "product", "hard", "mean", "median"]),
    WEIGHTS,
    ABSENT,
    st.integers(0, 5),
    st.sets(st.integers(0, 2), max_size=2),
)
def test_weights_beside_absence_fuse_as_a_slow_loop(rule, weights, absent, seed, lost):
    predictions = make_predictions(seed, absent)
    predictions[list(lost)] = np.nan  # dropped
    X, y = np.concatenate(predictions, axis=1), np.arange(N_ROWS) % 3
    classifies = rule in ("soft", "product", "hard")
    kind = MultimodalVotingClassifier if classifies else MultimodalVotingRegressor
    model = FrozenEstimator((Reading() if classifies else ReadingNumber()).fit(X, y))
    members = [(n, model, [3 * i, 3 * i + 1, 3 * i + 2]) for i, n in enumerate("abc")]
    weights = dict(zip("abc", weights))
    fusion = kind(members, voting=rule, weights=weights, on_absent="drop")
    fusion.fit(X, y)
    if rule == "hard":
        fused = np.eye(3)[fusion.predict(X)]
    else:
        fused = fusion.predict_proba(X) if classifies else fusion.predict(X)[:, None]
    prior = np.bincount(y) / N_ROWS if classifies else np.array([y.mean()])
    for row in range(N_ROWS):
        parts = predictions[:, row] if classifies else predictions[:, row, :1]
        expected = fuse_slowly(rule, parts, list(weights.values()), prior)
        if rule == "hard":
            expected = np.eye(3)[np.argmax(np.round(expected, 9))]
        np.testing.assert_allclose(fused[row], expected, atol=1e-9)


@examples(40)
@given(WEIGHTS, ABSENT, st.integers(0, 5))
def test_weights_are_learned_by_the_loss_of_what_is_fused(weights, absent, seed):
    predictions, y = make_predictions(seed, absent), np.arange(N_ROWS) % 3
    prior = np.full(3, 1 / 3)
    weights = np.maximum(weights, 1e-3) / np.maximum(weights, 1e-3).sum()
    loss, _ = LinearPool().objective(predictions, y, prior)(weights)
    fused = [
        fuse_slowly("soft", predictions[:, i], weights, prior) for i in range(N_ROWS)
    ]
    expected = -np.log(np.array(fused)[np.arange(N_ROWS), y]).mean()
    assert loss == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("weights", [[0, 0], {"a": 0, "b": 0}, [1, -1], ["x", 1]])
def test_weights_that_weigh_nothing_are_refused(weights):
    X, y = np.random.default_rng(0).normal(size=(N_ROWS, 2)), np.arange(N_ROWS)
    members = [("a", Line(), [0]), ("b", FrozenEstimator(Line().fit(X, y)), [1])]
    with pytest.raises(ValueError, match="weights must be"):
        MultimodalVotingRegressor(members, weights=weights).fit(X, y)


def test_weights_of_modalities_that_are_all_dropped_leave_the_others_equal():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(N_ROWS, 3)), rng.normal(size=N_ROWS)
    X[:, 0] = np.nan
    members = [(name, Line(), [i]) for i, name in enumerate("abc")]
    model = MultimodalVotingRegressor(
        members, weights={"a": 1, "b": 0, "c": 0}, on_absent="drop"
    )
    model.fit(X, y)
    assert model.weights_.tolist() == [0.5, 0.5]
    lines = [Line().fit(X[:, [i]], y).predict(X[:, [i]]) for i in (1, 2)]
    np.testing.assert_allclose(model.predict(X), np.mean(lines, axis=0))
