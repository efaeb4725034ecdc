"""Fusion by vote: equality with scikit-learn, abstention, columns, routing."""

import subprocess
import sys
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils._testing import assert_allclose

from sklearn_mm import (
    AbstentionWarning,
    AudioLoader,
    AudioStatistics,
    HOGEncoder,
    ImageLoader,
    LoadError,
    MultimodalVotingClassifier,
    TextVectorizer,
    VectorStacker,
)
from sklearn_mm.datasets import load_av_digits

from ..conftest import Progress

IMAGE = make_pipeline(
    ImageLoader((14, 14), on_error="missing"), VectorStacker(), LogisticRegression()
)
AUDIO = make_pipeline(
    AudioLoader(8000, on_error="missing"),
    AudioStatistics(8000, 13),
    StandardScaler(),
    LogisticRegression(),
)
BOTH = [("image", IMAGE, "image"), ("audio", AUDIO, "audio")]


@pytest.fixture(scope="module")
def digits():
    X, y = load_av_digits(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(X))[:150]
    return X.iloc[rows].reset_index(drop=True), y.to_numpy()[rows]


@pytest.fixture
def table():
    """Numbers and texts of three classes, and missing cells in either."""
    rng = np.random.default_rng(0)
    y = np.array(["a", "b", "c"] * 40)
    words = {"a": "apple red", "b": "berry blue", "c": "citrus green"}
    X = pd.DataFrame(rng.normal(size=(120, 3)), columns=["u", "v", "w"])
    X += pd.get_dummies(y).to_numpy() * 1.5
    X["text"] = [" ".join(rng.choice((words[c] + " the of").split(), 3)) for c in y]
    gaps = X.copy()
    gaps.loc[rng.random(120) < 0.3, ["u", "v", "w"]] = np.nan
    gaps.loc[rng.random(120) < 0.3, "text"] = None
    return X, gaps, y


NUMBERS = ("numbers", LogisticRegression(), ["u", "v", "w"])
TEXT = ("text", make_pipeline(TextVectorizer(), LogisticRegression()), "text")


@pytest.mark.parametrize("voting", ["soft", "hard"])
@pytest.mark.parametrize("weights", [None, [1, 3]])
def test_complete_rows_are_fused_as_by_scikit_learn(table, voting, weights):
    X, _, y = table
    ours = MultimodalVotingClassifier([NUMBERS, TEXT], voting=voting, weights=weights)
    numbers = ColumnTransformer([("n", "passthrough", ["u", "v", "w"])])
    text = ColumnTransformer([("t", TextVectorizer(), "text")], sparse_threshold=1)
    theirs = VotingClassifier(
        [
            ("numbers", make_pipeline(numbers, LogisticRegression())),
            ("text", make_pipeline(text, LogisticRegression())),
        ],
        voting=voting,
        weights=weights,
    )
    ours.fit(X, y), theirs.fit(X, y)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    if voting == "soft":
        difference = np.abs(ours.predict_proba(X) - theirs.predict_proba(X))
        assert difference.max() < 1e-12


def fuse_slowly(X, y, weights):
    """Abstention by the definition, in a loop over rows."""
    n_present = X[["u", "v", "w"]].notna().all(axis=1)
    t_present = X["text"].notna()
    numbers = LogisticRegression().fit(X.loc[n_present, ["u", "v", "w"]], y[n_present])
    text = make_pipeline(TfidfVectorizer(dtype=np.float32), LogisticRegression())
    text.fit(X.loc[t_present, "text"], y[t_present])
    prior = np.array([np.mean(y == c) for c in np.unique(y)])
    rows = []
    for i in range(len(X)):
        answers = []
        if n_present[i]:
            row = X.loc[[i], ["u", "v", "w"]]
            answers.append((weights[0], numbers.predict_proba(row)[0]))
        if t_present[i]:
            answers.append((weights[1], text.predict_proba([X["text"][i]])[0]))
        total = sum(w for w, _ in answers)
        rows.append(sum(w * p for w, p in answers) / total if answers else prior)
    return np.array(rows)


