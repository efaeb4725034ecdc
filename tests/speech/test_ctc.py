"""Beam search against the enumeration of all alignments."""

from itertools import groupby, product

import numpy as np
import pytest
import torch

from sklearn_mm import NgramLanguageModel
from sklearn_mm.speech._ctc import beam_search, decode_greedily

CHARACTERS = "ab "
TEXTS = ["ab a", "b ab", "ab", "a b", "ba ab"]


def make_steps(n_steps, n_symbols=4, seed=0, scale=2):
    logits = scale * np.random.default_rng(seed).standard_normal((n_steps, n_symbols))
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def enumerate_texts(log_probs, characters):
    """Log-probability of each text, over all alignments."""
    totals = {}
    for path in product(range(log_probs.shape[1]), repeat=len(log_probs)):
        merged = [symbol for symbol, _ in groupby(path) if symbol]
        text = "".join(characters[symbol - 1] for symbol in merged)
        p = sum(log_probs[t, symbol] for t, symbol in enumerate(path))
        totals[text] = np.logaddexp(totals.get(text, -np.inf), p)
    return totals


def is_allowed(text, lexicon):
    return not text or (
        all(word in lexicon for word in text.split(" "))
        and " ".join(text.split()) == text
    )


WAYS = {
    "acoustic": {},
    "bonus": {"word_bonus": 0.7},
    "penalty": {"word_bonus": -1.5},
    "characters": {"unit": "character", "lm_weight": 0.8},
    "words": {"unit": "word", "lm_weight": 1.3, "word_bonus": 1.0},
    "lexicon": {"lexicon": ["ab", "b"]},
    "all": {"lexicon": ["ab", "a"], "unit": "word", "lm_weight": 0.5, "word_bonus": 2},
    "spelt": {"lexicon": {"ab", "a"}, "unit": "character", "lm_weight": 2.0},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(4))
def test_a_wide_beam_finds_what_enumeration_finds(way, seed):
    options = dict(WAYS[way])
    unit, weight = options.pop("unit", None), options.get("lm_weight", 0)
    model = None
    if unit is not None:
        model = NgramLanguageModel(3, unit).fit(TEXTS)
    log_probs = make_steps(5, seed=seed)
    expected = {}
    for text, p in enumerate_texts(log_probs, CHARACTERS).items():
        if "lexicon" in options and not is_allowed(text, options["lexicon"]):
            continue
        likely = model.score_samples([text])[0] if model is not None else 0
        n_words = len(text.split())
        expected[text] = p + weight * likely + options.get("word_bonus", 0) * n_words
    found = beam_search(
        log_probs,
        CHARACTERS,
        beam_width=10_000,
        n_best=10_000,
        language_model=model,
        **options,
    )
    assert len(found) == len({text for text, _ in found})
    assert dict(found) == pytest.approx(expected, abs=1e-9)
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)


def test_scores_are_those_of_torchs_loss():
    log_probs = make_steps(12, seed=3)
    tensor = torch.as_tensor(log_probs)[:, None]
    for text, score in beam_search(log_probs, CHARACTERS, beam_width=5000, n_best=5):
        target = torch.tensor([[CHARACTERS.index(c) + 1 for c in text]])
        loss = torch.nn.functional.ctc_loss(
            tensor, target, [12], [len(text)], reduction="sum"
        )
        assert score == pytest.approx(-float(loss), abs=1e-4)


def test_a_narrow_beam_finds_a_clear_text():
    text, characters = "abba ab", "ab "
    rows = []
    for character in text:
        rows += [1 + characters.index(character), 0]
    logits = np.random.default_rng(0).standard_normal((len(rows), 4))
    logits[np.arange(len(rows)), rows] += 6
    log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    assert decode_greedily(log_probs, characters) == text
    best = [beam_search(log_probs, characters, beam_width=n)[0] for n in (2, 8, 64)]
    assert {found for found, _ in best} == {text}
    assert best[0][1] <= best[1][1] <= best[2][1]


def test_greedy_takes_the_best_path_where_the_best_text_is_another():
    # Blank is best in both steps, but "a" is likelier in total.
    log_probs = np.log([[0.6, 0.4], [0.6, 0.4]])
    assert decode_greedily(log_probs, "a") == ""
    (text, score), (empty, other) = beam_search(log_probs, "a", n_best=5)
    assert (text, empty) == ("a", "")
    assert np.exp([score, other]) == pytest.approx([0.64, 0.36])


def test_unlikely_characters_are_skipped_and_likely_ones_are_not():
    log_probs = make_steps(20, seed=1)
    exact = beam_search(log_probs, CHARACTERS, n_best=3)
    quick = beam_search(log_probs, CHARACTERS, n_best=3, threshold=12)
    assert [text for text, _ in quick] == [text for text, _ in exact]
    best = [beam_search(log_probs, CHARACTERS, threshold=0)[0][1], exact[0][1]]
    assert best[0] < best[1]


def test_impossible_paths_are_never_taken():
    log_probs = np.full((3, 3), -np.inf)
    log_probs[0, 1] = log_probs[1, 0] = log_probs[2, 1] = 0
    with np.errstate(all="raise"):
        assert beam_search(log_probs, "ab", n_best=9) == [("aa", 0.0)]
    assert beam_search(np.zeros((0, 3)), "ab") == [("", 0.0)]
    assert beam_search(np.zeros((4, 1)), "") == [("", 0.0)]
    assert decode_greedily(np.zeros((0, 3)), "ab") == ""


def test_a_lexicon_without_a_possible_text_gives_the_empty_text():
    log_probs = np.log([[0.1, 0.9]])
    text, score = beam_search(log_probs, "a", beam_width=1, lexicon=["aa"])[0]
    assert text == ""
    assert score == pytest.approx(np.log(0.1))
