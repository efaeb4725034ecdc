"""A network as a classifier."""

import numpy as np
import torch
from sklearn.base import ClassifierMixin
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import assert_all_finite, check_is_fitted
from skorch.utils import is_dataset

from ._base import BaseNet


def encode_classes(net, samples, y, fresh, classes=None):
    """Check class labels and number them; the first time, set ``net.classes_``.

    Parameters
    ----------
    net : BaseNet
        The estimator.
    samples : ndarray of shape (n_samples, ...)
        Checked samples.
    y : array-like of shape (n_samples,)
        Labels.
    fresh : bool
        Whether to find out which classes there are.
    classes : array-like or None
        The classes, if not all may be in ``y``.

    Returns
    -------
    ndarray of shape (n_samples,), int64
        Positions in ``net.classes_``.
    """
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y")
    if kind in ("multilabel-indicator", "multiclass-multioutput"):
        raise ValueError(
            f"{type(net).__name__} takes one label per sample, got a {kind} target of "
            f"shape {np.shape(y)}. Undo a one-hot encoding by y.argmax(axis=1)."
        )
    y = column_or_1d(y, warn=True)
    assert_all_finite(y, input_name="y")
    check_consistent_length(samples, y)
    if fresh:
        net.classes_ = np.unique(y if classes is None else classes)
    codes = np.searchsorted(net.classes_, y).clip(max=len(net.classes_) - 1)
    unknown = np.unique(y[net.classes_[codes] != y])
    if len(unknown):
        raise ValueError(
            f"y holds the classes {unknown.tolist()}, which are not in {net.classes_}."
        )
    return codes.astype(np.int64)


class NetClassifierMixin(ClassifierMixin):
    """Learns and predicts classes."""

    _onnx_outputs = ("probabilities",)

    def predict_proba(self, X):
        """Probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float32
            Probabilities, in the order of ``classes_``.
        """
        check_is_fitted(self)
        return self._forward(self._check_samples(X, reset=False))

    def predict(self, X):
        """Predict the class of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels.
        """
        outputs = self.predict_proba(X)
        if is_dataset(X):  # from a skorch callback, with the classes' numbers
            return outputs.argmax(axis=1)
        return self._decode(outputs)

    def _decode(self, outputs):
        """Give the label of each row's highest output."""
        return self.classes_[outputs.argmax(axis=1)]

    def _encode_target(self, samples, y, fresh, classes):
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None."
            )
        return encode_classes(self, samples, y, fresh, classes)

    def _combine_weights(self, sample_weight, samples, target):
        weight = super()._combine_weights(sample_weight, samples, target)
        if self.class_weight is None:
            return weight
        by_class = self.class_weight
        if isinstance(by_class, dict):  # labels to their numbers
            numbers = {label: i for i, label in enumerate(self.classes_.tolist())}
            by_class = {numbers[label]: w for label, w in by_class.items()}
        balance = compute_sample_weight(by_class, target).astype(np.float32)
        return balance if weight is None else weight * balance

    def _count_outputs(self):
        return len(self.classes_)

    def _list_classes(self):
        return self.classes_.tolist()


class NetClassifier(NetClassifierMixin, BaseNet):
    """Train a network as a classifier: a backbone with a linear head.

    A skorch net: ``module__*``, ``optimizer__*``, ``callbacks``, ``history_`` mean what
    skorch's documentation says. Shapes, number of classes and vocabulary are inferred
    in ``fit``; batches are sliced from the array as a whole; the seed stays within.

    Parameters
    ----------
    module : class or instance of torch.nn.Module
        A backbone, one of :mod:`sklearn_mm.nets` or your own: built as
        ``module(input_shape, **module__options)`` with ``input_shape = X.shape[1:]``
        (and ``n_tokens``, if it takes that), returns ``(n_samples, out_features)``, has
        ``out_features``.
    criterion : class, default=torch.nn.CrossEntropyLoss
        Loss of the head's outputs and the classes' numbers.
    class_weight : {"balanced"}, dict or None, default=None
        Weights of the classes in the loss.
    optimizer : class, default=torch.optim.Adam
        The optimizer.
    lr : float, default=0.001
        Learning rate.
    max_epochs : int, default=100
        Passes over the samples, at most.
    batch_size : int, default=64
        Samples in a batch.
    early_stopping : bool, default=True
        Set a part of the samples aside, stop when its loss no longer falls, and go back
        to the best epoch. With fewer than ``1 / validation_fraction`` samples nothing
        is set aside.
    validation_fraction : float, default=0.1
        The share set aside, by class.
    n_iter_no_change : int, default=10
        Epochs without improvement to wait for.
    random_state : int, RandomState instance or None, default=None
        Seed of initial weights, order of batches and dropout. The same seed gives the
        same weights on a CPU. torch's global generators are left as they were.
    device : str, torch.device or None, default="auto"
        "auto" takes cuda, else mps, else the CPU. A net fitted on a GPU loads where
        there is none.
    mixed_precision : bool, default=False
        Compute in bfloat16 where that is safe; on cuda only.
    warm_start : bool, default=False
        Let ``fit`` go on from the weights there are.
    verbose : int, default=0
        1 prints a line an epoch.
    callbacks : list or None, default=None
        skorch callbacks, added to the net's own.
    train_split : callable or None, default=None
        skorch's way to set samples aside, in place of ``validation_fraction``.
    iterator_train, iterator_valid : class, default=TensorBatches
        Iterate over batches; a :class:`torch.utils.data.DataLoader` for data that are
        no arrays.
    dataset : class, default=skorch.dataset.Dataset
        Holds the samples.
    predict_nonlinearity : callable, "auto" or None, default="auto"
        Turns outputs into probabilities; softmax for the default criterion.
    compile : bool, default=False
        Whether to use ``torch.compile``, which does not pay for small nets.
    use_caching : bool or "auto", default="auto"
        See skorch.
    torch_load_kwargs : dict or None, default=None
        See skorch.
    **kwargs : dict
        ``module__*``, ``optimizer__*``, ``criterion__*``, ``callbacks__*`` and so on.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    module_ : torch.nn.Module
        The trained network, ``module_.backbone`` and ``module_.head``.
    history_ : skorch History
        Losses by epoch.
    input_shape_ : tuple of int
        Shape of a sample.
    n_features_in_ : int
        Number of columns, for samples that are vectors.

    Notes
    -----
    Ctrl-C ends the training: the net keeps the best epoch so far, or without
    ``early_stopping`` the weights it has, and can predict. Then ``fit`` raises
    KeyboardInterrupt, unlike skorch's, so that a grid search stops as well.

    Samples that are missing (all NaN) are left out in ``fit``; in ``predict`` they
    count as the mean of the input. Sample weights weigh losses within batches, which
    for a network is not the same as repeating samples.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_mm import NetClassifier
    >>> from sklearn_mm.nets import ImageCNN
    >>> X, y = load_digits(return_X_y=True)
    >>> X = X.reshape(-1, 8, 8) / 16
    >>> net = NetClassifier(ImageCNN, max_epochs=15, random_state=0)
    >>> bool(net.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.9)
    True
    """

    def __init__(
        self,
        module,
        *,
        criterion=torch.nn.CrossEntropyLoss,
        class_weight=None,
        **kwargs,
    ):
        super().__init__(module=module, criterion=criterion, **kwargs)
        self.class_weight = class_weight
