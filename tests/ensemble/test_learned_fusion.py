"""Weights that are learned, calibration, the product, the guard, and regressors."""

import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier, VotingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

from sklearn_mm import (
    FusionWarning,
    MultimodalVotingClassifier,
    MultimodalVotingRegressor,
)
from sklearn_mm.ensemble import LogLinearPool
from sklearn_mm.ensemble._weights import (
    learn_weights,
    make_log_loss,
    make_pool_objective,
)
from sklearn_mm.exceptions import AbstentionWarning

pytestmark = pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.FusionWarning")
A, B, NOISE = ["a0", "a1", "a2"], ["b0", "b1", "b2"], ["n0", "n1"]
MODELS = [
    ("a", LogisticRegression(), A),
    ("b", LogisticRegression(), B),
    ("noise", DecisionTreeClassifier(random_state=0), NOISE),
]


def make_table(n_samples=300, n_classes=3, target="classes"):
    """Two modalities that tell something, and one that tells nothing."""
    rng = np.random.default_rng(0)
    if target == "classes":
        y = np.arange(n_samples) % n_classes
        X = rng.normal(size=(n_samples, 6)) + rng.normal(size=(n_classes, 6))[y]
    else:
        X = rng.normal(size=(n_samples, 6))
        y = X @ [50, 30, 10, 40, 20, 60] + rng.normal(scale=20, size=n_samples)
    X = pd.DataFrame(X, columns=A + B)
    X[NOISE] = rng.normal(size=(n_samples, 2))
    return X, y


def with_gaps(X, share=0.3):
    X, rng = X.copy(), np.random.default_rng(1)
    for columns in (A, B, NOISE):
        X.loc[rng.random(len(X)) < share, columns] = np.nan
    return X


def test_learned_weights_are_those_of_out_of_fold_predictions():
    X, y = make_table()
    fusion = MultimodalVotingClassifier(MODELS, weights="learned").fit(X, y)
    answers = np.array(
        [
            cross_val_predict(model, X[columns], y, method="predict_proba")
            for _, model, columns in MODELS
        ]
    )
    objective = make_pool_objective(
        answers[:, np.arange(len(y)), y], make_log_loss(len(y)), None
    )
    expected, _ = learn_weights(objective, 3, len(y))
    np.testing.assert_allclose(fusion.weights_, expected)
    assert fusion.weights_gap_ <= 1e-6
    assert fusion.weights_[2] < 0.05  # noise
    losses = [
        log_loss(y, np.tensordot(w, answers, 1))
        for w in (fusion.weights_, np.full(3, 1 / 3), *np.eye(3))
    ]
    assert losses[0] <= min(losses) + 1e-3
    scores = {n: accuracy_score(y, p.argmax(1)) for (n, *_), p in zip(MODELS, answers)}
    assert fusion.unimodal_scores_ == pytest.approx(scores)


@pytest.mark.parametrize(
    "options",
    [
        {"weights": "learned"},
        {"weights": "confidence"},
        {"weights": "learned", "voting": "product"},
        {"weights": "learned", "voting": LogLinearPool(divide_prior=True)},
        {"calibration": "isotonic", "weights": "learned"},
        {"guard": True, "voting": "hard"},
    ],
    ids=str,
)
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_every_way_to_fuse_beats_noise_and_survives_gaps(options, share, tmp_path):
    X, y = make_table(400)
    X = with_gaps(X, share)
    fusion = MultimodalVotingClassifier(MODELS, cv=3, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AbstentionWarning)
        fusion.fit(X[:300], y[:300])
        score = fusion.score(X[300:], y[300:])
        assert score > (0.7 if share == 0 else 0.42)
        again = clone(fusion).set_params(n_jobs=2).fit(X[:300], y[:300])
        np.testing.assert_array_equal(again.predict(X), fusion.predict(X))
        if hasattr(fusion, "predict_proba"):
            proba = fusion.predict_proba(X)
            np.testing.assert_allclose(proba.sum(axis=1), 1)
        joblib.dump(fusion, tmp_path / "fusion.joblib")
        loaded = joblib.load(tmp_path / "fusion.joblib")
        np.testing.assert_array_equal(loaded.predict(X), fusion.predict(X))
    np.testing.assert_allclose(fusion.weights_.sum(), 1)


