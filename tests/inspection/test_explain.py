"""One row explained, and how it looks."""

import base64
import re
import sys

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone, is_regressor
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from skorch.helper import SliceDict

from sklearn_mm import MultimodalVotingClassifier
from sklearn_mm.exceptions import FusionWarning
from sklearn_mm.inspection import explain
from sklearn_mm.inspection._html import render_cell
from sklearn_mm.modalities import get_modality

from ..conftest import encode_audio, encode_image, make_photo, make_tone
from .conftest import COLUMNS, ESTIMATORS, VOTING, make_table

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_mm.exceptions.AbstentionWarning"
)
NO_FILES = {"root": None, "filesystem": None}


def test_every_estimator_is_explained(fitted):
    X, _ = make_table(fitted)
    row = X.iloc[[5]]
    told = explain(fitted, row, modalities=COLUMNS)
    assert told.modalities == ["a", "b"]
    assert told.probabilities.index.tolist() == ["a", "b", "fused"]
    assert told.prediction == fitted.predict(row)[0]
    fused = told.probabilities.loc["fused"]
    if hasattr(fitted, "predict_proba"):
        np.testing.assert_allclose(fused, fitted.predict_proba(row)[0])
        assert list(told.probabilities) == list(fitted.classes_)
        np.testing.assert_allclose(told.probabilities.sum(axis=1), 1, rtol=1e-5)
    elif is_regressor(fitted):
        assert fused.to_dict() == {"prediction": told.prediction}
    else:
        assert fused.idxmax() == told.prediction
    assert repr(told).startswith(f"prediction: {told.prediction}\n")


def test_probabilities_alone_are_the_members(voting):
    X, _ = make_table()
    told = explain(voting, X.iloc[[7]])
    for name, columns in COLUMNS.items():
        own = voting.named_estimators_[name].predict_proba(X[columns].iloc[[7]])[0]
        np.testing.assert_allclose(told.probabilities.loc[name], own)


def test_weights_pool_the_probabilities_of_those_that_answer():
    X, y = make_table()
    model = clone(VOTING).set_params(weights=[1, 3]).fit(X, y)
    told = explain(model, X.iloc[[7]])
    assert told.weights.to_dict() == {"a": 0.25, "b": 0.75}
    members = told.probabilities.loc[["a", "b"]]
    np.testing.assert_allclose(told.weights @ members, told.probabilities.loc["fused"])
    X.loc[7, COLUMNS["b"]] = np.nan
    told = explain(model, X.iloc[[7]])
    assert told.weights.to_dict() == {"a": 1, "b": 0}
    assert told.probabilities.loc["b"].isna().all()


def test_the_guards_choice_has_all_the_weight():
    X, y = make_table()
    X[COLUMNS["a"]] = np.random.default_rng(0).normal(size=(len(X), 2))
    model = clone(VOTING).set_params(guard=True, weights=[9, 1])
    with pytest.warns(FusionWarning, match="They are used"):
        model.fit(X, y)
    assert explain(model, X.iloc[[0]]).weights.to_dict() == {"a": 0.5, "b": 0.5}
    model.set_params(a=DecisionTreeClassifier(random_state=0))  # sure of noise
    with pytest.warns(FusionWarning, match="it alone decides"):
        model.fit(X, y)
    assert explain(model, X.iloc[[0]]).weights.to_dict() == {"a": 0, "b": 1}


@pytest.mark.parametrize("name", ["stacking", "joint net", "trees"])
def test_where_nothing_is_weighed_there_are_no_weights(name):
    X, y = make_table()
    model = clone(ESTIMATORS[name]).fit(X, y)
    assert explain(model, X.iloc[[0]]).weights is None


def test_confidence_weighs_row_by_row_so_there_is_no_one_weight():
    X, y = make_table()
    model = clone(VOTING).set_params(weights="confidence").fit(X, y)
    assert explain(model, X.iloc[[0]]).weights is None


def as_arrays(X):
    arrays = {name: X[columns].to_numpy() for name, columns in COLUMNS.items()}
    return SliceDict(**arrays)


def test_a_row_may_come_in_any_form(voting):
    X, _ = make_table()
    expected = explain(voting, X.iloc[[3]]).probabilities
    told = explain(voting, X.iloc[3]).probabilities
    pd.testing.assert_frame_equal(told, expected)
    members = [(name, LogisticRegression(), name) for name in COLUMNS]
    whole, y = make_table(seed=1)
    model = MultimodalVotingClassifier(members).fit(as_arrays(whole), y)
    told = explain(model, as_arrays(X)[3:4]).probabilities
    pd.testing.assert_frame_equal(told, expected)
    with pytest.raises(ValueError, match="one row, got 2"):
        explain(voting, X.iloc[:2])


class Constant(LogisticRegression):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


def make_fusion(X, y):
    members = [(f"<{name}>", Constant(), name) for name in X]
    return MultimodalVotingClassifier(members).fit(X, y)


