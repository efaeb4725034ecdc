"""The cache: what is encoded again and what is not, beside the encoder by itself."""

import os
import subprocess
import sys
import warnings
import weakref
from functools import partial

import cv2
import joblib
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    CachedEncoder,
    CacheWarning,
    HOGEncoder,
    ImageLoader,
    LoadError,
    LoadWarning,
    LogMelSpectrogram,
    PooledEncoder,
    SequencePadder,
    SequenceStatistics,
    VectorStacker,
)
from sklearn_mm.cache import clear_memory, set_memory_limit
from sklearn_mm.cache._memory import MEMORY

from ..conftest import Progress, encode_audio, forget_samples, make_photo, make_tone

HOG = make_pipeline(ImageLoader(), HOGEncoder())


class Counter(TransformerMixin, BaseEstimator):
    """Means of arrays; writes a line to a file for each batch that it sees."""

    def __init__(self, log, power=1):
        self.log = log
        self.power = power

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        with open(self.log, "a") as log:
            log.write(f"{len(X)}\n")
        return np.array([[np.mean(x) ** self.power] for x in X])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags

    def count(self):
        """Give the sizes of the batches since the last call."""
        if not os.path.exists(self.log):
            return []
        with open(self.log) as log:
            sizes = [int(line) for line in log]
        os.remove(self.log)
        return sizes


@pytest.fixture
def counter(tmp_path):
    return Counter(str(tmp_path / "log"))


@pytest.fixture(autouse=True)
def forget():
    """Begin as another process would: with files alone."""
    forget_samples()


@pytest.fixture
def photos(tmp_path):
    paths = []
    for seed in range(7):
        paths.append(str(tmp_path / f"photo{seed}.jpg"))
        cv2.imwrite(paths[-1], make_photo(seed=seed))
    return paths


ARRAYS = [np.arange(4.0) + n for n in range(10)]
TONES = [make_tone(900 + 300 * seed, seed) for seed in range(6)]
MEL = LogMelSpectrogram(8000, n_mels=8)
PLAIN = {
    "vectors": (HOG, [make_photo(seed=seed) for seed in range(6)]),
    "images": (ImageLoader((9, 7), "rgb"), [make_photo(seed=s) for s in range(6)]),
    "padded": (make_pipeline(AudioLoader(8000), MEL), TONES),
    "padded to a length": (make_pipeline(AudioLoader(8000, 2.5), MEL), TONES),
    "cut": (AudioLoader(8000, 0.05), TONES),
    "sequences to a length": (SequencePadder(20), [a[:, None] for a in ARRAYS]),
    "a padded array": (MEL, AudioLoader(8000, 1.5).transform(TONES)),
    "statistics": (AudioStatistics(8000), TONES),
}


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("batch_size", [1, 4, 256])
def test_the_result_is_the_encoders_own(name, batch_size, tmp_path):
    encoder, cells = PLAIN[name]
    if isinstance(cells, list):
        cells = [*cells[:3], None, *cells[3:], cells[1]]
    plain = encoder.fit(cells)
    for location in (None, tmp_path, tmp_path):  # alone, cold, from the file
        forget_samples()
        cached = CachedEncoder(encoder, location, batch_size=batch_size)
        for part in (slice(None), slice(1, 4), slice(3, 4), slice(0)):
            expected = plain.transform(cells)
            np.testing.assert_array_equal(cached.fit_transform(cells), expected)
            expected = plain.transform(cells[part])
            encoded = cached.transform(cells[part])
            np.testing.assert_array_equal(encoded, expected)
            assert encoded.dtype == np.float32


def test_each_cell_is_encoded_once(counter):
    cached = CachedEncoder(counter, batch_size=4)
    cached.fit_transform(ARRAYS[:6] + ARRAYS[:2])
    assert counter.count() == [4, 2]
    cached.transform(ARRAYS)
    assert counter.count() == [4]
    assert cached.fit(ARRAYS).cache_info()["n_arrays"] == 10
    cached.get_params()["encoder"].set_params(power=2)
    assert cached.fit_transform(ARRAYS[:3]).ravel().tolist() == [2.25, 6.25, 12.25]
    assert counter.count() == [3]
    cached.clear()
    cached.transform(ARRAYS[:3])
    assert counter.count() == [3]


