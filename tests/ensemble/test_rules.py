"""Voting rules, named or passed, and one that is written outside of the package."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import trim_mean
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from sklearn_mm import MultimodalVotingClassifier, MultimodalVotingRegressor
from sklearn_mm.ensemble import (
    LinearPool,
    LogLinearPool,
    MajorityVote,
    PoolingRule,
    WeightedMean,
    WeightedMedian,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.FusionWarning"),
    pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.AbstentionWarning"),
]
NAMES = [f"x{i}" for i in range(4)]
CLASSIFIERS = [(name, LogisticRegression(), [name]) for name in NAMES]
REGRESSORS = [(name, Ridge(), [name]) for name in NAMES]


class TrimmedMean(PoolingRule):
    """Mean of the predictions that are present, the outer ones cut off."""

    def __init__(self, proportion=0.25):
        self.proportion = proportion

    def fuse(self, predictions, weights, prior):
        fused = np.empty(predictions.shape[1:])
        for row in range(predictions.shape[1]):
            present = predictions[weights[:, row] > 0, row]
            fused[row] = trim_mean(present, self.proportion, axis=0)
        return fused


class PowerMean(PoolingRule):
    """Square root of the mean of the squared probabilities; its weights are learned."""

    def fuse(self, predictions, weights, prior):
        powers = np.nan_to_num(predictions) ** 2
        fused = np.sqrt(np.einsum("mn,mnk->nk", weights, powers))
        return fused / fused.sum(axis=1, keepdims=True)

    def objective(self, predictions, target, prior, sample_weight=None):
        rows = np.arange(len(target))

        def loss(weights):
            present = ~np.isnan(predictions[:, :, 0])
            fused = self.fuse(predictions, weights[:, None] * present, prior)
            return -np.log(np.maximum(fused[rows, target], 1e-15)).mean()

        return lambda weights: (loss(weights), approx_fprime(weights, loss, 1e-7))


def make_table(share=0.0):
    rng = np.random.default_rng(0)
    y = np.arange(240) % 3
    X = rng.normal(size=(240, 4)) + 1.5 * y[:, None] * [1, -1, 0.5, 0]
    X[rng.random((240, 4)) < share] = np.nan
    return pd.DataFrame(X, columns=NAMES), y


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("soft", LinearPool()),
        ("product", LogLinearPool()),
        ("hard", MajorityVote()),
        ("mean", WeightedMean()),
        ("median", WeightedMedian()),
    ],
)
def test_a_name_is_short_for_a_rule(name, rule):
    X, y = make_table(0.2)
    fusion = MultimodalVotingClassifier(CLASSIFIERS)
    if name in ("mean", "median"):
        fusion = MultimodalVotingRegressor(REGRESSORS)
    named = clone(fusion).set_params(voting=name).fit(X, y)
    passed = clone(fusion).set_params(voting=rule).fit(X, y)
    np.testing.assert_array_equal(passed.predict(X), named.predict(X))
    assert hasattr(passed, "predict_proba") == hasattr(named, "predict_proba")


@pytest.mark.parametrize("share", [0.0, 0.3])
@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_a_rule_from_outside_fuses(kind, share):
    X, y = make_table(share)
    fusion = MultimodalVotingClassifier(CLASSIFIERS, voting=TrimmedMean())
    if kind == "numbers":
        fusion = MultimodalVotingRegressor(REGRESSORS, voting=TrimmedMean())
    fusion.fit(X, y)
    predictions = fusion.transform(X).reshape(len(X), 4, -1)
    fused = fusion.predict_proba(X) if kind == "classes" else fusion.predict(X)[:, None]
    for row, member_predictions in enumerate(predictions):
        present = member_predictions[~np.isnan(member_predictions[:, 0])]
        if len(present):
            expected = trim_mean(present, 0.25, axis=0)
        else:
            expected = np.bincount(y) / len(y) if kind == "classes" else y.mean()
        np.testing.assert_allclose(fused[row], expected)


def test_a_rule_from_outside_is_cloned_and_tuned():
    X, y = make_table()
    fusion = MultimodalVotingClassifier(CLASSIFIERS, voting=TrimmedMean(0.1))
    assert fusion.get_params()["voting__proportion"] == 0.1
    copy = clone(fusion).set_params(voting__proportion=0.4)
    assert copy.voting.proportion == 0.4
    assert fusion.voting.proportion == 0.1
    grid = [
        {"voting": ["soft", TrimmedMean(), LogLinearPool()]},
        {"voting": [TrimmedMean()], "voting__proportion": [0.0, 0.25]},
    ]
    search = GridSearchCV(fusion, grid, cv=3, n_jobs=2, error_score="raise").fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert scores[3] == scores[0]  # nothing is trimmed: the mean
    assert scores[4] == scores[1]


def test_weights_are_learned_by_the_objective_of_a_rule():
    X, y = make_table()
    fusion = MultimodalVotingClassifier(
        CLASSIFIERS, voting=PowerMean(), weights="learned"
    ).fit(X, y)
    oof = np.array(
        [
            cross_val_predict(model, X[columns], y, method="predict_proba")
            for _, model, columns in CLASSIFIERS
        ]
    )
    rule, weights, gap = PowerMean().learn([oof], [y], [fusion.class_prior_])
    assert gap <= 1e-6
    objective = rule.objective(oof, y, fusion.class_prior_)
    best = objective(weights)[0]
    for other in (np.full(4, 0.25), *np.eye(4)):
        assert best <= objective(other)[0] + 0.01  # of the penalty
    assert weights[3] < 0.05  # noise
    choice = fusion.weights_, fusion.weights_gap_
    assert choice[1] == pytest.approx(gap)
    assert np.allclose(choice[0], weights) or choice[0].tolist() == [0.25] * 4


@pytest.mark.parametrize("rule", [TrimmedMean(), "hard", MajorityVote()])
def test_a_rule_without_an_objective_learns_no_weights(rule):
    X, y = make_table()
    fusion = MultimodalVotingClassifier(CLASSIFIERS, voting=rule, weights="learned")
    with pytest.raises(ValueError, match="needs a voting rule with an objective"):
        fusion.fit(X, y)


def test_a_rule_of_votes_needs_no_probabilities():
    class Unanimous(PoolingRule):
        method = "predict"

        def fuse(self, predictions, weights, prior):
            return np.where(np.nanmin(predictions, axis=0) == 1, 1.0, prior)

    X, y = make_table()
    members = [(name, LinearSVC(), [name]) for name in NAMES[:2]]
    fusion = MultimodalVotingClassifier(members, voting=Unanimous()).fit(X, y)
    assert not hasattr(fusion, "predict_proba")
    votes = fusion.transform(X).reshape(len(X), 2, 3).argmax(axis=2)
    agreed = votes[:, 0] == votes[:, 1]
    np.testing.assert_array_equal(fusion.predict(X)[agreed], votes[agreed, 0])
    with pytest.raises(ValueError, match="needs probabilities"):
        fusion.set_params(calibration="sigmoid").fit(X, y)


@pytest.mark.parametrize("voting", ["mode", GaussianNB(), TrimmedMean, None])
def test_what_is_no_rule_is_refused(voting):
    X, y = make_table()
    fusion = MultimodalVotingClassifier(CLASSIFIERS, voting=voting)
    hasattr(fusion, "predict_proba")
    with pytest.raises(ValueError, match="The 'voting' parameter .* must be"):
        fusion.fit(X, y)
