"""Tables of any modalities: what is found, what is encoded, and the pipeline."""

import os
import subprocess
import sys
import warnings
from datetime import date
from pathlib import Path

import cv2
import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from skorch.helper import SliceDict

from sklearn_mm import (
    ImageLoader,
    LoadError,
    LoadWarning,
    MultimodalVectorizer,
    TextVectorizer,
    VectorStacker,
    multimodal_pipeline,
)
from sklearn_mm._columns.column import as_column

from ..conftest import (
    encode_audio,
    encode_image,
    encode_video,
    forget_samples,
    make_clip,
    make_photo,
    make_tone,
)

RNG = np.random.default_rng(0)
WORDS = ["red", "blue", "dress", "shoe", "warm", "cold", "wool", "silk", "long"]


def make_text(seed, n_words=6):
    return " ".join(np.random.default_rng(seed).choice(WORDS, n_words))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table of all modalities, 60 rows, whose class is in most of its columns."""
    folder = tmp_path_factory.mktemp("files")
    n = 60
    y = np.arange(n) % 2
    photos, sounds, videos = [], [], []
    for i in range(n):
        photo = make_photo(40, 40, seed=i) // (1 + y[i])
        photos.append(str(folder / f"{i}.png"))
        cv2.imwrite(photos[-1], photo)
        sounds.append(str(folder / f"{i}.wav"))
        Path(sounds[-1]).write_bytes(encode_audio(make_tone(2000, 3 * y[i] + 1)))
        videos.append(str(folder / f"{i % 4}.avi"))
    for i in range(4):
        Path(videos[i]).write_bytes(encode_video(make_clip(5, seed=i)))
    X = pd.DataFrame(
        {
            "photo": photos,
            "sound": sounds,
            "film": videos,
            "review": [make_text(i) + (" good" if y[i] else " bad") for i in range(n)],
            "shop": [["north", "south", "west"][i % 3] for i in range(n)],
            "price": RNG.normal(size=n) + y,
            "since": [date(2020 + i % 4, 1 + i % 12, 1) for i in range(n)],
            "sold": [bool(i % 4) for i in range(n)],
            "pulse": [RNG.normal(size=20 + i % 5) for i in range(n)],
            "embedding": [RNG.normal(size=7) for i in range(n)],
        }
    )
    return X, y


FOUND = {
    "photo": "image",
    "sound": "audio",
    "film": "video",
    "review": "text",
    "shop": "category",
    "price": "numeric",
    "since": "datetime",
    "sold": "boolean",
    "pulse": "sequence",
    "embedding": "vector",
}


def with_missing(X):
    """Miss each column's cell in a row of its own."""
    X = X.astype(object)
    for i, name in enumerate(X.columns):
        X.loc[X.index[i], name] = None
    return X


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_each_column_is_found_and_encoded(table, library, missing):
    X, _ = table
    X = with_missing(X) if missing else X
    if library == "polars":
        kinds = dict.fromkeys(("pulse", "embedding"), pl.Object) if missing else {}
        X = pl.DataFrame({n: pl.Series(list(X[n]), dtype=kinds.get(n)) for n in X})
    vectorizer = MultimodalVectorizer(n_components=5, random_state=0)
    features = vectorizer.fit_transform(X)
    assert vectorizer.modalities_ == FOUND
    names = vectorizer.get_feature_names_out()
    assert features.shape == (60, len(names))
    assert features.dtype == np.float32
    assert len(set(names)) == len(names)
    assert {name.split("__")[0] for name in names} == set(FOUND)
    assert np.isnan(features).any() == missing
    if missing:
        for i, name in enumerate(["photo", "sound", "film", "review"]):
            own = [n.startswith(f"{name}__") for n in names]
            rows = np.isnan(features[:, own]).all(axis=1)
            assert np.flatnonzero(rows).tolist() == [i]
    np.testing.assert_allclose(vectorizer.transform(X), features, atol=1e-5)


