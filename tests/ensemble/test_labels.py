"""Labels as members learn them, and classes that a modality or a fold lacks."""

import warnings
from itertools import cycle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import SelectFromModel
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from sklearn_mm import (
    AbstentionWarning,
    CoTrainingClassifier,
    MultimodalStackingClassifier,
    MultimodalVotingClassifier,
    MultimodalVotingRegressor,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.FusionWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


class Strict(LogisticRegression):
    """As strict as XGBoost's classifier: it learns 0, 1, ... only."""

    def fit(self, X, y, sample_weight=None):
        if not np.array_equal(np.unique(y), np.arange(len(np.unique(y)))):
            raise ValueError(f"Expected the classes 0, 1, ..., got {np.unique(y)}.")
        return super().fit(X, y, sample_weight)


class Column(Strict):
    """As CatBoost's classifier: several classes are predicted in a column."""

    def predict(self, X):
        predicted = super().predict(X)
        return predicted[:, None] if len(self.classes_) > 2 else predicted


RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 3, 90)
X = pd.DataFrame(RNG.normal(size=(90, 2)) + CODES[:, None], columns=["a", "b"])
STRICT = [
    ("a", make_pipeline(SelectFromModel(Strict()), Strict()), ["a"]),
    ("b", Column(), ["b"]),
]
LEARNERS = {
    "soft": MultimodalVotingClassifier(STRICT, weights="learned", guard=True, cv=3),
    "hard": MultimodalVotingClassifier(STRICT, voting="hard"),
    "stacking": MultimodalStackingClassifier(STRICT, Column(), cv=3),
    "votes": MultimodalStackingClassifier(
        STRICT, Column(), cv=3, stack_method="predict", guard=True
    ),
}
NAMES = np.array(["n", "y", "z"])
TARGETS = {
    "1, 2, 3": CODES + 1,
    "negative": 5 * CODES - 5,
    "strings": NAMES[CODES],
    "objects": NAMES.astype(object)[CODES],
    "booleans": CODES > 0,
    "floats": 2.0 * CODES,
    "nullable": pd.Series(CODES + 1, dtype="Int64"),
    "boolean": pd.Series(CODES > 0, dtype="boolean"),
    "categories": pd.Series(NAMES[CODES]).astype("category"),
    "polars": pl.Series(NAMES[CODES].tolist(), dtype=pl.Categorical),
}


@pytest.mark.parametrize(("form", "name"), zip(TARGETS, cycle(LEARNERS)))
def test_members_learn_codes_and_the_fusion_predicts_labels(name, form):
    target = TARGETS[form]
    labels, codes = np.unique(np.asarray(target), return_inverse=True)
    table = X.assign(a=X["a"].where(codes != 0))  # a class that the member lacks
    model = LEARNERS[name].fit(table, target)
    expected = model.predict(table), model.classes_.tolist()
    assert expected[1] == labels.tolist()
    assert expected[0].dtype.kind == labels.dtype.kind
    coded = LEARNERS[name].fit(table, codes).predict(table)
    np.testing.assert_array_equal(expected[0], labels[coded])


