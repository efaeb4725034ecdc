"""Reading one cell: the same as a row of ``transform``, or the original."""

import warnings

import numpy as np
import pytest
from PIL import Image

from sklearn_mm import (
    AudioLoader,
    CachedEncoder,
    HOGEncoder,
    ImageLoader,
    LoadError,
    LoadWarning,
    NgramLanguageModel,
    SequencePadder,
    TextVectorizer,
    VectorStacker,
    VideoLoader,
)
from sklearn_mm.cache import _keys

from ..conftest import (
    encode_audio,
    encode_image,
    encode_video,
    make_clip,
    make_photo,
    make_tone,
)

PHOTO = make_photo(40, 60)
CELLS = {
    "image": (
        ImageLoader((20, 30), "rgb", aspect="pad"),
        [encode_image(PHOTO), PHOTO, PHOTO[..., 0] / 255, Image.fromarray(PHOTO)],
    ),
    "image as stored": (
        ImageLoader((20, 30), scale=False),
        [encode_image(PHOTO), PHOTO.astype(np.uint16) * 257],
    ),
    "audio": (
        AudioLoader(8000, duration=0.2),
        [encode_audio(make_tone()), (make_tone(9000), 16000), make_tone(500)],
    ),
    "video": (
        VideoLoader(6, (20, 24), "rgb"),
        [encode_video(make_clip(9)), make_clip(4)],
    ),
    "sequence": (SequencePadder(5), [np.arange(8.0), [1, 2], np.arange(3)]),
    "vector": (VectorStacker(), [[[1, 2], [3, 4]], np.arange(4.0).reshape(2, 2)]),
}


@pytest.mark.parametrize("kind", CELLS)
def test_reading_a_cell_gives_its_row(kind):
    loader, cells = CELLS[kind]
    rows = loader.fit(cells).transform(cells)
    for cell, row in zip(cells, rows):
        sample = loader.read(cell)
        assert sample.dtype == np.float32
        np.testing.assert_array_equal(sample, row[: len(sample)])
        assert np.isnan(row[len(sample) :]).all()


def test_reading_does_not_change_or_share_the_cell():
    pixels = np.full((8, 8), 0.5, np.float32)
    ImageLoader((8, 8)).read(pixels)[:] = 0
    assert (pixels == 0.5).all()


def test_an_original_image_keeps_its_size_and_values():
    loader = ImageLoader((8, 8), "gray")
    for cell in (PHOTO, encode_image(PHOTO, "PNG"), Image.fromarray(PHOTO)):
        pixels = loader.read_original(cell)
        assert pixels.dtype == np.uint8
        np.testing.assert_array_equal(pixels, PHOTO)
    np.testing.assert_array_equal(loader.read_original(PHOTO[..., 0]), PHOTO[..., 0])
    with pytest.raises(ValueError, match="max_pixels"):
        ImageLoader(max_pixels=9).read_original(PHOTO)


def test_an_original_recording_keeps_its_rate():
    loader, tone = AudioLoader(8000), make_tone(3000)
    signal, rate = loader.read_original((tone, 44100))
    assert rate == 44100
    np.testing.assert_array_equal(signal, tone.astype(np.float32))
    assert loader.read_original(encode_audio(tone, rate=16000))[1] == 16000
    assert loader.read_original(tone)[1] == 8000
    assert loader.read_original(np.full(9, np.nan))[0] is None
    assert loader.read(np.full(9, np.nan)) is None


@pytest.mark.parametrize("options", [{"exif": b"Exif\0\0II*\0" + bytes(range(90))}, {}])
def test_pillow_neither_warns_nor_bounds_the_pixels(options, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
    for container in ("JPEG", "BMP", "GIF"):
        data = encode_image(
            PHOTO, container, **(options if container == "JPEG" else {})
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert np.isfinite(ImageLoader().transform([data])).all()


def test_texts_are_read_in_one_way():
    cells = ["a red dress", 3, None, b"bytes"]
    with pytest.raises(LoadError, match="2 of 4 cells") as caught:
        TextVectorizer().fit(cells)
    assert [row for row, _, _ in caught.value.failures] == [1, 3]
    with pytest.raises(LoadError, match="2 of 4 cells"):
        NgramLanguageModel().fit(cells)
    vectorizer = TextVectorizer(on_error="warn")
    with pytest.warns(LoadWarning, match="2 of 4 cells") as caught:
        vectors = vectorizer.fit_transform(cells)
    assert len(caught) == 1
    assert np.isnan(vectors.toarray()).all(axis=1).tolist() == [False, True, True, True]
    assert not hasattr(vectorizer, "inverse_transform")  # a missing row has no terms
    assert not hasattr(TextVectorizer(use_idf=False).fit(["a red dress"]), "idf_")


def test_the_key_of_an_encoder_is_made_once_in_a_call(monkeypatch):
    described = []
    describe = _keys.describe
    monkeypatch.setattr(
        _keys, "describe", lambda value: described.append(value) or describe(value)
    )
    cached = CachedEncoder(ImageLoader()).fit([PHOTO] * 20)
    assert len(described) == 1
    cached.transform([PHOTO, None])
    assert len(described) == 2
    cached.encoder.size = (8, 8)  # is noticed nevertheless
    with pytest.raises(ValueError, match="encoded as"):
        cached.transform([PHOTO])


def test_steps_are_cloned_only_if_something_is_encoded(monkeypatch):
    steps = CachedEncoder(HOGEncoder())
    photos = ImageLoader().transform([PHOTO, PHOTO[::-1]])
    steps.fit(photos)
    monkeypatch.setattr("sklearn_mm.cache._encoder.make_steps", None)
    assert steps.transform(photos).shape == (2, 324)