def test_modalities_abstain_where_they_are_absent(table):
    _, gaps, y = table
    fusion = MultimodalVotingClassifier([NUMBERS, TEXT], weights=[2, 1]).fit(gaps, y)
    n_silent = (gaps["text"].isna() & gaps["u"].isna()).sum()
    assert n_silent > 0
    with pytest.warns(AbstentionWarning, match=f"on {n_silent} of 120 rows") as caught:
        probabilities = fusion.predict_proba(gaps)
    assert len(caught) == 1
    np.testing.assert_allclose(probabilities, fuse_slowly(gaps, y, [2, 1]), atol=1e-6)
    answers = fusion.transform(gaps)
    np.testing.assert_array_equal(np.isnan(answers[:, 0]), gaps["u"].isna())
    np.testing.assert_array_equal(np.isnan(answers[:, 3]), gaps["text"].isna())
    names = fusion.get_feature_names_out().tolist()
    assert names[:4] == ["numbers__a", "numbers__b", "numbers__c", "text__a"]


def test_hard_votes_count_those_who_answer(table):
    _, gaps, y = table
    fusion = MultimodalVotingClassifier(
        [NUMBERS, TEXT], voting="hard", weights={"numbers": 1, "text": 2}
    ).fit(gaps, y)
    assert not hasattr(fusion, "predict_proba")
    votes = fusion.transform(gaps)
    text_answers = ~np.isnan(votes[:, 3])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AbstentionWarning)
        predicted = fusion.predict(gaps)
    heavier = fusion.classes_[votes[:, 3:].argmax(axis=1)]
    np.testing.assert_array_equal(predicted[text_answers], heavier[text_answers])
    only_numbers = ~text_answers & ~np.isnan(votes[:, 0])
    lighter = fusion.classes_[votes[:, :3].argmax(axis=1)]
    np.testing.assert_array_equal(predicted[only_numbers], lighter[only_numbers])


def test_broken_files_are_absent_in_fit_and_predict(digits):
    X, y = digits
    broken = X.copy()
    broken.loc[:9, "image"] = pd.Series([b"broken"] * 10)
    broken.loc[10:19, "audio"] = pd.Series([b"broken"] * 10)
    missing = X.astype(object)
    missing.loc[:9, "image"] = None
    missing.loc[10:19, "audio"] = None
    fused = [
        MultimodalVotingClassifier(BOTH).fit(table, y).predict_proba(other)
        for table in (broken, missing)
        for other in (broken, missing)
    ]
    for other in fused[1:]:
        np.testing.assert_array_equal(other, fused[0])
    alone = clone(AUDIO).fit(
        X["audio"].drop(index=range(10, 20)), np.delete(y, range(10, 20))
    )
    heard = alone.predict_proba(X["audio"][:10])
    np.testing.assert_allclose(fused[0][:10], heard, rtol=1e-4)  # float32, other BLAS


def nested(*steps):
    """The image pipeline with PCA, which refuses NaN, written another way."""
    return make_pipeline(*steps, LogisticRegression())


