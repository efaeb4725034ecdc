"""Token ids of texts, for networks."""

import re
from collections import Counter
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._columns.base import ArrayOutputMixin, ColumnTransformerMixin
from .._columns.texts import as_texts
from .._utils.imports import Interval, StrOptions, fit_context
from .._utils.versions import VersionMixin

PADDING = 0


UNKNOWN = 1


_FIRST_TOKEN = 2


_WORDS = re.compile(r"\w+|[^\w\s]")


class TextTokenizer(
    ArrayOutputMixin,
    ColumnTransformerMixin,
    TransformerMixin,
    VersionMixin,
    BaseEstimator,
):
    """Token ids of texts, for networks.

    ``fit`` learns which tokens there are; 0 is padding, 1 a token not seen in ``fit``,
    and the most frequent token is 2.

    Parameters
    ----------
    max_length : int or None, default=None
        Number of ids of a text: longer texts are cut, shorter ones padded. By default
        the length of the longest text in ``fit``.
    max_tokens : int or None, default=None
        Number of different ids, padding and unknown included; the most frequent tokens
        get one. By default every token does.
    level : {"word", "char"}, default="word"
        What a token is: a word or a punctuation mark, or a character.
    lowercase : bool, default=True
        Convert to lower case first.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        Id of each token, from 2 on.
    n_tokens_ : int
        Number of different ids, padding and unknown included.
    max_length_ : int
        Number of ids of a text.

    See Also
    --------
    TextVectorizer : Tf-idf vectors.

    Examples
    --------
    >>> from sklearn_mm import TextTokenizer
    >>> tokenizer = TextTokenizer().fit(["a red dress", "a red, red shoe"])
    >>> tokenizer.transform(["a blue dress", None])
    array([[3, 1, 5, 0, 0],
           [0, 0, 0, 0, 0]])
    """

    _parameter_constraints: dict = {
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "max_tokens": [Interval(Integral, 3, None, closed="left"), None],
        "level": [StrOptions({"word", "char"})],
        "lowercase": ["boolean"],
    }

    def __init__(
        self, max_length=None, max_tokens=None, level="word", *, lowercase=True
    ):
        self.max_length = max_length
        self.max_tokens = max_tokens
        self.level = level
        self.lowercase = lowercase

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn which tokens there are.

        Parameters
        ----------
        X : column of str
            Texts.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted tokenizer.
        """
        texts, _ = as_texts(X, type(self).__name__)
        counts, longest = Counter(), 1
        for text in texts:
            tokens = self._split(text)
            counts.update(tokens)
            longest = max(longest, len(tokens))
        ranked = sorted(counts, key=lambda token: (-counts[token], token))
        if self.max_tokens is not None:
            ranked = ranked[: self.max_tokens - _FIRST_TOKEN]
        self.vocabulary_ = {token: i for i, token in enumerate(ranked, _FIRST_TOKEN)}
        self.n_tokens_ = len(self.vocabulary_) + _FIRST_TOKEN
        self.max_length_ = longest if self.max_length is None else self.max_length
        return self

    def transform(self, X):
        """Turn texts into ids.

        Parameters
        ----------
        X : column of str
            Texts.

        Returns
        -------
        ndarray of shape (n_samples, max_length), int64
            Ids, padded with 0 at their end; all 0 where a text is missing.
        """
        check_is_fitted(self)
        texts, missing = as_texts(X, type(self).__name__)
        ids = np.full((len(missing), self.max_length_), PADDING, dtype=np.int64)
        for row, text in zip(np.flatnonzero(~missing), texts):
            tokens = self._split(text)[: self.max_length_]
            ids[row, : len(tokens)] = [self.vocabulary_.get(t, UNKNOWN) for t in tokens]
        return ids

    def _split(self, text):
        text = text.lower() if self.lowercase else text
        return list(text) if self.level == "char" else _WORDS.findall(text)