def test_a_grid_search_decodes_each_file_once_in_all_processes(photos, tmp_path):
    counter = Counter(str(tmp_path / "log"))
    encoder = make_pipeline(ImageLoader(), counter)
    model = make_pipeline(CachedEncoder(encoder, tmp_path / "c"), LogisticRegression())
    y = [0, 1] * 3 + [0]
    CachedEncoder(encoder, tmp_path / "c").fit(photos[:5])
    assert counter.count() == [5]
    grid = {"logisticregression__C": [0.1, 1, 10]}
    search = GridSearchCV(model, grid, cv=3, n_jobs=2, error_score="raise")
    search.fit(np.array(photos, dtype=object), y)
    sizes = counter.count()
    # Two processes may meet the same new file at once; nobody meets an old one.
    assert 2 <= sum(sizes) <= 4
    plain = make_pipeline(encoder, LogisticRegression())
    expected = GridSearchCV(plain, grid, cv=3).fit(np.array(photos, dtype=object), y)
    for name in ("mean_test_score", "rank_test_score"):
        np.testing.assert_allclose(search.cv_results_[name], expected.cv_results_[name])


def test_a_file_that_changed_is_encoded_again(photos, tmp_path):
    plain = ImageLoader()
    for key in ("stat", "content"):
        cached = CachedEncoder(ImageLoader(), tmp_path / key, key=key)
        before = cached.fit_transform(photos)
        cv2.imwrite(photos[2], make_photo(seed=len(key) + 20))
        after = cached.transform(photos)
        np.testing.assert_array_equal(after, plain.transform(photos))
        assert (before != after).any(axis=(1, 2)).tolist() == [i == 2 for i in range(7)]


def test_content_knows_a_copy_and_stat_a_place(photos, tmp_path):
    copy = str(tmp_path / "copy.jpg")
    with open(photos[0], "rb") as old, open(copy, "wb") as new:
        new.write(old.read())
    for key, n_misses in (("content", 1), ("stat", 2)):
        cached = CachedEncoder(ImageLoader(), tmp_path / key, key=key)
        cached.fit(photos[:1]).transform([copy])
        assert cached.cache_info()["n_misses"] == n_misses


def test_paths_are_told_apart_by_root(tmp_path):
    for name, seed in (("a", 1), ("b", 2)):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "x.png"), make_photo(seed=seed))
        os.utime(tmp_path / name / "x.png", (10, 10))
    encoded = [
        CachedEncoder(ImageLoader(root=tmp_path / name), tmp_path).fit_transform(
            ["x.png"]
        )
        for name in ("a", "b")
    ]
    assert (encoded[0] != encoded[1]).any()


def test_cells_of_other_kinds_are_told_apart(counter):
    flat, tall = np.arange(4.0), np.arange(4.0)[:, None]
    alike = [flat, tall, flat.astype(np.float32), flat.astype(np.int64)]
    CachedEncoder(counter).fit([*alike, flat.tolist()])  # a list is an array of floats
    assert counter.count() == [4]
    signal = make_tone(800)
    cached = CachedEncoder(AudioLoader(8000))
    lengths = [
        np.isfinite(cached.fit_transform([cell])).sum()
        for cell in (signal, (signal, 8000), (signal, 16000), encode_audio(signal))
    ]
    assert lengths == [800, 800, 400, 800]


def scale(X, by):
    return np.array([np.asarray(x) * by for x in X])


def test_parameters_that_are_functions_tell_encoders_apart():
    first, second = (
        CachedEncoder(FunctionTransformer(function)).fit_transform(ARRAYS)
        for function in (lambda X: scale(X, 2), lambda X: scale(X, 3))
    )
    np.testing.assert_array_equal(first * 3, second * 2)
    given = FunctionTransformer(scale, kw_args={"by": 5})
    np.testing.assert_array_equal(
        CachedEncoder(given).fit_transform(ARRAYS) * 2, first * 5
    )
    partials = [
        CachedEncoder(FunctionTransformer(partial(scale, by=by))).fit_transform(ARRAYS)
        for by in (2, 7)
    ]
    np.testing.assert_array_equal(partials[0] * 7, partials[1] * 2)


@pytest.mark.parametrize(
    "encoder",
    [
        StandardScaler(),
        make_pipeline(VectorStacker(), SimpleImputer()),
        PooledEncoder(StandardScaler()),
        CachedEncoder(make_pipeline(VectorStacker(), make_pipeline(StandardScaler()))),
    ],
    ids=["scaler", "pipeline", "pooled", "nested"],
)
def test_an_encoder_that_learns_is_refused(encoder):
    with pytest.raises(TypeError, match="learns in fit.*Put it after"):
        CachedEncoder(encoder).fit_transform(ARRAYS)


