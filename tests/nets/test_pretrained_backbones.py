"""Pretrained transformers inside networks: what of them learns."""

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_mm import (
    AudioLoader,
    ImageLoader,
    LoadError,
    MultimodalNetClassifier,
    NetClassifier,
    NetEncoder,
    PretrainedTokenizer,
)

from ..conftest import encode_image, make_photo, make_tone
from ..pretrained.models import (
    TRANSFORMERS,
    needs,
    save_bert,
    save_speech,
    save_vision,
    towers,
)

pytestmark = [TRANSFORMERS, needs("peft")]
TEXTS = ["a red dress", "blue shoes", "red", "a blue dress", "shoes red", "blue"] * 4
IS_RED = np.array(["red" in text for text in TEXTS])
PHOTOS = [make_photo(32, 32, seed) for seed in range(12)]
#: Shorter than what SpecAugment masks.
TONES = [make_tone(180 + seed, seed) for seed in range(12)]
TRAINABLE = [False, True, "last_1", "lora"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    save_bert(folder / "text")
    save_vision("Dinov2", folder / "image")
    save_speech("Wav2Vec2", folder / "audio", feat_extract_norm="layer")
    return folder


def make_net(kind, home, trainable=False, **options):
    from sklearn_mm import nets

    options = {"max_epochs": 3, "lr": 1e-2, "random_state": 0, **options}
    return NetClassifier(
        getattr(nets, f"Pretrained{kind.title()}Backbone"),
        module__model=str(home / kind),
        module__trainable=trainable,
        verbose=0,
        **options,
    )


def make_samples(kind, home):
    if kind == "text":
        return PretrainedTokenizer(home / "text").fit_transform(TEXTS[:12])
    if kind == "image":
        return np.stack(PHOTOS).astype(np.float32) / 255
    return AudioLoader(8000).fit_transform([(tone, 8000) for tone in TONES])


@pytest.mark.parametrize("trainable", TRAINABLE)
@pytest.mark.parametrize("kind", ["text", "image", "audio"])
def test_training_changes_what_it_may(home, kind, trainable):
    import torch
    from transformers import AutoModel

    X, y = make_samples(kind, home), np.arange(12) % 2
    net = make_net(kind, home, trainable).fit(X, y)
    original = AutoModel.from_pretrained(home / kind).state_dict()
    changed = set()
    for name, value in net.module_.state_dict().items():
        name = name.replace("base_model.model.", "").replace("base_layer.", "")
        key = next((k for k in original if name.endswith(f"model.{k}")), None)
        if key is not None and not torch.equal(value.cpu(), original[key]):
            changed.add(key)
    layers = {key for key in changed if ".layer" in key and "conv" not in key}
    if trainable in (False, "lora"):
        assert not changed
    elif trainable is True:
        assert changed - layers
        assert any(".0." in key for key in layers)
    else:
        assert changed == layers
        assert all(".1." in key for key in layers)
    adapters = [n for n, _ in net.module_.named_parameters() if "lora_B" in n]
    assert bool(adapters) == (trainable == "lora")
    learned = dict(net.module_.named_parameters())
    assert any(bool(learned[name].any()) for name in adapters) == bool(adapters)


@pytest.mark.parametrize("kind", ["text", "image", "audio"])
def test_backbones_give_what_the_model_gives(home, kind):
    import torch
    from transformers import AutoModel

    X = make_samples(kind, home)
    net = make_net(kind, home, module__pooling="cls").fit(X, np.arange(12) % 2)
    model = AutoModel.from_pretrained(home / kind).eval()
    backbone = next(
        part for part in net.module_.modules() if hasattr(part, "is_frozen")
    )
    with torch.no_grad():
        vectors = backbone(torch.as_tensor(X))
        row = X[3]
        if kind == "text":
            inputs = {"input_ids": torch.as_tensor(row[row > 0] - 1)[None]}
        elif kind == "image":
            pixels = torch.as_tensor((row - 0.5) / 0.5).permute(2, 0, 1)
            inputs = {"pixel_values": pixels[None]}
        else:
            row = row[np.isfinite(row)]
            row = (row - row.mean()) / (row.std() + 1e-7)
            inputs = {"input_values": torch.as_tensor(row)[None]}
        expected = model(**inputs).last_hidden_state[0, 0]
    torch.testing.assert_close(vectors[3], expected, rtol=1e-4, atol=1e-4)


def test_a_pretrained_model_is_tuned_cross_fitted_and_saved(home, tmp_path):
    net = make_net("text", home)
    names = ("module__model", "module__trainable", "max_epochs", "lr", "verbose")
    options = {name: net.get_params()[name] for name in names}
    encoder = NetEncoder(net.module, cross_fit=2, **options)
    pipeline = make_pipeline(
        PretrainedTokenizer(home / "text"), encoder, LogisticRegression()
    )
    grid = {"netencoder__module__trainable": [False, "lora"]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2, error_score="raise")
    search.fit(TEXTS, IS_RED)
    assert search.score(TEXTS, IS_RED) > 0.9
    joblib.dump(search, tmp_path / "search.joblib")
    again = joblib.load(tmp_path / "search.joblib")
    np.testing.assert_allclose(
        again.predict_proba(TEXTS), search.predict_proba(TEXTS), rtol=1e-5
    )


@pytest.mark.parametrize("trainable", TRAINABLE)
def test_a_pretrained_model_is_a_branch(home, trainable):
    from sklearn_mm.nets import PretrainedImageBackbone, PretrainedTextBackbone

    X = pd.DataFrame({"image": PHOTOS, "text": TEXTS[:12]}, dtype=object)
    X.at[1, "image"], X.at[2, "text"] = encode_image(PHOTOS[1]), None
    X.at[3, "image"] = b"no image"
    loader = ImageLoader((32, 32), "rgb", on_error="missing")
    net = MultimodalNetClassifier(
        [
            ("image", loader, "image"),
            (
                "text",
                PretrainedTokenizer(home / "text"),
                "text",
            ),
        ],
        backbones={"image": PretrainedImageBackbone, "text": PretrainedTextBackbone},
        backbones__image__model=str(home / "image"),
        backbones__text__model=str(home / "text"),
        backbones__text__trainable=trainable,
        max_epochs=20,
        random_state=0,
        verbose=0,
    ).fit(X, IS_RED[:12])
    assert net.score(X, IS_RED[:12]) > 0.7
    assert np.isfinite(net.predict_proba(X.assign(text=None))).all()


def test_the_tower_of_two_that_fits_is_taken(home, tmp_path):
    from sklearn_mm.nets import PretrainedImageBackbone, PretrainedTextBackbone

    model, processor = towers("CLIP", tmp_path)
    processor.image_processor.save_pretrained(tmp_path / "clip-towers")
    folder = str(tmp_path / "clip-towers")
    image = PretrainedImageBackbone((32, 32, 3), folder)
    assert type(image.model) is type(model.vision_model)
    assert type(PretrainedTextBackbone((5,), folder).model) is type(model.text_model)


def test_wrong_settings_are_named(home):
    from sklearn_mm.nets import PretrainedImageBackbone, PretrainedTextBackbone

    name = str(home / "text")
    with pytest.raises(ValueError, match="'last_1'"):
        PretrainedTextBackbone((5,), name, trainable="some")
    with pytest.raises(ValueError, match="has 2 layers"):
        PretrainedTextBackbone((5,), name, trainable="last_3")
    with pytest.raises(ValueError, match="pooling"):
        PretrainedTextBackbone((5,), name, pooling="sum")
    with pytest.raises(ValueError, match=r"\(height, width, 3\)"):
        PretrainedImageBackbone((32, 32, 1), str(home / "image"))
    with pytest.raises(OSError, match="'no/model' is no folder"):
        PretrainedTextBackbone((5,), "no/model", local_files_only=True)


def test_token_ids_are_the_tokenizers_and_zero_where_nothing_is(home):
    from transformers import AutoTokenizer

    tokenizer = PretrainedTokenizer(home / "text", max_length=6)
    texts = ["a red dress", None, "", "red " * 20]
    ids = tokenizer.fit_transform(texts)
    expected = AutoTokenizer.from_pretrained(home / "text")
    assert ids.shape == (4, 6)
    assert not ids[1].any()
    for row in (0, 2, 3):
        own = expected(texts[row], truncation=True, max_length=6)["input_ids"]
        assert (ids[row][ids[row] > 0] - 1).tolist() == own
    assert len(joblib.hash(tokenizer)) > 0
    with pytest.raises(LoadError, match=r"expected a text \(str\), got float"):
        tokenizer.transform(["red", 3.5])
    with pytest.raises(OSError, match="'no/model' is no folder"):
        PretrainedTokenizer("no/model", local_files_only=True).transform(["red"])