CELLS = {
    "JPEG bytes": ([encode_image(make_photo(), "JPEG")] * 4, "image"),
    "WebP bytes": ([encode_image(make_photo(), "WEBP")] * 4, "image"),
    "GIF bytes": ([encode_image(make_photo(), "GIF")] * 4, "image"),
    "FLAC bytes": ([encode_audio(make_tone(), "FLAC")] * 4, "audio"),
    "OGG bytes": ([encode_audio(make_tone(), "OGG")] * 4, "audio"),
    "MP3 bytes": ([encode_audio(make_tone(9000), "MP3")] * 4, "audio"),
    "MP4 bytes": ([encode_video(make_clip(), "mp4")] * 4, "video"),
    "Matroska bytes": ([encode_video(make_clip(), "mkv")] * 4, "video"),
    "gray photos": ([make_photo()[..., 0]] * 4, "image"),
    "colour photos": ([make_photo(30 + i) for i in range(4)], "image"),
    "photos in [0, 1]": ([RNG.random((28, 28)) for _ in range(4)], "image"),
    "frames": ([make_clip(5)] * 4, "video"),
    "channels": ([RNG.normal(size=(50 + i, 3)) for i in range(4)], "sequence"),
    "square series": ([RNG.normal(size=(12, 12)) for i in range(4)], "sequence"),
    "pairs": ([(make_tone(), 8000)] * 4, "audio"),
    "lists of numbers": ([[1, 2, 3]] * 4, "vector"),
    "lists of photos": ([[make_photo()] * 3] * 4, "image"),
    "photos and one broken": ([make_photo()] * 9 + [b"no"], "image"),
    "lists of photos and one broken": ([[make_photo()]] * 9 + [[b"no"]], "image"),
    "lists of files": ([["a.jpg", "b.jpg"]] * 4, "image"),
    "extensions": (["x/a.WAV", "b.wav", "c.flac", "d.mp3"], "audio"),
    "paths": ([Path("a.png"), Path("b.png")] * 2, "image"),
    "URLs": ([f"https://host.invalid/{i}.jpg" for i in range(4)], "category"),
    "labels": (["a dress", "a shoe"] * 30, "category"),
    "names": ([f"name{i}" for i in range(60)], "category"),
    "sentences": ([make_text(i) for i in range(60)], "text"),
    "flags": ([True, False, None, True], "boolean"),
    "numbers as objects": (np.array([1, 2.5, None, 3], dtype=object), "numeric"),
    "nothing": ([None, np.nan, None, None], "empty"),
}


@pytest.mark.parametrize("name", CELLS)
def test_cells_tell_their_modality(name):
    cells, modality = CELLS[name]
    column = pd.Series(list(cells), dtype=object)
    X = pd.DataFrame({"a": column, "n": np.arange(len(cells))})
    vectorizer = MultimodalVectorizer(on_error="missing").fit(X)
    assert vectorizer.modalities_["a"] == modality, vectorizer.reasons_


def test_first_bytes_win_over_the_extension_and_give_one_that_lacks(tmp_path):
    for i in range(4):
        (tmp_path / f"{i}.jpg").write_bytes(encode_audio(make_tone(seed=i)))
        (tmp_path / f"{i}").write_bytes(encode_image(make_photo(seed=i)))
    X = pd.DataFrame(
        {"a": [f"{i}.jpg" for i in range(4)], "b": [str(i) for i in range(4)]}
    )
    vectorizer = MultimodalVectorizer(root=tmp_path).fit(X)
    assert vectorizer.modalities_ == {"a": "audio", "b": "image"}


def test_detection_opens_no_device_and_nothing_outside_the_root(tmp_path):
    os.mkfifo(tmp_path / "fifo.png")  # to open it would wait for a writer
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").write_bytes(encode_image(make_photo()))
    X = pd.DataFrame({"a": ["../secret"] * 4, "n": range(4)})
    vectorizer = MultimodalVectorizer(root=tmp_path / "in").fit(X)
    assert vectorizer.modalities_["a"] == "category"
    X = pd.DataFrame({"a": ["fifo.png"] * 4, "n": range(4)})
    with pytest.raises(LoadError, match="not a regular file"):
        MultimodalVectorizer(root=tmp_path).fit(X)