def test_bad_cells_cost_nothing_else_and_are_tried_again(photos, tmp_path):
    good = ImageLoader().transform(photos)
    with open(photos[1], "rb") as file:
        data = file.read()
    with open(photos[1], "wb") as file:
        file.write(data[:300])
    missing = str(tmp_path / "none.jpg")
    column = pd.Series([*photos, missing, photos[1]], index=list("abcdefghi"))
    cached = CachedEncoder(ImageLoader(), tmp_path / "c", batch_size=3)
    with pytest.raises(LoadError, match="3 of 9 cells") as caught:
        cached.fit(column)
    assert [row for row, _, _ in caught.value.failures] == ["b", "h", "i"]
    assert cached.cache_info()["n_arrays"] == 6  # what was good is kept
    with pytest.raises(LoadError, match="3 of 9 cells"):
        cached.fit(column)
    warn = CachedEncoder(ImageLoader(on_error="warn"), tmp_path / "c")
    with pytest.warns(LoadWarning, match="row h"):
        encoded = warn.fit_transform(column)
    assert np.isnan(encoded).all(axis=(1, 2)).tolist() == [
        c in "bhi" for c in "abcdefghi"
    ]
    with open(photos[1], "wb") as file:
        file.write(data)
    np.testing.assert_array_equal(cached.fit_transform(photos), good)


def test_a_first_batch_of_bad_cells_decides_nothing(tmp_path):
    cells = ["bad", "bad", *(np.ones((4, 2)) * n for n in range(3))]
    encoder = SequencePadder(on_error="missing")
    cached = CachedEncoder(encoder, batch_size=2)
    np.testing.assert_array_equal(cached.fit_transform(cells)[2:], cells[2:])


@pytest.mark.parametrize("batch_size", [1, 3, 256])
def test_most_cells_decide_the_shape_in_fit_and_those_of_fit_in_transform(batch_size):
    odd = [np.full(3, float(n)) for n in range(4)]
    encoder = CachedEncoder(VectorStacker(on_error="warn"), batch_size=batch_size)
    cells = [odd[0], *ARRAYS[:4], odd[1]]
    with pytest.warns(LoadWarning, match=r"row 0 (?s:.*)row 5 ") as caught:
        fitted = encoder.fit_transform(cells)
    assert len(caught) == 1
    np.testing.assert_array_equal(fitted[1:5], ARRAYS[:4])
    assert np.isnan(fitted[[0, 5]]).all()
    with pytest.warns(LoadWarning, match=r"its shape \(3,\) is not \(4,\)"):
        later = encoder.transform([*odd, ARRAYS[7]])  # here the odd ones are more
    np.testing.assert_array_equal(later[4], ARRAYS[7])
    assert np.isnan(later[:4]).all()
    assert later.shape == (5, 4)
    strict = CachedEncoder(VectorStacker(), batch_size=batch_size).fit(ARRAYS)
    with pytest.raises(LoadError, match=r"row 1 \(array of shape \(3,\)"):
        strict.transform([ARRAYS[0], odd[0]])


def test_all_encoders_share_one_memory_that_is_bounded_and_freed():
    def held():
        return CachedEncoder(VectorStacker()).cache_info()["n_bytes"]

    stacker = CachedEncoder(VectorStacker()).fit(ARRAYS)
    in_memory = [weakref.ref(array) for array in MEMORY._arrays.values()]
    CachedEncoder(SequenceStatistics(), max_bytes=1).fit(ARRAYS)
    assert held() == 10 * 4 * (4 + 11)
    try:
        set_memory_limit(100)
        assert held() <= 100
        stacker.transform(ARRAYS)
        assert held() <= 100
    finally:
        set_memory_limit(2**30)
    stacker.transform(ARRAYS)
    clear_memory()
    assert held() == 0
    assert not any(array() for array in in_memory)
    with pytest.raises(ValueError, match="negative"):
        set_memory_limit(-1)


def test_sparse_vectors_are_refused():
    from sklearn.feature_extraction.text import HashingVectorizer

    with pytest.raises(TypeError, match="sparse"):
        CachedEncoder(HashingVectorizer()).fit_transform(["a text", "another"])


