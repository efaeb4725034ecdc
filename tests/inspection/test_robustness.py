"""Disturbed tables, and the scores on them."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    ImageLoader,
    MultimodalVotingClassifier,
    SequenceStatistics,
    TextVectorizer,
    VectorStacker,
)
from sklearn_mm.inspection import make_robustness_scorer, robustness_report
from sklearn_mm.inspection._declared import find_column_modalities, find_files
from sklearn_mm.inspection._disturb import disturb_columns
from sklearn_mm.modalities import get_modality

from ..conftest import encode_audio, encode_image, make_photo, make_tone
from .conftest import COLUMNS, VOTING, make_table

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_mm.exceptions.AbstentionWarning"
)
NO_FILES = {"root": None, "filesystem": None}
RATE = 8000


def make_cells(n_samples=30):
    """A column of every kind; row 3 is missing, row 4 of the files is broken."""
    seeds = range(n_samples)
    rng = np.random.default_rng(0)
    words = [" ".join(rng.permutation(["red", "green", "blue", "one"])) for _ in seeds]
    cells = {
        "image": [encode_image(make_photo(16, 24, seed)) for seed in seeds],
        "audio": [encode_audio(make_tone(2000, seed)) for seed in seeds],
        "text": [f"{word} {seed}" for seed, word in enumerate(words)],
        "sequence": [rng.normal(size=(9 + seed, 2)) for seed in seeds],
        "numeric": rng.normal(size=n_samples).tolist(),
        "vector": [rng.normal(size=5) for _ in seeds],
    }
    for column in cells.values():
        column[3] = None
    cells["image"][4] = cells["audio"][4] = b"\x89PNG broken"
    return cells


#: Disturbances by modality of the cells, in the order of the columns.
DISTURBANCES = {name: get_modality(name).list_disturbances() for name in make_cells()}


def make_frame(kind):
    cells = make_cells()
    if kind == "pandas":
        objects = {n: pd.Series(c, dtype=object) for n, c in cells.items()}
        return pd.DataFrame(objects).astype({"numeric": float})
    plain = ("text", "numeric", "image", "audio")
    return pl.DataFrame(
        {n: pl.Series(c, dtype=None if n in plain else pl.Object)
         for n, c in cells.items()}
    )  # fmt: skip


def make_member(modality):
    encoder = {
        "image": [ImageLoader(size=(4, 4), on_error="missing"), VectorStacker()],
        "audio": [
            AudioLoader(sampling_rate=RATE, on_error="missing"),
            AudioStatistics(sampling_rate=RATE),
        ],
        "text": [TextVectorizer()],
        "sequence": [SequenceStatistics()],
        "numeric": [],
        "vector": [VectorStacker()],
    }[modality]
    columns = ["numeric"] if modality == "numeric" else modality
    scaler = [] if modality == "text" else [StandardScaler()]
    return modality, make_pipeline(*encoder, *scaler, LogisticRegression()), columns


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_every_disturbance_of_every_kind_of_cell_is_tried(kind):
    X, y = make_frame(kind), np.arange(30) % 2
    fusion = MultimodalVotingClassifier([make_member(name) for name in make_cells()])
    fusion.fit(X, y)
    report = robustness_report(fusion, X, y, shares=[0, 0.5], random_state=0)
    assert list(report) == ["modality", "disturbance", "strength", "score", "loss"]
    tried = report.groupby("modality")["disturbance"].unique()
    for name, disturbances in tried.items():
        assert list(disturbances) == ["missing", "swapped", *DISTURBANCES[name]]
    whole = fusion.score(X, y)
    np.testing.assert_allclose(whole - report["score"], report["loss"])
    assert (report.loc[report["strength"] == 0, "loss"] == 0).any()
    again = robustness_report(fusion, X, y, shares=[0, 0.5], random_state=0)
    pd.testing.assert_frame_equal(report, again)


@pytest.mark.parametrize("kind", ["pandas", "polars"])
@pytest.mark.parametrize(
    ("name", "disturbance"), [(n, d) for n, own in DISTURBANCES.items() for d in own]
)
def test_cells_change_but_for_the_missing_and_the_broken(kind, name, disturbance):
    X = make_frame(kind)
    key = list(X.columns).index(name)
    kinds = find_column_modalities(X, [key], {}, NO_FILES)
    assert kinds == {key: get_modality(name)}
    strength = {"audio": 0, "image": 0.1}.get(name, 0.5)
    after = disturb_columns(X, kinds, disturbance, strength, 0, NO_FILES)
    old, new = list(X[name]), list(after[name])
    assert pd.isna(new[3])
    if name in ("image", "audio"):
        assert new[4] == old[4]
    if name == "audio":
        assert new[0][1] == RATE
    if name == "image":
        assert new[0].shape == (16, 24, 3)
        again = ImageLoader(size=(16, 24), color="rgb").fit_transform([old[0]])[0]
        assert np.corrcoef(again.ravel(), new[0].ravel())[0, 1] > 0.5
    assert not all(np.array_equal(a, b) for a, b in zip(old[5:], new[5:]))


@pytest.mark.parametrize("disturbance", ["missing", "swapped"])
def test_shares_of_the_rows_are_nested_and_no_row_keeps_its_own(disturbance):
    X = pd.DataFrame({"a": np.arange(50.0)})
    before = set()
    for share in [0.02, 0.1, 0.5, 1.0]:
        after = disturb_columns(
            X, {0: get_modality("numeric")}, disturbance, share, 0, NO_FILES
        )
        changed = set(np.flatnonzero(~(after["a"] == X["a"])))
        assert len(changed) == round(50 * share)
        assert before <= changed
        assert after["a"].isna().sum() == len(changed) * (disturbance == "missing")
        before = changed
    if disturbance == "swapped":
        assert sorted(after["a"]) == X["a"].tolist()


def test_noise_of_a_column_is_in_its_own_deviations():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 2)) * [1, 50]
    noise = disturb_columns(
        X, dict.fromkeys([0, 1], get_modality("numeric")), "noise", 0.3, 0, NO_FILES
    )
    np.testing.assert_allclose((noise - X).std(axis=0), [0.3, 15], rtol=0.05)


def test_lists_of_files_are_disturbed_one_by_one():
    photos = [[encode_image(make_photo(8, 8, s)), b"broken"] for s in range(3)]
    X = pd.DataFrame({"photos": photos})
    after = disturb_columns(X, {0: get_modality("image")}, "noise", 0.3, 0, NO_FILES)[
        "photos"
    ]
    assert after[0][0].shape == (8, 8, 3)
    assert after[0][1] == b"broken"


def test_files_are_looked_for_where_the_loader_does(tmp_path):
    for row in range(4):
        (tmp_path / f"{row}.png").write_bytes(encode_image(make_photo(8, 8, row)))
    X = pd.DataFrame({"image": [f"{row}.png" for row in range(4)]})
    loader = ImageLoader(root=tmp_path)
    model = make_pipeline(loader, VectorStacker(), LogisticRegression())
    fusion = MultimodalVotingClassifier([("image", model, "image")])
    files = find_files(fusion, "image")
    assert files == {"root": tmp_path, "filesystem": None}
    found = find_column_modalities(X, [0], {}, files)
    after = disturb_columns(X, found, "blur", 0.2, 0, files)
    assert after["image"][0].shape == (8, 8, 3)


def test_every_estimator_is_scored_under_disturbance(fitted):
    X, y = make_table(fitted)
    before = X.copy()
    report = robustness_report(
        fitted, X, y, modalities=COLUMNS, shares=[1], random_state=0
    )
    lost = report[report["disturbance"] == "missing"].set_index("modality")["loss"]
    assert lost["b"] > lost["a"]
    assert set(report["disturbance"]) == {"missing", "swapped", "noise"}
    assert X.equals(before)


def test_strengths_are_the_users(voting):
    X, y = make_table()
    strengths = {"numeric": {"noise": (5,)}}
    report = robustness_report(voting, X, y, shares=[0.5], strengths=strengths)
    assert report.loc[report["disturbance"] == "noise", "strength"].tolist() == [5, 5]
    with pytest.raises(ValueError, match="no 'rain' of 'image'"):
        robustness_report(voting, X, y, strengths={"image": {"rain": 1}})


def test_the_scorer_scores_the_disturbed_table_and_can_be_sent(voting):
    X, y = make_table()
    scorer = make_robustness_scorer("missing", 1.0, modality="b")
    lacking = X.assign(b0=np.nan, b1=np.nan)
    assert scorer(voting, X, y) == voting.score(lacking, y)
    assert pickle.loads(pickle.dumps(scorer))(voting, X, y) == scorer(voting, X, y)
    whole = make_robustness_scorer("missing", 0, scoring="neg_log_loss")
    assert whole(voting, X, y) < 0


def test_the_scorer_disturbs_each_modality_by_itself_or_those_of_a_list_together():
    X, y = make_table()
    lost = []

    def count_lost(estimator, X, y):
        lost.append((X["a0"].isna().sum(), X["b0"].isna().sum()))
        return len(lost)

    def score(**options):
        lost.clear()
        scorer = make_robustness_scorer("missing", 0.5, scoring=count_lost, **options)
        return scorer(clone(VOTING), X, y)

    half = len(X) // 2
    assert score() == 1.5  # the mean of two scores
    assert lost == [(half, 0), (0, half)]
    assert score(modality="b") == 1
    assert lost == [(0, half)]
    assert score(modality=["a", "b"]) == 1
    assert lost == [(half, half)]


def test_the_scorer_works_in_cross_validation(fitted):
    X, y = make_table(fitted)
    estimator = clone(fitted)
    scorer = make_robustness_scorer("swapped", 0.5)
    scores = cross_val_score(estimator, X, y, cv=2, scoring=scorer)
    plain = cross_val_score(estimator, X, y, cv=2)
    assert scores.mean() < plain.mean()


def test_the_scorer_chooses_in_a_search():
    X, y = make_table()
    scorer = make_robustness_scorer("missing", 1.0, modality="b")
    grid = {"weights": [[1, 1], [0, 1]]}
    search = GridSearchCV(VOTING, grid, cv=2, scoring=scorer, n_jobs=2).fit(X, y)
    assert search.best_params_ == {"weights": [1, 1]}


def test_what_the_scorer_cannot_disturb_is_refused(voting):
    X, y = make_table()
    with pytest.raises(ValueError, match="no disturbance 'blur'.*missing.*noise"):
        make_robustness_scorer("blur")(voting, X, y)
    with pytest.raises(ValueError, match="no modality 'c', only"):
        make_robustness_scorer(modality="c")(voting, X, y)
