"""Metadata and weights through fusions in fusions, empty selections, small tables."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mm import (
    CoTrainingClassifier,
    MultimodalStackingClassifier,
    MultimodalVotingClassifier,
    multimodal_pipeline,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.FusionWarning"),
    pytest.mark.filterwarnings("ignore:The least populated class"),
]
RNG = np.random.default_rng(0)
Y = RNG.integers(0, 2, 40)
X = pd.DataFrame(RNG.normal(size=(40, 3)) + Y[:, None], columns=["a", "b", "c"])
WEIGHT = RNG.integers(1, 4, 40)
NB = GaussianNB()
INNER = MultimodalVotingClassifier([("a", NB, ["a"]), ("b", NB, ["b"])])
INSIDE = {
    "vote": INNER,
    "pipeline": make_pipeline(StandardScaler(), GaussianNB()),
    "vote in a pipeline": make_pipeline(INNER),
    "search": GridSearchCV(NB, {"var_smoothing": [1e-9]}, cv=2),
    "search of a pipeline": GridSearchCV(
        make_pipeline(StandardScaler(), NB), {"gaussiannb__priors": [None]}, cv=2
    ),
    "scikit-learn's vote": VotingClassifier([("a", NB)], voting="soft"),
}


@pytest.mark.parametrize("kind", INSIDE)
def test_sample_weights_reach_what_is_inside_a_member(kind):
    members = [("inner", INSIDE[kind], ["a", "b"]), ("c", NB, ["c"])]
    fusion = MultimodalVotingClassifier(members)
    weighted = clone(fusion).fit(X, Y, sample_weight=WEIGHT).predict_proba(X)
    rows = np.repeat(np.arange(40), WEIGHT)
    table = X.iloc[rows].reset_index(drop=True)
    if "pipeline" in kind and "vote" not in kind:  # the scaler gets no weights
        members[0] = ("inner", GaussianNB(), ["a", "b"])
        fusion = MultimodalVotingClassifier(members)
    expected = clone(fusion).fit(table, Y[rows]).predict_proba(X)
    np.testing.assert_allclose(weighted, expected, atol=1e-6)


def test_a_model_without_weights_inside_a_fusion_is_named():
    inner = MultimodalVotingClassifier([("near", KNeighborsClassifier(), ["a"])])
    outer = MultimodalVotingClassifier([("inner", inner, ["a"])])
    with pytest.raises(TypeError, match="'near': KNeighbors.* takes no sample_weight"):
        outer.fit(X, Y, sample_weight=WEIGHT)


def test_what_is_requested_is_routed_and_nothing_else():
    groups = np.arange(40) // 4
    with config_context(enable_metadata_routing=True):
        asks = GaussianNB().set_fit_request(sample_weight=True)
        declines = GaussianNB().set_fit_request(sample_weight=False)
        vote = MultimodalVotingClassifier([("a", asks, ["a"]), ("b", declines, ["b"])])
        found = clone(vote).fit(X, Y, sample_weight=WEIGHT).transform(X)
        for column, weight, i in (("a", WEIGHT, 1), ("b", None, 3)):
            alone = GaussianNB().fit(X[[column]], Y, sample_weight=weight)
            expected = alone.predict_proba(X[[column]])[:, 1]
            np.testing.assert_allclose(found[:, i], expected)
        silent = MultimodalStackingClassifier([("a", asks, ["a"])], GaussianNB())
        with pytest.raises(UnsetMetadataPassedError):
            silent.fit(X, Y, sample_weight=WEIGHT)
        inner = clone(vote).set_params(weights="learned", cv=GroupKFold(2))
        # "splitter" is no name that means something else inside.
        outer = MultimodalStackingClassifier(
            [("splitter", inner, ["a", "b"]), ("c", asks, ["c"])], cv=GroupKFold(2)
        )
        outer.fit(X, Y, sample_weight=WEIGHT, groups=groups)
        scored = clone(vote).set_score_request(sample_weight=True)
        search = GridSearchCV(scored, {"a__var_smoothing": [1e-9]}, cv=2)
        assert search.fit(X, Y, sample_weight=WEIGHT).score(X, Y) > 0.5
        scores = cross_val_score(make_pipeline(vote), X, Y, error_score="raise")
        assert np.isfinite(scores).all()
        folds = ((np.arange(20), np.arange(20, 40)) for _ in range(1))
        once = clone(vote).set_params(weights="learned", cv=folds)  # read once
        assert once.fit(X, Y, sample_weight=WEIGHT).score(X, Y) > 0.5


def test_prefit_stacking_is_routed():
    prefit = [("a", GaussianNB().fit(X[["a"]], Y), ["a"])]
    stacking = make_pipeline(MultimodalStackingClassifier(prefit, cv="prefit"))
    expected = stacking.fit(X, Y).predict_proba(X)
    with config_context(enable_metadata_routing=True):
        np.testing.assert_array_equal(stacking.fit(X, Y).predict_proba(X), expected)


@pytest.mark.parametrize(
    "columns",
    [[], (), np.array([]), [False] * 3, np.zeros(3, bool), slice(0, 0), lambda X: []],
)
def test_a_member_of_no_columns_is_skipped(columns):
    members = [("a", NB, ["a"]), ("none", NB, columns), ("b", NB, ["b"])]
    vote = MultimodalVotingClassifier(members).fit(X, Y)
    np.testing.assert_array_equal(
        vote.predict_proba(X), INNER.fit(X, Y).predict_proba(X)
    )
    assert vote.named_estimators_["none"] == "drop"
    with pytest.raises(ValueError, match=r"select no column: \['none'\].*\['a', 'b'"):
        MultimodalVotingClassifier(members[1:2]).fit(X, Y)


@pytest.mark.parametrize("counts", [[4, 4], [8, 2, 1], [1, 1, 1, 1]])
def test_few_rows_make_fewer_folds(counts):
    y = np.repeat([f"class {i}" for i in range(len(counts))], counts)
    table = pd.DataFrame(RNG.normal(size=(len(y), 2)), columns=["a", "b"])
    members = [("a", LogisticRegression(), ["a"]), ("b", LogisticRegression(), ["b"])]
    for model in (
        multimodal_pipeline("classifier", random_state=0),
        MultimodalVotingClassifier(members, weights="learned"),
        MultimodalStackingClassifier(members),
    ):
        proba = model.fit(table, y).predict_proba(table)
        assert proba.shape == (len(y), len(counts))
        np.testing.assert_allclose(proba.sum(axis=1), 1)


@pytest.mark.parametrize("n_samples", [2, 5])
def test_few_numbers_make_fewer_folds_or_say_why_not(n_samples):
    model = multimodal_pipeline("regressor", random_state=0)
    table, y = X[:n_samples], np.arange(n_samples) * 1.5
    if n_samples < 3:
        with pytest.raises(ValueError, match="three rows.*n_samples = 2"):
            model.fit(table, y)
    else:
        assert np.isfinite(model.fit(table, y).predict(table)).all()


def test_columns_of_no_numbers_are_not_passed_through():
    table = X.assign(city="Bonn", day=pd.date_range("2020", periods=40))
    for name in ("city", "day"):
        stacking = MultimodalStackingClassifier([("a", NB, ["a"])], passthrough=[name])
        with pytest.raises(ValueError, match=f"column '{name}' of X is not one"):
            stacking.fit(table, Y)


def test_co_training_says_which_fusion_it_needs():
    with pytest.raises(TypeError, match="MultimodalVotingClassifier .* got Pipeline"):
        CoTrainingClassifier(multimodal_pipeline("classifier")).fit(X, Y)