@pytest.mark.parametrize("kind", [str, Path, lambda path: [path, path]])
def test_detection_opens_a_few_files_only(tmp_path, monkeypatch, kind):
    from sklearn_mm._modalities import detect as _detect

    opened = []
    monkeypatch.setattr(_detect, "read_head", lambda path, root: opened.append(path))
    column = as_column([kind(f"{i}.png") for i in range(300)], "test")
    assert _detect.detect_modality(column)[0] == "image"
    assert len(opened) == 5


def test_declared_columns_win(table):
    X, _ = table
    declared = {"shop": "text", "price": "category", "embedding": "vector"}
    vectorizer = MultimodalVectorizer(
        {**declared, "film": "drop", "since": "drop"}
    ).fit(X)
    found = vectorizer.modalities_
    assert (found["shop"], found["price"], found["film"]) == (
        "text",
        "category",
        "drop",
    )
    assert vectorizer.reasons_["shop"] == "declared"
    assert "film" not in vectorizer.encoders_
    vectorizer.transform(X.drop(columns="film"))
    for columns, match in (
        ({"foto": "image"}, r"'foto': 'image'.*: X has no column \['foto'\], only"),
        ({"photo": "picture"}, "'photo': 'picture'.*: expected one of"),
        ({"photo": "image", ("photo", "shop"): "text"}, "'photo' more than once"),
    ):
        with pytest.raises(ValueError, match=match):
            MultimodalVectorizer(columns).fit(X)


def test_encoders_are_replaced_by_one_argument(table):
    X, _ = table
    X = X[["photo", "review"]]
    encoder = make_pipeline(ImageLoader((14, 14)), VectorStacker())
    encoders = {"image": encoder, "text": TextVectorizer()}
    vectorizer = MultimodalVectorizer(encoders=encoders, n_components=None)
    names = vectorizer.fit(X).get_feature_names_out()
    assert sum(name.startswith("photo__value") for name in names) == 14 * 14
    with pytest.raises(ValueError, match="must return vectors"):
        MultimodalVectorizer(encoders={"image": ImageLoader()}).fit(X)


@pytest.mark.parametrize("scaling", ["frobenius", "sqrt", None])
def test_modalities_count_the_same_whatever_their_width(table, scaling):
    X, _ = table
    X = X[["photo", "review", "pulse", "embedding", "price"]]
    vectorizer = MultimodalVectorizer(n_components=None, block_scaling=scaling)
    features = vectorizer.fit_transform(X)
    assert sparse.issparse(features)
    features = features.toarray()
    names = vectorizer.get_feature_names_out()
    for name in X:
        own = features[:, [n.startswith(f"{name}__") for n in names]]
        assert own.shape[1] == sum(n.startswith(f"{name}__") for n in names)
        if scaling == "frobenius":
            assert np.isclose(own.var(axis=0).sum(), 1, rtol=1e-3)
        if scaling == "sqrt":
            raw = own * np.sqrt(own.shape[1])
            plain = clone(vectorizer).set_params(block_scaling=None).fit_transform(X)
            plain = plain.toarray()[:, [n.startswith(f"{name}__") for n in names]]
            np.testing.assert_allclose(raw, plain, rtol=1e-4, atol=1e-5)


def test_components_are_those_of_scikit_learn(table):
    from sklearn.decomposition import PCA

    X, _ = table
    vectorizer = MultimodalVectorizer(n_components=3, block_scaling=None)
    features = vectorizer.fit_transform(X[["photo"]])
    whole = MultimodalVectorizer(n_components=None, block_scaling=None)
    raw = whole.fit_transform(X[["photo"]])
    expected = PCA(3, svd_solver="full").fit_transform(raw)
    np.testing.assert_allclose(features.var(axis=0), expected.var(axis=0), rtol=0.02)


