"""What cells of other libraries are found to be, and what is refused by name."""

import base64
import io

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
import torch
from sklearn.pipeline import Pipeline, make_pipeline

from sklearn_mm import (
    AudioLoader,
    HOGEncoder,
    ImageLoader,
    MultimodalVectorizer,
    TextVectorizer,
)

from ..conftest import encode_audio, encode_image, make_photo, make_tone

PHOTO, TONE = make_photo(24, 20), (make_tone(800) * 9000).astype(np.int16)
PNG, WAV = encode_image(PHOTO), encode_audio(make_tone(800))
BASE64 = base64.b64encode(PNG).decode()
MEDIA = {
    "tensor": ("image", torch.tensor(PHOTO.transpose(2, 0, 1).copy()), PHOTO),
    "rows": ("image", PHOTO.tolist(), PHOTO),
    "parquet": ("image", pa.array([PHOTO.tolist()]).to_pandas()[0], PHOTO),
    "open file": ("image", io.BytesIO(PNG), PNG),
    "dict of bytes": ("image", {"bytes": PNG, "path": None}, PNG),
    "base64": ("image", BASE64, PNG),
    "data URI": ("image", f"data:image/png;base64,{BASE64}", PNG),
    "rate first": ("audio", (8000, TONE), (TONE, 8000)),
    "list with rate": ("audio", [TONE, 8000], (TONE, 8000)),
    "channels first": ("audio", (torch.tensor(TONE)[None], 8000), (TONE, 8000)),
    "dict of audio": ("audio", {"array": TONE, "sampling_rate": 8000}, (TONE, 8000)),
    "audio file": ("audio", io.BytesIO(WAV), WAV),
}
LOADERS = {"image": ImageLoader(), "audio": AudioLoader(8000)}


@pytest.mark.parametrize("form", MEDIA)
def test_media_of_other_libraries_are_read(form):
    modality, cell, known = MEDIA[form]
    assert MultimodalVectorizer().fit({"c": [cell] * 6}).modalities_ == {"c": modality}
    loader = LOADERS[modality]
    np.testing.assert_array_equal(loader.transform([cell]), loader.transform([known]))


@pytest.mark.parametrize(
    ("cell", "modality"),
    [
        ((50.1, 8.2), "vector"),
        ((50.1, None), "vector"),
        ([[1, 2], [3]], "sequence"),
        (torch.tensor(2.5), "numeric"),
        (np.array(2.5), "numeric"),
    ],
)
def test_numbers_in_containers_are_numbers(cell, modality):
    assert MultimodalVectorizer().fit({"c": [cell] * 4}).modalities_ == {"c": modality}


def test_lists_of_polars_keep_their_type():
    column = pl.Series([TONE.tolist()], dtype=pl.List(pl.Int16))
    expected = AudioLoader(8000).transform([TONE])
    np.testing.assert_array_equal(AudioLoader(8000).transform(column), expected)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ({1, 2}, "type set"),
        (object(), "type object"),
        (len, "type builtin_function_or_method"),
        ({"a": 1}, "keys 'a'.*json_normalize"),
        (["a", "b"], "lists of strings that name no known files"),
        ([1, "a"], "list of int and str"),
        ([[[1], [2, 3]], [[4]]], "nested lists of different lengths"),
        (b"\x00\xff\x00", "bytes of an unknown format"),
    ],
)
def test_cells_of_no_modality_are_refused_by_column_and_type(cell, reason):
    with pytest.raises(TypeError, match=f"column 'c' of X.*{reason}.*'drop'"):
        MultimodalVectorizer().fit({"c": [cell] * 4, "n": [1.0, 2.0, 3.0, 4.0]})


@pytest.mark.parametrize("name", ["a.pdf", "a.npy", "a"])
def test_files_of_an_unknown_format_are_no_categories(name, tmp_path):
    (tmp_path / name).write_bytes(b"%PDF-1.4")
    with pytest.raises(TypeError, match=f"files of an unknown format.*{name}"):
        MultimodalVectorizer(root=tmp_path).fit({"c": [name] * 4})


def test_the_encoder_of_a_column_called_like_a_modality_is_its_own():
    photos = [make_photo(24, 20, seed) for seed in range(4)]
    table = {"text": photos, "note": ["good day", "bad day", "good night", "night"]}
    encoder = make_pipeline(ImageLoader(), HOGEncoder())
    vectorizer = MultimodalVectorizer({"note": "text"}, {"text": encoder}).fit(table)
    assert isinstance(vectorizer.encoders_["text"], Pipeline)
    assert isinstance(vectorizer.encoders_["note"], TextVectorizer)
