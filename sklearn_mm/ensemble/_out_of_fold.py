"""Answers given out of fold, and whether fusing them beats the best modality."""

import warnings

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._utils.imports import num_samples
from ..exceptions import AbstentionWarning
from ._guard import compare_with_best


class OutOfFoldMixin:
    """Arranges the members' answers, and compares each alone with all fused."""

    def _compare(self, answers, fused, target, weight, groups):
        """Set the scores of each modality alone, of all fused, and of their gain."""
        scale = self._find_scale(target)
        alone = self._find_alone(answers)
        losses = [self._find_losses(each, target) for each in [*alone, fused]]
        if weight is not None:
            losses, scale = [loss * weight for loss in losses], scale * weight
        self._comparison = compare_with_best(
            np.array(losses[:-1]), losses[-1], scale, groups
        )
        self._tell(self._comparison)

    def _find_alone(self, answers):
        """Each modality's answers, the prior in place of those it does not give."""
        for m in range(len(answers[0])):
            alone = [part[m].copy() for part in answers]
            for part, prior in zip(alone, self._priors):
                part[np.isnan(part[:, 0])] = prior
            yield alone

    def _tell(self, comparison):
        names = list(self._columns)
        self.unimodal_scores_ = dict(zip(names, comparison.unimodal_scores.tolist()))
        self.fused_score_ = comparison.fused_score
        self.fusion_gain_ = comparison.gain
        self.fusion_gain_interval_ = comparison.interval
        self.guarded_ = None
        if self.guard and not comparison.pays:
            self.guarded_ = names[comparison.best]
        comparison.warn(names, self.guard)

    # Answers.

    def _arrange(self, given, n_samples):
        """Put what the members gave side by side; NaN where one abstains."""
        arrays = self._make_arrays(len(given), n_samples)
        for m, parts in enumerate(given):
            for rows, answers, classes in parts:
                if len(rows):
                    self._place(arrays, m, rows, answers, classes, self._methods[m])
        return arrays

    def _collect(self, X):
        given, n_samples = self._ask(X)
        return self._arrange(given, n_samples)

    def _ask(self, X):
        """Give what the members answer now, as folds give it, and the rows' number."""
        check_is_fitted(self)
        X = self._check_X(X, reset=False)
        given = [
            [(rows, answers, getattr(model, "classes_", None))]
            for model, rows, answers in self._iter_answers(X)
        ]
        return given, num_samples(X)

    def _warn_of_silence(self, silent):
        if silent.any():
            warnings.warn(
                f"All modalities abstain on {silent.sum()} of {len(silent)} rows, "
                f"which get {self._prior_name} of the training set.",
                AbstentionWarning,
                stacklevel=4,
            )


def number_tests(folds, n_samples):
    """Rows that any fold answers, and each fold's as numbers within these.

    Parameters
    ----------
    folds : list of (ndarray, ndarray)
        Rows to fit on, and rows to answer.
    n_samples : int
        Number of rows.

    Returns
    -------
    tuple of (ndarray, list of ndarray)
        The rows, and numbers by fold.
    """
    rows = np.unique(np.concatenate([test for _, test in folds]))
    numbers = np.full(n_samples, -1)
    numbers[rows] = np.arange(len(rows))
    return rows, [numbers[test] for _, test in folds]


def take(answers, rows):
    """Take rows of answers ``(n_modalities, n_rows, ...)``, by output."""
    return [part[:, rows] for part in answers]


def take_target(target, rows):
    """Take rows of a target, or of a list of them by output."""
    return [code[rows] for code in target] if isinstance(target, list) else target[rows]
