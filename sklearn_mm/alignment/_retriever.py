"""Search one modality by another."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils.validation import check_is_fitted

from .._columns.column import as_column
from .._utils.imports import HasMethods, Interval, StrOptions, fit_context, is_instance
from .._utils.versions import VersionMixin
from ..metrics import mean_average_precision_scorer
from ._base import fit_aligner, scale_to_unit
from ._index import ExactIndex, HNSWIndex, has_faiss


class CrossModalRetriever(MetaEstimatorMixin, VersionMixin, BaseEstimator):
    """Find the cells of one modality that go with those of another.

    An image for a sentence, the recording for a word, a description of an image by the
    nearest caption: ``fit`` indexes the target's cells by their place in the space of
    an aligner, ``kneighbors`` and ``predict`` look up queries there.

    Parameters
    ----------
    aligner : aligner
        A :class:`ContrastiveAligner` or :class:`CanonicalAligner`, or what has their
        ``transform(X, modality=)``. One that is fitted is used as it is (inside of
        ``GridSearchCV``, which clones, put it into a
        :class:`~sklearn.frozen.FrozenEstimator`); otherwise a clone is fitted.
    query : str
        Name of the modality that is searched by.
    target : str
        Name of the modality that is searched for.
    n_neighbors : int, default=10
        How many targets ``kneighbors`` gives.
    algorithm : {"auto", "exact", "hnsw"}, default="auto"
        "exact" compares a query with all targets, "hnsw" walks an approximate graph of
        neighbours [1]_ (faiss, by the extra ``faiss``); "auto" takes the graph from
        ``max_exact`` targets on if faiss is installed.
    max_exact : int, default=100000
        See ``algorithm``.
    n_jobs : int or None, default=None
        Number of threads of a search. The graph is built by one, so that it is the same
        each time.

    Attributes
    ----------
    aligner_ : aligner
        The fitted aligner.
    targets_ : ndarray of shape (n_targets, ...)
        The indexed cells; of a modality of several columns tuples of cells.
    index_ : object
        What is searched.

    References
    ----------
    .. [1] Y. A. Malkov and D. A. Yashunin (2020), "Efficient and robust approximate
       nearest neighbor search using hierarchical navigable small world graphs", IEEE
       Transactions on Pattern Analysis and Machine Intelligence 42.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_mm import CanonicalAligner, CrossModalRetriever
    >>> from sklearn_mm import TextVectorizer, VectorStacker
    >>> X = pd.DataFrame(
    ...     {
    ...         "color": [[0.9, 0.1], [0.1, 0.9], [0.5, 0.1], [0.1, 0.5]],
    ...         "name": ["light red", "light green", "dark red", "dark green"],
    ...     }
    ... )
    >>> aligner = CanonicalAligner(
    ...     [("color", VectorStacker(), "color"), ("name", TextVectorizer(), "name")]
    ... )
    >>> retriever = CrossModalRetriever(aligner, query="color", target="name")
    >>> found = retriever.fit(X).predict([[0.8, 0.0], [0.0, 0.4], None])
    >>> found[0].split()[1], found[1].split()[1], found[2]
    ('red', 'green', None)
    """

    _parameter_constraints: dict = {
        "aligner": [HasMethods(["fit", "transform"])],
        "query": [str],
        "target": [str],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "algorithm": [StrOptions({"auto", "exact", "hnsw"})],
        "max_exact": [Interval(Integral, 0, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        aligner,
        *,
        query,
        target,
        n_neighbors=10,
        algorithm="auto",
        max_exact=100_000,
        n_jobs=None,
    ):
        self.aligner = aligner
        self.query = query
        self.target = target
        self.n_neighbors = n_neighbors
        self.algorithm = algorithm
        self.max_exact = max_exact
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Index the target's cells; fit the aligner first if it is not fitted.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays, or column
            The table; with a fitted aligner the target's cells by themselves will do.
            Targets that are missing are not found.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted retriever.
        """
        self.aligner_ = fit_aligner(self.aligner, X)
        known = self.aligner_.modalities_
        for parameter in ("query", "target"):
            if getattr(self, parameter) not in known:
                raise ValueError(
                    f"{parameter} must be one of the aligner's modalities {known}, got "
                    f"{getattr(self, parameter)!r}."
                )
        cells = self.aligner_.select_modality(X, self.target)
        vectors = np.asarray(self.aligner_.transform(X, modality=self.target))
        self._rows = np.flatnonzero(~np.isnan(vectors).any(axis=1))
        if not len(self._rows):
            raise ValueError(
                f"modality {self.target!r} is missing from every row of X."
            )
        self.targets_ = _list_cells(cells)
        self.index_ = self._make_index(scale_to_unit(vectors[self._rows]))
        return self

    def _make_index(self, vectors):
        approximate = self.algorithm == "hnsw" or (
            self.algorithm == "auto" and len(vectors) > self.max_exact and has_faiss()
        )
        return HNSWIndex(vectors) if approximate else ExactIndex(vectors)

    def kneighbors(self, queries, n_neighbors=None, return_distance=True):
        """Find the targets that are closest to each query.

        Parameters
        ----------
        queries : column, DataFrame, ndarray or dict of arrays
            Cells of the query's modality, or a table that has them.
        n_neighbors : int or None, default=None
            How many; at most as many as there are targets.
        return_distance : bool, default=True
            Whether to give distances.

        Returns
        -------
        distances : ndarray of shape (n_queries, n_neighbors)
            Cosine distances, 1 minus the cosine similarity, ascending; NaN for a query
            that is missing.
        indices : ndarray of shape (n_queries, n_neighbors)
            Positions of the targets among those of ``fit``; -1 for a missing query.
        """
        check_is_fitted(self)
        vectors = np.asarray(self.aligner_.transform(queries, modality=self.query))
        n_neighbors = self.n_neighbors if n_neighbors is None else n_neighbors
        n_neighbors = min(n_neighbors, len(self._rows))
        distances = np.full((len(vectors), n_neighbors), np.nan, np.float32)
        indices = np.full((len(vectors), n_neighbors), -1)
        present = ~np.isnan(vectors).any(axis=1)
        if present.any():
            found = self.index_.search(
                scale_to_unit(vectors[present]), n_neighbors, self.n_jobs
            )
            distances[present] = found[0]
            indices[present] = self._rows[found[1]]
        return (distances, indices) if return_distance else indices

    def predict(self, queries):
        """Give the cell of the target that is closest to each query.

        Parameters
        ----------
        queries : column, DataFrame, ndarray or dict of arrays
            Cells of the query's modality, or a table that has them.

        Returns
        -------
        ndarray of shape (n_queries, ...)
            Cells as ``fit`` got them; None (NaN, of numeric arrays) for a query that is
            missing.
        """
        indices = self.kneighbors(queries, 1, return_distance=False)[:, 0]
        cells = self.targets_[indices]
        if (indices < 0).any():
            is_number = cells.dtype.kind in "biuf"
            cells = (
                cells.astype(np.result_type(cells, np.float32)) if is_number else cells
            )
            cells[indices < 0] = np.nan if is_number else None
        return cells

    def score(self, X, y=None):
        """Mean average precision of finding each row's target among all rows'.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays
            The table, which takes the place of the index.
        y : array-like of shape (n_samples,) or None
            Labels; all targets with the query's are right. By default only the one of
            the same row is.

        Returns
        -------
        float
            Between 0 and 1.
        """
        return mean_average_precision_scorer(self, X, y)


def _list_cells(X):
    """Give one cell a row: of several columns, tuples."""
    if isinstance(X, np.ndarray) and X.ndim > 1 and X.dtype.kind != "O":
        return X
    if isinstance(X, pd.DataFrame) and X.shape[1] > 1:
        columns = [X.iloc[:, i] for i in range(X.shape[1])]
    elif is_instance(X, "polars", "DataFrame") and X.shape[1] > 1:
        columns = X.get_columns()
    elif isinstance(X, dict):
        columns = list(X.values())
    elif isinstance(X, np.ndarray) and X.ndim == 2 and X.shape[1] > 1:
        columns = list(X.T)
    else:
        return _as_objects(as_column(X, "CrossModalRetriever").cells)
    return _as_objects(list(zip(*columns)))


def _as_objects(cells):
    if isinstance(cells, np.ndarray):
        return cells
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return array
