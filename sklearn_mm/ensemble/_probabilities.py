"""Labels, votes and probabilities of classifiers, and how far they diverge."""

import numpy as np
from scipy.special import entr


def get_classes(y):
    """Get the sorted labels of each output of a target.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Class labels.

    Returns
    -------
    list of ndarray
        Labels by output.
    """
    columns = y.T if y.ndim == 2 else [y]
    return [np.unique(column) for column in columns]


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
    columns = y.T if y.ndim == 2 else [y]
    return [np.searchsorted(known, column) for known, column in zip(classes, columns)]


def split_classes(classes, n_outputs):
    """Split a model's labels by output.

    Parameters
    ----------
    classes : ndarray or list of ndarray
        The model's ``classes_``.
    n_outputs : int or None
        Number of columns of a 2-D target; None for a 1-D one.

    Returns
    -------
    list of ndarray
        Labels by output.
    """
    if n_outputs is None:
        return [np.asarray(classes)]
    if isinstance(classes, list):
        return classes
    return [np.array([0, 1])] * n_outputs  # multilabel, as OneVsRestClassifier has it


def split_probabilities(probabilities, n_outputs):
    """Split a model's probabilities by output.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_columns) or list of ndarray
        What ``predict_proba`` returned.
    n_outputs : int or None
        Number of columns of a 2-D target; None for a 1-D one.

    Returns
    -------
    list of ndarray of shape (n_rows, n_classes)
        Probabilities by output.
    """
    if n_outputs is None:
        return [probabilities]
    if isinstance(probabilities, list):
        return probabilities
    return [np.column_stack([1 - p, p]) for p in probabilities.T]


def split_votes(predicted, classes):
    """Turn predicted labels into probabilities of 0 and 1, by output.

    Parameters
    ----------
    predicted : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        What ``predict`` returned.
    classes : list of ndarray
        The model's labels by output.

    Returns
    -------
    list of ndarray of shape (n_rows, n_classes)
        Votes by output.
    """
    predicted = np.asarray(predicted)
    columns = predicted.T if predicted.ndim == 2 else [predicted]
    return [
        (column[:, None] == known).astype(float)
        for known, column in zip(classes, columns)
    ]


def decode_decisions(decisions, classes):
    """Turn the values of a ``decision_function`` into labels.

    Parameters
    ----------
    decisions : ndarray of shape (n_rows,) or (n_rows, n_classes)
        Decisions.
    classes : ndarray of shape (n_classes,)
        The model's labels.

    Returns
    -------
    ndarray of shape (n_rows,)
        Labels.
    """
    codes = decisions > 0 if decisions.ndim == 1 else decisions.argmax(axis=1)
    return classes[codes.astype(int)]


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


def scatter_probabilities(probabilities, labels, rows, classes, out):
    """Write a model's probabilities to their rows and classes; unseen classes get 0.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_labels)
        Probabilities of the model's labels.
    labels : ndarray of shape (n_labels,)
        The model's labels, a subset of ``classes``.
    rows : ndarray of shape (n_rows,), int
        The rows that they belong to.
    classes : ndarray of shape (n_classes,)
        All labels.
    out : ndarray of shape (n_samples, n_classes)
        Written in place.
    """
    if probabilities.shape == out.shape and (np.diff(rows) == 1).all():
        out[:] = probabilities
        return
    out[rows] = 0
    out[np.ix_(rows, np.searchsorted(classes, labels))] = probabilities
