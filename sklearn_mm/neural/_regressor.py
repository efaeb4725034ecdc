"""A network as a regressor."""

import numpy as np
import torch
from sklearn.base import RegressorMixin
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted
from skorch.utils import is_dataset

from .._utils.targets import find_spread
from ._base import BaseNet


def encode_numbers(net, samples, y, fresh):
    """Check a numeric target and standardise it; the first time, learn by what.

    Parameters
    ----------
    net : BaseNet
        The estimator, which gets ``target_mean_`` and ``target_std_``.
    samples : ndarray of shape (n_samples, ...)
        Checked samples.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Target.
    fresh : bool
        Whether to learn mean and standard deviation.

    Returns
    -------
    ndarray of shape (n_samples, n_targets), float32
        The standardised target.
    """
    y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
    check_consistent_length(samples, y)
    if fresh:
        net.target_ndim_ = y.ndim
    y = y.reshape(len(y), -1)
    if fresh:
        net.target_mean_, net.target_std_ = find_spread(y)
    return ((y - net.target_mean_) / net.target_std_).astype(np.float32)


class NetRegressorMixin(RegressorMixin):
    """Learns and predicts standardised numbers."""

    _onnx_outputs = ("predictions",)

    def predict(self, X):
        """Predict the target of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predictions, in the target's own units.
        """
        check_is_fitted(self)
        outputs = self._forward(self._check_samples(X, reset=False))
        if is_dataset(X):  # from a skorch callback, with the standardised target
            return outputs
        return self._decode(outputs)

    def _decode(self, outputs):
        """Give outputs of the network in the target's units."""
        predicted = outputs * self.target_std_ + self.target_mean_
        return predicted[:, 0] if self.target_ndim_ == 1 else predicted

    def _trace(self, module, inputs):
        outputs = self._trace_forward(module, inputs).double()
        mean, std = map(torch.from_numpy, (self.target_mean_, self.target_std_))
        predicted = outputs * std + mean
        return predicted[:, 0] if self.target_ndim_ == 1 else predicted

    def _encode_target(self, samples, y, fresh, classes):
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None."
            )
        return encode_numbers(self, samples, y, fresh)

    def _count_outputs(self):
        return len(self.target_mean_)

    def __sklearn_tags__(self):
        """Say that there may be several targets."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class NetRegressor(NetRegressorMixin, BaseNet):
    """Train a network as a regressor: a backbone with a linear head.

    Its parameters are those of :class:`NetClassifier`, without ``class_weight``. The
    target is standardised for training; losses in ``history_`` are in these units.

    Parameters
    ----------
    module : class or instance of torch.nn.Module
        A backbone, one of :mod:`sklearn_mm.nets` or your own.
    criterion : class, default=torch.nn.MSELoss
        Loss of outputs and standardised targets.
    **kwargs : dict
        See :class:`NetClassifier`.

    Attributes
    ----------
    module_ : torch.nn.Module
        The trained network, ``module_.backbone`` and ``module_.head``.
    history_ : skorch History
        Losses by epoch.
    input_shape_ : tuple of int
        Shape of a sample.
    target_mean_, target_std_ : ndarray of shape (n_targets,)
        What the target was standardised by.
    target_ndim_ : int
        1 or 2, the number of axes of the target.
    n_features_in_ : int
        Number of columns, for samples that are vectors.

    Notes
    -----
    Networks compute in float32: the last of seven digits may depend on which samples
    are predicted together.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_mm import NetRegressor
    >>> from sklearn_mm.nets import TabularMLP
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = NetRegressor(TabularMLP, random_state=0).fit(X[:300], y[:300])
    >>> bool(net.score(X[300:], y[300:]) > 0.4)
    True
    """

    def __init__(self, module, *, criterion=torch.nn.MSELoss, **kwargs):
        super().__init__(module=module, criterion=criterion, **kwargs)
