"""Error rates of recognised texts, and their scorers."""

import numpy as np
import pandas as pd
from sklearn.metrics import make_scorer
from sklearn.utils.validation import check_consistent_length


def word_error_rate(y_true, y_pred):
    """Word errors (insertions, deletions, replacements) per word of the true text.

    Parameters
    ----------
    y_true : array-like of str, shape (n_samples,)
        True texts, split into words at whitespace. Missing texts (None, NaN) are left
        out.
    y_pred : array-like of str, shape (n_samples,)
        Recognised texts; a missing text counts as empty.

    Returns
    -------
    float
        0 is best. Computed over all samples together, so that long texts count more; it
        can exceed 1.

    Raises
    ------
    ValueError
        If all true texts are empty or missing.

    Examples
    --------
    >>> from sklearn_mm.metrics import word_error_rate
    >>> word_error_rate(["turn it on", "stop"], ["turn on", "stop"])
    0.25
    """
    return _compute_error_rate(y_true, y_pred, str.split, "words")


def character_error_rate(y_true, y_pred):
    """Character errors (insertions, deletions, replacements) per true character.

    Parameters
    ----------
    y_true : array-like of str, shape (n_samples,)
        True texts. Missing texts (None, NaN) are left out.
    y_pred : array-like of str, shape (n_samples,)
        Recognised texts; a missing text counts as empty.

    Returns
    -------
    float
        0 is best, see :func:`word_error_rate`.

    Raises
    ------
    ValueError
        If all true texts are empty or missing.

    Examples
    --------
    >>> from sklearn_mm.metrics import character_error_rate
    >>> character_error_rate(["stop"], ["sto"])
    0.25
    """
    return _compute_error_rate(y_true, y_pred, str, "characters")


def _compute_error_rate(y_true, y_pred, split, unit):
    check_consistent_length(y_true, y_pred)
    n_errors = n_tokens = 0
    for truth, guess in zip(y_true, y_pred):
        if _is_missing(truth):
            continue
        true = split(truth)
        n_errors += _compute_edit_distance(
            true, split("" if _is_missing(guess) else guess)
        )
        n_tokens += len(true)
    if not n_tokens:
        raise ValueError(f"y_true has no {unit}; an error rate needs at least one.")
    return n_errors / n_tokens


def _is_missing(text):
    if not isinstance(text, str):
        if pd.isna(text):
            return True
        raise TypeError(f"expected texts, got {type(text).__name__} {text!r}.")
    return False


def _compute_edit_distance(first, second):
    """Compute the Levenshtein distance of two sequences, row by row."""
    numbers = {token: i for i, token in enumerate({*first, *second})}
    second = np.array([numbers[token] for token in second], dtype=np.intp)
    steps = np.arange(len(second) + 1)
    row = steps
    for n_done, token in enumerate(first, 1):
        replaced = row[:-1] + (second != numbers[token])
        best = np.minimum(replaced, row[1:] + 1)
        row = np.concatenate([[n_done], best])
        row = np.minimum.accumulate(row - steps) + steps  # insertions, along the row
    return int(row[-1])


word_error_rate_scorer = make_scorer(word_error_rate, greater_is_better=False)
character_error_rate_scorer = make_scorer(character_error_rate, greater_is_better=False)
