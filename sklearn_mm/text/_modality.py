"""The text modality: its cells and default encoder."""

import numpy as np

from .._columns.modality import Modality
from ._disturbances import DISTURBANCES
from ._vectorizer import TextVectorizer

#: Distinct strings above which words are a text, if there are this many on average.
_DISTINCT = 40
_WORDS = 2


def make_encoder(sparse=False, on_error="raise"):
    """Return the default encoder: tf-idf of words and pairs of words."""
    missing = "empty" if sparse else "nan"
    return TextVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, missing=missing, on_error=on_error
    )


def detect(cells):
    """Return why cells are texts, or None: several words, and many distinct strings."""
    if not all(isinstance(cell, str) for cell in cells):
        return None
    n_words = np.mean([len(cell.split()) for cell in cells])
    n_distinct = len(set(cells))
    # Of a sample, the share of distinct strings says whether there are more in all.
    many = n_distinct > min(_DISTINCT, 0.5 * len(cells))
    if n_words < _WORDS or not many:
        return None
    return f"{n_words:.0f} words on average, {n_distinct} distinct"


TEXT = Modality(
    "text",
    make_encoder=make_encoder,
    detect=detect,
    disturbances=DISTURBANCES,
)