def test_one_modality_has_weight_one_and_is_not_fitted_again():
    X, y = make_table(60)
    fusion = MultimodalVotingClassifier(MODELS[:1], weights="learned").fit(X, y)
    assert fusion.weights_.tolist() == [1.0]
    assert not hasattr(fusion, "fused_score_")


class CountingBayes(GaussianNB):
    """Counts its fits."""

    n_fits = 0

    def fit(self, X, y, sample_weight=None):
        type(self).n_fits += 1
        return super().fit(X, y, sample_weight)


def test_nothing_is_fitted_twice():
    X, y = make_table(90)
    members = [("a", CountingBayes(), A), ("b", CountingBayes(), B)]
    everything = {
        "weights": "learned",
        "calibration": "sigmoid",
        "guard": True,
        "cv": 3,
    }
    CountingBayes.n_fits = 0
    MultimodalVotingClassifier(members, **everything).fit(X, y).predict(X)
    assert CountingBayes.n_fits == 2 * (3 + 1)
    frozen = [(n, FrozenEstimator(m.fit(X[c], y)), c) for n, m, c in members]
    CountingBayes.n_fits = 0
    MultimodalVotingClassifier(frozen, **everything).fit(X, y).predict(X)
    assert CountingBayes.n_fits == 0


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
def test_calibration_is_that_of_scikit_learn(method):
    X, y = make_table()
    model, folds = GaussianNB(), StratifiedKFold(3)
    fusion = MultimodalVotingClassifier(
        [("a", model, A)], calibration=method, cv=folds
    ).fit(X, y)
    expected = CalibratedClassifierCV(
        model, method=method, cv=folds, ensemble=False
    ).fit(X[A], y)
    np.testing.assert_allclose(
        fusion.predict_proba(X), expected.predict_proba(X[A]), atol=1e-5
    )


def test_the_product_with_the_prior_divided_out_is_naive_bayes():
    X, y = make_table()
    y = np.where(y == 2, 1, y)  # classes of unequal size
    halves = [("a", GaussianNB(), A), ("b", GaussianNB(), B)]
    rule = LogLinearPool(divide_prior=True, contamination=0)
    fusion = MultimodalVotingClassifier(halves, voting=rule)
    whole = GaussianNB().fit(X[A + B], y)
    np.testing.assert_allclose(
        fusion.fit(X, y).predict_proba(X), whole.predict_proba(X[A + B]), atol=1e-6
    )


def test_the_product_is_safe_at_probability_zero():
    X, y = make_table(90)
    trees = [
        ("a", DecisionTreeClassifier(random_state=0), A),
        ("noise", DecisionTreeClassifier(random_state=0), NOISE),
    ]
    fusion = MultimodalVotingClassifier(trees, voting="product").fit(X[:60], y[:60])
    proba = fusion.predict_proba(X)
    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1)


def test_confidence_follows_the_modality_that_is_certain():
    X, y = make_table()
    fusion = MultimodalVotingClassifier(
        MODELS[:2], weights="confidence", guard=False
    ).fit(X, y)
    answers = fusion.transform(X).reshape(len(X), 2, 3)
    entropy = -(answers * np.log(answers)).sum(axis=2)
    weights = fusion.weights_ * (1 - entropy / np.log(3))
    weights /= weights.sum(axis=1, keepdims=True)
    expected = np.einsum("nm,nmk->nk", weights, answers)
    np.testing.assert_allclose(fusion.predict_proba(X), expected, atol=1e-4)


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_the_guard_falls_back_to_the_best_modality(kind):
    X, y = make_table(target=kind)
    forests = [MODELS[0], MODELS[2]]
    fusion = MultimodalVotingClassifier(forests, guard=True, cv=3)
    if kind == "numbers":
        y = X["a0"].to_numpy() + 0.1 * y / y.std()
        pair = [("a", Ridge(), A), ("noise", Ridge(), NOISE)]
        fusion = MultimodalVotingRegressor(pair, guard=True, cv=3)
    with pytest.warns(FusionWarning, match="modality 'a' alone"):
        fusion.fit(X, y)
    assert fusion.guarded_ == "a"
    assert fusion.fusion_gain_ < 0
    low, high = fusion.fusion_gain_interval_
    assert low < fusion.fusion_gain_ < high
    alone = fusion.estimators_[0].predict(X[A])
    np.testing.assert_allclose(fusion.predict(X), alone)
    gone = X.copy()
    gone[A] = np.nan  # where the best is absent, the others answer
    np.testing.assert_allclose(
        fusion.predict(gone), fusion.estimators_[1].predict(X[NOISE])
    )


