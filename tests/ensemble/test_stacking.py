"""Stacking: equality with scikit-learn, abstention, prefit models, the guard."""

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    StackingRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from sklearn_mm import (
    FusionWarning,
    MultimodalStackingClassifier,
    MultimodalStackingRegressor,
    MultimodalVotingClassifier,
)
from sklearn_mm.exceptions import AbstentionWarning

pytestmark = pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.FusionWarning")
LEFT, RIGHT = [0, 1], [2, 3]


def select(columns, model):
    return make_pipeline(ColumnTransformer([("own", "passthrough", columns)]), model)


def make_pairs(kind):
    if kind == "numbers":
        models = (Ridge(0.1), Ridge(1))
    elif kind == "decisions":
        models = (LinearSVC(random_state=0), LinearSVC(C=0.1, random_state=0))
    else:
        models = (GaussianNB(), LogisticRegression(max_iter=500))
    ours = [("left", models[0], LEFT), ("right", models[1], RIGHT)]
    theirs = [(name, select(columns, model)) for name, model, columns in ours]
    return ours, theirs


@pytest.mark.parametrize(
    ("kind", "load"),
    [
        ("many", load_iris),
        ("two", load_breast_cancer),
        ("decisions", load_iris),
        ("numbers", load_diabetes),
    ],
)
def test_complete_tables_are_stacked_as_by_scikit_learn(kind, load):
    X, y = load(return_X_y=True)
    X = (X[:, :4] - X[:, :4].mean(axis=0)) / X[:, :4].std(axis=0)
    pairs, theirs = make_pairs(kind)
    stacks = (MultimodalStackingClassifier, StackingClassifier)
    if kind == "numbers":
        stacks = (MultimodalStackingRegressor, StackingRegressor)
    final = RidgeCV() if kind == "numbers" else LogisticRegression()
    ours = stacks[0](pairs, final).fit(X, y)
    reference = stacks[1](theirs, final).fit(X, y)
    np.testing.assert_allclose(ours.transform(X), reference.transform(X), atol=1e-10)
    ask = "predict" if kind == "numbers" else "predict_proba"
    np.testing.assert_allclose(
        getattr(ours, ask)(X), getattr(reference, ask)(X), atol=1e-10
    )
    if kind != "numbers":
        np.testing.assert_array_equal(ours.predict(X), reference.predict(X))


def test_sample_weights_reach_the_members_and_the_final_estimator():
    X, y = load_iris(return_X_y=True)
    weight = np.random.default_rng(0).random(len(y))
    pairs, _ = make_pairs("many")
    stacking = MultimodalStackingClassifier(pairs, LogisticRegression())
    stacking.fit(X, y, sample_weight=weight)
    features = [
        cross_val_predict(
            model,
            X[:, columns],
            y,
            method="predict_proba",
            params={"sample_weight": weight},
        )
        for _, model, columns in pairs
    ]
    final = LogisticRegression().fit(np.hstack(features), y, sample_weight=weight)
    np.testing.assert_allclose(stacking.final_estimator_.coef_, final.coef_, atol=1e-3)


def make_gaps():
    X, y = load_iris(return_X_y=True)
    X = pd.DataFrame(X, columns=["sl", "sw", "pl", "pw"])
    rng = np.random.default_rng(0)
    X.loc[rng.random(150) < 0.3, ["sl", "sw"]] = np.nan
    X.loc[rng.random(150) < 0.3, ["pl", "pw"]] = np.nan
    return X, np.array(["setosa", "versicolor", "virginica"])[y]


MEMBERS = [("sepal", GaussianNB(), ["sl", "sw"]), ("petal", GaussianNB(), ["pl", "pw"])]