@pytest.mark.parametrize(
    "model",
    [
        nested(
            ImageLoader(on_error="missing"), HOGEncoder(), PCA(20, svd_solver="full")
        ),
        nested(
            make_pipeline(
                ImageLoader(on_error="missing"),
                HOGEncoder(),
                PCA(20, svd_solver="full"),
            )
        ),
        nested(
            make_pipeline(ImageLoader(on_error="missing"), HOGEncoder()),
            PCA(20, svd_solver="full"),
        ),
        nested(
            ImageLoader(on_error="missing"),
            "passthrough",
            FeatureUnion([("hog", HOGEncoder()), ("pixels", VectorStacker())]),
            PCA(20, svd_solver="full"),
        ),
    ],
)
def test_steps_that_refuse_nan_never_see_what_could_not_be_read(digits, model):
    X, y = digits
    X = X.copy()
    X.loc[:4, "image"] = pd.Series([b"broken"] * 5)
    fusion = MultimodalVotingClassifier([("image", model, "image")]).fit(X, y)
    expected = clone(model).fit(X["image"][5:], y[5:]).predict_proba(X["image"][5:])
    with pytest.warns(AbstentionWarning, match="5 of 150"):
        fused = fusion.predict_proba(X)
    np.testing.assert_allclose(fused[5:], expected, atol=1e-6)
    np.testing.assert_allclose(fused[:5], np.tile(fusion.class_prior_, (5, 1)))
    # The fitted pipeline is one that works by itself.
    np.testing.assert_allclose(
        fusion.named_estimators_["image"].predict_proba(X["image"][5:]), expected
    )


def test_errors_say_which_modality_and_columns(digits):
    X, y = digits
    strict = clone(IMAGE).set_params(imageloader__on_error="raise")
    bad = X.copy()
    bad.loc[3, "image"] = b"broken"
    fusion = MultimodalVotingClassifier([("photo", strict, "image")])
    for n_jobs in (None, 2):
        with pytest.raises(LoadError, match="row 3") as caught:
            fusion.set_params(n_jobs=n_jobs).fit(bad, y)
        notes = " ".join(caught.value.__notes__)
        assert "modality 'photo', columns 'image'" in notes
    fusion.fit(X, y)
    with pytest.raises(LoadError) as caught:
        fusion.predict(bad)
    assert "modality 'photo'" in caught.value.__notes__[0]


def test_a_modality_missing_from_every_row_is_an_error_by_name(digits):
    X, y = digits
    for nothing in (None, b"broken"):
        lost = X.assign(audio=pd.Series([nothing] * len(X), dtype=object))
        with pytest.raises(ValueError) as caught:
            MultimodalVotingClassifier(BOTH).fit(lost, y)
        assert "missing from every row" in str(caught.value)
        assert "'audio'" in caught.value.__notes__[0]


def test_a_class_that_a_modality_never_saw_has_probability_zero(table):
    X, _, y = table
    X = X.copy()
    X.loc[y == "a", "text"] = None
    fusion = MultimodalVotingClassifier([NUMBERS, TEXT]).fit(X, y)
    answers = fusion.transform(X.assign(text="apple red"))
    np.testing.assert_array_equal(answers[:, 3], 0)
    np.testing.assert_allclose(answers[:, 3:].sum(axis=1), 1)
    text = fusion.named_estimators_["text"]
    expected = text.predict_proba(pd.Series(["apple red"]))[0]
    np.testing.assert_allclose(answers[0, 4:], expected)


def test_dropped_modalities_are_left_out(table):
    X, _, y = table
    fusion = MultimodalVotingClassifier([NUMBERS, TEXT], weights=[3, 1])
    fusion.set_params(numbers="drop").fit(X, y)
    alone = clone(TEXT[1]).fit(X["text"], y).predict_proba(X["text"])
    np.testing.assert_allclose(fusion.predict_proba(X), alone)
    assert fusion.weights_.tolist() == [1]
    assert fusion.named_estimators_["numbers"] == "drop"
    with pytest.raises(ValueError, match="All modalities are dropped"):
        fusion.set_params(text="drop").fit(X, y)


class Counting(ClassifierMixin, BaseEstimator):
    """Counts its fits on the class, which clones share."""

    n_fits = 0

    def fit(self, X, y):
        type(self).n_fits += 1
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


def test_frozen_models_are_not_fitted_again(table):
    X, gaps, y = table
    frozen = FrozenEstimator(clone(TEXT[1]).fit(X["text"], y))
    fusion = MultimodalVotingClassifier([("text", frozen, "text"), NUMBERS])
    fusion.fit(gaps, y, sample_weight=np.ones(120))
    assert fusion.named_estimators_["text"] is frozen
    present = gaps["text"].notna()
    np.testing.assert_allclose(
        fusion.transform(gaps)[present, :3], frozen.predict_proba(gaps["text"][present])
    )
    fusion.fit(gaps[y != "a"], y[y != "a"])  # the frozen model knows "a" all the same
    assert fusion.classes_.tolist() == ["a", "b", "c"]