def test_missing_cells_become_indicators(table):
    X, _ = table
    X = with_missing(X[["photo", "review", "price"]])
    X.loc[X.index[7], "photo"] = "no-such-file.png"
    with pytest.raises(LoadError, match="row 7"):
        MultimodalVectorizer().fit(X)
    for n_components in (4, None):
        vectorizer = MultimodalVectorizer(
            n_components=n_components, add_indicator=True, on_error="missing"
        ).set_output(transform="pandas")
        features = vectorizer.fit_transform(X)
        names = list(vectorizer.get_feature_names_out())
        assert names[-3:] == ["photo__missing", "review__missing", "price__missing"]
        for name, rows in (("photo", [0, 7]), ("review", [1]), ("price", [2])):
            flagged = np.flatnonzero(features[f"{name}__missing"])
            assert flagged.tolist() == rows


def test_containers_are_those_asked_for(table):
    X, _ = table
    vectorizer = MultimodalVectorizer(n_components=3).set_output(transform="polars")
    assert isinstance(vectorizer.fit_transform(X), pl.DataFrame)
    named = {name: X[name].to_numpy() for name in ("price", "photo")}
    pictures = np.stack([make_photo(20, 20, seed) for seed in range(60)])
    from_dict = MultimodalVectorizer().fit({**named, "picture": pictures})
    assert from_dict.modalities_["picture"] == "image"
    numbers = MultimodalVectorizer().fit(RNG.normal(size=(20, 3)))
    assert numbers.modalities_ == dict.fromkeys(["x0", "x1", "x2"], "numeric")


def test_columns_are_known_by_name(table):
    X, _ = table
    vectorizer = MultimodalVectorizer(n_components=3).fit(X)
    features = vectorizer.transform(X)
    turned = vectorizer.transform(X[X.columns[::-1]].assign(more=1))
    np.testing.assert_array_equal(turned, features)
    with pytest.raises(ValueError, match=r"no column \['sound'\].*Fill it with None"):
        vectorizer.transform(X.drop(columns="sound"))
    empty = vectorizer.transform(X.assign(sound=None))
    names = vectorizer.get_feature_names_out()
    sound = np.array([name.startswith("sound__") for name in names])
    assert np.isnan(empty[:, sound]).all()
    np.testing.assert_array_equal(empty[:, ~sound], features[:, ~sound])


def test_it_says_what_it_found(table, capsys):
    X, _ = table
    vectorizer = MultimodalVectorizer(verbose=1)
    before = vectorizer._repr_html_()
    assert "HOGEncoder" in before
    assert "AudioStatistics" in before
    vectorizer.fit(X[["photo", "price"]])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "[MultimodalVectorizer] photo: image (by the files' first bytes)"
    )
    after = vectorizer._repr_html_()
    assert "photo (image)" in after
    assert "price (numeric)" in after


def test_a_grid_search_decodes_each_file_once(table, monkeypatch):
    from sklearn_mm.image import _loader

    X, y = table
    forget_samples()
    calls = []
    own = _loader.decode_image
    monkeypatch.setattr(
        _loader, "decode_image", lambda *args, **kw: calls.append(1) or own(*args, **kw)
    )
    model = make_pipeline(MultimodalVectorizer(), LogisticRegression())
    grid = {"logisticregression__C": [0.1, 1, 10]}
    GridSearchCV(model, grid, cv=3).fit(X[["photo"]], y)
    assert len(calls) == 60


@pytest.mark.parametrize(
    "estimator",
    [
        "classifier",
        LogisticRegression(),
        HistGradientBoostingClassifier(min_samples_leaf=5),
        SVC(),
    ],
    ids=lambda e: e if isinstance(e, str) else type(e).__name__,
)
def test_one_line_learns_with_missing_and_broken_cells(table, estimator):
    X, y = table
    X = with_missing(X)
    X.loc[X.index[11], "photo"] = __file__  # no image
    model = multimodal_pipeline(estimator, random_state=0)
    with pytest.warns(LoadWarning, match="row 11"):
        model.fit(X[:40], y[:40])
    assert model.score(X[40:], y[40:]) >= 0.9
    absent = X[40:].assign(photo=None, film=None)
    assert model.predict(absent).shape == (20,)


