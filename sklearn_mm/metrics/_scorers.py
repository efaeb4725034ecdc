"""Retrieval metrics as scorers, for ``cross_val_score`` and ``GridSearchCV``."""

from functools import partial
from itertools import permutations

import numpy as np

from ._retrieval import mean_average_precision, median_rank, recall_at_k


def make_retrieval_scorer(
    metric, *, query=None, target=None, greater_is_better=True, **options
):
    """Make a scorer of aligners and retrievers from a retrieval metric.

    Every row of the scored table is a query by its cell of one modality, and a target
    by its cell of the other. The target of a query's own row is relevant to it or, with
    labels ``y``, those of all rows with the same label.

    Parameters
    ----------
    metric : callable
        ``metric(similarity, relevant, **options)``, such as
        :func:`~sklearn_mm.metrics.recall_at_k`.
    query, target : str or None, default=None
        Names of the modalities. By default, those of a retriever; for an aligner, the
        mean over all ordered pairs of modalities.
    greater_is_better : bool, default=True
        Whether higher is better; otherwise, the scorer returns the negative.
    **options : dict
        Further keyword arguments of the metric.

    Returns
    -------
    callable
        ``scorer(estimator, X, y=None)``.

    Examples
    --------
    >>> from sklearn_mm.metrics import make_retrieval_scorer, recall_at_k
    >>> scorer = make_retrieval_scorer(recall_at_k, query="text", target="image", k=3)
    """
    return partial(
        _score,
        metric=partial(metric, **options),
        query=query,
        target=target,
        sign=1 if greater_is_better else -1,
    )


def _score(estimator, X, y=None, *, metric, query, target, sign):
    """Score an aligner or a retriever on a table; higher is better.

    Made by :func:`make_retrieval_scorer`.

    Parameters
    ----------
    estimator : aligner or CrossModalRetriever
        Fitted.
    X : dataframe or array-like of shape (n_samples, n_columns)
        The table.
    y : array-like of shape (n_samples,) or None, default=None
        Labels: all rows with a query's label are relevant to it. By default, only the
        query's own row is.
    metric : callable
        The metric.
    query, target : str or None
        Names of the modalities.
    sign : int
        Factor of the metric, 1 or -1.

    Returns
    -------
    float
        Mean over the pairs of modalities.
    """
    aligner = getattr(estimator, "aligner_", estimator)
    query = getattr(estimator, "query", None) if query is None else query
    target = getattr(estimator, "target", None) if target is None else target
    embedded = {
        name: _embed(aligner, X, name)
        for name in aligner.modalities_
        if query is None or target is None or name in (query, target)
    }
    pairs = [
        (first, second)
        for first, second in permutations(embedded, 2)
        if first == (query or first) and second == (target or second)
    ]
    if not pairs:
        raise ValueError(
            f"query {query!r} and target {target!r} are not a pair of the aligner's "
            f"modalities {list(aligner.modalities_)}."
        )
    relevant = None if y is None else np.equal.outer(np.asarray(y), np.asarray(y))
    scores = [metric(embedded[a] @ embedded[b].T, relevant) for a, b in pairs]
    return sign * float(np.mean(scores))


def _embed(aligner, X, name):
    return np.asarray(aligner.transform(X, modality=name))


recall_at_1_scorer = make_retrieval_scorer(recall_at_k, k=1)
recall_at_5_scorer = make_retrieval_scorer(recall_at_k, k=5)
recall_at_10_scorer = make_retrieval_scorer(recall_at_k, k=10)
median_rank_scorer = make_retrieval_scorer(median_rank, greater_is_better=False)
mean_average_precision_scorer = make_retrieval_scorer(mean_average_precision)
