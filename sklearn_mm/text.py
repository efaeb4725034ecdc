"""Text: tf-idf vectors and token ids from a column that may have missing cells."""

import re
from collections import Counter
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.validation import check_is_fitted

from ._column import as_column, load_cells
from ._encoder import ArrayOutputMixin, ColumnTransformerMixin
from ._imports import Interval, StrOptions, fit_context
from ._persistence import VersionMixin

PADDING = 0
UNKNOWN = 1
_FIRST_TOKEN = 2
_WORDS = re.compile(r"\w+|[^\w\s]")


class TextVectorizer(
    ColumnTransformerMixin, TransformerMixin, VersionMixin, TfidfVectorizer
):
    r"""scikit-learn's ``TfidfVectorizer`` for a column of a table.

    The column may be a Series or a one-column frame and may have missing cells, on
    which the vocabulary and the document frequencies do not depend.

    Parameters
    ----------
    lowercase : bool, default=True
        Convert to lower case first.
    strip_accents : {"ascii", "unicode"}, callable or None, default=None
        Remove accents.
    preprocessor, tokenizer : callable or None, default=None
        Replace these steps.
    analyzer : {"word", "char", "char_wb"} or callable, default="word"
        What n-grams are made of.
    stop_words : {"english"}, list or None, default=None
        Words to leave out.
    token_pattern : str, default=r"(?u)\b\w\w+\b"
        What a word is.
    ngram_range : tuple of (int, int), default=(1, 1)
        Shortest and longest n-gram.
    max_df, min_df : float or int, default=1.0 and 1
        Bounds on the share (float) or number (int) of texts that a term occurs in.
    max_features : int or None, default=None
        Keep this many of the most frequent terms.
    vocabulary : mapping, iterable or None, default=None
        The terms, if known.
    binary : bool, default=False
        Whether a term counts once in a text.
    norm : {"l1", "l2"} or None, default="l2"
        Norm of each row.
    use_idf, smooth_idf : bool, default=True
        Weight by the inverse document frequency, add one to it.
    sublinear_tf : bool, default=False
        Replace a count by one plus its logarithm.
    missing : {"nan", "empty"}, default="nan"
        Row of a missing cell: all NaN, or that of an empty text, all zero.
    sparse_output : bool, default=True
        Return a sparse matrix; ``set_output`` needs a dense one.

    Attributes
    ----------
    vocabulary_ : dict
        Column of each term.
    idf_ : ndarray of shape (n_features,)
        Inverse document frequencies.

    See Also
    --------
    TextTokenizer : Token ids, for networks.

    Notes
    -----
    A row of NaN in a sparse matrix stores all of its entries. With a large vocabulary
    and many missing cells use ``missing="empty"``, or a fusion estimator, which hands
    over only the rows that are there.

    Examples
    --------
    >>> from sklearn_mm import TextVectorizer
    >>> TextVectorizer().fit_transform(["a red dress", None, "red shoes"]).shape
    (3, 3)
    """

    _parameter_constraints: dict = {
        **{
            name: constraint
            for name, constraint in TfidfVectorizer._parameter_constraints.items()
            if name not in ("input", "encoding", "decode_error", "dtype")
        },
        "missing": [StrOptions({"nan", "empty"})],
        "sparse_output": ["boolean"],
    }

    def __init__(
        self,
        *,
        lowercase=True,
        strip_accents=None,
        preprocessor=None,
        tokenizer=None,
        analyzer="word",
        stop_words=None,
        token_pattern=r"(?u)\b\w\w+\b",
        ngram_range=(1, 1),
        max_df=1.0,
        min_df=1,
        max_features=None,
        vocabulary=None,
        binary=False,
        norm="l2",
        use_idf=True,
        smooth_idf=True,
        sublinear_tf=False,
        missing="nan",
        sparse_output=True,
    ):
        super().__init__(
            lowercase=lowercase,
            strip_accents=strip_accents,
            preprocessor=preprocessor,
            tokenizer=tokenizer,
            analyzer=analyzer,
            stop_words=stop_words,
            token_pattern=token_pattern,
            ngram_range=ngram_range,
            max_df=max_df,
            min_df=min_df,
            max_features=max_features,
            vocabulary=vocabulary,
            binary=binary,
            norm=norm,
            use_idf=use_idf,
            smooth_idf=smooth_idf,
            sublinear_tf=sublinear_tf,
        )
        self.missing = missing
        self.sparse_output = sparse_output

    def fit(self, X, y=None):
        """Learn vocabulary and document frequencies.

        Parameters
        ----------
        X : column of str
            Texts.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted vectorizer.
        """
        self.fit_transform(X)
        return self

    def fit_transform(self, X, y=None):
        """Learn vocabulary and document frequencies, return the vectors.

        Parameters
        ----------
        X : column of str
            Texts.
        y : None
            Ignored.

        Returns
        -------
        sparse matrix or ndarray of shape (n_samples, n_features), float32
            The vectors.
        """
        texts, missing = as_texts(X, type(self).__name__)
        if not texts:
            raise ValueError("TextVectorizer: there is no text to learn from.")
        return self._place(TfidfVectorizer.fit_transform(self, texts), missing)

    def transform(self, X):
        """Compute the vectors.

        Parameters
        ----------
        X : column of str
            Texts.

        Returns
        -------
        sparse matrix or ndarray of shape (n_samples, n_features), float32
            The vectors; a missing cell's row as ``missing`` says.
        """
        texts, missing = as_texts(X, type(self).__name__)
        check_is_fitted(self)
        if texts:
            vectors = TfidfVectorizer.transform(self, texts)
        else:  # which scikit-learn refuses
            vectors = sparse.csr_matrix((0, len(self.vocabulary_)))
        return self._place(vectors, missing)

    def _place(self, vectors, missing):
        """Put the vectors of present texts among the rows of the missing ones."""
        vectors = vectors.astype(np.float32)
        if missing.any():
            vectors = _spread(vectors, missing, np.nan if self.missing == "nan" else 0)
        return vectors if self.sparse_output else vectors.toarray()


def _spread(vectors, missing, fill):
    n_features = vectors.shape[1]
    counts = np.zeros(len(missing), dtype=np.intp)
    counts[~missing] = np.diff(vectors.indptr)
    counts[missing] = 0 if fill == 0 else n_features
    starts = np.concatenate([[0], np.cumsum(counts)])
    filled = np.repeat(missing, counts)
    data = np.full(starts[-1], fill, dtype=np.float32)
    data[~filled] = vectors.data
    columns = np.tile(np.arange(n_features), missing.sum() if fill != 0 else 0)
    indices = np.empty(starts[-1], dtype=np.intp)
    indices[filled], indices[~filled] = columns, vectors.indices
    return type(vectors)((data, indices, starts), (len(missing), n_features))


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


def as_texts(X, owner):
    """Take the texts out of a column.

    Parameters
    ----------
    X : column of str
        Texts, some of which may be missing.
    owner : str
        Name of the estimator, for errors.

    Returns
    -------
    list of str
        The texts that are there.
    ndarray of bool
        Which cells are missing.
    """
    column = as_column(X, owner)
    load_cells(column, _check_text, owner=owner)
    return list(column.cells[~column.missing]), column.missing


def _check_text(row, cell):
    if not isinstance(cell, str):
        raise TypeError(f"expected a text (str), got {type(cell).__name__}")
