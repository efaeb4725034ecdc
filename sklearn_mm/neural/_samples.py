"""What a network asks of its samples: shape, type, weights, and who is missing."""

import inspect

import numpy as np
import torch
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data
from skorch.utils import is_dataset

from .._columns.arrays import check_float32_range
from .._columns.column import find_missing
from .._columns.table import check_unique_names
from .._utils.imports import check_sample_weight


class SampleChecksMixin:
    """Checks samples against what the backbone takes, and what ``fit`` saw."""

    def _check_samples(self, X, reset, y=None):
        """Give numbers in float, or token ids, of the shape that ``fit`` saw."""
        if is_dataset(X):  # from a skorch callback, in training: checked already
            return X
        options = {
            "dtype": np.int64 if self._takes_ids() else [np.float32, np.float64],
            "ensure_all_finite": "allow-nan",
            "allow_nd": True,
        }
        check_unique_names(X)
        if not hasattr(X, "ndim"):
            free = {"dtype": None, "ensure_2d": False, "ensure_all_finite": False}
            X = check_array(X, allow_nd=True, ensure_min_samples=0, **free)
        if X.ndim == 2:
            X = validate_data(self, X, reset=reset, **options)
        else:
            X = check_array(X, estimator=self, **options)
        check_float32_range(X, type(self).__name__)
        if reset:
            self.input_shape_ = X.shape[1:]
            if self._takes_ids():
                self.n_tokens_ = int(X.max(initial=1)) + 1
        self._check_shape(X.shape[1:])
        return X

    def _check_shape(self, shape):
        expected = self.input_shape_
        if len(shape) == len(expected) > 1 and self._is_variable():
            shape, expected = shape[1:], expected[1:]  # any number of steps
        if shape != expected:
            raise ValueError(
                f"{type(self).__name__} was fitted on samples of shape "
                f"{self.input_shape_}, got {shape}."
            )

    def _module_class(self):
        is_instance = isinstance(self.module, torch.nn.Module)
        return type(self.module) if is_instance else self.module

    def _takes_ids(self):
        return "n_tokens" in inspect.signature(self._module_class()).parameters

    def _is_variable(self):
        return getattr(self._module_class(), "variable_length", False)

    def _combine_weights(self, sample_weight, samples, target):
        """Weights of the samples in the loss, or None if they are all equal."""
        if sample_weight is None:
            return None
        return check_sample_weight(sample_weight, samples, dtype=np.float32)

    def _drop_missing(self, samples, target, weight):
        present = ~find_missing(samples)
        if present.all():
            return samples, target, weight
        if not present.any():
            raise ValueError("all samples are missing (all NaN): nothing to train on.")
        target = None if target is None else target[present]
        weight = None if weight is None else weight[present]
        return samples[present], target, weight


def check_outputs(outputs, owner):
    """Refuse what a network makes of numbers that it cannot compute with.

    Parameters
    ----------
    outputs : ndarray of shape (n_samples, ...), or tuple of these
        What the network gives.
    owner : str
        Name of the estimator, for errors.

    Returns
    -------
    ndarray or tuple of ndarray
        The same.
    """
    for part in outputs if isinstance(outputs, tuple) else (outputs,):
        if isinstance(part, tuple):
            check_outputs(part, owner)
        elif not np.isfinite(part).all():
            broken = ~np.isfinite(part.reshape(len(part), -1)).all(axis=1)
            raise ValueError(
                f"{owner}: the network gives no finite numbers for {broken.sum()} of "
                f"{len(part)} samples, the first at position {broken.argmax()}. Scale "
                "inputs that are very large."
            )
    return outputs
