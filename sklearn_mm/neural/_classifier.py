"""A network as a classifier."""

import numpy as np
import torch
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted
from skorch.dataset import Dataset
from skorch.utils import is_dataset

from ._base import BaseNet
from ._batches import TensorBatches
from ._parameters import store_parameters
from ._tasks import ClassTask


class NetClassifierMixin(ClassifierMixin):
    """Learns and predicts classes."""

    _task_class = ClassTask
    _onnx_outputs = ("probabilities",)

    def predict_proba(self, X):
        """Predict the probabilities of the classes.

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
        if is_dataset(X):  # from a skorch callback, with class numbers
            return outputs.argmax(axis=1)
        return self._task.decode(outputs)

    def _make_task(self, samples, y, classes):
        task = ClassTask(y, classes)
        self.classes_ = task.classes
        return task

    def _make_prior(self):
        return self._task.prior

    def _compute_weight(self, sample_weight, samples, codes):
        weight = super()._compute_weight(sample_weight, samples, codes)
        if self.class_weight is None:
            return weight
        by_class = self.class_weight
        if isinstance(by_class, dict):  # from labels to class numbers
            by_class = _number_classes(by_class, self.classes_.tolist())
        balance = compute_sample_weight(by_class, codes).astype(np.float32)
        return balance if weight is None else weight * balance

    def _list_classes(self):
        return self.classes_.tolist()


def _number_classes(weights, classes):
    """Return class weights by class number; unnamed classes weigh one.

    As in scikit-learn, the weights may name more classes than there are (in a fold,
    say) if they name all that there are.
    """
    unknown = sorted(set(weights) - set(classes), key=str)
    if unknown and not set(classes) <= set(weights):
        raise ValueError(
            f"class_weight names the classes {unknown}, which are not in {classes}."
        )
    return {i: weights[label] for i, label in enumerate(classes) if label in weights}


class NetClassifier(NetClassifierMixin, BaseNet):
    """Train a network as a classifier: a backbone with a linear head.

    A skorch net: ``module__*``, ``optimizer__*``, ``callbacks`` and ``history_`` mean
    what skorch's documentation says. ``fit`` infers the input shape, the number of
    classes and the vocabulary. Batches are sliced from the whole array.

    Parameters
    ----------
    module : class or instance of torch.nn.Module, or function that makes one
        A backbone, one of :mod:`sklearn_mm.nets` or your own, which returns a vector
        per sample; a linear head is put on it. A class or function is called with
        ``module__*`` options, and with ``input_shape=X.shape[1:]`` and ``n_tokens``
        (size of the vocabulary of token ids) if it has such parameters. A module with
        an attribute ``out_features``, the length of its vectors, gets samples as they
        are, padded with NaN. Any other gets zeros for NaN, and images with channels
        first if it does not take them last.
    criterion : class, default=torch.nn.CrossEntropyLoss
        Loss of the head's outputs and the class numbers.
    class_weight : {"balanced"}, dict or None, default=None
        Weights of the classes in the loss.
    optimizer : class, default=torch.optim.Adam
        Optimizer.
    lr : float, default=0.001
        Learning rate.
    max_epochs : int, default=100
        Maximum number of epochs.
    batch_size : int, default=64
        Samples per batch; -1 puts all of them into one batch.
    early_stopping : bool, default=True
        Whether to stop when the loss on a validation set no longer improves, and to
        restore the best epoch. With fewer than ``1 / validation_fraction`` samples
        there is no validation set.
    validation_fraction : float, default=0.1
        Share of the samples in the validation set, stratified by class.
    n_iter_no_change : int, default=10
        Epochs without improvement after which training stops.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the order of the batches and dropout. The same seed
        gives the same weights on a CPU. torch's global generators are left untouched.
    device : str, torch.device or None, default="auto"
        Device to compute on. "auto" is cuda if available, else mps, else the CPU. A
        network fitted on a GPU can be loaded where there is none.
    mixed_precision : bool, default=False
        Whether to compute in bfloat16 where that is safe; on cuda only.
    warm_start : bool, default=False
        Whether ``fit`` continues from the current weights.
    verbose : int, default=0
        1 prints one line per epoch.
    callbacks : list or None, default=None
        skorch callbacks, in addition to the default ones.
    train_split : callable or None, default=None
        skorch's way to split off a validation set, replaces ``validation_fraction``.
    iterator_train, iterator_valid : class, default=TensorBatches
        Iterate over batches. Use :class:`torch.utils.data.DataLoader` for data that are
        not arrays.
    dataset : class, default=skorch.dataset.Dataset
        Holds the samples.
    predict_nonlinearity : callable, "auto" or None, default="auto"
        Turns outputs into probabilities; softmax for the default criterion.
    compile : bool, default=False
        Whether to use ``torch.compile``, which does not pay off for small networks.
    use_caching : bool or "auto", default="auto"
        Whether skorch's scoring callbacks share predictions, see skorch.
    torch_load_kwargs : dict or None, default=None
        Arguments of ``torch.load``, see skorch.
    **kwargs : dict
        Options of parts, by a prefix, as in skorch: ``module__n_filters=8`` is one of
        the module; also ``optimizer__*``, ``criterion__*``, ``callbacks__*``,
        ``iterator_train__*``, ``iterator_valid__*``, ``dataset__*`` and ``compile__*``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    module_ : torch.nn.Module
        The trained network, with ``module_.backbone`` and ``module_.head``.
    input_shape_ : tuple of int
        Shape of a sample.
    n_tokens_ : int
        Size of the vocabulary, for samples that are token ids.
    n_features_in_ : int
        Number of columns, for samples that are vectors.
    feature_names_in_ : ndarray of shape (n_features_in,)
        Names of the columns, if ``X`` was a frame with string column names.
    criterion_ : torch.nn.Module
        The loss.
    optimizer_ : torch.optim.Optimizer
        The optimizer, in its state at the end of training.
    callbacks_ : list of (str, skorch.callbacks.Callback)
        The callbacks of the training.
    history_ : skorch.history.History
        Losses by epoch.
    initialized_ : bool
        Whether the network is fitted.
    virtual_params_ : dict
        Parameters that skorch passes on to the optimizer when they are set.

    Notes
    -----
    Ctrl-C ends the training: the network keeps the best epoch so far (without
    ``early_stopping`` its current weights) and can predict. Then ``fit`` raises
    KeyboardInterrupt, unlike skorch's, so that a grid search stops as well. After any
    other failure of ``fit`` the network is not fitted.

    Samples that are missing (all NaN) never reach the network: they are left out in
    ``fit``, and get the training set's prior (of a regressor, its mean) in ``predict``,
    with an :class:`~sklearn_mm.AbstentionWarning`. Sample weights weigh losses within
    batches, which for a network is not the same as repeating samples.

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
        optimizer=torch.optim.Adam,
        lr=0.001,
        max_epochs=100,
        batch_size=64,
        early_stopping=True,
        validation_fraction=0.1,
        n_iter_no_change=10,
        random_state=None,
        device="auto",
        mixed_precision=False,
        warm_start=False,
        verbose=0,
        callbacks=None,
        train_split=None,
        iterator_train=TensorBatches,
        iterator_valid=TensorBatches,
        dataset=Dataset,
        predict_nonlinearity="auto",
        compile=False,
        use_caching="auto",
        torch_load_kwargs=None,
        **kwargs,
    ):
        store_parameters(self, locals())
