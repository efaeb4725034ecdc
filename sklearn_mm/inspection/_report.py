"""Each modality alone, beside all fused: scores, agreement, what fusing mends."""

import warnings

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.utils.validation import check_consistent_length

from .._utils.imports import safe_indexing
from ._cells import as_table, blank_cells, count_rows
from ._modalities import find_modalities, list_others
from ._predictions import Answers, find_present, find_scorer

#: Bins of the calibration error.
_N_BINS = 10
#: Significant digits of what is reported.
_DIGITS = 4
_COLUMNS = [
    "score",
    "present",
    "agreement",
    "mended",
    "spoiled",
    "calibration_error",
]


def modality_report(estimator, X, y, *, modalities=None, scoring=None):
    """Report on each modality alone, and on all fused.

    Parameters
    ----------
    estimator : estimator
        A fitted fusion estimator, joint net, pipeline or search of these, or any
        estimator over a table that takes missing cells.
    X : DataFrame, ndarray or dict of arrays, with n_samples rows
        The table; rows that were not fitted on tell most. It stays as it is.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Target.
    modalities : dict of str to columns or None, default=None
        Columns of each modality. By default those of the estimator's own specs; if it
        has none, or they overlap or choose by a callable, each column is a modality.
    scoring : str, callable or None, default=None
        A scorer as :func:`~sklearn.metrics.make_scorer` makes them, or its name; by
        default the estimator's own score.

    Returns
    -------
    DataFrame
        A row for each modality, all others made missing, and a last one, "fused".

        - ``score``, on the rows that have the modality;
        - ``present``, the share of such rows; one whose file could not be read counts
          as absent where the estimator's ``transform`` says who abstains;
        - ``agreement``, the share of these rows on which it answers what all fused do;
          of regressors the correlation (Pearson's) of both;
        - ``mended``, the share on which it is wrong and the fused answer is right;
        - ``spoiled``, the share on which it is right and the fused answer is wrong;
          both are NaN for regressors;
        - ``calibration_error``: by how much confidence and accuracy differ, the mean
          over ten bins of confidence; NaN without ``predict_proba``.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger (2017), "On calibration of modern
    neural networks", ICML: the expected calibration error.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_mm import MultimodalVotingClassifier
    >>> from sklearn_mm.inspection import modality_report
    >>> X, y = load_digits(return_X_y=True)  # upper and lower halves of digits
    >>> X, model = X / 16, LogisticRegression()
    >>> fusion = MultimodalVotingClassifier(
    ...     [("upper", model, slice(0, 32)), ("lower", model, slice(32, 64))]
    ... ).fit(X[:1000], y[:1000])
    >>> modality_report(fusion, X[1000:], y[1000:])[["score", "mended"]].round(2)
              score  mended
    modality
    upper      0.82    0.10
    lower      0.81    0.11
    fused      0.90    0.00
    """
    X = as_table(X)
    check_consistent_length(np.empty(count_rows(X)), y)
    columns = find_modalities(estimator, X, modalities)
    scorer, _ = find_scorer(estimator, scoring)
    present = find_present(estimator, X, columns)
    fused = Answers([(estimator, X)])
    report = {}
    for name in columns:
        alone = Answers([(estimator, blank_cells(X, list_others(columns, name)))])
        report[name] = _describe(alone, fused, scorer, y, present[name])
    anything = np.logical_or.reduce(list(present.values()))
    report["fused"] = _describe(fused, fused, scorer, y, anything)
    frame = pd.DataFrame.from_dict(report, orient="index").rename_axis("modality")
    return frame.map(lambda value: float(f"{value:.{_DIGITS}g}"))


def _describe(alone, fused, scorer, y, present):
    rows = np.flatnonzero(present)
    described = {**dict.fromkeys(_COLUMNS, np.nan), "present": present.mean()}
    if not len(rows):
        return described
    y = safe_indexing(y, rows)
    described["score"] = scorer(alone, rows, y)
    own, together = alone.predict(rows), fused.predict(rows)
    if is_classifier(alone):
        described |= _compare_labels(own, together, np.asarray(y))
    else:
        described["agreement"] = _correlate(own, together)
    described["calibration_error"] = _find_calibration_error(alone, rows, np.asarray(y))
    return described


def _compare_labels(own, fused, y):
    def equal(a, b):
        same = np.asarray(a) == np.asarray(b)
        return same if same.ndim == 1 else same.all(axis=1)

    right, fused_right = equal(own, y), equal(fused, y)
    return {
        "agreement": equal(own, fused).mean(),
        "mended": (~right & fused_right).mean(),
        "spoiled": (right & ~fused_right).mean(),
    }


def _correlate(own, fused):
    """Pearson's correlation, mean over outputs; NaN where one does not vary."""
    n_rows = len(own)
    own, fused = np.reshape(own, (n_rows, -1)), np.reshape(fused, (n_rows, -1))
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        pairs = [np.corrcoef(a, b)[0, 1] for a, b in zip(own.T, fused.T)]
    return np.mean(pairs)


def _find_calibration_error(answers, rows, y):
    if not (is_classifier(answers) and hasattr(answers, "predict_proba")):
        return np.nan
    proba = answers.predict_proba(rows)
    if isinstance(proba, list) or y.ndim > 1:
        return np.nan
    confidence = proba.max(axis=1)
    right = np.asarray(answers.classes_)[proba.argmax(axis=1)] == y
    bins = np.minimum((confidence * _N_BINS).astype(int), _N_BINS - 1)
    gaps = np.bincount(bins, weights=right - confidence)  # by bin, times its size
    return np.abs(gaps).sum() / len(rows)
