"""Convert texts to token ids, for networks."""

import re
from collections import Counter
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._columns.base import ArrayOutputMixin, ColumnTransformerMixin
from .._columns.texts import read_texts
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
    """Convert texts to token ids, for networks.

    ``fit`` learns the tokens. Id 0 is padding, 1 an unknown token, and 2 the most
    frequent token.

    Parameters
    ----------
    max_length : int or None, default=None
        Number of ids per text: longer texts are cut, shorter ones padded. By default
        the length of the longest text in ``fit``.
    max_tokens : int or None, default=None
        Number of different ids, including those of padding and unknown tokens; only the
        most frequent tokens get one. By default all tokens do.
    level : {"word", "char"}, default="word"
        Whether a token is a word (or a punctuation mark) or a character.
    lowercase : bool, default=True
        Whether to convert texts to lower case first.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that are not texts: raise :class:`LoadError` after all
        cells have been tried, or treat them as missing, with or without a warning.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        Id of each token, from 2 on.
    n_tokens_ : int
        Number of different ids, including those of padding and unknown tokens.
    max_length_ : int
        Number of ids per text.

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
        "on_error": [StrOptions({"raise", "warn", "missing"})],
    }

    def __init__(
        self,
        max_length=None,
        max_tokens=None,
        level="word",
        *,
        lowercase=True,
        on_error="raise",
    ):
        self.max_length = max_length
        self.max_tokens = max_tokens
        self.level = level
        self.lowercase = lowercase
        self.on_error = on_error

    def fit(self, X, y=None):
        """Learn the tokens.

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
        self.fit_transform(X)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        """Learn the tokens, and convert texts to ids.

        Parameters
        ----------
        X : column of str
            Texts.
        y : None
            Ignored.

        Returns
        -------
        ndarray of shape (n_samples, max_length), int64
            Ids, padded with 0 at the end; all 0 where a text is missing.
        """
        samples = self._tokenize(X)
        counts, longest = Counter(), 1
        for tokens in samples:
            counts.update(tokens)
            longest = max(longest, len(tokens))
        ranked = sorted(counts, key=lambda token: (-counts[token], token))
        if self.max_tokens is not None:
            ranked = ranked[: self.max_tokens - _FIRST_TOKEN]
        self.vocabulary_ = {token: i for i, token in enumerate(ranked, _FIRST_TOKEN)}
        self.n_tokens_ = len(self.vocabulary_) + _FIRST_TOKEN
        self.max_length_ = longest if self.max_length is None else self.max_length
        return self._encode(samples)

    def transform(self, X):
        """Convert texts to ids.

        Parameters
        ----------
        X : column of str
            Texts.

        Returns
        -------
        ndarray of shape (n_samples, max_length), int64
            Ids, padded with 0 at the end; all 0 where a text is missing.
        """
        check_is_fitted(self)
        return self._encode(self._tokenize(X))

    def _tokenize(self, X):
        """Return the tokens of each text, none where it is missing."""
        texts = read_texts(X, type(self).__name__, self.on_error)
        return [[] if text is None else self._split(text) for text in texts]

    def _split(self, text):
        text = text.lower() if self.lowercase else text
        return list(text) if self.level == "char" else _WORDS.findall(text)

    def _encode(self, samples):
        ids = np.full((len(samples), self.max_length_), PADDING, dtype=np.int64)
        for row, tokens in zip(ids, samples):
            tokens = tokens[: self.max_length_]
            row[: len(tokens)] = [self.vocabulary_.get(t, UNKNOWN) for t in tokens]
        return ids
