"""Folds for out-of-fold predictions: as many as the rows allow, from any splitter."""

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
)
from sklearn.utils.multiclass import type_of_target

_N_SPLITS = 5


def make_splitter(y, stratify, groups=None, **options):
    """Make a splitter of five folds, or of as many as the rows allow.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Target.
    stratify : bool
        Whether to preserve the class frequencies in each fold.
    groups : array-like of shape (n_samples,) or None, default=None
        Groups of rows that stay together.
    **options : dict
        Arguments of the splitter.

    Returns
    -------
    splitter
        Of scikit-learn's.
    """
    n_parts = len(y) if groups is None else len(np.unique(groups))
    if len(y) < 3 or n_parts < 2:
        raise ValueError(
            "Out-of-fold predictions need three rows and two groups or more, got "
            f"n_samples = {len(y)}, n_groups = {n_parts}. A vote with weights=None, "
            "calibration=None and guard=False needs none."
        )
    n_splits = min(_N_SPLITS, n_parts)
    if stratify and type_of_target(y) in ("binary", "multiclass"):
        largest = np.unique(y, return_counts=True)[1].max()
        if largest > 1:
            kind = StratifiedKFold if groups is None else StratifiedGroupKFold
            return kind(min(n_splits, largest), **options)
    return (KFold if groups is None else GroupKFold)(n_splits, **options)


def read_folds(folds, n_samples):
    """Read the rows of folds, whichever way they are written.

    Parameters
    ----------
    folds : iterable of (array-like, array-like)
        Rows to fit on and rows to predict: positions, which may be negative, or masks.
    n_samples : int
        Number of rows.

    Returns
    -------
    list of (ndarray of int, ndarray of int)
        Positions that are not negative; folds that predict no row are left out.
    """
    folds = list(folds)
    read = []
    for number, fold in enumerate(folds):
        if not isinstance(fold, tuple | list) or len(fold) != 2:
            raise ValueError(
                f"fold {number} of cv must be a pair (rows to fit on, rows to predict),"
                f" got {fold!r}."
            )
        train, test = (_read_rows(rows, n_samples, number) for rows in fold)
        if len(train) == 0:
            raise ValueError(f"fold {number} of cv has no rows to fit on.")
        if len(test):
            read.append((train, test))
    if not read:
        raise ValueError(
            f"cv yields {len(folds)} folds, and none has a row to predict. A generator "
            "can be read once only: pass a list, or a splitter."
        )
    return read


def _read_rows(rows, n_samples, number):
    rows = np.asarray(rows)
    if rows.size == 0:
        return np.zeros(0, dtype=np.intp)
    if rows.ndim == 1 and rows.dtype.kind == "b" and len(rows) == n_samples:
        return np.flatnonzero(rows)
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise ValueError(
            f"fold {number} of cv must hold positions of rows, or a mask of "
            f"{n_samples} entries, got {rows.dtype} of shape {rows.shape}."
        )
    if rows.min() < -n_samples or rows.max() >= n_samples:
        raise ValueError(
            f"fold {number} of cv holds row "
            f"{rows.max() if rows.max() >= n_samples else rows.min()}, but X has "
            f"{n_samples} rows."
        )
    return rows.astype(np.intp) % n_samples
