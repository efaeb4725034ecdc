"""Tf-idf vectors of a column of texts that may have missing cells."""

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.validation import check_is_fitted

from .._columns.base import ColumnTransformerMixin, SparseOutputMixin
from .._columns.texts import read_texts
from .._utils.imports import StrOptions, fit_context
from .._utils.versions import VersionMixin

_TFIDF_CONSTRAINTS = {
    name: constraint
    for name, constraint in TfidfVectorizer._parameter_constraints.items()
    if name not in ("input", "encoding", "decode_error", "dtype")
}


class TextVectorizer(
    SparseOutputMixin,
    ColumnTransformerMixin,
    TransformerMixin,
    VersionMixin,
    BaseEstimator,
):
    r"""scikit-learn's ``TfidfVectorizer`` for a column of a table.

    The column may be a Series or a one-column frame. Missing cells are allowed and are
    ignored when the vocabulary and the document frequencies are learned.

    Parameters
    ----------
    lowercase : bool, default=True
        Convert to lower case first.
    strip_accents : {"ascii", "unicode"}, callable or None, default=None
        Remove accents.
    preprocessor, tokenizer : callable or None, default=None
        Replace these steps of the analysis.
    analyzer : {"word", "char", "char_wb"} or callable, default="word"
        Unit of the n-grams.
    stop_words : {"english"}, list or None, default=None
        Words to ignore.
    token_pattern : str, default=r"(?u)\b\w\w+\b"
        Regular expression that matches a word.
    ngram_range : tuple of (int, int), default=(1, 1)
        Lengths of the shortest and the longest n-gram.
    max_df : float or int, default=1.0
        Maximum share (float) or number (int) of texts that a term occurs in.
    min_df : float or int, default=1
        Minimum share (float) or number (int) of texts that a term occurs in.
    max_features : int or None, default=None
        Number of most frequent terms to keep. By default all.
    vocabulary : mapping, iterable or None, default=None
        The terms. By default they are learned in ``fit``.
    binary : bool, default=False
        Whether a term counts at most once per text.
    norm : {"l1", "l2"} or None, default="l2"
        Norm of each row.
    use_idf, smooth_idf : bool, default=True
        Whether to weight terms by inverse document frequency, and whether to add one to
        document frequencies.
    sublinear_tf : bool, default=False
        Whether to replace a count by one plus its logarithm.
    missing : {"nan", "empty"}, default="nan"
        Row of a missing cell: all NaN, or all zero as that of an empty text.
    sparse_output : bool, default=True
        Whether to return a sparse matrix, which ``set_output`` makes a dense frame. The
        global ``set_config(transform_output=...)`` leaves it sparse.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that are not texts: raise :class:`LoadError` after all
        cells have been tried, or treat them as missing, with or without a warning.

    Attributes
    ----------
    vocabulary_ : dict
        Column of each term.
    idf_ : ndarray of shape (n_features,)
        Inverse document frequencies; only if ``use_idf`` is True.
    vectorizer_ : TfidfVectorizer
        scikit-learn's vectorizer, fitted on the texts that are present.

    See Also
    --------
    TextTokenizer : Token ids, for networks.

    Notes
    -----
    A row of NaN in a sparse matrix stores all of its entries. With a large vocabulary
    and many missing cells use ``missing="empty"``, or a fusion estimator, which passes
    on only the rows that are present.

    Examples
    --------
    >>> from sklearn_mm import TextVectorizer
    >>> TextVectorizer().fit_transform(["a red dress", None, "red shoes"]).shape
    (3, 3)
    """

    _parameter_constraints: dict = {
        **_TFIDF_CONSTRAINTS,
        "missing": [StrOptions({"nan", "empty"})],
        "sparse_output": ["boolean"],
        "on_error": [StrOptions({"raise", "warn", "missing"})],
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
        on_error="raise",
    ):
        self.lowercase = lowercase
        self.strip_accents = strip_accents
        self.preprocessor = preprocessor
        self.tokenizer = tokenizer
        self.analyzer = analyzer
        self.stop_words = stop_words
        self.token_pattern = token_pattern
        self.ngram_range = ngram_range
        self.max_df = max_df
        self.min_df = min_df
        self.max_features = max_features
        self.vocabulary = vocabulary
        self.binary = binary
        self.norm = norm
        self.use_idf = use_idf
        self.smooth_idf = smooth_idf
        self.sublinear_tf = sublinear_tf
        self.missing = missing
        self.sparse_output = sparse_output
        self.on_error = on_error

    def fit(self, X, y=None):
        """Learn the vocabulary and the document frequencies.

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

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        """Learn the vocabulary and the document frequencies, and compute the vectors.

        Parameters
        ----------
        X : column of str
            Texts.
        y : None
            Ignored.

        Returns
        -------
        sparse matrix or ndarray of shape (n_samples, n_features), float32
            The vectors; the row of a missing cell depends on ``missing``.
        """
        texts, missing = self._read(X)
        if not texts:
            raise ValueError("TextVectorizer: X has no text to learn from.")
        params = {name: getattr(self, name) for name in _TFIDF_CONSTRAINTS}
        self.vectorizer_ = TfidfVectorizer(**params)
        vectors = self.vectorizer_.fit_transform(texts)
        return self._place(vectors, missing)

    def transform(self, X):
        """Compute the vectors.

        Parameters
        ----------
        X : column of str
            Texts.

        Returns
        -------
        sparse matrix or ndarray of shape (n_samples, n_features), float32
            The vectors; the row of a missing cell depends on ``missing``.
        """
        check_is_fitted(self)
        texts, missing = self._read(X)
        if texts:
            vectors = self.vectorizer_.transform(texts)
        else:  # scikit-learn refuses an empty list
            vectors = sparse.csr_matrix((0, len(self.vocabulary_)))
        return self._place(vectors, missing)

    def get_feature_names_out(self, input_features=None):
        """Return the terms.

        Parameters
        ----------
        input_features : array-like of str or None
            Ignored.

        Returns
        -------
        ndarray of str
            One term per feature.
        """
        check_is_fitted(self)
        return self.vectorizer_.get_feature_names_out()

    @property
    def vocabulary_(self):
        """Column of each term."""
        return self.vectorizer_.vocabulary_

    @property
    def idf_(self):
        """Inverse document frequencies."""
        return self.vectorizer_.idf_

    def _read(self, X):
        """Return the texts that are present, and which cells are missing."""
        texts = read_texts(X, type(self).__name__, self.on_error)
        missing = np.array([text is None for text in texts], dtype=bool)
        return [text for text in texts if text is not None], missing

    def _place(self, vectors, missing):
        """Insert rows for the missing texts between the vectors of the others."""
        vectors = vectors.astype(np.float32)
        if missing.any():
            vectors = _insert_missing(
                vectors, missing, np.nan if self.missing == "nan" else 0
            )
        is_dense = self._is_framed or not self.sparse_output
        return vectors.toarray() if is_dense else vectors

    @property
    def _is_sparse(self):
        return self.sparse_output


def _insert_missing(vectors, missing, fill):
    """Insert rows of ``fill`` (NaN or 0) into a CSR matrix, without densifying it."""
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
