"""Speech recognition on tones that spell, and on real digits where they are."""

import subprocess
import sys
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from sklearn_mm import (
    AudioLoader,
    LoadError,
    LogMelSpectrogram,
    NgramLanguageModel,
    SpeechRecognizer,
)
from sklearn_mm.metrics import word_error_rate, word_error_rate_scorer
from sklearn_mm.nets import AudioCNN, ImageCNN, SequenceRNN
from sklearn_mm.neural._target import Target
from sklearn_mm.speech._ctc import beam_search

from ..conftest import encode_audio

WORDS = ["ab", "ba", "cab"]
RATE = 8000
SMALL = SpeechRecognizer(
    SequenceRNN,
    module__hidden_size=16,
    module__bidirectional=True,
    max_epochs=30,
    lr=0.02,
    batch_size=16,
    random_state=0,
)


def make_texts(n_samples, seed=0):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(1, 4))) for _ in range(n_samples)]


def make_spectrograms(texts, seed=0):
    """Three frames a character, in which its band is loud; NaN behind the last."""
    rng = np.random.default_rng(seed)
    length = 4 * max(map(len, texts)) + 2
    samples = np.full((len(texts), length, 5), np.nan, np.float32)
    for sample, text in zip(samples, texts):
        sample[: 4 * len(text) + 2] = rng.normal(0, 0.3, (4 * len(text) + 2, 5))
        for i, character in enumerate(text):
            sample[4 * i + 1 : 4 * i + 4, "abc ".index(character)] += 3
    return samples


@pytest.fixture(scope="module")
def speech():
    y = make_texts(150)
    return make_spectrograms(y), y


@pytest.fixture(scope="module")
def fitted(speech):
    return clone(SMALL).fit(*speech)


@pytest.fixture(scope="module")
def new():
    y = make_texts(40, seed=9)
    return make_spectrograms(y, seed=9), y


def test_new_utterances_are_recognised(fitted, new):
    X, y = new
    assert fitted.characters_ == " abc"
    assert fitted.words_ == sorted(WORDS)
    assert fitted.score(X, y) > 0.9
    assert fitted.score(X, y) == 1 - word_error_rate(y, fitted.predict(X))


def test_a_language_model_mends_what_noise_spoils(fitted, new):
    X, y = new
    noisy = X + np.random.default_rng(0).normal(0, 1.3, X.shape).astype(np.float32)
    model = clone(fitted)
    vars(model).update(vars(fitted))
    without = model.set_params(lm_weight=0).score(noisy, y)
    with_model = model.set_params(lm_weight=1.0).score(noisy, y)
    assert with_model > without + 0.05
    model.set_params(lm_weight=0, lexicon="training")
    assert model.score(noisy, y) > without
    found = " ".join(model.predict(noisy))
    assert set(found.split()) <= set(WORDS)


def test_the_best_texts_are_those_of_the_search(fitted, new):
    X, _ = new
    steps = fitted.predict_log_proba(X)
    for row, array in enumerate(steps[:5]):
        np.testing.assert_allclose(np.exp(array).sum(axis=1), 1, rtol=1e-4)
        expected = beam_search(
            array,
            fitted.characters_,
            n_best=3,
            language_model=fitted.language_model_,
            lm_weight=fitted.lm_weight,
            threshold=12,
        )
        found = fitted.predict_nbest(X[row : row + 1], 3)[0]
        assert dict(found) == pytest.approx(dict(expected), rel=1e-4)
    assert fitted.predict(X)[0] == fitted.predict_nbest(X, 1)[0][0][0]
    assert len(fitted.predict_nbest(X[:1], 50)[0]) > 16


def test_training_minimises_torchs_loss(speech):
    X, y = speech
    model = clone(SMALL).set_params(max_epochs=0, early_stopping=False).fit(X, y)
    codes = model._make_target(X, y, None, False, None).codes
    log_probs, lengths = model.infer(torch.as_tensor(X[:20]))
    expected = torch.nn.functional.ctc_loss(
        log_probs.transpose(0, 1),
        torch.as_tensor(codes[:20]),
        lengths,
        torch.tensor([len(text) for text in y[:20]]),
    )
    target = torch.as_tensor(codes[:20])
    loss = model.get_loss((log_probs, lengths), target)
    torch.testing.assert_close(loss, expected)
    weighted = model.get_loss(
        (log_probs, lengths), Target(target, torch.full((20,), 3.0))
    )
    torch.testing.assert_close(weighted, expected)
    rows = model._compute_row_losses((log_probs, lengths), target)
    first = model.get_loss((log_probs[:1], lengths[:1]), target[:1])
    torch.testing.assert_close(rows[0], first)


