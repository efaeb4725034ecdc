"""Text: tf-idf vectors and token ids from a column that may have missing cells."""

import numpy as np
from scipy import sparse
from sklearn.base import TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.validation import check_is_fitted

from .._columns.base import ColumnTransformerMixin
from .._columns.texts import as_texts
from .._utils.imports import StrOptions
from .._utils.versions import VersionMixin


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
