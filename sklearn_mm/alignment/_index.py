"""Nearest neighbours among vectors of length one, exact or approximate."""

from importlib.util import find_spec

import numpy as np
from sklearn.neighbors import NearestNeighbors

from .._utils.imports import import_extra

#: Neighbours of a node of the graph, and candidates kept while it is built or walked.
_LINKS, _CANDIDATES = 32, 128


def has_faiss():
    """Whether the extra for approximate search is installed."""
    return find_spec("faiss") is not None


class ExactIndex:
    """Compares a query with every vector.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_dims)
        Of length one.
    """

    _trusted = True

    def __init__(self, vectors):
        self.model = NearestNeighbors(algorithm="brute").fit(vectors)

    def search(self, queries, n_neighbors, n_jobs=None):
        """Give cosine distances and positions, ``(n_queries, n_neighbors)`` each."""
        model = self.model.set_params(n_jobs=n_jobs)
        distances, indices = model.kneighbors(queries, n_neighbors)
        return distances**2 / 2, indices  # of vectors of length one


class HNSWIndex:
    """Walks a hierarchical navigable small world graph (faiss).

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_dims)
        Of length one.
    """

    _trusted = "unchecked"

    def __init__(self, vectors):
        faiss = import_extra("faiss", "faiss")
        self.index = faiss.IndexHNSWFlat(
            vectors.shape[1], _LINKS, faiss.METRIC_INNER_PRODUCT
        )
        self.index.hnsw.efConstruction = _CANDIDATES
        with _Threads(1):
            self.index.add(np.ascontiguousarray(vectors, dtype=np.float32))

    def search(self, queries, n_neighbors, n_jobs=None):
        """Give cosine distances and positions, ``(n_queries, n_neighbors)`` each."""
        self.index.hnsw.efSearch = max(_CANDIDATES, 2 * n_neighbors)
        with _Threads(n_jobs or 1):
            similarities, indices = self.index.search(
                np.ascontiguousarray(queries, dtype=np.float32), n_neighbors
            )
        return 1 - similarities, indices

    def __getstate__(self):
        return import_extra("faiss", "faiss").serialize_index(self.index)

    def __setstate__(self, state):
        self.index = import_extra("faiss", "faiss").deserialize_index(state)


class _Threads:
    """Let faiss use some threads within, which is a setting of the whole process."""

    def __init__(self, n_threads):
        self.faiss = import_extra("faiss", "faiss")
        limit = self.faiss.omp_get_max_threads()
        self.before, self.within = limit, n_threads if n_threads > 0 else limit

    def __enter__(self):
        self.faiss.omp_set_num_threads(self.within)

    def __exit__(self, *_):
        self.faiss.omp_set_num_threads(self.before)
