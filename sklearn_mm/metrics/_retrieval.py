"""How well the samples of one modality find their counterparts in another."""

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length


def recall_at_k(similarity, relevant=None, *, k=1):
    """Share of queries that find a relevant target among the ``k`` most similar.

    Parameters
    ----------
    similarity : array-like of shape (n_queries, n_targets)
        Higher is more similar. A query or a target that is all NaN is missing.
    relevant : array-like or None, default=None
        Which targets are relevant: of shape (n_queries, n_targets) booleans, of shape
        (n_queries,) the number of the one that is; by default the i-th query's is the
        i-th target.
    k : int, default=1
        How many targets are looked at.

    Returns
    -------
    float
        Between 0 and 1. Queries that are missing, or have no relevant target that is
        there, are left out; NaN if all are.

    Notes
    -----
    Among equally similar targets the relevant ones come last, so that nothing is gained
    by giving all the same similarity.

    Examples
    --------
    >>> from sklearn_mm.metrics import recall_at_k
    >>> recall_at_k([[0.9, 0.1], [0.8, 0.7]])
    0.5
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}.")
    ranks = find_ranks(*_check(similarity, relevant))
    return float(np.mean(ranks <= k)) if len(ranks) else np.nan


def median_rank(similarity, relevant=None):
    """Median over queries of the rank of the first relevant target, 1 is best.

    Parameters
    ----------
    similarity : array-like of shape (n_queries, n_targets)
        Higher is more similar. A query or a target that is all NaN is missing.
    relevant : array-like or None, default=None
        Which targets are relevant, see :func:`recall_at_k`.

    Returns
    -------
    float
        The median, with ties and missing samples as in :func:`recall_at_k`.

    Examples
    --------
    >>> from sklearn_mm.metrics import median_rank
    >>> median_rank([[0.9, 0.1], [0.8, 0.7]])
    1.5
    """
    ranks = find_ranks(*_check(similarity, relevant))
    return float(np.median(ranks)) if len(ranks) else np.nan


def mean_average_precision(similarity, relevant=None):
    """Mean over queries of the average precision of their ranked targets (mAP).

    With one relevant target a query it is the mean reciprocal rank.

    Parameters
    ----------
    similarity : array-like of shape (n_queries, n_targets)
        Higher is more similar. A query or a target that is all NaN is missing.
    relevant : array-like or None, default=None
        Which targets are relevant, see :func:`recall_at_k`.

    Returns
    -------
    float
        Mean of what :func:`sklearn.metrics.average_precision_score` gives for each
        query; missing samples are left out as in :func:`recall_at_k`.

    Examples
    --------
    >>> from sklearn_mm.metrics import mean_average_precision
    >>> mean_average_precision([[0.9, 0.1], [0.8, 0.7]])
    0.75
    """
    precisions = find_precisions(*_check(similarity, relevant))
    return float(np.mean(precisions)) if len(precisions) else np.nan


def find_ranks(similarity, relevant):
    """Rank of each query's first relevant target; relevant ones lose every tie.

    Parameters
    ----------
    similarity : ndarray of shape (n_queries, n_targets)
        Without NaN.
    relevant : ndarray of shape (n_queries, n_targets), bool
        At least one in each row.

    Returns
    -------
    ndarray of shape (n_queries,), int
        Ranks from 1 on.
    """
    hits = np.where(relevant, similarity, -np.inf)
    best = hits.max(axis=1, keepdims=True, initial=-np.inf)
    return 1 + ((similarity >= best) & ~relevant).sum(axis=1)


def find_precisions(similarity, relevant):
    """Average precision of each query.

    Parameters
    ----------
    similarity : ndarray of shape (n_queries, n_targets)
        Without NaN.
    relevant : ndarray of shape (n_queries, n_targets), bool
        At least one in each row.

    Returns
    -------
    ndarray of shape (n_queries,)
        Means over the relevant targets of the precision down to each, those that are
        equally similar included.
    """
    precisions = np.empty(len(similarity))
    for row, (scores, hits) in enumerate(zip(similarity, relevant)):
        order = np.argsort(-scores)
        ends = np.searchsorted(-scores[order], -scores[hits], side="right")
        found = np.cumsum(hits[order])[ends - 1]
        precisions[row] = np.mean(found / ends)
    return precisions


def _check(similarity, relevant):
    """Give similarities and relevance of the queries that can be answered."""
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
                f"{n_queries} queries and {n_targets} targets are no pairs: say by "
                "relevant which targets are."
            )
        return np.eye(n_queries, dtype=bool)
    relevant = np.asarray(relevant)
    check_consistent_length(np.empty(n_queries), relevant)
    if relevant.ndim == 1:
        if relevant.dtype.kind not in "iu":
            raise ValueError("relevant of one axis must hold the targets' numbers.")
        if relevant.min(initial=0) < 0 or relevant.max(initial=0) >= n_targets:
            raise ValueError(f"relevant names targets that are not in 0..{n_targets}.")
        return relevant[:, None] == np.arange(n_targets)
    if relevant.shape != shape:
        raise ValueError(
            f"relevant is of shape {relevant.shape}, similarity of {shape}."
        )
    return relevant.astype(bool)
