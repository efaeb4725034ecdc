"""Each modality alone, compared with their fusion: scores, agreement, corrections."""

import warnings

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.utils.validation import check_consistent_length

from .._utils.imports import safe_indexing
from ..tables import n_rows, read_table
from ._cells import blank_cells
from ._modalities import find_modalities, list_others
from ._predictions import CachedPredictions, find_present, find_scorer

#: Bins of the calibration error.
_N_BINS = 10
#: Significant digits of the report.
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
    """Report on each modality alone, and on all modalities fused.

    Parameters
    ----------
    estimator : estimator
        A fitted fusion estimator or joint net, a pipeline or search around one, or
        any estimator of tables that accepts missing cells.
    X : DataFrame, ndarray or dict of arrays, with n_samples rows
        The table, preferably of held-out rows. It is not modified.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Target.
    modalities : dict of str to columns or None, default=None
        Columns of each modality. By default, those of the estimator's specs; if it has
        none, or they overlap or select columns with a callable, each column is a
        modality.
    scoring : str, callable or None, default=None
        A scorer, as returned by :func:`~sklearn.metrics.make_scorer`, or its name. By
        default, the estimator's ``score``.

    Returns
    -------
    DataFrame
        A row for each modality, with all others missing, and a last row "fused".

        - ``score``: the score on the rows that have the modality;
        - ``present``: the share of such rows. A row whose file cannot be read counts as
          absent if the estimator's ``transform`` shows which modalities abstain;
        - ``agreement``: the share of these rows on which the modality predicts the same
          as the fusion; for regressors, Pearson's correlation of the predictions;
        - ``mended``: the share on which the modality is wrong and the fusion right;
        - ``spoiled``: the share on which the modality is right and the fusion wrong;
          both are NaN for regressors;
        - ``calibration_error``: the expected calibration error, over ten bins of
          confidence; NaN without ``predict_proba``.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger (2017), "On calibration of modern
    neural networks", ICML.

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
    X = read_table(X)
    check_consistent_length(np.empty(n_rows(X)), y)
    columns = find_modalities(estimator, X, modalities)
    scorer, _ = find_scorer(estimator, scoring)
    present = find_present(estimator, X, columns)
    fused = CachedPredictions([(estimator, X)])
    report = {}
    for name in columns:
        X_alone = blank_cells(X, list_others(columns, name))
        alone = CachedPredictions([(estimator, X_alone)])
        report[name] = _describe(alone, fused, scorer, y, present[name])
    any_present = np.logical_or.reduce(list(present.values()))
    report["fused"] = _describe(fused, fused, scorer, y, any_present)
    frame = pd.DataFrame.from_dict(report, orient="index").rename_axis("modality")
    return frame.map(lambda value: float(f"{value:.{_DIGITS}g}"))


def _describe(alone, fused, scorer, y, present):
    rows = np.flatnonzero(present)
    described = {**dict.fromkeys(_COLUMNS, np.nan), "present": present.mean()}
    if not len(rows):
        return described
    y = safe_indexing(y, rows)
    described["score"] = scorer(alone, rows, y)
    pair = alone.predict(rows), fused.predict(rows)
    if is_classifier(alone):
        described |= _compare_labels(*pair, np.asarray(y))
    else:
        described["agreement"] = _correlate(*pair)
    described["calibration_error"] = _compute_calibration_error(
        alone, rows, np.asarray(y)
    )
    return described


def _compare_labels(alone, fused, y):
    def equal(a, b):
        same = np.asarray(a) == np.asarray(b)
        return same if same.ndim == 1 else same.all(axis=1)

    right, fused_right = equal(alone, y), equal(fused, y)
    return {
        "agreement": equal(alone, fused).mean(),
        "mended": (~right & fused_right).mean(),
        "spoiled": (right & ~fused_right).mean(),
    }


def _correlate(alone, fused):
    """Compute Pearson's correlation, averaged over outputs; NaN if one is constant."""
    n_rows = len(alone)
    alone, fused = np.reshape(alone, (n_rows, -1)), np.reshape(fused, (n_rows, -1))
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        pairs = [np.corrcoef(a, b)[0, 1] for a, b in zip(alone.T, fused.T)]
    return np.mean(pairs)


def _compute_calibration_error(predictions, rows, y):
    if not (is_classifier(predictions) and hasattr(predictions, "predict_proba")):
        return np.nan
    proba = predictions.predict_proba(rows)
    if isinstance(proba, list) or y.ndim > 1:
        return np.nan
    confidence = proba.max(axis=1)
    right = np.asarray(predictions.classes_)[proba.argmax(axis=1)] == y
    bins = np.minimum((confidence * _N_BINS).astype(int), _N_BINS - 1)
    gaps = np.bincount(bins, weights=right - confidence)  # summed within each bin
    return np.abs(gaps).sum() / len(rows)