def test_a_row_does_not_depend_on_its_neighbours(fitted, new):
    X, _ = new
    together = fitted.predict_log_proba(X)
    short = int(np.argmin([len(steps) for steps in together]))
    (alone,) = fitted.predict_log_proba(X[short : short + 1])
    np.testing.assert_allclose(alone, together[short], atol=1e-4)


def test_missing_sounds_have_no_text_and_teach_nothing(speech, fitted, new):
    X, y = speech
    gaps, texts = np.concatenate([X, X[:3]]), [*y, None, np.nan, y[0]]
    gaps[-1] = np.nan
    model = clone(SMALL).set_params(max_epochs=3)
    one, other = clone(model).fit(X, y), clone(model).fit(gaps, texts)
    new_X, new_y = new[0].copy(), list(new[1])
    for a, b in zip(one.predict_log_proba(new_X), other.predict_log_proba(new_X)):
        np.testing.assert_array_equal(a, b)
    new_X[3] = np.nan
    found = fitted.predict(new_X)
    assert found[3] is None
    assert fitted.predict_nbest(new_X)[3] is None
    silent = [*found[:3], "", *found[4:]]
    assert fitted.score(new_X, new_y) == 1 - word_error_rate(new_y, silent)


def test_sounds_are_loaded_and_a_broken_one_is_named(tmp_path):
    rng = np.random.default_rng(0)
    texts = [["a", "b", "ab", ""][i % 4] for i in range(24)]
    pitch = {"a": 0.3, "b": 1.1}
    sounds = []
    for text in texts:
        parts = [0.5 * np.sin(pitch[c] * np.arange(1200)) for c in text]
        sound = np.concatenate([np.zeros(400), *parts, np.zeros(400)])
        sounds.append((sound + rng.normal(0, 0.01, len(sound))).astype(np.float32))
    cells = [encode_audio(sound) for sound in sounds]
    model = SpeechRecognizer(
        sampling_rate=RATE, max_epochs=3, module__hidden_size=8, random_state=0
    )
    X = pd.Series(cells)
    found = model.fit(X, texts).predict(X)
    assert all(isinstance(text, str) for text in found)
    arrays = clone(model).fit(
        make_pipeline(AudioLoader(RATE), LogMelSpectrogram(RATE, n_mels=40)).transform(
            X
        ),
        texts,
    )
    assert arrays.transformer_ is None
    for a, b in zip(
        model.predict_log_proba(X),
        arrays.predict_log_proba(
            make_pipeline(
                AudioLoader(RATE), LogMelSpectrogram(RATE, n_mels=40)
            ).transform(X)
        ),
    ):
        np.testing.assert_array_equal(a, b)
    X[5] = b"broken"
    with pytest.raises(LoadError, match="row 5"):
        model.predict(X)
    forgiving = make_pipeline(
        AudioLoader(RATE, on_error="missing"), LogMelSpectrogram(RATE)
    )
    model = clone(model).set_params(transformer=forgiving)
    assert model.fit(X, texts).predict(X)[5] is None
    model.set_params(transformer__audioloader__on_error="raise")
    with pytest.raises(LoadError, match="row 5"):
        model.fit(X, texts)


