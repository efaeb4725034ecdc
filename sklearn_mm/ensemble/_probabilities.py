"""Labels, votes and probabilities of classifiers, and how far they diverge."""

import numpy as np
from scipy.special import entr

from .._members.labels import split_outputs


def encode_labels(y, classes):
    """Encode the labels of each output as their positions among its classes.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Class labels.
    classes : list of ndarray
        Sorted labels by output.

    Returns
    -------
    list of ndarray of shape (n_samples,), int
        Codes by output.
    """
    return [
        np.searchsorted(known, column)
        for known, column in zip(classes, split_outputs(y))
    ]


def encode_votes(predicted, labels):
    """Encode predicted labels as probabilities of 0 and 1, by output.

    Parameters
    ----------
    predicted : list of ndarray of shape (n_rows,)
        Predicted labels by output.
    labels : list of ndarray of shape (n_labels,)
        The labels that may be predicted.

    Returns
    -------
    list of ndarray of shape (n_rows, n_labels)
        Votes by output.
    """
    return [
        (column[:, None] == known).astype(float)
        for known, column in zip(labels, predicted)
    ]


def decode_decisions(decisions, labels):
    """Turn the values of a ``decision_function`` into labels.

    Parameters
    ----------
    decisions : ndarray of shape (n_rows,) or (n_rows, n_classes or n_outputs)
        Decisions.
    labels : list of ndarray of shape (n_classes,)
        The model's labels by output.

    Returns
    -------
    list of ndarray of shape (n_rows,)
        Labels by output.
    """
    if len(labels) > 1:  # multilabel
        return [known[(d > 0).astype(int)] for known, d in zip(labels, decisions.T)]
    if decisions.ndim == 1 or decisions.shape[1] == 1:
        return [labels[0][(decisions.ravel() > 0).astype(int)]]
    return [labels[0][decisions.argmax(axis=1)]]


def compute_divergence(probabilities):
    """Compute the Jensen-Shannon divergence of the modalities, from 0 to 1.

    Parameters
    ----------
    probabilities : ndarray of shape (n_modalities, n_samples, n_classes)
        Probabilities; NaN where a modality abstains.

    Returns
    -------
    ndarray of shape (n_samples,)
        Divergence; NaN where fewer than two modalities are present.
    """
    n_present = (~np.isnan(probabilities[:, :, 0])).sum(axis=0)
    divisor = np.maximum(n_present, 1)
    safe = np.nan_to_num(probabilities)
    mean = safe.sum(axis=0) / divisor[:, None]
    mean_entropy = entr(safe).sum(axis=2).sum(axis=0) / divisor
    divergence = entr(mean).sum(axis=1) - mean_entropy
    scale = np.log(np.maximum(n_present, 2))
    return np.where(n_present < 2, np.nan, np.clip(divergence / scale, 0, 1))


def scatter_probabilities(out, probabilities, labels, classes, rows):
    """Write a model's probabilities to their rows and classes; unseen classes get 0.

    Parameters
    ----------
    out : ndarray of shape (n_samples, n_classes)
        Written in place.
    probabilities : ndarray of shape (n_rows, n_labels)
        Probabilities of the model's labels.
    labels : ndarray of shape (n_labels,)
        The model's labels, a subset of ``classes``.
    classes : ndarray of shape (n_classes,)
        All labels.
    rows : ndarray of shape (n_rows,), int
        The rows that they belong to.
    """
    if probabilities.shape == out.shape and (np.diff(rows) == 1).all():
        out[:] = probabilities
        return
    out[rows] = 0
    out[np.ix_(rows, np.searchsorted(classes, labels))] = probabilities
