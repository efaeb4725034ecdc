"""What is predicted, classes or numbers: checked, answered for, and scored."""

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, check_consistent_length

from .._utils.targets import find_spread
from ._answers import (
    decide,
    encode_labels,
    find_classes,
    find_divergence,
    list_classes,
    split_probabilities,
    split_votes,
    spread,
)


class ClassTargetMixin:
    """Classes; answers are probabilities, or votes, by output of the target."""

    _prior_name = "the class frequencies"

    def _check_member(self, name, estimator):
        super()._check_member(name, estimator)
        if not is_classifier(estimator):
            raise TypeError(
                f"modality {name!r}: {type(estimator).__name__} is no classifier. Put "
                "one behind it in a pipeline."
            )

    def _check_y(self, X, y):
        check_classification_targets(y)
        values = np.asarray(y)
        is_table = values.ndim == 2 and values.shape[1] > 1
        y = values if is_table else column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        check_consistent_length(X, y)
        return y

    def _set_target(self, y, sample_weight):
        self._n_outputs = y.shape[1] if y.ndim == 2 else None
        # Frozen models may know more classes than y has.
        known = [list_classes(m.classes_, self._n_outputs) for m in self.estimators_]
        self._classes = [
            np.unique(np.concatenate(labels)) for labels in zip(find_classes(y), *known)
        ]
        self._priors = []
        for code, classes in zip(self._encode(y), self._classes):
            counts = np.bincount(code, sample_weight, minlength=len(classes))
            self._priors.append(counts / counts.sum())
        single = self._n_outputs is None
        self.classes_ = self._classes[0] if single else self._classes
        self.class_prior_ = self._priors[0] if single else self._priors

    def _encode(self, y):
        return encode_labels(y, self._classes)

    def _make_arrays(self, n_members, n_samples):
        return [
            np.full((n_members, n_samples, len(known)), np.nan)
            for known in self._classes
        ]

    def disagreement(self, X):
        """Say how far the modalities contradict one another, row by row.

        Wrong labels, and cells that do not belong together, stand out. Where a modality
        gives no probabilities, its predicted class counts as certain.

        Parameters
        ----------
        X : DataFrame, ndarray or SliceDict with n_samples rows
            The table; rows that were not fitted on tell most.

        Returns
        -------
        ndarray of shape (n_samples,)
            Jensen-Shannon divergence of the modalities' probabilities as a share of its
            maximum, the logarithm of their number: 0 if all say the same, 1 if all are
            certain of different classes. NaN where fewer than two answer. Of a 2-D
            target, the mean over its columns.

        References
        ----------
        J. Lin (1991), "Divergence measures based on the Shannon entropy", IEEE
        Transactions on Information Theory 37.
        """
        return np.mean([find_divergence(part) for part in self._collect(X)], axis=0)

    def _place(self, arrays, m, rows, answers, classes, method):
        labels = list_classes(classes, self._n_outputs)
        if method == "predict_proba":
            parts = split_probabilities(answers, self._n_outputs)
        else:
            if method == "decision_function":
                answers = decide(answers, labels[0])
            parts = split_votes(answers, labels)
        for array, part, own, known in zip(arrays, parts, labels, self._classes):
            spread(part, own, rows, known, array[m])

    def _find_losses(self, fused, codes):
        """1 where a row is wrong in any output."""
        wrong = [part.argmax(axis=1) != code for part, code in zip(fused, codes)]
        return np.logical_or.reduce(wrong).astype(float)

    def _find_scale(self, codes):
        return np.ones(len(codes[0]))


class NumberTargetMixin:
    """Numbers; answers are one array of predictions, a column for each output."""

    _prior_name = "the mean"

    def _check_member(self, name, estimator):
        super()._check_member(name, estimator)
        if not is_regressor(estimator):
            raise TypeError(
                f"modality {name!r}: {type(estimator).__name__} is no regressor. Put "
                "one behind it in a pipeline."
            )

    def _check_y(self, X, y):
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None."
            )
        values = np.asarray(y)
        is_table = values.ndim == 2 and values.shape[1] > 1
        y = check_array(
            values if is_table else column_or_1d(y, warn=True),
            ensure_2d=False,
            dtype="numeric",
            input_name="y",
        )
        check_consistent_length(X, y)
        find_spread(self._encode(y))
        return y

    def _set_target(self, y, sample_weight):
        self._n_outputs = y.shape[1] if y.ndim == 2 else None
        mean = np.average(self._encode(y), axis=0, weights=sample_weight)
        self.target_mean_ = mean
        self._priors = [mean]

    def _encode(self, y):
        return y.reshape(len(y), -1).astype(float)

    def _make_arrays(self, n_members, n_samples):
        return [np.full((n_members, n_samples, len(self.target_mean_)), np.nan)]

    def _place(self, arrays, m, rows, answers, classes, method):
        arrays[0][m, rows] = np.asarray(answers).reshape(len(rows), -1)

    def _find_losses(self, fused, target):
        """Squared errors in units of the target's variance, over outputs."""
        return ((fused[0] - target) ** 2 / _find_variance(target)).mean(axis=1)

    def _find_scale(self, target):
        deviation = target - target.mean(axis=0)
        return (deviation**2 / _find_variance(target)).mean(axis=1)


def _find_variance(target):
    variance = target.var(axis=0)
    return np.where(variance > 0, variance, 1)