def test_one_line_predicts_numbers_and_is_saved(table, tmp_path):
    X, y = table
    X = X[["photo", "review", "price"]]
    target = 3.0 * y + X["price"]
    model = multimodal_pipeline("regressor", random_state=0).fit(X[:45], target[:45])
    assert model.score(X[45:], target[45:]) > 0.6
    joblib.dump((model, X), tmp_path / "model.joblib")
    code = f"""
import joblib, numpy as np
model, X = joblib.load({str(tmp_path / "model.joblib")!r})
np.save({str(tmp_path / "answers.npy")!r}, model.predict(X))
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    answers = np.load(tmp_path / "answers.npy")
    np.testing.assert_allclose(answers, model.predict(X), rtol=1e-5)


def test_one_line_is_tuned_in_processes(table):
    X, y = table
    X = X[["photo", "price"]]
    model = multimodal_pipeline("classifier")
    grid = {"fusion__all__multimodalvectorizer__n_components": [5, None]}
    search = GridSearchCV(model, grid, cv=3, n_jobs=2, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.9
    scores = cross_val_score(multimodal_pipeline(LogisticRegression()), X, y, cv=3)
    assert scores.mean() > 0.8


def test_one_line_keeps_to_what_is_declared(table):
    X, y = table
    vectorizer = MultimodalVectorizer(
        {"price": "drop", "photo": "drop", "shop": "text"}
    )
    model = multimodal_pipeline("classifier", vectorizer=vectorizer)
    columns = X[["price", "photo", "shop", "sold", "review"]]
    fusion = model.fit(columns, y)[-1]
    used = fusion.named_estimators_
    assert set(used["table"][0].modalities_) == {"sold"}
    assert set(used["all"][0].modalities_) == {"shop", "sold", "review"}
    model.predict(columns.drop(columns=["price", "photo"]))
    only_text = multimodal_pipeline("classifier").fit(X[["review"]], y)
    assert only_text[-1].named_estimators_["table"] == "drop"
    assert only_text[-1].weights_.tolist() == [1.0]


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_folds_keep_groups_together_and_are_one_where_rows_are_many(kind):
    folds = multimodal_pipeline(kind)[-1].cv
    for n, n_folds in ((200, 5), (10_000, 1)):
        y = np.arange(n) % 2
        for groups in (None, np.arange(n) // 4):
            found = list(folds.split(np.zeros(n), y, groups))
            assert len(found) == folds.get_n_splits(y=y) == n_folds
            for train, test in found:
                assert len(test) == n // 5
                assert not set(train) & set(test)
                if groups is not None:
                    assert not set(groups[train]) & set(groups[test])


def test_what_cannot_be_a_pipeline_is_refused():
    for wrong, error in (("cluster", ValueError), (LogisticRegression, TypeError)):
        with pytest.raises(error, match="'classifier', 'regressor'"):
            multimodal_pipeline(wrong)


def test_no_warning_is_given_without_reason(table):
    X, y = table
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        multimodal_pipeline("classifier", random_state=0).fit(X[["photo", "review"]], y)


def test_one_line_takes_dicts_of_arrays_and_plain_arrays():
    y = np.arange(60) % 2
    table = SliceDict(
        photo=RNG.random((60, 16, 16)).astype(np.float32) / (1 + y)[:, None, None],
        price=RNG.normal(size=60),
        code=np.where(y, 7, 3) + 10 * RNG.integers(0, 3, 60),
    )
    vectorizer = MultimodalVectorizer({"code": "category", "photo": "image"})
    model = multimodal_pipeline("classifier", vectorizer=vectorizer).fit(table, y)
    assert model.score(table, y) == 1
    assert model[-1].named_estimators_["table"][0].modalities_["code"] == "category"
    numbers = RNG.normal(size=(60, 3))
    numbers[:, 1] += 3 * y
    assert multimodal_pipeline("classifier").fit(numbers, y).score(numbers, y) > 0.8


def test_a_column_that_is_empty_in_a_fold_fails_no_fit():
    y = np.arange(60) % 2
    few = pd.Series([1.5] + [None] * 59, dtype=object)
    X = pd.DataFrame({"a": y * 1.0, "few": few})
    X["review"] = [make_text(i) for i in range(60)]
    assert multimodal_pipeline("classifier").fit(X, y).score(X, y) == 1