def test_groups_reach_the_folds_and_the_interval():
    X, y = make_table(300)
    X = with_gaps(X).fillna({"n0": 0, "n1": 0})
    groups = np.arange(300) // 10
    by_group = {"weights": "learned", "cv": GroupKFold(3)}
    plain = MultimodalVotingClassifier(MODELS, **by_group)
    plain.fit(X, y, groups=groups)
    folds = list(GroupKFold(3).split(X, y, groups))
    given = clone(plain).set_params(cv=folds).fit(X, y)
    np.testing.assert_allclose(plain.weights_, given.weights_)
    assert plain.fusion_gain_interval_ != given.fusion_gain_interval_
    with config_context(enable_metadata_routing=True):
        routed = clone(plain).fit(X, y, groups=groups)
        np.testing.assert_allclose(routed.weights_, plain.weights_)
        search = GridSearchCV(plain, {"a__C": [0.1, 1]}, cv=GroupKFold(2), n_jobs=2)
        search.fit(X, y, groups=groups)


def test_a_modality_that_is_never_there_can_be_dropped():
    X, y = make_table(90)
    X[B] = np.nan
    fusion = MultimodalVotingClassifier(
        MODELS, weights={"a": 2, "b": 5, "noise": 1}, on_absent="drop"
    )
    with pytest.warns(UserWarning, match="'b' is missing from every row"):
        fusion.fit(X, y)
    assert fusion.named_estimators_["b"] == "drop"
    np.testing.assert_allclose(fusion.weights_, [2 / 3, 1 / 3])
    without = MultimodalVotingClassifier([MODELS[0], MODELS[2]], weights=[2, 1])
    np.testing.assert_array_equal(
        fusion.predict_proba(X), without.fit(X, y).predict_proba(X)
    )
    with pytest.raises(ValueError, match="on_absent='drop' leaves it out"):
        fusion.set_params(on_absent="raise").fit(X, y)


@pytest.mark.parametrize("weights", ["learned", "confidence"])
def test_hard_votes_have_no_probabilities_to_learn_from(weights):
    X, y = make_table(60)
    fusion = MultimodalVotingClassifier(MODELS, voting="hard", weights=weights)
    with pytest.raises(
        ValueError, match="needs probabilities|needs a voting rule with an obj"
    ):
        fusion.fit(X, y)


