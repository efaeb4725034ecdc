"""Predictions of all members side by side, and whether fusing them pays."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._columns.table import n_rows
from .._utils.notices import warn_user
from ..exceptions import AbstentionWarning
from ._guard import EQUAL, compare_with_best


class OutOfFoldMixin:
    """Arranges the members' predictions, and compares each member with all fused."""

    def _predict_outputs(self, X):
        """Predict by all members: ``(n_modalities, n_samples, ...)`` by output."""
        check_is_fitted(self)
        X = self._check_X(X, reset=False)
        parts = [[self._predict_member(name, X)] for name in self._columns]
        return self._arrange(parts, n_rows(X))

    def _arrange(self, parts, n_samples):
        """Arrange each member's :class:`RowPredictions`, NaN where it abstains."""
        predictions = self._make_arrays(len(parts), n_samples)
        for m, (method, member_parts) in enumerate(zip(self._methods.values(), parts)):
            for part in member_parts:
                if len(part.rows):
                    self._place([array[m] for array in predictions], part, method)
        return predictions

    def _compare(self, predictions, fused, target, weight, groups, equal=None):
        """Set the scores of the fusion and of its alternatives, and the gain.

        ``equal`` is the vote by equal weights, if it differs from the fusion.
        """
        scale = self._compute_scale(target)
        candidates = [*self._iter_unimodal(predictions), fused]
        if equal is not None:
            candidates.insert(-1, equal)
        losses = [self._compute_losses(each, target) for each in candidates]
        if weight is not None:
            losses, scale = [loss * weight for loss in losses], scale * weight
        self._comparison = compare_with_best(
            np.array(losses[:-1]), losses[-1], scale, groups
        )
        self._set_scores(self._comparison)

    def _iter_unimodal(self, predictions):
        """Yield each modality's predictions, with the prior where it abstains."""
        for m in range(len(predictions[0])):
            unimodal = [part[m].copy() for part in predictions]
            for part, prior in zip(unimodal, self._priors):
                part[np.isnan(part[:, 0])] = prior
            yield unimodal

    def _set_scores(self, comparison):
        scores, names = comparison.scores.tolist(), list(self._columns)
        self.unimodal_scores_ = dict(zip(names, scores))
        self.fused_score_ = self.equal_score_ = comparison.fused_score
        if len(scores) > len(names):
            names.append(EQUAL)
            self.equal_score_ = scores[-1]
        self.fusion_gain_ = comparison.gain
        self.fusion_gain_over_ = names[comparison.best]
        self.fusion_gain_interval_ = comparison.interval
        self.guarded_ = None
        if self.guard and not comparison.pays:
            self.guarded_ = names[comparison.best]
        comparison.warn(names, self.guard)

    def _warn_of_abstention(self, abstained):
        if abstained.any():
            warn_user(
                f"All modalities abstain on {abstained.sum()} of {len(abstained)} "
                f"rows, which get {self._prior_name} of the training set.",
                AbstentionWarning,
            )


def number_tests(folds, n_samples):
    """Find the rows that any fold predicts, and number each fold's within these.

    Parameters
    ----------
    folds : list of (ndarray, ndarray)
        Rows to fit on, and rows to predict.
    n_samples : int
        Number of rows.

    Returns
    -------
    rows : ndarray of int
        Sorted rows that any fold predicts.
    tests : list of ndarray of int
        For each fold, the positions of its rows in ``rows``.
    """
    rows = np.unique(np.concatenate([test for _, test in folds]))
    numbers = np.full(n_samples, -1)
    numbers[rows] = np.arange(len(rows))
    return rows, [numbers[test] for _, test in folds]


def take_predictions(predictions, rows):
    """Take rows of predictions ``(n_modalities, n_rows, ...)``, output by output."""
    return [part[:, rows] for part in predictions]


def take_target(target, rows):
    """Take rows of an encoded target, output by output."""
    return [part[rows] for part in target]