def test_names_and_containers_are_the_encoders(photos, tmp_path):
    plain = HOG.fit(photos)
    for _ in range(2):  # cold, warm
        cached = CachedEncoder(HOG, tmp_path / "c").set_output(transform="pandas")
        table = cached.fit_transform(photos)
        assert list(table.columns) == list(plain.get_feature_names_out())
    loader = CachedEncoder(ImageLoader(), tmp_path / "c")
    model = make_pipeline(loader, HOGEncoder()).set_output(transform="polars")
    assert list(model.fit_transform(photos).columns) == list(table.columns)
    with config_context(transform_output="pandas"):
        assert loader.fit_transform(photos).shape == (7, 28, 28)
        assert CachedEncoder(HOG).fit_transform(photos).shape == table.shape


def test_a_column_without_any_sample_has_the_shape_of_the_fit():
    for encoder, cells in PLAIN.values():
        if isinstance(cells, list):
            cached = CachedEncoder(encoder).fit(cells)
            expected = encoder.fit(cells).transform([None, None])
            np.testing.assert_array_equal(cached.transform([None, None]), expected)


def test_a_saved_encoder_finds_its_samples_in_another_process(photos, tmp_path):
    cached = CachedEncoder(HOG, tmp_path / "c").fit(photos)
    joblib.dump(cached, tmp_path / "model.joblib")
    code = f"""
import joblib, numpy as np
model = joblib.load({str(tmp_path / "model.joblib")!r})
np.save({str(tmp_path / "vectors.npy")!r}, model.transform({photos!r}))
assert model.cache_info()["n_misses"] == 0, model.cache_info()
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    vectors = np.load(tmp_path / "vectors.npy")
    np.testing.assert_array_equal(vectors, HOG.fit_transform(photos))


def test_a_folder_that_cannot_be_used_is_one_warning(counter, tmp_path):
    (tmp_path / "file").write_text("no folder")
    cached = CachedEncoder(counter, tmp_path / "file", batch_size=2)
    with pytest.warns(CacheWarning, match="file") as caught:
        vectors = cached.fit_transform(ARRAYS)
    assert len(caught) == 1
    np.testing.assert_array_equal(vectors, CachedEncoder(counter).fit_transform(ARRAYS))
    counter.count()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cached.transform(ARRAYS)
    assert counter.count() == []


def test_progress_is_told(counter, capsys):
    progress = Progress()
    cached = CachedEncoder(counter, batch_size=5, verbose=1)
    cached.set_callbacks(progress).fit(ARRAYS)
    batch = ["batch", "batch done"]
    assert progress.tasks == ["fit", *batch, *batch, "fit done"]
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "[CachedEncoder] 5 of 10 cells encoded",
        "[CachedEncoder] 10 of 10 cells encoded",
    ]


def test_statistics_behind_a_cache_hold_no_more_than_a_batch(monkeypatch):
    sizes = []
    own = SequenceStatistics._encode

    def note(self, array):
        sizes.append(len(array))
        return own(self, array)

    monkeypatch.setattr(SequenceStatistics, "_encode", note)
    waves = [np.sin(np.arange(30) * n) for n in range(1, 8)]
    CachedEncoder(SequenceStatistics(), batch_size=3).fit(waves)
    assert sizes == [3, 3, 1]


def test_images_that_differ_in_how_they_are_shown_have_keys_of_their_own():
    pixels = np.arange(48, dtype=np.uint8).reshape(6, 8)
    upright, by_exif, by_info = (Image.fromarray(pixels) for _ in range(3))
    by_exif.getexif()[0x0112] = 3
    exif = Image.Exif()
    exif[0x0112] = 6
    by_info.info["exif"] = exif.tobytes()
    palette = upright.convert("P")
    inverted = palette.copy()
    inverted.putpalette([255 - value for value in palette.getpalette()])
    big = Image.frombytes("I;16B", (8, 3), pixels.tobytes())
    little = Image.frombytes("I;16", (8, 3), pixels.tobytes())
    cells = [upright, by_exif, by_info, palette, inverted, big, little]
    cells += [pixels, pixels.view(">u2"), pixels.view("<u2"), pixels.reshape(8, 6)]
    loader = ImageLoader((5, 7))
    encoder = CachedEncoder(loader)
    expected = loader.transform(cells)
    for _ in range(2):
        np.testing.assert_array_equal(encoder.fit_transform(cells), expected)
    assert encoder.cache_info()["n_hits"] >= len(cells)
