"""Targets of classes and of numbers: checks, encoding, arrays and losses."""

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, check_consistent_length

from .._members.labels import get_labels
from .._utils.targets import check_target, compute_mean_and_std
from ._probabilities import (
    compute_divergence,
    decode_decisions,
    encode_labels,
    encode_votes,
    scatter_probabilities,
)

#: Probabilities are kept this far from zero before logarithms are taken.
_TINY = 1e-6


def check_labels(y, owner):
    """Raise an error if labels are missing or of several types.

    Parameters
    ----------
    y : array-like of shape (n_samples, ...)
        Class labels.
    owner : str
        Name of the estimator, for errors.

    Returns
    -------
    ndarray of the same shape
        The labels; numbers in an array of objects get a type of numbers.
    """
    check_target(y, owner)
    values = np.asarray(y) if hasattr(y, "dtype") else np.asarray(y, dtype=object)
    kinds = {type(label) for label in values.flat} if values.dtype.kind == "O" else ()
    kinds = {str if issubclass(kind, str) else kind for kind in kinds}
    if len(kinds) > 1 and str in kinds:
        names = sorted(kind.__name__ for kind in kinds)
        raise ValueError(
            f"{owner}: y mixes labels of the types {', '.join(names)}. Make them all "
            "strings, as by [str(label) for label in y]."
        )
    values = np.asarray(y)
    return np.array(values.tolist()) if kinds and kinds != {str} else values


class ClassTargetMixin:
    """A target of classes; predictions are probabilities or votes, by output."""

    _prior_name = "the class frequencies"

    def _check_member(self, name, estimator):
        super()._check_member(name, estimator)
        if not is_classifier(estimator):
            raise TypeError(
                f"modality {name!r}: {type(estimator).__name__} is not a classifier. "
                "Put one after it in a pipeline."
            )

    def _check_y(self, X, y):
        values = check_labels(y, type(self).__name__)
        check_classification_targets(values)
        is_table = values.ndim == 2 and values.shape[1] > 1
        y = values if is_table else column_or_1d(values, warn=True)
        assert_all_finite(y, input_name="y")
        check_consistent_length(X, y)
        return y

    def _set_target(self, y, sample_weight):
        self._n_outputs = y.shape[1] if y.ndim == 2 else None
        # Frozen models may know more classes than y has.
        known = [codes.labels for codes in self._codes.values()]
        self._classes = [
            np.unique(np.concatenate(labels)) for labels in zip(get_labels(y), *known)
        ]
        self._priors = []
        for code, classes in zip(self._encode(y), self._classes):
            counts = np.bincount(code, sample_weight, minlength=len(classes))
            self._priors.append(counts / counts.sum())
        single = self._n_outputs is None
        self.classes_ = self._classes[0] if single else self._classes
        self.class_prior_ = self._priors[0] if single else self._priors

    @property
    def member_classes_(self):
        """Labels that each modality's classifier knows, by modality."""
        single = self._n_outputs is None
        return {
            name: codes.labels[0] if single else codes.labels
            for name, codes in self._codes.items()
        }

    def _encode(self, y):
        return encode_labels(y, self._classes)

    def _decode(self, outputs):
        """Return the labels of the highest probabilities, as ``y`` holds them."""
        labels = [
            known[part.argmax(axis=1)] for known, part in zip(self._classes, outputs)
        ]
        return labels[0] if self._n_outputs is None else np.column_stack(labels)

    def _make_arrays(self, n_members, n_samples):
        return [
            np.full((n_members, n_samples, len(known)), np.nan)
            for known in self._classes
        ]

    def disagreement(self, X):
        """Measure how far the modalities contradict one another in each row.

        Wrong labels, and cells that do not belong together, stand out. A classifier
        without probabilities counts as certain of the class that it predicts.

        Parameters
        ----------
        X : dataframe, dict of columns or array-like of shape (n_samples, n_columns)
            The table. Use held-out data: on training rows the modalities agree too
            much.

        Returns
        -------
        ndarray of shape (n_samples,)
            Jensen-Shannon divergence of the modalities' probabilities as a share of its
            maximum, the logarithm of their number: 0 if all agree, 1 if all are certain
            of different classes. NaN where fewer than two are present. For a 2-D
            target, the mean over its columns.

        References
        ----------
        J. Lin (1991), "Divergence measures based on the Shannon entropy", IEEE
        Transactions on Information Theory 37.
        """
        parts = self._predict_outputs(X)
        return np.mean([compute_divergence(part) for part in parts], axis=0)

    def _place(self, arrays, part, method):
        """Write a member's predictions into arrays ``(n_samples, n_classes)``."""
        values = part.values
        if method == "decision_function":
            values = decode_decisions(values, part.labels)
        if method != "predict_proba":
            values = encode_votes(values, part.labels)
        for outputs in zip(arrays, values, part.labels, self._classes):
            scatter_probabilities(*outputs, part.rows)

    def _compute_losses(self, fused, codes):
        """1 where a row is wrong in any output."""
        wrong = [part.argmax(axis=1) != code for part, code in zip(fused, codes)]
        return np.logical_or.reduce(wrong).astype(float)

    @property
    def _measures(self):
        """Losses by row that decide between weights: errors, then log-loss."""
        return self._compute_losses, _compute_log_losses

    def _compute_scale(self, codes):
        return np.ones(len(codes[0]))


class NumberTargetMixin:
    """A target of numbers; predictions are one array, with a column per output."""

    _prior_name = "the mean"

    def _check_member(self, name, estimator):
        super()._check_member(name, estimator)
        if not is_regressor(estimator):
            raise TypeError(
                f"modality {name!r}: {type(estimator).__name__} is not a regressor. "
                "Put one after it in a pipeline."
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
        compute_mean_and_std(*self._encode(y))
        return y

    def _set_target(self, y, sample_weight):
        self._n_outputs = y.shape[1] if y.ndim == 2 else None
        (numbers,) = self._encode(y)
        self.target_mean_ = np.average(numbers, axis=0, weights=sample_weight)
        self._priors = [self.target_mean_]

    def _encode(self, y):
        return [y.reshape(len(y), -1).astype(float)]

    def _make_arrays(self, n_members, n_samples):
        return [np.full((n_members, n_samples, len(self.target_mean_)), np.nan)]

    def _place(self, arrays, part, method):
        """Write a member's predictions into an array ``(n_samples, n_outputs)``."""
        arrays[0][part.rows] = np.asarray(part.values).reshape(len(part.rows), -1)

    def _compute_losses(self, fused, target):
        """Squared errors in units of the target's variance, averaged over outputs."""
        (fused,), (target,) = fused, target
        return ((fused - target) ** 2 / _compute_variance(target)).mean(axis=1)

    @property
    def _measures(self):
        """Losses by row that decide between weights."""
        return (self._compute_losses,)

    def _compute_scale(self, target):
        (target,) = target
        deviation = target - target.mean(axis=0)
        return (deviation**2 / _compute_variance(target)).mean(axis=1)


def _compute_log_losses(fused, codes):
    """Log-loss by row, averaged over outputs."""
    true = [part[np.arange(len(code)), code] for part, code in zip(fused, codes)]
    return -np.log(np.maximum(true, _TINY)).mean(axis=0)


def _compute_variance(target):
    variance = target.var(axis=0)
    return np.where(variance > 0, variance, 1)
