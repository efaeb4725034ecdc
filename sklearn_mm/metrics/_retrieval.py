"""Metrics of retrieval: ranks of relevant targets by similarity to a query."""

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length


def recall_at_k(similarity, relevant=None, *, k=1):
    """Share of queries with a relevant target among the ``k`` most similar ones.

    Parameters
    ----------
    similarity : array-like of shape (n_queries, n_targets)
        Higher is more similar. A row or column of NaN is a missing query or target.
    relevant : array-like or None, default=None
        The relevant targets: booleans of shape (n_queries, n_targets), or of shape
        (n_queries,) the index of the only relevant target. By default, the i-th target
        is relevant to the i-th query.
    k : int, default=1
        Number of most similar targets to consider.

    Returns
    -------
    float
        Between 0 and 1. Missing queries, and queries without a relevant target that is
        present, are left out; NaN if all are.

    Notes
    -----
    Among equally similar targets the relevant ones come last, so that equal
    similarities for all targets gain nothing.

    Examples
    --------
    >>> from sklearn_mm.metrics import recall_at_k
    >>> recall_at_k([[0.9, 0.1], [0.8, 0.7]])
    0.5
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}.")
    ranks = compute_ranks(*_check(similarity, relevant))
    return float(np.mean(ranks <= k)) if len(ranks) else np.nan


def median_rank(similarity, relevant=None):
    """Median over queries of the rank of the first relevant target, 1 is best.

    Parameters
    ----------
    similarity : array-like of shape (n_queries, n_targets)
        Higher is more similar. A row or column of NaN is a missing query or target.
    relevant : array-like or None, default=None
        The relevant targets, see :func:`recall_at_k`.

    Returns
    -------
    float
        The median; ties and missing samples count as in :func:`recall_at_k`.

    Examples
    --------
    >>> from sklearn_mm.metrics import median_rank
    >>> median_rank([[0.9, 0.1], [0.8, 0.7]])
    1.5
    """
    ranks = compute_ranks(*_check(similarity, relevant))
    return float(np.median(ranks)) if len(ranks) else np.nan


def mean_average_precision(similarity, relevant=None):
    """Mean over queries of the average precision of their ranked targets (mAP).

    With one relevant target per query, this is the mean reciprocal rank.

    Parameters
    ----------
    similarity : array-like of shape (n_queries, n_targets)
        Higher is more similar. A row or column of NaN is a missing query or target.
    relevant : array-like or None, default=None
        The relevant targets, see :func:`recall_at_k`.

    Returns
    -------
    float
        Mean of :func:`sklearn.metrics.average_precision_score` over the queries;
        missing samples are left out as in :func:`recall_at_k`.

    Examples
    --------
    >>> from sklearn_mm.metrics import mean_average_precision
    >>> mean_average_precision([[0.9, 0.1], [0.8, 0.7]])
    0.75
    """
    precisions = compute_average_precisions(*_check(similarity, relevant))
    return float(np.mean(precisions)) if len(precisions) else np.nan


def compute_ranks(similarity, relevant):
    """Compute the rank of each query's first relevant target, which loses every tie.

    Parameters
    ----------
    similarity : ndarray of shape (n_queries, n_targets)
        Without NaN.
    relevant : ndarray of shape (n_queries, n_targets), bool
        At least one in each row.

    Returns
    -------
    ndarray of shape (n_queries,), int
        Ranks, starting at 1.
    """
    hits = np.where(relevant, similarity, -np.inf)
    best = hits.max(axis=1, keepdims=True, initial=-np.inf)
    return 1 + ((similarity >= best) & ~relevant).sum(axis=1)


def compute_average_precisions(similarity, relevant):
    """Compute the average precision of each query.

    Parameters
    ----------
    similarity : ndarray of shape (n_queries, n_targets)
        Without NaN.
    relevant : ndarray of shape (n_queries, n_targets), bool
        At least one in each row.

    Returns
    -------
    ndarray of shape (n_queries,)
        Mean over the relevant targets of the precision among the targets that are at
        least as similar.
    """
    precisions = np.empty(len(similarity))
    for row, (scores, hits) in enumerate(zip(similarity, relevant)):
        order = np.argsort(-scores)
        ends = np.searchsorted(-scores[order], -scores[hits], side="right")
        found = np.cumsum(hits[order])[ends - 1]
        precisions[row] = np.mean(found / ends)
    return precisions


def _check(similarity, relevant):
    """Return similarities and relevance of the queries that have a relevant target."""
    similarity = check_array(
        similarity, ensure_all_finite=False, dtype=[np.float64, np.float32]
    )
    relevant = _check_relevant(relevant, similarity.shape)
    gaps = np.isnan(similarity)
    queries, targets = ~gaps.all(axis=1), ~gaps.all(axis=0)
    similarity, relevant = (m[queries][:, targets] for m in (similarity, relevant))
    if np.isnan(similarity).any():
        raise ValueError(
            "similarity has NaN where neither the query nor the target is missing."
        )
    answerable = relevant.any(axis=1)
    return similarity[answerable], relevant[answerable]


def _check_relevant(relevant, shape):
    n_queries, n_targets = shape
    if relevant is None:
        if n_queries != n_targets:
            raise ValueError(
                f"{n_queries} queries and {n_targets} targets are not pairs: pass "
                "relevant."
            )
        return np.eye(n_queries, dtype=bool)
    relevant = np.asarray(relevant)
    check_consistent_length(np.empty(n_queries), relevant)
    if relevant.ndim == 1:
        if relevant.dtype.kind not in "iu":
            raise ValueError("relevant with one axis must hold the indices of targets.")
        if relevant.min(initial=0) < 0 or relevant.max(initial=0) >= n_targets:
            raise ValueError(f"relevant has indices that are not in [0, {n_targets}).")
        return relevant[:, None] == np.arange(n_targets)
    if relevant.shape != shape:
        raise ValueError(
            f"relevant has shape {relevant.shape}, similarity has shape {shape}."
        )
    return relevant.astype(bool)
