"""A network as a regressor."""

import torch
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted
from skorch.dataset import Dataset
from skorch.utils import is_dataset

from ._base import BaseNet
from ._batches import TensorBatches
from ._parameters import store_parameters
from ._tasks import NumberTask


class NetRegressorMixin(RegressorMixin):
    """Learns and predicts standardised numbers."""

    _task_class = NumberTask
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
        return self._task.decode(outputs)

    def _make_task(self, samples, y, classes):
        task = NumberTask(y)
        self.target_ndim_ = task.ndim
        self.target_mean_, self.target_std_ = task.mean, task.std
        return task

    def _make_prior(self):
        return self._task.make_prior_outputs()  # standardised

    def _trace(self, module, inputs):
        return self._task.trace(self._trace_outputs(module, inputs))

    def __sklearn_tags__(self):
        """Declare that there may be several targets."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class NetRegressor(NetRegressorMixin, BaseNet):
    """Train a network as a regressor: a backbone with a linear head.

    The target is standardised for training; losses in ``history_`` are in these units.

    Parameters
    ----------
    module : class or instance of torch.nn.Module, or function that makes one
        A backbone, one of :mod:`sklearn_mm.nets` or your own; see
        :class:`NetClassifier`.
    criterion : class, default=torch.nn.MSELoss
        Loss of outputs and standardised targets.
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
    module_ : torch.nn.Module
        The trained network, with ``module_.backbone`` and ``module_.head``.
    input_shape_ : tuple of int
        Shape of a sample.
    n_tokens_ : int
        Size of the vocabulary, for samples that are token ids.
    target_mean_, target_std_ : ndarray of shape (n_targets,)
        Mean and standard deviation of the target.
    target_ndim_ : int
        Number of axes of the target, 1 or 2.
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

    See Also
    --------
    NetClassifier : Its notes on Ctrl-C, missing samples and weights apply here too.

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

    def __init__(
        self,
        module,
        *,
        criterion=torch.nn.MSELoss,
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
