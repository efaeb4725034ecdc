"""Error rates against a recursive edit distance."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.model_selection import cross_val_score

from sklearn_mm.metrics import (
    character_error_rate,
    character_error_rate_scorer,
    word_error_rate,
    word_error_rate_scorer,
)


def compute_distance_slowly(first, second):
    @cache
    def recurse(i, j):
        if i == 0 or j == 0:
            return i + j
        return min(
            recurse(i - 1, j) + 1,
            recurse(i, j - 1) + 1,
            recurse(i - 1, j - 1) + (first[i - 1] != second[j - 1]),
        )

    return recurse(len(first), len(second))


@pytest.mark.parametrize("seed", range(20))
def test_rates_are_distances_over_lengths(seed):
    rng = np.random.default_rng(seed)
    words = np.array(["a", "ab", "ba", "abc"])
    true, guess = (
        [" ".join(rng.choice(words, rng.integers(1, 8))) for _ in range(6)]
        for _ in range(2)
    )
    for rate, split in ((word_error_rate, str.split), (character_error_rate, list)):
        distances = [
            compute_distance_slowly(split(a), split(b)) for a, b in zip(true, guess)
        ]
        expected = sum(distances) / sum(len(split(a)) for a in true)
        assert rate(true, guess) == pytest.approx(expected)
        assert rate(true, true) == 0


def test_known_rates():
    assert word_error_rate(["one two three"], ["one three"]) == pytest.approx(1 / 3)
    assert word_error_rate(["a b"], ["x a y b z"]) == 1.5
    assert character_error_rate(["kitten"], ["sitting"]) == 0.5


def test_missing_texts_are_left_out_or_count_as_empty():
    true = pd.Series(["a b", None, "c", ""], dtype=object)
    guess = pd.Series([None, "x y z", "c", "d"], dtype=object)
    assert word_error_rate(true, guess) == 1.0  # two deleted, one inserted, of three
    with pytest.raises(ValueError, match="has no words"):
        word_error_rate([None, ""], ["a", "b"])
    with pytest.raises(ValueError, match="inconsistent"):
        word_error_rate(["a"], ["a", "b"])
    with pytest.raises(TypeError, match="got int 3"):
        word_error_rate(["a"], [3])


class Parrot(BaseEstimator):
    """Always predicts the same text."""

    def fit(self, X, y):
        self.text_ = y[0]
        return self

    def predict(self, X):
        return np.array([self.text_] * len(X), dtype=object)


def test_scorers_work_in_cross_validation():
    X, y = np.zeros((4, 1)), np.array(["a b", "a b", "a c", "a c"], dtype=object)
    scores = cross_val_score(Parrot(), X, y, scoring=word_error_rate_scorer, cv=2)
    assert scores.tolist() == [-0.5, -0.5]
    scores = cross_val_score(Parrot(), X, y, scoring=character_error_rate_scorer, cv=2)
    assert scores == pytest.approx([-1 / 3, -1 / 3])
