"""Approximate neighbours against exact ones."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_mm.alignment import FaissNeighbors

pytest.importorskip("faiss")


@parametrize_with_checks([FaissNeighbors()])
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)


def make_unit_vectors(n_samples=3000, n_features=16):
    vectors = np.random.default_rng(0).standard_normal((n_samples, n_features))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_graph_finds_what_the_exact_search_finds():
    vectors = make_unit_vectors()
    graph = FaissNeighbors().fit(vectors)
    exact = NearestNeighbors(metric="cosine").fit(vectors)
    distances, indices = graph.kneighbors(3 * vectors[:200], 10)
    true_distances, true_indices = exact.kneighbors(vectors[:200], 10)
    hits = [len(np.intersect1d(a, b)) for a, b in zip(indices, true_indices)]
    assert np.mean(hits) > 9.5
    np.testing.assert_allclose(distances[:, 1], true_distances[:, 1], atol=1e-2)
    again = clone(graph).set_params(n_jobs=2).fit(vectors)
    np.testing.assert_array_equal(again.kneighbors(vectors[:200], 10)[1], indices)
    assert graph.kneighbors(vectors[:2])[1].shape == (2, 5)
    assert graph.kneighbors(vectors[:2], return_distance=False).shape == (2, 5)


def test_threads_that_search_one_graph_find_what_one_finds():
    vectors = make_unit_vectors()
    graph = FaissNeighbors(n_links=4, n_candidates=4).fit(vectors)
    counts = [1, 5, 40, 300] * 5
    expected = [graph.kneighbors(vectors[:100], n)[1] for n in counts]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda n: graph.kneighbors(vectors[:100], n)[1], counts)
        for one, other in zip(found, expected):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("seed", range(6))
def test_duplicates_that_the_graph_does_not_reach_are_searched_exactly(seed):
    origins = np.random.default_rng(seed).standard_normal((20, 16))
    graph = FaissNeighbors(n_links=4, n_candidates=8).fit(np.repeat(origins, 400, 0))
    unit = origins / np.linalg.norm(origins, axis=1, keepdims=True)
    assert (graph.index_.search(unit.astype(np.float32), 400)[1] == -1).any()
    distances, indices = graph.kneighbors(origins, 400)
    np.testing.assert_allclose(distances, 0, atol=1e-5)
    assert (indices // 400 == np.arange(20)[:, None]).all()
    everything = NearestNeighbors(metric="cosine").fit(np.repeat(origins, 400, 0))
    queries = np.vstack([np.zeros((1, 16)), -origins[:2]])
    expected, _ = everything.kneighbors(queries, 1000)
    np.testing.assert_allclose(graph.kneighbors(queries, 1000)[0], expected, atol=1e-5)


def test_faiss_refuses_what_it_cannot_search():
    vectors = make_unit_vectors(10)
    graph = FaissNeighbors()
    with pytest.raises(NotFittedError):
        graph.kneighbors(vectors)
    graph.fit(vectors)
    with pytest.raises(ValueError, match="between 1 and the 10 samples of fit, got 11"):
        graph.kneighbors(vectors, 11)
    with pytest.raises(ValueError, match="expecting 16 features"):
        graph.kneighbors(vectors[:, :3])
    with pytest.raises(ValueError, match="NaN"):
        graph.kneighbors(np.full((1, 16), np.nan))
