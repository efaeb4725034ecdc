"""The language model against a slow implementation of the formulas."""

import copy
import io
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.utils import estimator_checks

from sklearn_mm import LoadError, NgramLanguageModel, trusted_types

TEXTS = ["one two", "two one one", "", "three two one", "two", "one two three"]
SMOOTHING = ["witten_bell", "kneser_ney"]


def list_ngrams(texts, n, unit):
    """List the n-grams of texts that begin with one <s> and end with </s>."""
    ngrams = []
    for text in texts:
        tokens = list(text) if unit == "character" else text.split()
        tokens = ["<s>", *tokens, "</s>"]
        ngrams += [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return [ngram for ngram in ngrams if ngram != ("<s>",)]


def compute_slowly(texts, order, unit, smoothing, context, token, n_tokens):
    """Probability by recursion over lists of n-grams."""
    context = context[len(context) - min(order - 1, len(context)) :]
    if smoothing == "witten_bell":
        counted = [list_ngrams(texts, n, unit) for n in range(1, order + 1)]
    else:
        counted = []
        for n in range(1, order):
            longer = sorted(set(list_ngrams(texts, n + 1, unit)))
            first = [g for g in list_ngrams(texts, n, unit) if g[0] == "<s>"]
            counted.append([g[1:] for g in longer] + first)
        counted.append(list_ngrams(texts, order, unit))

    def recurse(context):
        if context is None:
            return 1 / n_tokens
        lower = recurse(context[1:] if context else None)
        grams = counted[len(context)]
        behind = [g[-1] for g in grams if g[:-1] == context]
        if not behind:
            return lower
        if smoothing == "witten_bell":
            new = len(set(behind))
            return (behind.count(token) + new * lower) / (len(behind) + new)
        sizes = [grams.count(g) for g in set(grams)]
        discount = sizes.count(1) / max(sizes.count(1) + 2 * sizes.count(2), 1)
        discount = min(max(discount, 0.05), 0.95)
        kept = max(behind.count(token) - discount, 0)
        return (kept + discount * len(set(behind)) * lower) / len(behind)

    return recurse(context)


@pytest.mark.parametrize("smoothing", SMOOTHING)
@pytest.mark.parametrize("unit", ["character", "word"])
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_probabilities_are_those_of_the_formula(order, unit, smoothing):
    model = NgramLanguageModel(order, unit, smoothing).fit(TEXTS)
    n_tokens = len(model.vocabulary_) + 2
    contexts = [(), ("one",), ("two", "one"), ("three", "never")]
    if unit == "character":
        contexts = [(), tuple("o"), tuple("two one"), tuple("onex")]
    for context in contexts:
        found = np.exp(model.next_log_probabilities(context))
        expected = [
            compute_slowly(
                TEXTS, order, unit, smoothing, ("<s>", *context), token, n_tokens
            )
            for token in [*model.vocabulary_, "</s>", "?"]
        ]
        np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("smoothing", SMOOTHING)
@pytest.mark.parametrize("unit", ["character", "word"])
@pytest.mark.parametrize("order", [1, 2, 3, 6])
def test_probabilities_sum_to_one_in_any_context(order, unit, smoothing):
    rng = np.random.default_rng(order)
    for seed in range(5):
        words = rng.choice(["a", "bb", "abc", "c"], (20, 4))
        texts = [" ".join(row[: rng.integers(0, 5)]) for row in words]
        model = NgramLanguageModel(order, unit, smoothing).fit(texts)
        known = [*model.vocabulary_, "unknown"]
        for length in range(8):
            context = tuple(rng.choice(known, length))
            log_probs = model.next_log_probabilities(context)
            assert np.isfinite(log_probs).all(), seed
            assert np.exp(log_probs).sum() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("smoothing", SMOOTHING)
def test_a_text_is_as_likely_as_its_tokens_and_its_end(smoothing):
    model = NgramLanguageModel(3, smoothing=smoothing).fit(TEXTS)
    text = "two ones"
    expected = sum(
        model.log_probability(token, tuple(text[:i])) for i, token in enumerate(text)
    ) + model.log_probability(None, tuple(text))
    likely, missing, empty = model.score_samples([text, None, ""])
    assert likely == pytest.approx(expected)
    assert np.isnan(missing)
    assert empty == pytest.approx(model.log_probability(None))
    mean = (likely + empty) / (len(text) + 2)
    assert model.score([text, None, ""]) == pytest.approx(mean)
    assert model.perplexity([text, ""]) == pytest.approx(np.exp(-mean))


@pytest.mark.parametrize("smoothing", SMOOTHING)
def test_training_texts_are_likelier(smoothing):
    model = NgramLanguageModel(smoothing=smoothing).fit(pd.Series(TEXTS * 5))
    seen, shuffled, unknown = model.score_samples(["two one", "eno owt", "xyz qqq"])
    assert seen > shuffled > unknown


def test_missing_texts_are_left_out_and_other_cells_refused():
    complete = NgramLanguageModel().fit(TEXTS)
    gaps = NgramLanguageModel().fit([None, *TEXTS, np.nan])
    np.testing.assert_array_equal(
        gaps.score_samples(TEXTS), complete.score_samples(TEXTS)
    )
    with pytest.raises(LoadError, match=r"row 1 \(float\).*expected a text"):
        NgramLanguageModel().fit(["a", 3.5])
    with pytest.raises(ValueError, match="no text"):
        NgramLanguageModel().fit([None])
    empty = NgramLanguageModel().fit(["", ""])
    assert empty.vocabulary_ == []
    assert empty.score_samples([""]) > empty.score_samples(["a"])


def through_joblib(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


def through_skops(model):
    skops_io = pytest.importorskip("skops.io")
    return skops_io.loads(skops_io.dumps(model), trusted=trusted_types())


def through_pickle(model):
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize(
    "save_and_load", [through_joblib, through_pickle, through_skops, copy.deepcopy]
)
@pytest.mark.parametrize("smoothing", SMOOTHING)
def test_saved_models_score_alike(save_and_load, smoothing):
    texts = [*TEXTS, "\ud83d\ude00 \ud83d", "\ude00 😀"]  # surrogates, not a smiley
    for unit in ("character", "word"):
        model = NgramLanguageModel(3, unit, smoothing).fit(texts)
        expected = model.score_samples(texts)
        again = save_and_load(model)
        assert again.vocabulary_ == model.vocabulary_
        np.testing.assert_array_equal(again.score_samples(texts), expected)


def test_more_words_than_there_are_characters_are_told_apart_in_a_saved_model():
    words = [f"w{i}" for i in range(58_000)]  # beyond 55,296, where surrogates begin
    texts = [" ".join(words[i : i + 100]) for i in range(0, len(words), 100)]
    model = through_skops(NgramLanguageModel(1, "word").fit(texts))
    # Each word once in 58,000 + 580 tokens, of 58,001 kinds; uniform over 58,002.
    likely = (1 + 58_001 / 58_002) / (58_580 + 58_001)
    found = [model.log_probability(word) for word in words[-3000::100]]
    np.testing.assert_allclose(found, np.log(likely))


def test_models_are_pickled_without_memoised_probabilities():
    model = NgramLanguageModel().fit(TEXTS)
    fresh = len(pickle.dumps(model))
    model.score_samples(TEXTS)
    assert len(pickle.dumps(model)) == fresh


@pytest.mark.parametrize("texts", [[], [None, np.nan]])
def test_nothing_to_score_is_an_error(texts):
    model = NgramLanguageModel().fit(TEXTS)
    for score in (model.score, model.perplexity):
        with pytest.raises(ValueError, match="no text to score"):
            score(texts)


def test_order_and_smoothing_are_tuned():
    texts = ["one two three", "three one two", "two three one"] * 6
    grid = {"order": [1, 4], "smoothing": SMOOTHING}
    search = GridSearchCV(NgramLanguageModel(), grid, cv=3, n_jobs=2).fit(texts)
    assert search.best_params_["order"] == 4


@pytest.mark.parametrize(
    "check",
    [
        "check_estimator_cloneable",
        "check_no_attributes_set_in_init",
        "check_parameters_default_constructible",
        "check_get_params_invariance",
        "check_set_params",
    ],
)
def test_scikit_learns_checks_that_need_no_table_pass(check):
    model = NgramLanguageModel()
    getattr(estimator_checks, check)("NgramLanguageModel", clone(model))