def test_each_model_is_fitted_once(table):
    X, _, y = table
    Counting.n_fits = 0
    estimators = [("x", Counting(), ["u"]), ("y", Counting(), ["v"])]
    MultimodalVotingClassifier(estimators).fit(X, y).predict(X)
    assert Counting.n_fits == 2


COLUMNS = [
    ["u", "v"],
    [0, 1],
    slice(0, 2),
    slice("u", "v"),
    [True, True, False, False],
    np.array([0, 1]),
    lambda X: ["u", "v"],
]


@pytest.mark.parametrize("columns", COLUMNS)
def test_columns_mean_what_they_mean_in_a_column_transformer(table, columns):
    X, _, y = table
    fusion = MultimodalVotingClassifier([("numbers", LogisticRegression(), columns)])
    expected = LogisticRegression().fit(X[["u", "v"]], y).predict_proba(X[["u", "v"]])
    np.testing.assert_allclose(fusion.fit(X, y).predict_proba(X), expected)


def test_polars_pandas_and_arrays_agree(table):
    X, gaps, y = table
    fusion = MultimodalVotingClassifier([NUMBERS, TEXT])
    warnings.simplefilter("ignore", AbstentionWarning)
    expected = fusion.fit(gaps, y).predict_proba(gaps)
    frame = pl.from_pandas(gaps)
    np.testing.assert_allclose(fusion.fit(frame, y).predict_proba(frame), expected)
    by_index = MultimodalVotingClassifier([(*NUMBERS[:2], [0, 1, 2]), (*TEXT[:2], 3)])
    array = gaps.to_numpy(dtype=object)
    np.testing.assert_allclose(by_index.fit(array, y).predict_proba(array), expected)


def test_dicts_of_arrays_are_tables():
    from skorch.helper import SliceDict

    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    images = (rng.random((60, 8, 8)) + y[:, None, None]).astype(np.float32) / 2
    images[::7] = np.nan
    X = SliceDict(image=images, numbers=rng.normal(size=(60, 2)) + y[:, None])
    image = make_pipeline(VectorStacker(), LogisticRegression())
    fusion = MultimodalVotingClassifier(
        [("image", image, "image"), ("numbers", LogisticRegression(), "numbers")]
    )
    fusion.fit(X, y)
    assert np.isnan(fusion.transform(X)[::7, 0]).all()
    assert np.mean(fusion.predict(X) == y) > 0.9
    assert len(cross_val_predict(fusion, X, y, cv=3)) == 60
    with pytest.raises(
        ValueError, match=r"modality 'image': X has no column \['image'"
    ):
        fusion.predict(SliceDict(numbers=X["numbers"]))


def test_columns_by_name_may_come_in_any_order_and_with_others(table):
    X, _, y = table
    fusion = MultimodalVotingClassifier([NUMBERS, TEXT]).fit(X, y)
    other = X[["text", "w", "u", "v"]].assign(label=y)
    np.testing.assert_array_equal(fusion.predict_proba(other), fusion.predict_proba(X))
    with pytest.raises(ValueError, match=r"'text': X has no column \['text'\].*None"):
        fusion.predict(X[["u", "v", "w"]])
    by_place = MultimodalVotingClassifier([(*NUMBERS[:2], slice(0, 3))]).fit(X, y)
    with pytest.raises(ValueError, match="feature names should match"):
        by_place.predict(other)


