"""What learned weights minimise, its certificates, and when equal weights are kept."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_predict
from sklearn.naive_bayes import GaussianNB

from sklearn_mm import MultimodalStackingClassifier, MultimodalVotingClassifier
from sklearn_mm.ensemble import LogLinearPool
from sklearn_mm.ensemble._dropout import drop_modalities
from sklearn_mm.ensemble._exponents import gather_evidence, learn_exponents
from sklearn_mm.ensemble._pooled_logistic import PooledLogisticRegression
from sklearn_mm.ensemble._weights import (
    learn_weights,
    make_log_loss,
    make_pool_objective,
    make_squared_loss,
    to_share,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.FusionWarning")
PRIOR = np.array([0.1, 0.2, 0.3, 0.4])


def make_answers(seed, share_missing=0.0, n_rows=400, n_classes=4):
    rng = np.random.default_rng(seed)
    true = rng.integers(n_classes, size=n_rows)
    logits = rng.normal(size=(3, n_rows, n_classes)) * [[[1]], [[2]], [[0.5]]]
    logits[:, np.arange(n_rows), true] += np.array([[2.0], [1.5], [0.0]])
    answers = np.exp(logits)
    answers /= answers.sum(axis=2, keepdims=True)
    answers[rng.random((3, n_rows)) < share_missing] = np.nan
    return answers, true


def make_objective(kind, seed, share_missing=0.0):
    answers, true = make_answers(seed, share_missing)
    n_rows = len(true)
    if kind == "mean":
        answers, fallback = answers[:, np.arange(n_rows), true], np.full(n_rows, 0.25)
        return make_pool_objective(answers, make_log_loss(n_rows), fallback)
    y = np.random.default_rng(seed).normal(size=n_rows)
    numbers = y + answers[:, :, 0] * [[1], [3], [9]] - 0.3
    return make_pool_objective(numbers, make_squared_loss(y), np.zeros(n_rows))


def make_evidence(seed, share_missing=0.0):
    answers, true = make_answers(seed, share_missing)
    share, _ = to_share(None, len(true))
    return gather_evidence(answers, true, share, PRIOR)


def differentiate(function, at):
    steps = np.eye(len(at)) * 1e-6
    return np.array([(function(at + d) - function(at - d)) / 2e-6 for d in steps])


@pytest.mark.parametrize("share_missing", [0.0, 0.4])
@pytest.mark.parametrize("kind", ["mean", "squares", "evidence"])
def test_derivatives_are_those_of_differences(kind, share_missing):
    weights = np.array([0.5, 0.3, 0.2])
    if kind == "evidence":
        objective = make_evidence(0, share_missing)
        hessian = differentiate(lambda w: objective(w)[1], weights)
        np.testing.assert_allclose(objective(weights)[2], hessian, atol=1e-6)
    else:
        objective = make_objective(kind, 0, share_missing)
    slopes = differentiate(lambda w: objective(w)[0], weights)
    np.testing.assert_allclose(objective(weights)[1], slopes, atol=1e-6)


@pytest.mark.parametrize("share_missing", [0.0, 0.4])
def test_objectives_are_the_loss_of_what_is_fused(share_missing):
    answers, true = make_answers(0, share_missing)
    weights = np.array([0.5, 0.3, 1.7])
    means, products = [], []
    for row, code in enumerate(true):  # one by one
        present = [m for m in range(3) if not np.isnan(answers[m, row, 0])]
        mean, product = 0.25, PRIOR.copy()
        if present:
            share = weights[present] / weights[present].sum()
            mean = share @ answers[present, row, code]
        for m in present:
            product *= (answers[m, row] / PRIOR) ** weights[m]
        means.append(-np.log(mean))
        products.append(-np.log(product[code] / product.sum()))
    loss = make_objective("mean", 0, share_missing)(weights / weights.sum())[0]
    np.testing.assert_allclose(loss, np.mean(means), rtol=1e-4)
    loss = make_evidence(0, share_missing)(weights)[0]
    np.testing.assert_allclose(loss, np.mean(products), rtol=1e-4)


@pytest.mark.parametrize("kind", ["mean", "squares"])
@pytest.mark.parametrize("n_rows", [4, 400])  # a strong penalty, and a weak one
def test_learned_weights_reach_the_certified_optimum(kind, n_rows):
    for seed in range(3):
        objective = make_objective(kind, seed)
        weights, gap = learn_weights(objective, 3, n_rows)
        assert 0 <= gap <= 1e-6
        assert weights.min() >= 0
        np.testing.assert_allclose(weights.sum(), 1)

        def penalized(w, objective=objective):
            return objective(w)[0] + 3 / n_rows * ((w - 1 / 3) ** 2).sum()

        def unconstrained(free, penalized=penalized):  # softmax, and another method
            w = np.exp(free - free.max())
            return penalized(w / w.sum())

        other = minimize(unconstrained, np.zeros(3), method="Nelder-Mead", tol=1e-10)
        assert penalized(weights) <= other.fun + 1e-6


@pytest.mark.parametrize("share_missing", [0.3, 0.7])
@pytest.mark.parametrize("kind", ["mean", "squares"])
def test_weights_learned_beside_absence_are_never_worse_than_equal(kind, share_missing):
    for seed in range(4):
        objective = make_objective(kind, seed, share_missing)
        weights, gap = learn_weights(objective, 3, 400, complete=False)
        assert gap <= 1e-6
        assert weights.min() >= 1e-3 * (1 - 1e-9)
        assert objective(weights)[0] <= objective(np.full(3, 1 / 3))[0] + 1e-6


@pytest.mark.parametrize("n_rows", [4, 400])
@pytest.mark.parametrize("share_missing", [0.0, 0.5])
def test_learned_exponents_reach_the_certified_optimum(n_rows, share_missing):
    for seed in range(3):
        evidence = make_evidence(seed, share_missing)
        exponents, gap = learn_exponents([evidence], 3, n_rows)
        assert 0 <= gap <= 1e-6

        def penalized(v, evidence=evidence):
            away = ((v - v.mean()) ** 2).sum() + 0.1 * 3 * (v.mean() - 1) ** 2
            return evidence(v)[0] + away / n_rows

        other = minimize(
            penalized,
            np.ones(3),
            bounds=[(0, None)] * 3,
            method="L-BFGS-B",
            options={"ftol": 1e-15, "gtol": 1e-10},
        )
        assert penalized(exponents) <= other.fun + 1e-9
        np.testing.assert_allclose(exponents, other.x, atol=1e-3)


def test_dropped_modalities_leave_each_row_an_answer():
    answers, _ = make_answers(0, 0.4)
    (dropped,) = drop_modalities([answers])
    before, after = ~np.isnan(answers[:, :, 0]), ~np.isnan(dropped[:, :, 0])
    assert not (after & ~before).any()
    np.testing.assert_array_equal(after.any(axis=0), before.any(axis=0))
    alone = after.sum(axis=0) == 1
    assert all((after[m] & alone).sum() > 20 for m in range(3))
    np.testing.assert_array_equal(dropped[after], answers[after])


X, y = load_digits(return_X_y=True)
X = X.reshape(-1, 8, 8) / 16
VIEWS = {"left": X[:, :, :4], "right": X[:, :, 4:], "top": X[:, :3]}
X = np.hstack([view.reshape(len(X), -1) for view in VIEWS.values()])
X = np.hstack([X, np.random.default_rng(0).normal(size=(len(X), 8))])
TRAIN, TEST = slice(0, 300), slice(300, None)
SIMILAR = [
    ("left", LogisticRegression(C=0.1), slice(0, 32)),
    ("right", LogisticRegression(C=0.1), slice(32, 64)),
]
UNEQUAL = [*SIMILAR, ("noise", GaussianNB(), slice(88, 96))]
SOFT = MultimodalVotingClassifier(SIMILAR)
RULES = ["soft", "product", LogLinearPool(divide_prior=True)]


def lose(share):
    gone = X.copy()
    rng = np.random.default_rng(1)
    for columns in (slice(0, 32), slice(32, 64), slice(88, 96)):
        gone[rng.random(len(X)) < share, columns] = np.nan
    return gone


@pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.AbstentionWarning")
@pytest.mark.parametrize("share", [0.0, 0.4])
@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("members", [SIMILAR, UNEQUAL], ids=["similar", "unequal"])
def test_learned_weights_are_as_good_as_equal_ones(members, rule, share):
    equal = MultimodalVotingClassifier(members, voting=rule)
    equal.fit(lose(share)[TRAIN], y[TRAIN])
    learned = clone(equal).set_params(weights="learned")
    learned.fit(lose(share)[TRAIN], y[TRAIN])
    losses = []
    for table in (X, lose(0.4)):
        scores = [each.score(table[TEST], y[TEST]) for each in (learned, equal)]
        assert scores[0] >= scores[1] - 0.003
        losses += [
            log_loss(y[TEST], each.predict_proba(table[TEST]))
            for each in (learned, equal)
        ]
    assert losses[0] + losses[2] < losses[1] + losses[3]
    if members is UNEQUAL:
        assert learned.weights_[2] < 0.15


def test_equal_weights_win_ties():
    twice = [("a", LogisticRegression(), slice(0, 32)), ("b", *SIMILAR[0][1:])]
    fusion = MultimodalVotingClassifier(twice, weights="learned")
    fusion.fit(X[TRAIN], y[TRAIN])
    assert fusion.weights_.tolist() == [0.5, 0.5]
    assert fusion.equal_score_ == fusion.fused_score_
    equal = clone(fusion).set_params(weights=None).fit(X[TRAIN], y[TRAIN])
    np.testing.assert_array_equal(fusion.predict(X), equal.predict(X))


def test_the_sharpness_minimises_the_log_loss_and_keeps_the_order():
    fusion = clone(SOFT).set_params(weights="learned", cv=3)
    fusion.fit(X[TRAIN], y[TRAIN])
    plain = SOFT.fit(X[TRAIN], y[TRAIN])
    assert fusion.sharpness_ > 1.2  # a mean is not sharp enough
    proba = plain.predict_proba(X[TEST]) ** fusion.sharpness_
    proba /= proba.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fusion.predict_proba(X[TEST]), proba)
    for columns in (slice(0, 32), slice(32, 64)):
        gone = X[TEST].copy()
        gone[:, columns] = np.nan
        np.testing.assert_array_equal(fusion.predict(gone), plain.predict(gone))
    oof = np.array(
        [
            cross_val_predict(m, X[TRAIN][:, c], y[TRAIN], cv=3, method="predict_proba")
            for _, m, c in SIMILAR
        ]
    )
    both = np.hstack([oof, drop_modalities([oof])[0]])
    present = np.vstack([np.ones(both.shape[1]), ~np.isnan(both[:, :, 0])])
    fused = np.log(np.nanmean(both, axis=0))

    def loss(powers):
        odds = np.exp((powers @ present)[:, None] * fused)
        return log_loss(np.tile(y[TRAIN], 2), odds / odds.sum(axis=1, keepdims=True))

    best = minimize(loss, np.ones(3), method="Nelder-Mead").x
    assert fusion.sharpness_ == pytest.approx(best.sum(), rel=0.05)


def test_a_modality_of_weight_zero_answers_alone():
    fusion = MultimodalVotingClassifier(UNEQUAL, weights=[1, 0, 0])
    fusion.fit(X[TRAIN], y[TRAIN])
    alone = X[TEST].copy()
    alone[:, :32] = alone[:, 88:] = np.nan
    np.testing.assert_array_equal(
        fusion.predict(alone), fusion.estimators_[1].predict(alone[:, 32:64])
    )


@pytest.mark.parametrize("weights", [[0.98, 0.02], "confidence"])
def test_the_gain_is_over_the_best_alternative(weights):
    fusion = clone(SOFT).set_params(weights=weights, guard=True, cv=3)
    fusion.fit(X[TRAIN], y[TRAIN])
    best = max([*fusion.unimodal_scores_.values(), fusion.equal_score_])
    assert fusion.fusion_gain_ == pytest.approx(fusion.fused_score_ - best)
    equal = clone(SOFT).set_params(guard=True, cv=3).fit(X[TRAIN], y[TRAIN])
    assert fusion.equal_score_ == pytest.approx(equal.fused_score_)
    if weights != "confidence":
        assert fusion.fusion_gain_over_ == fusion.guarded_ == "equal weights"
        np.testing.assert_allclose(
            fusion.predict_proba(X[TEST]), equal.predict_proba(X[TEST])
        )


def test_guarded_stacking_falls_back_to_equal_weights():
    stacking = MultimodalStackingClassifier(SIMILAR, GaussianNB(), guard=True, cv=3)
    stacking.fit(X[TRAIN], y[TRAIN])
    assert stacking.guarded_ == stacking.fusion_gain_over_ == "equal weights"
    equal = SOFT.fit(X[TRAIN], y[TRAIN])
    gone = lose(0.4)
    for table in (X, gone[~np.isnan(gone).all(axis=1)]):
        np.testing.assert_array_equal(stacking.predict(table), equal.predict(table))
    assert log_loss(y[TEST], stacking.predict_proba(X[TEST])) < log_loss(
        y[TEST], equal.predict_proba(X[TEST])
    )


@pytest.mark.parametrize("n_classes", [2, 10])
def test_the_default_of_stacking_is_the_pool_or_a_logistic_regression(n_classes):
    rows = y < n_classes
    table, target = X[rows], y[rows]
    oof = [
        cross_val_predict(m, table[:, c], target, cv=3, method="predict_proba")
        for _, m, c in UNEQUAL
    ]
    width = 1 if n_classes == 2 else n_classes
    features = np.hstack([p[:, -width:] for p in oof])
    blocks = [(i * width, (i + 1) * width) for i in range(3)]
    model = PooledLogisticRegression(blocks, np.arange(n_classes))
    few = model.fit(features[:60], target[:60]).predict_proba(features)
    product = np.exp(model._pool(np.array(oof)))
    product /= product.sum(axis=1, keepdims=True)
    assert np.abs(few - product).mean() < 0.01  # drawn to the pool of the exponents
    own = log_loss(target, model.fit(features, target).predict_proba(features))
    plain = LogisticRegression(max_iter=1000).fit(features, target)
    assert own < log_loss(target, plain.predict_proba(features))
    times = -(-10_001 // len(features))  # exponents are learned from 10,000 rows
    many = model.fit(np.tile(features, (times, 1)), np.tile(target, times))
    assert log_loss(target, many.predict_proba(features)) < own
    absent = np.full_like(features, np.nan)
    prior = np.bincount(target) + 0.5
    np.testing.assert_allclose(
        model.predict_proba(absent)[0], prior / prior.sum(), atol=0.05
    )