def test_nothing_that_comes_from_a_table_is_taken_for_html():
    script = "<script>alert('x') & more</script>"
    X = pd.DataFrame(
        {
            "text": [script, "something else"],
            "path": ["<b>.png", "b.png"],
            "sound": [b"<i>", b"RIFF"],
        }
    )
    y = ["<u>yes</u>", "no"]
    html = explain(make_fusion(X, y), X.iloc[[0]])._repr_html_()
    assert "&lt;script&gt;alert(&#x27;x&#x27;) &amp; more" in html
    assert "&lt;u&gt;yes" in html
    assert "&lt;text&gt;" in html
    tags = set(re.findall(r"</?([a-z]+)", html))
    assert tags <= {"table", "tr", "th", "td", "b", "p", "em", "br"}
    assert not re.search("<b>[^&<]*png", html)


def test_the_page_shows_pictures_spectrograms_texts_and_numbers():
    photo, tone = make_photo(60, 80), make_tone(4000)
    X = pd.DataFrame(
        {
            "photo": [encode_image(photo), encode_image(photo[::-1])],
            "sound": [encode_audio(tone), encode_audio(tone[::-1])],
            "text": ["a red fox jumps", "over the lazy dog"],
            "number": [1234.5678, 2],
        }
    )
    html = explain(make_fusion(X, [0, 1]), X.iloc[0])._repr_html_()
    assert html.count("<img") == 2
    assert "80 x 60 pixels" in html
    assert "0.50 s" in html
    assert "a red fox jumps" in html
    assert "1235" in html


def decode_picture(html):
    """Decode the picture in HTML: (H, W, 3) in RGB."""
    code = re.search('base64,([^"]+)', html)[1]
    data = np.frombuffer(base64.b64decode(code), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]


@pytest.mark.parametrize("kind", ["bytes", "path", "array", "gray", "float"])
def test_a_thumbnail_is_the_picture(kind, tmp_path):
    photo = make_photo(240, 320)
    path = tmp_path / "photo.png"
    path.write_bytes(encode_image(photo))
    cell = {
        "bytes": path.read_bytes(),
        "path": str(path),
        "array": photo,
        "gray": photo[..., 0],
        "float": photo / 255,
    }[kind]
    shown = decode_picture(render_cell(cell, get_modality("image"), NO_FILES))
    expected = photo if kind != "gray" else np.repeat(photo[..., :1], 3, axis=2)
    expected = cv2.resize(expected, (160, 120), interpolation=cv2.INTER_AREA)
    assert np.abs(shown - expected.astype(float)).max() <= 1


@pytest.mark.parametrize("turned", [False, True])
def test_the_size_of_a_photo_is_that_of_the_file(turned):
    exif = Image.Exif()
    exif[274] = 6 if turned else 1  # orientation: a quarter turn
    data = encode_image(make_photo(480, 640), "JPEG", exif=exif)
    size = "480 x 640 pixels" if turned else "640 x 480 pixels"
    assert size in render_cell(data, get_modality("image"), NO_FILES)


def test_a_small_image_is_enlarged_pixel_by_pixel():
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    shown = decode_picture(render_cell(pixels, get_modality("image"), NO_FILES))
    np.testing.assert_array_equal(shown[..., 0], pixels.repeat(12, 0).repeat(12, 1))


def test_an_audio_picture_shows_when_a_tone_sounds_and_how_high():
    time = np.arange(8000) / 8000
    tone = np.where(time < 0.5, np.sin(2 * np.pi * 300 * time), 0)
    html = render_cell((tone, 8000), get_modality("audio"), NO_FILES)
    brightness = decode_picture(html).sum(axis=2)
    height, width = brightness.shape
    left, right = brightness[:, : width // 2], brightness[:, width // 2 :]
    assert left.mean() > 1.5 * right.mean()
    assert left.mean(axis=1).argmax() > 0.6 * height  # a low tone, near the bottom


def test_without_matplotlib_cells_are_described(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    html = render_cell(make_photo(8, 9), get_modality("image"), NO_FILES)
    assert html == "array of shape (8, 9, 3), uint8"


@pytest.mark.parametrize(
    ("cell", "kind", "shown"),
    [
        (np.ones((5, 2)), "sequence", "5 steps"),
        (np.ones(3), "vector", "array of shape (3,)"),
        (3, "numeric", "3"),
        (b"\x89PNG broken", "image", "cannot be shown"),
        ("missing.wav", "audio", "missing.wav"),
        ("x" * 1000, "text", "x..."),
        ([make_photo(8, 8), make_photo(9, 9)], "image", "9 x 9 pixels"),
        (np.full(4, np.nan, np.float32), "audio", "padding"),
    ],
)
def test_whatever_a_cell_is_it_is_shown(cell, kind, shown):
    assert shown in render_cell(cell, get_modality(kind), NO_FILES)
