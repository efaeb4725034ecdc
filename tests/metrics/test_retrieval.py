"""Metrics of retrieval against slow loops and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score
from sklearn.model_selection import cross_val_score

from sklearn_mm import CanonicalAligner, CrossModalRetriever, VectorStacker
from sklearn_mm.metrics import (
    make_retrieval_scorer,
    mean_average_precision,
    mean_average_precision_scorer,
    median_rank,
    median_rank_scorer,
    recall_at_1_scorer,
    recall_at_5_scorer,
    recall_at_k,
)


def make_case(seed, n_values=4):
    """Similarities with ties, and several relevant targets per query."""
    rng = np.random.default_rng(seed)
    similarity = rng.integers(0, n_values, (9, 12)).astype(float)
    relevant = rng.random((9, 12)) < 0.3
    relevant[np.arange(9), rng.integers(0, 12, 9)] = True
    return similarity, relevant


def compute_ranks_slowly(similarity, relevant):
    ranks = []
    for scores, hits in zip(similarity, relevant):
        order = sorted(range(len(scores)), key=lambda j: (-scores[j], hits[j]))
        ranks.append(1 + next(i for i, j in enumerate(order) if hits[j]))
    return np.array(ranks)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_values", [2, 4, 1000])
def test_ranks_are_those_of_a_sorted_list(seed, n_values):
    similarity, relevant = make_case(seed, n_values)
    ranks = compute_ranks_slowly(similarity, relevant)
    for k in (1, 2, 5, 12):
        assert recall_at_k(similarity, relevant, k=k) == np.mean(ranks <= k)
    assert median_rank(similarity, relevant) == np.median(ranks)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_values", [1, 3, 1000])
def test_average_precision_is_that_of_scikit_learn(seed, n_values):
    similarity, relevant = make_case(seed, n_values)
    expected = [average_precision_score(r, s) for s, r in zip(similarity, relevant)]
    assert mean_average_precision(similarity, relevant) == pytest.approx(
        np.mean(expected)
    )


def test_giving_all_targets_the_same_similarity_gains_nothing():
    flat = np.ones((10, 10))
    assert recall_at_k(flat, k=9) == 0
    assert median_rank(flat) == 10
    assert mean_average_precision(flat) == pytest.approx(0.1)


def test_relevance_has_three_forms():
    similarity, _ = make_case(0, 1000)
    numbers = np.arange(9)[::-1]
    table = numbers[:, None] == np.arange(12)
    for metric in (recall_at_k, median_rank, mean_average_precision):
        assert metric(similarity, numbers) == metric(similarity, table)
        square = similarity[:, :9]
        assert metric(square) == metric(square, np.arange(9))


def test_missing_queries_and_targets_are_left_out():
    similarity, relevant = make_case(1, 1000)
    kept = np.delete(np.delete(similarity, 2, axis=0), 5, axis=1)
    hits = np.delete(np.delete(relevant, 2, axis=0), 5, axis=1)
    answerable = hits.any(axis=1)
    gaps = similarity.copy()
    gaps[2], gaps[:, 5] = np.nan, np.nan
    for metric in (recall_at_k, median_rank, mean_average_precision):
        assert metric(gaps, relevant) == metric(kept[answerable], hits[answerable])
        assert np.isnan(metric(np.full((2, 2), np.nan)))


def test_bad_input_is_refused_with_a_reason():
    similarity, relevant = make_case(0)
    with pytest.raises(ValueError, match="9 queries and 12 targets"):
        recall_at_k(similarity)
    with pytest.raises(ValueError, match="shape"):
        recall_at_k(similarity, relevant[:, :5])
    with pytest.raises(ValueError, match="has indices that are not in"):
        recall_at_k(similarity, np.full(9, 12))
    with pytest.raises(ValueError, match="at least 1"):
        recall_at_k(similarity, relevant, k=0)
    similarity[1, 1] = np.nan
    with pytest.raises(ValueError, match="has NaN where"):
        recall_at_k(similarity, relevant)


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((60, 3))
    b = a @ rng.standard_normal((3, 4)) + 0.5 * rng.standard_normal((60, 4))
    X = pd.DataFrame({"a": list(a), "b": list(b)})
    estimators = [(name, VectorStacker(), name) for name in "ab"]
    return CanonicalAligner(estimators).fit(X), X


def test_scorers_embed_both_modalities_and_compare(fitted):
    aligner, X = fitted
    a, b = aligner.transform(X, "a"), aligner.transform(X, "b")
    there, back = a @ b.T, b @ a.T
    expected = (recall_at_k(there, k=5) + recall_at_k(back, k=5)) / 2
    assert recall_at_5_scorer(aligner, X) == expected
    expected = -(median_rank(there) + median_rank(back)) / 2
    assert median_rank_scorer(aligner, X) == expected
    one_way = make_retrieval_scorer(recall_at_k, query="b", target="a", k=5)
    assert one_way(aligner, X) == recall_at_k(back, k=5)
    retriever = CrossModalRetriever(aligner, query="b", target="a").fit(X)
    assert recall_at_5_scorer(retriever, X) == recall_at_k(back, k=5)
    with pytest.raises(ValueError, match="are not a pair"):
        make_retrieval_scorer(recall_at_k, query="c", target="a")(aligner, X)


def test_rows_of_the_same_label_are_relevant(fitted):
    aligner, X = fitted
    y = np.arange(60) % 3
    there = aligner.transform(X, "a") @ aligner.transform(X, "b").T
    relevant = y[:, None] == y
    expected = mean_average_precision(there, relevant)
    expected = (expected + mean_average_precision(there.T, relevant.T)) / 2
    assert mean_average_precision_scorer(aligner, X, y) == pytest.approx(expected)


def test_scorers_work_in_cross_validation(fitted):
    aligner, X = fitted
    scores = cross_val_score(aligner, X, scoring=recall_at_1_scorer, cv=3, n_jobs=2)
    assert len(scores) == 3
    assert scores.mean() > 0.15  # by chance 0.05