def test_transcripts_that_cannot_be_are_refused_or_counted(speech, fitted):
    X, y = speech
    model = clone(SMALL).set_params(max_epochs=1)
    with pytest.raises(LoadError, match=r"y: row 1 \(int\).*expected a text"):
        model.fit(X[:3], ["a", 3, "b"])
    with pytest.raises(ValueError, match="requires y"):
        model.fit(X)
    with pytest.raises(ValueError, match="all transcripts are missing"):
        model.fit(X[:2], [None, None])
    with pytest.raises(ValueError, match="inconsistent"):
        model.fit(X[:3], y[:2])
    with pytest.raises(ValueError, match="no row has both"):
        model.fit(np.concatenate([X[:1], np.full_like(X[:1], np.nan)]), [None, "a"])
    with pytest.raises(ValueError, match=r"characters \['x'\]"):
        clone(fitted).set_params(max_epochs=1).fit(X, y).partial_fit(X[:1], ["x"])
    with pytest.raises(TypeError, match="no method tokens"):
        clone(model).set_params(module=NoTokens, module__hidden_size=3).fit(X, y)
    with pytest.warns(UserWarning, match="2 transcripts have more characters"):
        model.fit(X[:5], [*y[:3], "a" * 500, "b" * 40])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X[:5], y[:5])


class NoTokens(torch.nn.Module):
    """Vectors only."""

    out_features = 3

    def __init__(self, input_shape, hidden_size=3, bidirectional=True):
        super().__init__()

    def forward(self, x):
        return x.nan_to_num().mean(dim=1)[:, :3]


def test_silence_and_single_samples_are_fitted(speech):
    X, y = speech
    model = clone(SMALL).set_params(max_epochs=2)
    assert isinstance(model.fit(X[:1], y[:1]).predict(X[:1])[0], str)
    silent = model.fit(X[:4], [""] * 4)
    assert silent.characters_ == ""
    assert silent.predict(X[:2]).tolist() == ["", ""]
    zeros = np.zeros_like(X[:2])
    assert all(isinstance(text, str) for text in model.fit(X, y).predict(zeros))


def test_further_texts_and_models_serve_the_search(speech):
    X, y = speech
    model = clone(SMALL).set_params(max_epochs=1, text_corpus=["abc abc", None, "x"])
    assert model.fit(X, y).words_ == sorted([*WORDS, "abc", "x"])
    assert "x" in model.language_model_.vocabulary_
    given = NgramLanguageModel(2, "word", "kneser_ney")
    model = clone(SMALL).set_params(
        max_epochs=1, language_model=given, language_model__order=3
    )
    fitted = model.fit(X, y).language_model_
    assert (fitted.order, fitted.unit) == (3, "word")
    assert not hasattr(given, "vocabulary_")
    none = clone(SMALL).set_params(max_epochs=1, language_model=None).fit(X, y)
    assert none.language_model_ is None
    assert isinstance(none.predict(X[:1])[0], str)


def test_decoding_and_the_network_are_tuned(speech):
    X, y = speech
    model = clone(SMALL).set_params(max_epochs=15, early_stopping=False)
    grid = {"lm_weight": [0, 0.5], "module__hidden_size": [2, 16]}
    search = GridSearchCV(model, grid, cv=2, n_jobs=2).fit(X, y)
    assert search.best_params_["module__hidden_size"] == 16
    score = cross_val_score(
        model, X, np.array(y), cv=2, scoring=word_error_rate_scorer
    ).mean()
    assert score == pytest.approx(
        search.cv_results_["mean_test_score"][
            search.cv_results_["params"].index(
                {"lm_weight": 0.5, "module__hidden_size": 16}
            )
        ]
        - 1
    )


def test_any_backbone_with_tokens_will_do(speech):
    X, y = speech
    model = SpeechRecognizer(
        AudioCNN, module__n_blocks=1, module__n_filters=4, max_epochs=1, random_state=0
    )
    assert len(model.fit(X, y).predict(X[:2])) == 2
    with pytest.raises(ValueError, match="ImageCNN"):
        clone(model).set_params(module=ImageCNN, transformer="passthrough").fit(
            X[..., None, None], y
        )


def test_same_seed_same_texts_in_another_process_too(fitted, speech, new, tmp_path):
    X, _ = new
    again = clone(SMALL).fit(*speech)
    for a, b in zip(again.predict_log_proba(X), fitted.predict_log_proba(X)):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(
        clone(SMALL).set_params(n_jobs=2).fit(*speech).predict(X), fitted.predict(X)
    )
    file = str(tmp_path / "recognizer.joblib")
    joblib.dump((fitted, X), file)
    code = (
        "import joblib, sys; r, X = joblib.load(sys.argv[1]);"
        "joblib.dump(r.predict(X), sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, file], check=True)
    np.testing.assert_array_equal(joblib.load(file), fitted.predict(X))
