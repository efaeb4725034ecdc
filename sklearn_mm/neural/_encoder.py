"""A network as a transformer: the vector before its head."""

import numpy as np
import torch
from sklearn.base import TransformerMixin, clone
from sklearn.model_selection import check_cv
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted
from skorch.dataset import Dataset
from torch import nn

from .._columns.column import find_missing
from .._utils.imports import check_method_params, safe_indexing
from .._utils.parallel import run_calls
from .._utils.targets import check_target
from ._base import BaseNet, fill_missing
from ._batches import TensorBatches
from ._device import unwrap
from ._parameters import store_parameters
from ._samples import check_outputs
from ._tasks import ClassTask, NumberTask, ReconstructionTask

#: Penalty of the map between networks, relative to the vectors' mean power.
_RIDGE = 0.1
_TASKS = {task.kind: task for task in (ClassTask, NumberTask, ReconstructionTask)}


class NetEncoder(TransformerMixin, BaseNet):
    """Train a network, and encode samples by its backbone.

    With a target, the backbone is trained with a linear head on it, as a classifier or
    a regressor depending on the kind of target. Without one it is trained as an
    autoencoder that reconstructs (standardised) numeric input; NaN does not count.

    ``fit_transform`` is cross-fitted: each sample is encoded by a network that was not
    trained on its label, so that downstream estimators never train on embeddings from a
    network that has seen the sample's label. ``transform`` encodes by the network
    trained on all samples.

    Parameters
    ----------
    module : class or instance of torch.nn.Module, or function that makes one
        A backbone, one of :mod:`sklearn_mm.nets` or your own; see
        :class:`NetClassifier`.
    criterion : class or None, default=None
        Loss. By default cross-entropy for classes, mean squared error for numbers.
    cross_fit : bool, default=True
        Whether ``fit_transform`` is cross-fitted.
    cv : int, splitter or iterable, default=5
        Folds of the cross-fitting, stratified by class.
    n_jobs : int or None, default=None
        Number of folds trained in parallel.
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
    task_ : {"classification", "regression", "autoencoder"}
        What the network was trained for.
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

    See Also
    --------
    NetClassifier : Its notes on Ctrl-C, missing samples and weights apply here too.

    Notes
    -----
    Networks trained separately have different coordinates. All folds start from the
    same initial weights as the network of all samples, and the vectors of each fold are
    mapped onto the vectors of that network by the linear map closest to the identity
    (ridge regression of the difference), learned on the samples that both have seen.

    References
    ----------
    V. Chernozhukov et al. (2018), "Double/debiased machine learning", Econometrics
    Journal 21, for cross-fitting.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_mm import NetEncoder
    >>> from sklearn_mm.nets import ImageCNN
    >>> X, y = load_digits(return_X_y=True)
    >>> encoder = NetEncoder(ImageCNN, max_epochs=3, module__n_filters=4)
    >>> encoder.fit(X[:300].reshape(-1, 8, 8), y[:300]).transform(
    ...     X[300:305].reshape(-1, 8, 8)
    ... ).shape
    (5, 64)
    """

    _onnx_outputs = ("vectors",)

    def __init__(
        self,
        module,
        *,
        criterion=None,
        cross_fit=True,
        cv=5,
        n_jobs=None,
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

    def fit(self, X, y=None, groups=None, sample_weight=None, **fit_params):
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples; those that are missing (all NaN) are left out.
        y : array-like of shape (n_samples, ...) or None
            Target; without one an autoencoder is trained.
        groups : array-like of shape (n_samples,) or None
            Ignored here; ``fit_transform`` splits by them.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the samples in the loss.
        **fit_params : dict
            Passed to the module's ``forward``.

        Returns
        -------
        self
            The fitted encoder.
        """
        return super().fit(X, y, sample_weight=sample_weight, **fit_params)

    def transform(self, X):
        """Encode samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, out_features), float32
            Vectors; all NaN where a sample is missing.
        """
        return self._embed(X)

    def _embed(self, X):
        check_is_fitted(self)
        samples = self._check_samples(X, reset=False)
        present = self._find_present(samples)
        n_features = self.module_.backbone.out_features
        vectors = np.full((len(samples), n_features), np.nan, np.float32)
        if present.any():
            vectors[present] = self._embed_present(samples[present])
        return vectors

    def _embed_present(self, samples):
        self.module_.eval()
        embed, vectors = unwrap(self.module_).embed, []
        for x, _ in self.get_iterator(self.get_dataset(samples)):
            with torch.no_grad(), self._autocast():
                embedded = embed(self._prepare_batch(x))
            vectors.append(embedded.float().cpu().numpy())
        return check_outputs(np.concatenate(vectors), type(self).__name__, samples)

    def fit_transform(self, X, y=None, groups=None, **params):
        """Train, and encode each sample by a network that has not seen its label.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.
        y : array-like of shape (n_samples, ...) or None
            Target.
        groups : array-like of shape (n_samples,) or None
            Groups for the splitter ``cv``.
        **params : dict
            ``sample_weight`` and what else ``fit`` takes.

        Returns
        -------
        ndarray of shape (n_samples, out_features), float32
            Vectors.
        """
        self.fit(X, y, **params)
        vectors = self._embed(X)
        if y is None or not self.cross_fit:
            return vectors
        folds = check_cv(self.cv, y, classifier=self.task_ == "classification")
        folds = list(folds.split(X, y, groups))
        alike = [clone(self).set_params(random_state=self._seed) for _ in folds]
        calls = [
            (_encode_fold, net, X, y, train, test, vectors[train], params)
            for net, (train, test) in zip(alike, folds)
        ]
        parts = run_calls(calls, self.n_jobs)
        for (_, test), part in zip(folds, parts):
            vectors[test] = part
        return vectors

    def _trace(self, module, inputs):
        (x,) = inputs
        if self._takes_ids():
            return module.embed(x)
        is_missing, x = fill_missing(x)
        return torch.where(is_missing, torch.nan, module.embed(x))

    def get_feature_names_out(self, input_features=None):
        """Name the features.

        Parameters
        ----------
        input_features : array-like of str or None
            Ignored.

        Returns
        -------
        ndarray of str
            One name per feature.
        """
        check_is_fitted(self)
        n_features = self.module_.backbone.out_features
        return np.asarray([f"net{i}" for i in range(n_features)], dtype=object)

    def _make_target(self, samples, y, sample_weight, fresh, classes):
        if fresh:
            self.task_ = _find_task(y)
        return super()._make_target(samples, y, sample_weight, fresh, classes)

    @property
    def _task_class(self):
        return _TASKS[self.task_]

    def _check_target(self, y, samples):
        if self.task_ == "autoencoder" and self._takes_ids():
            raise ValueError(
                "NetEncoder needs y to train on token ids: an autoencoder reconstructs "
                "numbers."
            )
        return self._task_class.check(y, samples, type(self).__name__)

    def _make_task(self, samples, y, classes):
        if self.task_ == "classification":
            return ClassTask(y, classes)
        return (
            NumberTask(y) if self.task_ == "regression" else _TASKS[self.task_](samples)
        )

    def _compute_weight(self, sample_weight, samples, codes):
        if sample_weight is not None and codes is None:
            raise ValueError("sample_weight needs y; an autoencoder has no weights.")
        return super()._compute_weight(sample_weight, samples, codes)

    def initialize_criterion(self):
        """Build the loss for the kind of target."""
        is_classification = self.task_ == "classification"
        criterion = self.criterion
        if criterion is None:
            criterion = nn.CrossEntropyLoss if is_classification else nn.MSELoss
        options = self.get_params_for("criterion")
        self.criterion_ = self.initialized_instance(criterion, options)
        return self

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Compute the mean loss of a batch; an autoencoder's over what is not NaN."""
        if self.task_ == "autoencoder":
            return self._task.compute_loss(y_pred, X)
        return super().get_loss(y_pred, y_true, X, training)

    def __sklearn_tags__(self):
        """Declare that vectors are float32 and need no target."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


def _find_task(y):
    if y is None:
        return "autoencoder"
    check_target(y, "NetEncoder")
    kind = type_of_target(y, input_name="y")
    return "regression" if kind.startswith("continuous") else "classification"


def _encode_fold(net, X, y, train, test, reference, params):
    """Train on ``train``, encode ``test`` in the coordinates of ``reference``."""
    params = check_method_params(X, params, train)
    seen = safe_indexing(X, train)
    net.fit(seen, safe_indexing(y, train), **params)
    own = net._embed(seen)
    present = ~find_missing(own)
    others = net._embed(safe_indexing(X, test))
    return _map_linearly(own[present], reference[present], others)


def _map_linearly(source, target, others):
    """Apply to ``others`` the linear map from ``source`` to ``target``.

    It is the one closest to the identity, by ridge regression of the difference: the
    networks began alike, and what their few samples do not tell stays as it is.
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    source = (source - source_mean).astype(np.float64)
    change = target - target_mean - source
    others = (others - source_mean).astype(np.float64)
    n_samples, n_features = source.shape
    penalty = _RIDGE * max(np.mean(source**2), 1e-12) * n_samples
    if n_features <= n_samples:
        gram = source.T @ source + penalty * np.eye(n_features)
        shift = others @ np.linalg.solve(gram, source.T @ change)
    else:  # the same by the samples' inner products, of which there are fewer
        gram = source @ source.T + penalty * np.eye(n_samples)
        shift = others @ source.T @ np.linalg.solve(gram, change)
    return (others + shift + target_mean).astype(np.float32)
