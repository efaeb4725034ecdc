"""Rows with modalities dropped at random, as they may be missing in prediction."""

import numpy as np

#: Enough rows for the few numbers that are learned from them.
_MAX_ROWS = 10_000


def drop_modalities(predictions):
    """Drop each modality from half of the rows, but never all from one row.

    Parameters
    ----------
    predictions : list of ndarray of shape (n_modalities, n_rows, ...)
        Predictions by output; NaN where a modality abstains.

    Returns
    -------
    list of ndarray of the same shapes
        The predictions with more NaN. The same modalities are dropped on each call.
    """
    absent = np.isnan(predictions[0][:, :, 0])
    dropped = np.random.default_rng(0).random(absent.shape) < 0.5
    dropped[:, (dropped | absent).all(axis=0)] = False
    return [np.where(dropped[:, :, None], np.nan, part) for part in predictions]


def add_dropped(predictions, target, sample_weight=None, max_rows=_MAX_ROWS):
    """Append rows with modalities dropped to the rows as they are.

    Of more rows than ``max_rows``, as many are drawn at random.

    Parameters
    ----------
    predictions : list of ndarray of shape (n_modalities, n_rows, ...)
        Predictions by output; NaN where a modality abstains.
    target : list of ndarray of shape (n_rows, ...)
        Target by output.
    sample_weight : ndarray of shape (n_rows,) or None, default=None
        Weights of the rows.
    max_rows : int or None, default=10_000
        Largest number of rows, before they are doubled; None for all.

    Returns
    -------
    predictions, target : list of ndarray
        Each with twice as many rows.
    sample_weight : ndarray or None
        Their weights.
    """
    n_rows = len(target[0])
    if max_rows is not None and n_rows > max_rows:
        drawn = np.random.default_rng(0).permutation(n_rows)[:max_rows]
        predictions = [part[:, drawn] for part in predictions]
        target = [part[drawn] for part in target]
        sample_weight = None if sample_weight is None else sample_weight[drawn]
    both = [
        np.concatenate(pair, axis=1)
        for pair in zip(predictions, drop_modalities(predictions))
    ]
    weight = None if sample_weight is None else np.tile(sample_weight, 2)
    return both, [np.concatenate([part, part]) for part in target], weight