def test_members_name_the_labels_that_their_classes_stand_for():
    table = X.assign(a=X["a"].where(CODES != 1))
    model = MultimodalVotingClassifier(STRICT).fit(table, NAMES[CODES])
    assert model.member_classes_["a"].tolist() == ["n", "z"]
    assert model.named_estimators_["a"].classes_.tolist() == [0, 1]
    alone = Strict().fit(table[["a"]][CODES != 1], CODES[CODES != 1] // 2)
    np.testing.assert_allclose(
        model.transform(table)[CODES != 1][:, [0, 2]],
        alone.predict_proba(table[["a"]][CODES != 1]),
    )


ONE_OF_TWO = (CODES > 0) + 1  # labels 1 and 2
LABELLED = {
    "class weights": LogisticRegression(class_weight={1: 9.0}),
    "in a pipeline": make_pipeline(LogisticRegression(class_weight={1: 9.0})),
    "in a grid": GridSearchCV(
        LogisticRegression(), {"class_weight": [{1: 9.0, 2: 1.0}]}, cv=2
    ),
    "scorer": GridSearchCV(
        LogisticRegression(),
        {"class_weight": [None, "balanced"]},
        scoring=make_scorer(f1_score, pos_label=1),
        cv=2,
    ),
    "calibrated": CalibratedClassifierCV(
        FrozenEstimator(LogisticRegression().fit(X[["a"]], ONE_OF_TWO))
    ),
}


@pytest.mark.parametrize("kind", LABELLED)
def test_members_whose_parameters_name_labels_get_labels(kind):
    model = LABELLED[kind]
    fusion = MultimodalVotingClassifier([("a", model, ["a"])]).fit(X, ONE_OF_TWO)
    alone = model.fit(X[["a"]], ONE_OF_TWO)
    np.testing.assert_allclose(
        fusion.predict_proba(X), alone.predict_proba(X[["a"]]), atol=1e-9
    )


def test_class_weights_hold_in_folds_and_modalities_without_the_class():
    table = X.assign(a=X["a"].where(CODES != 1))
    weighted = LogisticRegression(class_weight={"y": 3})
    members = [("a", weighted, ["a"]), ("b", weighted, ["b"])]
    fusion = MultimodalVotingClassifier(members).fit(table, NAMES[CODES])
    rows = CODES != 1
    alone = LogisticRegression().fit(table[["a"]][rows], CODES[rows])
    np.testing.assert_allclose(
        fusion.transform(table)[rows][:, [0, 2]],
        alone.predict_proba(table[["a"]][rows]),
    )
    wrong = LogisticRegression(class_weight={0: 3})
    with pytest.raises(ValueError, match="class_weight") as caught:
        MultimodalVotingClassifier([("a", wrong, ["a"])]).fit(X, NAMES[CODES])
    assert "modality 'a'" in caught.value.__notes__[0]


SICK = CODES > 0  # 60 of 90 rows
FEW = {
    "linear": LogisticRegression(),
    "strict": Strict(),
    "discriminant": LinearDiscriminantAnalysis(),
    "boosting": HistGradientBoostingClassifier(max_iter=2, early_stopping=True),
    "network": MLPClassifier(max_iter=2, early_stopping=True),
    "calibrated": CalibratedClassifierCV(LogisticRegression(), cv=3),
    "search": GridSearchCV(LogisticRegression(), {"C": [1, 10]}, cv=2),
    "decisions": LinearSVC(),
    "selected": make_pipeline(SelectFromModel(Strict()), LogisticRegression()),
    "weighted": LogisticRegression(class_weight={"well": 2}),
}


@pytest.mark.parametrize("n_well", [0, 2])
@pytest.mark.parametrize("kind", FEW)
def test_a_modality_that_one_class_has_predicts_that_class(kind, n_well):
    y = np.where(SICK, "sick", "well")
    table = X.copy()
    table.loc[np.flatnonzero(~SICK)[n_well:], "a"] = np.nan
    members = [("a", FEW[kind], ["a"]), ("b", LogisticRegression(), ["b"])]
    stacking = MultimodalStackingClassifier(members, cv=StratifiedKFold(2))
    fusions = [stacking.fit(table, y)]
    if kind != "decisions":
        voting = MultimodalVotingClassifier(members, weights="learned", cv=2)
        fusions.append(voting.fit(table, y))
        proba = voting.transform(table)[:, :2]
        np.testing.assert_array_equal(np.isnan(proba[:, 0]), table["a"].isna())
        np.testing.assert_allclose(proba[SICK].sum(axis=1), 1)
        if n_well == 0:
            np.testing.assert_array_equal(proba[SICK], [[1, 0]] * SICK.sum())
            assert voting.member_classes_["a"].tolist() == ["sick"]
    for fusion in fusions:
        assert fusion.score(table, y) > 0.6
        assert np.isfinite(fusion.predict_proba(table)).all()


def test_a_fold_that_a_model_refuses_is_left_out_with_a_warning():
    y = NAMES[CODES]
    rare = np.flatnonzero(CODES == 2)[3:]
    table, y = X.drop(index=rare), np.delete(y, rare)
    model = CalibratedClassifierCV(GaussianNB(), cv=3)  # three rows are enough
    members = [("a", model, ["a"]), ("b", GaussianNB(), ["b"])]
    three = np.flatnonzero(y == "z")
    rest = np.setdiff1d(np.arange(len(y)), three)
    folds = [(np.r_[rest[::2], three], rest[1::2]), (rest[1::2], three)]
    folds += [(np.r_[rest[1::2], three[:1]], rest[::2])]
    fusion = MultimodalVotingClassifier(members, weights="learned", cv=folds)
    fusion.fit(table, y)
    broken = MultimodalVotingClassifier(
        [("a", Refusing(), ["a"]), *members[1:]], weights="learned", cv=folds
    )
    with pytest.warns(AbstentionWarning, match="'a' abstains in 1 of 3.*2 labels"):
        broken.fit(table, y)
    with pytest.raises(ValueError, match="2 labels"):
        broken.set_params(cv=folds[1:2]).fit(table, y)


class Refusing(GaussianNB):
    """Refuses data that lack one of three classes, before codes are made."""

    def fit(self, X, y, sample_weight=None):
        if len(np.unique(y)) < 3:
            raise ValueError("2 labels")
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize("method", ["predict_proba", "decision_function", "predict"])
def test_folds_of_other_classes_are_stacked(method):
    y = np.where(CODES == 2, np.where(np.arange(90) < 60, 0, 2), CODES)
    y = np.where(np.cumsum(y == 2) > 2, 0, y)  # two rows of class 2
    members = [("a", LogisticRegression(), ["a"]), ("b", LogisticRegression(), ["b"])]
    folds = list(StratifiedKFold(3).split(X, y))
    stacking = MultimodalStackingClassifier(members, cv=folds, stack_method=method)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        stacking.fit(X, y)
    lacks = [len(np.unique(y[train])) < 3 for train, _ in folds]
    told = [w for w in caught if "cannot be compared" in str(w.message)]
    assert bool(told) == (method == "decision_function" and any(lacks))
    features = stacking.transform(X)
    model = LogisticRegression().fit(X[["a"]], y)
    expected = getattr(model, method)(X[["a"]]).reshape(len(X), -1)
    np.testing.assert_allclose(features[:, : expected.shape[1]], expected)
    assert stacking.predict_proba(X).shape == (90, 3)


@pytest.mark.parametrize(
    "model",
    [
        MultiOutputClassifier(Strict()),
        OneVsRestClassifier(LogisticRegression()),
        RandomForestClassifier(3, random_state=0),
        RidgeClassifier(),
    ],
)
@pytest.mark.parametrize("labels", [[0, 1], ["no", "yes"]])
def test_an_output_of_one_class_is_predicted_and_not_learned(model, labels):
    Y = np.array(labels)[np.column_stack([CODES > 0, CODES > 1, CODES % 2])]
    table = X.assign(a=X["a"].where(Y[:, 0] == labels[1]))
    if isinstance(model, OneVsRestClassifier | RidgeClassifier) and labels[0] != 0:
        pytest.skip("learns indicators only")
    members = [("a", model, ["a"]), ("b", model, ["b"])]
    voting = MultimodalVotingClassifier(members, voting="hard").fit(table, Y)
    present = table["a"].notna().to_numpy()
    votes = voting.transform(table)[present]
    np.testing.assert_array_equal(votes[:, :2], [[0, 1]] * present.sum())
    np.testing.assert_allclose(votes[:, 4:6].sum(axis=1), 1)
    forest = RandomForestClassifier(3, random_state=0)
    stacking = MultimodalStackingClassifier(members, forest, cv=3).fit(table, Y)
    assert stacking.predict(table).shape == Y.shape


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array([None, "a", "b"], object)[CODES], "labels are missing, the first in"),
        (np.array([np.nan, "a", "b"], object)[CODES].tolist(), "labels are missing"),
        (pd.Series(CODES, dtype="Int64").mask(CODES == 1), "labels are missing"),
        (np.array([1, "a", 2], object)[CODES], "types int, str"),
    ],
)
def test_labels_that_cannot_be_learned_are_named(y, message):
    members = [("a", GaussianNB(), ["a"]), ("b", GaussianNB(), ["b"])]
    for model in (
        MultimodalVotingClassifier(members),
        CoTrainingClassifier(MultimodalVotingClassifier(members)),
    ):
        with pytest.raises(ValueError, match=message):
            model.fit(X, y)


def test_a_model_of_one_target_says_what_several_need():
    members = [("a", Ridge(), ["a"]), ("b", HistGradientBoostingClassifier(), ["b"])]
    voting = MultimodalVotingClassifier(members[1:])
    with pytest.raises(ValueError, match="'b': Hist.* 2 columns.* MultiOutputClassif"):
        voting.fit(X, np.column_stack([CODES, CODES]))
    Y = np.column_stack([CODES, CODES])
    assert MultimodalVotingRegressor(members[:1]).fit(X, Y).predict(X).shape == Y.shape


def test_co_training_learns_codes_and_asks_no_model_of_one_class():
    members = [("a", Strict(), ["a"]), ("b", Column(), ["b"])]
    y = np.array(["n", "y", "z", -1], object)[np.where(np.arange(90) % 3, 3, CODES)]
    table = X.assign(a=X["a"].where((y == "n") | (y == -1)))
    model = CoTrainingClassifier(MultimodalVotingClassifier(members), max_iter=1)
    model.fit(table, y)
    # What "a" alone would have added to "b": it knows "n" only.
    assert model.n_iter_ == 1
    assert set(model.predict(table)) <= set(NAMES)