@pytest.mark.parametrize(
    "final", [None, HistGradientBoostingClassifier(max_iter=20, random_state=0)]
)
def test_abstentions_are_nan_and_said(final, tmp_path):
    X, y = make_gaps()
    stacking = MultimodalStackingClassifier(MEMBERS, final).fit(X, y)
    gone = X.isna().to_numpy()
    features = pd.DataFrame(
        stacking.transform(X), columns=stacking.get_feature_names_out()
    )
    assert list(features) == [
        *(f"{m}__{i}" for m in ("sepal", "petal") for i in range(3)),
        "sepal__abstains",
        "petal__abstains",
    ]
    np.testing.assert_array_equal(features["sepal__0"].isna(), gone[:, 0])
    np.testing.assert_array_equal(features["petal__abstains"] == 1, gone[:, 2])
    with pytest.warns(AbstentionWarning, match="the class frequencies"):
        proba = stacking.predict_proba(X)
    silent = gone.all(axis=1)
    np.testing.assert_allclose(
        proba[silent], np.tile(stacking.class_prior_, (silent.sum(), 1))
    )
    petals = ~gone[:, 2]
    assert stacking.score(X[petals], y[petals]) > 0.9
    joblib.dump(stacking, tmp_path / "s.joblib")
    np.testing.assert_array_equal(
        joblib.load(tmp_path / "s.joblib").predict(X[~silent]),
        stacking.predict(X[~silent]),
    )
    parallel = clone(stacking).set_params(n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(parallel.transform(X), stacking.transform(X))


def test_prefit_models_are_taken_as_they_are():
    X, y = load_iris(return_X_y=True)
    fitted = [
        ("left", GaussianNB().fit(X[:50:, LEFT], y[:50]), LEFT),
        ("right", GaussianNB().fit(X[::2][:, RIGHT], y[::2]), RIGHT),
    ][1:]
    final = LogisticRegression()
    stacking = MultimodalStackingClassifier(fitted, final, cv="prefit").fit(X, y)
    reference = StackingClassifier(
        [("right", select([0, 1], GaussianNB()).fit(X[::2][:, RIGHT], y[::2]))],
        final,
        cv="prefit",
    ).fit(X[:, RIGHT], y)
    np.testing.assert_allclose(
        stacking.predict_proba(X), reference.predict_proba(X[:, RIGHT]), atol=1e-10
    )
    unfitted = [("right", GaussianNB(), RIGHT)]
    with pytest.raises(ValueError, match="not fitted"):
        MultimodalStackingClassifier(unfitted, cv="prefit").fit(X, y)


@pytest.mark.parametrize("columns", ["sl", ["sl", "pw"], True])
def test_columns_are_passed_through(columns):
    X, y = make_gaps()
    X = X.fillna(X.mean())
    stacking = MultimodalStackingClassifier(MEMBERS, passthrough=columns).fit(X, y)
    names = ["sl"] if columns == "sl" else list(X) if columns is True else columns
    features = stacking.transform(X)
    np.testing.assert_array_equal(features[:, -len(names) :], X[names].to_numpy())
    assert stacking.get_feature_names_out()[-len(names) :].tolist() == names
    array = MultimodalStackingClassifier(
        [("left", GaussianNB(), LEFT)], passthrough=True
    )
    array.fit(X.to_numpy(), y)
    assert array.get_feature_names_out()[-4:].tolist() == ["x0", "x1", "x2", "x3"]
    frame = stacking.set_output(transform="pandas").transform(X)
    pd.testing.assert_frame_equal(frame[names], X[names])


def test_groups_make_the_folds():
    X, y = load_iris(return_X_y=True)
    groups = np.arange(150) % 7
    members = [("left", GaussianNB(), LEFT), ("right", GaussianNB(), RIGHT)]
    by_group = MultimodalStackingClassifier(members, cv=GroupKFold(3))
    by_group.fit(X, y, groups=groups)
    folds = list(GroupKFold(3).split(X, y, groups))
    given = MultimodalStackingClassifier(members, cv=folds).fit(X, y)
    np.testing.assert_allclose(
        by_group.final_estimator_.coef_, given.final_estimator_.coef_
    )


def test_several_labels_are_stacked_as_by_scikit_learn():
    X, y = load_iris(return_X_y=True)
    Y = np.column_stack([y == 0, y > 1, np.arange(150) % 2]).astype(int)
    forest = RandomForestClassifier(n_estimators=5, random_state=0)
    folds = list(StratifiedKFold(3).split(X, y))
    ours = MultimodalStackingClassifier(
        [("left", forest, LEFT), ("right", forest, RIGHT)], clone(forest), cv=folds
    ).fit(X, Y)
    theirs = StackingClassifier(
        [("left", select(LEFT, forest)), ("right", select(RIGHT, forest))],
        clone(forest),
        cv=folds,
    ).fit(X, Y)
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X))
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_the_guard_lets_the_best_modality_decide():
    X, y = load_iris(return_X_y=True)
    noise = np.random.default_rng(0).normal(size=(150, 2))
    X = np.hstack([X, noise])
    members = [("petal", GaussianNB(), RIGHT), ("noise", GaussianNB(), [4, 5])]
    poor = DummyClassifier()  # a final estimator that spoils it
    stacking = MultimodalStackingClassifier(members, poor, guard=True)
    with pytest.warns(FusionWarning, match="'petal' alone"):
        stacking.fit(X[::2], y[::2])
    alone = stacking.named_estimators_["petal"]
    assert stacking.guarded_ == "petal"
    np.testing.assert_array_equal(stacking.predict(X), alone.predict(X[:, RIGHT]))
    np.testing.assert_allclose(
        stacking.predict_proba(X), alone.predict_proba(X[:, RIGHT])
    )
    assert stacking.unimodal_scores_["petal"] > stacking.unimodal_scores_["noise"]
    stacking.set_params(guard=False)
    with pytest.warns(FusionWarning, match="guard=True would let it"):
        stacking.fit(X[::2], y[::2])
    assert stacking.guarded_ is None


def test_disagreement_is_the_jensen_shannon_divergence():
    X, y = make_gaps()
    voting = MultimodalVotingClassifier(MEMBERS).fit(X, y)
    stacking = MultimodalStackingClassifier(MEMBERS).fit(X, y)
    found = voting.disagreement(X)
    np.testing.assert_allclose(stacking.disagreement(X), found)
    answers = voting.transform(X).reshape(len(X), 2, 3)
    both = ~np.isnan(answers).any(axis=(1, 2))
    assert np.isnan(found[~both]).all()
    expected = [jensenshannon(p, q, base=2) ** 2 for p, q in answers[both]]
    np.testing.assert_allclose(found[both], expected, atol=1e-9)


def test_disagreement_finds_wrong_pairings():
    X, y = load_iris(return_X_y=True)
    train = np.arange(150) % 2 == 0
    members = [("petal", GaussianNB(), RIGHT), ("sepal", GaussianNB(), LEFT)]
    voting = MultimodalVotingClassifier(members).fit(X[train], y[train])
    test, labels = X[~train].copy(), y[~train]
    swapped = np.array([0, 30, 55, 70])
    test[np.ix_(swapped, LEFT)] = test[np.ix_(np.roll(swapped, 1), LEFT)]
    wrong = labels[swapped] != labels[np.roll(swapped, 1)]
    suspects = np.argsort(voting.disagreement(test))[::-1][:20]
    assert np.isin(swapped[wrong], suspects).mean() >= 0.5