MANY = {
    "lists": RandomForestClassifier(n_estimators=5, random_state=0),
    "columns": OneVsRestClassifier(LogisticRegression()),
    "network": MLPClassifier((8,), max_iter=30, random_state=0),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("weights", [None, "learned", "confidence"])
@pytest.mark.parametrize("model", MANY)
def test_several_labels_are_fused_label_by_label(model, weights):
    X, y = make_table(150)
    Y = np.column_stack([y == 1, y > 0, np.arange(150) % 2]).astype(int)
    members = [("a", MANY[model], A), ("b", MANY["lists"], B)]
    fusion = MultimodalVotingClassifier(members, weights=weights, cv=3).fit(X, Y)
    proba = fusion.predict_proba(X)
    assert [p.shape for p in proba] == [(150, 2)] * 3
    assert fusion.predict(X).shape == Y.shape
    assert fusion.predict(X).dtype == Y.dtype
    if weights is None:
        first = MANY[model].fit(X[A], Y).predict_proba(X[A])
        second = MANY["lists"].fit(X[B], Y).predict_proba(X[B])
        for j in range(3):
            own = first[j][:, 1] if isinstance(first, list) else first[:, j]
            np.testing.assert_allclose(proba[j][:, 1], (own + second[j][:, 1]) / 2)


def test_several_targets_of_many_classes_come_back_as_they_were():
    X, y = make_table(120)
    Y = np.column_stack([np.array(["x", "y", "z"])[y], np.array(["no", "yes"])[y % 2]])
    forest = MANY["lists"]
    for voting in ("soft", "hard"):
        fusion = MultimodalVotingClassifier(
            [("a", forest, A), ("b", forest, B)], voting=voting
        ).fit(X, Y)
        predicted = fusion.predict(X)
        assert set(predicted[:, 1]) <= {"no", "yes"}
        assert (predicted == Y).all(axis=1).mean() > 0.8


PAIR = [("a", Ridge(), A), ("b", Ridge(10), B)]


@pytest.mark.parametrize("weights", [None, [1, 3]])
def test_complete_numbers_are_fused_as_by_scikit_learn(weights):
    X, y = make_table(target="numbers")
    same = [(name, model, slice(None)) for name, model, _ in PAIR]
    ours = MultimodalVotingRegressor(same, weights=weights).fit(X, y)
    theirs = VotingRegressor([s[:2] for s in same], weights=weights).fit(X, y)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X))


@pytest.mark.parametrize("voting", ["mean", "median"])
def test_numbers_are_fused_among_those_who_answer(voting):
    X, y = make_table(target="numbers")
    X = with_gaps(X, 0.4)
    members = [*PAIR, ("noise", Ridge(), NOISE)]
    weights = np.array([0.5, 0.3, 0.2])
    fusion = MultimodalVotingRegressor(members, voting=voting, weights=weights)
    with pytest.warns(AbstentionWarning, match="the mean of the training set"):
        fused, std = fusion.fit(X, y).predict(X, return_std=True)
    answers = fusion.transform(X)
    for row, told in enumerate(answers):
        here = ~np.isnan(told)
        if not here.any():
            assert fused[row] == pytest.approx(y.mean())
            assert np.isnan(std[row])
            continue
        mean = np.average(told[here], weights=weights[here])
        spread = np.average((told[here] - mean) ** 2, weights=weights[here])
        assert std[row] == pytest.approx(np.sqrt(spread), abs=1e-6)
        expected = mean
        if voting == "median":  # repeat each as often as it weighs
            times = (weights[here] * 10).round().astype(int)
            expected = np.median(np.repeat(told[here], times))
        assert fused[row] == pytest.approx(expected)


def test_learned_weights_minimise_the_squared_error():
    X, y = make_table(target="numbers")
    members = [*PAIR, ("noise", Ridge(), NOISE)]
    fusion = MultimodalVotingRegressor(members, weights="learned").fit(X, y)
    answers = np.column_stack(
        [cross_val_predict(model, X[columns], y) for _, model, columns in members]
    )
    result = minimize(
        lambda w: (
            np.mean((answers @ w - y) ** 2) / y.var()
            + 3 / len(y) * ((w - 1 / 3) ** 2).sum()
        ),
        np.full(3, 1 / 3),
        bounds=[(0, 1)] * 3,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        tol=1e-10,
    )
    np.testing.assert_allclose(fusion.weights_, result.x, atol=1e-3)
    assert fusion.fused_score_ <= r2_score(y, answers @ fusion.weights_)
    assert fusion.fused_score_ == pytest.approx(
        r2_score(y, answers @ result.x), abs=0.02
    )


def test_several_numbers_are_fused_column_by_column():
    X, y = make_table(target="numbers")
    Y = np.column_stack([y, -1000 * y, X["a0"]])
    fusion = MultimodalVotingRegressor(PAIR, weights="learned").fit(X, Y)
    predicted, std = fusion.predict(X, return_std=True)
    assert predicted.shape == std.shape == Y.shape
    np.testing.assert_allclose(-1000 * predicted[:, 0], predicted[:, 1])
    assert fusion.get_feature_names_out().tolist() == [
        f"{name}__{i}" for name in "ab" for i in range(3)
    ]
