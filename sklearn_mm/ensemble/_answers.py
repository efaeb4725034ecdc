"""The answers of all modalities in one array, NaN where one abstains."""

import numpy as np
from scipy.special import entr


def find_classes(y):
    """Give the sorted labels of a target: one array for each of its columns.

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
    """Count off the labels of each output.

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


def list_classes(known, n_outputs):
    """Give a model's labels by output.

    Parameters
    ----------
    known : ndarray or list of ndarray
        The model's ``classes_``.
    n_outputs : int or None
        Number of columns of a 2-D target; None for a 1-D one.

    Returns
    -------
    list of ndarray
        Labels by output.
    """
    if n_outputs is None:
        return [np.asarray(known)]
    if isinstance(known, list):
        return known
    return [np.array([0, 1])] * n_outputs  # labels side by side, as OneVsRest has them


def split_probabilities(answers, n_outputs):
    """Give probabilities by output, however the model hands them over.

    Parameters
    ----------
    answers : ndarray of shape (n_rows, n_classes or n_outputs), or list of ndarray
        What ``predict_proba`` gave.
    n_outputs : int or None
        Number of columns of a 2-D target; None for a 1-D one.

    Returns
    -------
    list of ndarray of shape (n_rows, n_classes)
        Probabilities by output.
    """
    if n_outputs is None:
        return [answers]
    if isinstance(answers, list):
        return answers
    return [np.column_stack([1 - p, p]) for p in answers.T]


def split_votes(answers, labels):
    """Give predicted labels as probabilities of 0 and 1, by output.

    Parameters
    ----------
    answers : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        What ``predict`` gave.
    labels : list of ndarray
        The model's labels by output.

    Returns
    -------
    list of ndarray of shape (n_rows, n_classes)
        Votes by output.
    """
    answers = np.asarray(answers)
    columns = answers.T if answers.ndim == 2 else [answers]
    return [
        (column[:, None] == known).astype(float)
        for known, column in zip(labels, columns)
    ]


def decide(decisions, labels):
    """Give the labels that a ``decision_function`` stands for.

    Parameters
    ----------
    decisions : ndarray of shape (n_rows,) or (n_rows, n_classes)
        Decisions.
    labels : ndarray of shape (n_classes,)
        The model's labels.

    Returns
    -------
    ndarray of shape (n_rows,)
        Labels.
    """
    codes = decisions > 0 if decisions.ndim == 1 else decisions.argmax(axis=1)
    return labels[codes.astype(int)]


def find_divergence(answers):
    """Find the Jensen-Shannon divergence of the modalities that answer, from 0 to 1.

    Parameters
    ----------
    answers : ndarray of shape (n_modalities, n_samples, n_classes)
        Probabilities; NaN where a modality abstains.

    Returns
    -------
    ndarray of shape (n_samples,)
        Divergence; NaN where fewer than two answer.
    """
    answered = ~np.isnan(answers[:, :, 0])
    n_answers = answered.sum(axis=0)
    safe = np.nan_to_num(answers)
    mean = safe.sum(axis=0) / np.maximum(n_answers, 1)[:, None]
    own = entr(safe).sum(axis=2).sum(axis=0) / np.maximum(n_answers, 1)
    divergence = entr(mean).sum(axis=1) - own
    scale = np.log(np.maximum(n_answers, 2))
    return np.where(n_answers < 2, np.nan, np.clip(divergence / scale, 0, 1))


def spread(answers, labels, rows, classes, out):
    """Put a model's probabilities at their rows and classes; unseen classes get 0.

    Parameters
    ----------
    answers : ndarray of shape (n_rows, n_labels)
        Probabilities of the model's labels.
    labels : ndarray of shape (n_labels,)
        The model's labels, a subset of ``classes``.
    rows : ndarray of shape (n_rows,), int
        The rows that it answers for.
    classes : ndarray of shape (n_classes,)
        All labels.
    out : ndarray of shape (n_samples, n_classes)
        Written in place.
    """
    if answers.shape == out.shape:
        out[:] = answers
        return
    out[rows] = 0
    out[np.ix_(rows, np.searchsorted(classes, labels))] = answers
