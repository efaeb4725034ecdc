"""Approximate nearest neighbours with faiss."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize
from sklearn.utils.validation import check_is_fitted, validate_data

from .._utils.imports import Interval, fit_context, import_extra
from .._utils.versions import VersionMixin


class FaissNeighbors(VersionMixin, BaseEstimator):
    """Approximate nearest neighbours by cosine distance, with faiss.

    Builds a hierarchical navigable small world graph [1]_ and searches along its links
    instead of comparing a query with every sample. It pays from about 100,000 samples
    on. Needs the extra ``faiss``.

    Parameters
    ----------
    n_neighbors : int, default=5
        Default number of neighbours of ``kneighbors``.
    n_links : int, default=32
        Links of each sample in the graph. More links find more of the true neighbours,
        and take more memory.
    n_candidates : int, default=128
        Candidates that are kept while the graph is built or searched; a search keeps at
        least twice the number of neighbours. More are slower and more accurate.
    n_jobs : int or None, default=None
        Number of threads of a search; None means 1, -1 all processors. The graph is
        built by one thread, so that it is the same each time.

    Attributes
    ----------
    index_ : faiss.IndexHNSWFlat
        The graph.
    n_samples_fit_ : int
        Number of indexed samples.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in,)
        Names of the features, if all of them are strings.

    See Also
    --------
    CrossModalRetriever : Takes an instance as ``neighbors``.
    sklearn.neighbors.NearestNeighbors : Exact search.

    References
    ----------
    .. [1] Y. A. Malkov and D. A. Yashunin (2020), "Efficient and robust approximate
       nearest neighbor search using hierarchical navigable small world graphs", IEEE
       Transactions on Pattern Analysis and Machine Intelligence 42.

    Examples
    --------
    >>> from sklearn_mm.alignment import FaissNeighbors
    >>> neighbors = FaissNeighbors(n_neighbors=1).fit([[1.0, 0.0], [0.0, 1.0]])
    >>> neighbors.kneighbors([[0.1, 0.9]], return_distance=False)
    array([[1]])
    """

    _trusted = "unchecked"

    _parameter_constraints: dict = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "n_links": [Interval(Integral, 2, None, closed="left")],
        "n_candidates": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    def __init__(self, n_neighbors=5, *, n_links=32, n_candidates=128, n_jobs=None):
        self.n_neighbors = n_neighbors
        self.n_links = n_links
        self.n_candidates = n_candidates
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Build the graph.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples to search among.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted estimator.
        """
        faiss = import_extra("faiss", "faiss")
        X = self._check_unit(X, reset=True)
        index = faiss.IndexHNSWFlat(
            X.shape[1], self.n_links, faiss.METRIC_INNER_PRODUCT
        )
        index.hnsw.efConstruction = self.n_candidates
        with _FaissThreads(faiss, 1):
            index.add(X)
        self.index_, self.n_samples_fit_ = index, len(X)
        return self

    def kneighbors(self, X, n_neighbors=None, return_distance=True):
        """Find the nearest samples of each query.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
            The queries.
        n_neighbors : int or None, default=None
            Number of neighbours; ``self.n_neighbors`` by default.
        return_distance : bool, default=True
            Whether to return the distances.

        Returns
        -------
        distances : ndarray of shape (n_queries, n_neighbors)
            Cosine distances, ascending. Only if ``return_distance`` is True.
        indices : ndarray of shape (n_queries, n_neighbors)
            Positions of the neighbours among the samples of ``fit``.
        """
        check_is_fitted(self)
        faiss = import_extra("faiss", "faiss")
        X = self._check_unit(X, reset=False)
        n_neighbors = self.n_neighbors if n_neighbors is None else n_neighbors
        if not 1 <= n_neighbors <= self.n_samples_fit_:
            raise ValueError(
                f"n_neighbors must be between 1 and the {self.n_samples_fit_} samples "
                f"of fit, got {n_neighbors}."
            )
        # Passed, not set on the index, which other threads may be searching.
        options = faiss.SearchParametersHNSW(
            efSearch=max(self.n_candidates, 2 * n_neighbors)
        )
        with _FaissThreads(faiss, self.n_jobs or 1):
            similarities, indices = self.index_.search(X, n_neighbors, params=options)
        distances = np.clip(1 - similarities, 0, 2)
        # Among many equal samples some cannot be reached, and faiss returns -1.
        short = (indices < 0).any(axis=1)
        if short.any():
            distances[short], indices[short] = self._search_exactly(
                X[short], n_neighbors
            )
        return (distances, indices) if return_distance else indices

    def _search_exactly(self, X, n_neighbors):
        samples = self.index_.reconstruct_n(0, self.n_samples_fit_)
        exact = NearestNeighbors(algorithm="brute", metric="cosine").fit(samples)
        return exact.kneighbors(X, n_neighbors)

    def _check_unit(self, X, reset):
        """Check the rows, and scale them to length one."""
        X = validate_data(self, X, reset=reset, dtype=np.float32, order="C")
        return normalize(X)

    def __sklearn_is_fitted__(self):
        """Whether the graph was built."""
        return hasattr(self, "index_")

    def __getstate__(self):
        """Return the attributes, with the graph as an array of bytes."""
        state = super().__getstate__()
        if "index_" in state:
            faiss = import_extra("faiss", "faiss")
            state = {**state, "index_": faiss.serialize_index(self.index_)}
        return state

    def __setstate__(self, state):
        """Set the attributes, and read the graph."""
        if "index_" in state:
            faiss = import_extra("faiss", "faiss")
            state = {**state, "index_": faiss.deserialize_index(state["index_"])}
        super().__setstate__(state)


class _FaissThreads:
    """Set the number of threads that faiss uses for a block of code."""

    def __init__(self, faiss, n_threads):
        self.faiss = faiss
        self.before = faiss.omp_get_max_threads()
        self.within = n_threads if n_threads > 0 else self.before

    def __enter__(self):
        self.faiss.omp_set_num_threads(self.within)

    def __exit__(self, *_):
        self.faiss.omp_set_num_threads(self.before)
