"""Text: tf-idf against scikit-learn's, token ids by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from sklearn_mm import LoadError, TextTokenizer, TextVectorizer

TEXTS = ["a red dress", "red red shoes", "", "a blue dress, a red hat"]


@pytest.mark.parametrize(
    "options",
    [{}, {"ngram_range": (1, 2), "min_df": 2}, {"analyzer": "char", "use_idf": False}],
)
def test_vectors_equal_scikit_learns(options):
    expected = TfidfVectorizer(**options).fit_transform(TEXTS)
    vectors = TextVectorizer(**options).fit_transform(TEXTS)
    np.testing.assert_allclose(vectors.toarray(), expected.toarray(), rtol=1e-6)


def test_missing_cells_do_not_change_what_is_learned():
    column = pd.DataFrame({"text": [TEXTS[0], None, *TEXTS[1:], np.nan]})
    with_gaps = TextVectorizer().fit(column)
    complete = TextVectorizer().fit(TEXTS)
    assert with_gaps.vocabulary_ == complete.vocabulary_
    np.testing.assert_array_equal(with_gaps.idf_, complete.idf_)
    vectors = with_gaps.transform(column).toarray()
    np.testing.assert_array_equal(
        vectors[[0, 2, 3, 4]], complete.transform(TEXTS).toarray()
    )
    assert np.isnan(vectors[[1, 5]]).all()


def test_missing_cells_can_count_as_empty_texts():
    vectorizer = TextVectorizer(missing="empty").fit(TEXTS)
    vectors = vectorizer.transform([None, TEXTS[0]])
    assert vectors[[0]].nnz == 0
    assert vectors[[1]].nnz == 2
    assert (vectorizer.transform([None]).toarray() == 0).all()


def test_a_column_without_any_text_teaches_nothing():
    with pytest.raises(ValueError, match="no text to learn from"):
        TextVectorizer().fit([None, np.nan])


def test_bytes_and_numbers_are_no_texts():
    with pytest.raises(LoadError, match=r"row 1 .* expected a text \(str\), got bytes"):
        TextVectorizer().fit(["a", b"b"])


def test_ids_follow_frequency_then_the_alphabet():
    tokenizer = TextTokenizer().fit(TEXTS)
    # red 4, a 3, dress 2, then one each: "," blue hat shoes
    expected = {"red": 2, "a": 3, "dress": 4, ",": 5, "blue": 6, "hat": 7, "shoes": 8}
    assert tokenizer.vocabulary_ == expected
    assert tokenizer.n_tokens_ == 9
    assert tokenizer.max_length_ == 7
    ids = tokenizer.transform(["RED coat!", None, ""])
    assert ids.tolist() == [[2, 1, 1, 0, 0, 0, 0], [0] * 7, [0] * 7]


def test_max_tokens_counts_padding_and_unknown():
    tokenizer = TextTokenizer(max_tokens=4).fit(TEXTS)
    assert tokenizer.n_tokens_ == 4
    ids = tokenizer.transform(TEXTS)
    assert ids.max() == 3
    assert ids[3].tolist() == [3, 1, 1, 1, 3, 2, 1]


def test_texts_are_cut_and_padded_to_max_length():
    tokenizer = TextTokenizer(max_length=3, level="char", lowercase=False).fit(
        ["abcAB"]
    )
    ids = tokenizer.transform(["Abcd", "a"])
    assert ids.shape == (2, 3)
    assert ids[1].tolist()[1:] == [0, 0]
    assert ids[0, 0] != ids[1, 0]  # A is not a