def test_sample_weights_reach_every_model_and_the_prior(table):
    _, gaps, y = table
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 4, len(y))
    repeated = np.repeat(np.arange(len(y)), counts)
    models = [
        (NUMBERS[0], make_pipeline(FunctionTransformer(), GaussianNB()), NUMBERS[2]),
        (
            TEXT[0],
            make_pipeline(TextVectorizer(use_idf=False), LogisticRegression()),
            "text",
        ),
    ]
    weighted = MultimodalVotingClassifier(models).fit(gaps, y, sample_weight=counts)
    longer = MultimodalVotingClassifier(models).fit(
        gaps.iloc[repeated].reset_index(drop=True), y[repeated]
    )
    np.testing.assert_allclose(weighted.class_prior_, longer.class_prior_)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AbstentionWarning)
        np.testing.assert_allclose(
            weighted.predict_proba(gaps), longer.predict_proba(gaps), atol=1e-3
        )
    neighbours = ("knn", KNeighborsClassifier(), ["u", "v", "w"])
    with pytest.raises(TypeError, match="'knn': KNeighborsClassifier.fit takes no sam"):
        MultimodalVotingClassifier([neighbours]).fit(gaps, y, sample_weight=counts)
    with pytest.raises(TypeError, match=r"got \['tempo'\]"):
        MultimodalVotingClassifier(models).fit(gaps, y, tempo=counts)


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps what metadata its fit got."""

    def fit(self, X, y, sample_weight=None, groups=None):
        self.classes_ = np.unique(y)
        self.got_ = {"sample_weight": sample_weight, "groups": groups}
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


class Step(TransformerMixin, BaseEstimator):
    """A transformer that takes groups."""

    def fit(self, X, y=None, groups=None):
        self.got_ = groups
        return self

    def transform(self, X):
        return X


def test_metadata_is_routed_and_follows_the_rows(table):
    _, gaps, y = table
    weight, groups = np.arange(120.0), np.arange(120) + 1000
    with config_context(enable_metadata_routing=True):
        wants = Recorder().set_fit_request(sample_weight=True, groups="people")
        chain = Pipeline(
            [("step", Step().set_fit_request(groups="people")), ("r", wants)]
        )
        plain = Recorder().set_fit_request(sample_weight=False, groups=False)
        fusion = MultimodalVotingClassifier(
            [("a", chain, "text"), ("b", wants, ["u", "v"]), ("c", plain, "w")]
        )
        fusion.fit(gaps, y, sample_weight=weight, people=groups)
    text, numbers = gaps["text"].notna(), gaps["u"].notna()
    a, b, c = fusion.estimators_
    np.testing.assert_array_equal(a["step"].got_, groups[text])
    np.testing.assert_array_equal(a["r"].got_["sample_weight"], weight[text])
    np.testing.assert_array_equal(a["r"].got_["groups"], groups[text])
    np.testing.assert_array_equal(b.got_["groups"], groups[numbers])
    assert c.got_ == {"sample_weight": None, "groups": None}


def test_results_do_not_depend_on_n_jobs(digits):
    X, y = digits
    one = MultimodalVotingClassifier(BOTH).fit(X, y).predict_proba(X)
    two = MultimodalVotingClassifier(BOTH, n_jobs=2).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(one, two)


def test_a_grid_search_tunes_weights_members_and_their_parameters(digits):
    X, y = digits
    grid = {
        "weights": [[1, 1], [0, 1]],
        "image": [IMAGE, "drop"],
        "audio__audiostatistics__n_mfcc": [5, 13],
    }
    grid = [grid | {"image": [IMAGE]}, grid | {"image": ["drop"]}]
    search = GridSearchCV(
        MultimodalVotingClassifier(BOTH), grid, cv=3, n_jobs=2, error_score="raise"
    )
    search.fit(X, y)
    scores = {
        (
            str(p["weights"]),
            p["image"] == "drop",
            p["audio__audiostatistics__n_mfcc"],
        ): s
        for p, s in zip(
            search.cv_results_["params"], search.cv_results_["mean_test_score"]
        )
    }
    assert len(scores) == 8
    # No weight, or dropped: the same. More coefficients: another score.
    assert scores["[0, 1]", False, 13] == scores["[1, 1]", True, 13]
    assert scores["[0, 1]", False, 13] != scores["[0, 1]", False, 5]


def test_a_saved_model_predicts_the_same_in_another_process(digits, tmp_path):
    X, y = digits
    fusion = MultimodalVotingClassifier(BOTH).fit(X, y)
    file = str(tmp_path / "model.joblib")
    joblib.dump((fusion, X), file)
    code = (
        "import joblib, sys; model, X = joblib.load(sys.argv[1]);"
        "joblib.dump((model.predict_proba(X), 'torch' in sys.modules), sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, file], check=True)
    probabilities, loaded_torch = joblib.load(file)
    np.testing.assert_array_equal(probabilities, fusion.predict_proba(X))
    assert not loaded_torch, "the tier without networks must not import torch"


@pytest.mark.parametrize(
    ("estimators", "error", "message"),
    [
        ([], ValueError, "non-empty list"),
        ([("a", LogisticRegression())], ValueError, r"\(name, estimator, columns\)"),
        ([("a", "skip", "u")], TypeError, "expected an estimator or 'drop'"),
        ([("a", LinearRegression(), ["u"])], TypeError, "is not a classifier"),
        ([("a", LinearSVC(), ["u"])], AttributeError, "needs predict_proba"),
        ([("a__b", LogisticRegression(), ["u"])], ValueError, "must not contain __"),
        ([NUMBERS, NUMBERS], ValueError, "not unique"),
        ([("a", LogisticRegression(), ["z"])], ValueError, r"no column \['z'\]"),
    ],
)
def test_wrong_specs_are_refused_with_a_reason(table, estimators, error, message):
    X, _, y = table
    with pytest.raises(error, match=message):
        MultimodalVotingClassifier(estimators).fit(X, y)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1], "one number for each of the 2 modalities"),
        ([1, -1], "not negative"),
        ([0, 0], "one of them positive"),
        ([1, np.nan], "finite"),
        ({"numbers": 1}, r"must name the modalities \['numbers', 'text'\]"),
    ],
)
def test_wrong_weights_are_refused_with_a_reason(table, weights, message):
    X, _, y = table
    with pytest.raises(ValueError, match=message):
        MultimodalVotingClassifier([NUMBERS, TEXT], weights=weights).fit(X, y)


def test_tables_that_cannot_be_told_apart_are_refused(table):
    X, _, y = table
    twice = pd.concat([X, X[["u"]]], axis=1)
    with pytest.raises(ValueError, match="unique column names"):
        MultimodalVotingClassifier([NUMBERS, TEXT]).fit(twice, y)


def test_the_html_repr_shows_the_modalities(table):
    html = MultimodalVotingClassifier([NUMBERS, TEXT])._repr_html_()
    assert "numbers" in html
    assert "text" in html
    assert "TextVectorizer" in html


def test_scikit_learns_callbacks_see_the_modalities(table):
    X, _, y = table
    progress = Progress()
    MultimodalVotingClassifier([NUMBERS, TEXT]).set_callbacks(progress).fit(X, y)
    assert progress.tasks == [
        "fit",
        "fit-numbers",
        "fit-numbers done",
        "fit-text",
        "fit-text done",
        "fit done",
    ]


def test_verbose_prints_a_line_a_modality(table, capsys):
    X, _, y = table
    MultimodalVotingClassifier([NUMBERS, TEXT], verbose=True).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "(1 of 2) Fitting numbers" in lines[0]


def test_transform_obeys_set_output(table):
    X, _, y = table
    fusion = MultimodalVotingClassifier([NUMBERS, TEXT]).set_output(transform="pandas")
    frame = fusion.fit(X, y).transform(X)
    assert frame.columns[0] == "numbers__a"
    assert_allclose(frame.iloc[:, :3].sum(axis=1), 1)
