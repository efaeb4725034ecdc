"""What all estimators of one network share, on top of skorch's."""

import copy
from contextlib import contextmanager
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils import check_random_state
from skorch import NeuralNet
from skorch.dataset import Dataset
from skorch.utils import to_device
from torch import nn
from torch.utils.data import Subset

from .._utils.devices import pick_device
from .._utils.imports import Interval, Options, check_parameters
from .._utils.interrupts import note_interrupts
from ..nets._head import WithHead
from ._batches import TensorBatches, as_tensors, take_some
from ._callbacks import default_callbacks
from ._device import fork_generators, keep_freed_memory, unwrap
from ._onnx import OnnxMixin
from ._parameters import ParametersMixin
from ._samples import SampleChecksMixin, check_outputs
from ._saved import SavedNetMixin
from ._split import split_rows


class BaseNet(
    ParametersMixin,
    SampleChecksMixin,
    CallbackSupportMixin,
    OnnxMixin,
    SavedNetMixin,
    NeuralNet,
):
    """A skorch net whose shapes, device, seed and stopping take care of themselves.

    Whatever skorch documents works: ``module__*``, ``optimizer__*``, callbacks,
    ``history_``, checkpoints. Subclasses say what the targets are: ``_encode_target``,
    ``_count_outputs`` and ``_default_criterion``.
    """

    _parameter_constraints: dict = {
        "module": [nn.Module, callable],
        "lr": [Interval(Real, 0, None, closed="left")],
        "max_epochs": [Interval(Integral, 0, None, closed="left")],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            Options(Integral, {-1}),
        ],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "mixed_precision": ["boolean"],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
    }

    # skorch sets and registers these per instance, which scikit-learn does not allow.
    history_ = None
    initialized_ = False
    virtual_params_: dict = {}
    prefixes_: list = [*NeuralNet.prefixes_, "module", "criterion", "optimizer"]
    cuda_dependent_attributes_: list = ["module_", "criterion_", "optimizer_"]
    _modules: list = ["module"]
    _criteria: list = ["criterion"]
    _optimizers: list = ["optimizer"]

    def __init__(
        self,
        *,
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
        # Not by skorch's __init__, which sets more than parameters.
        stored = vars(self)
        stored["optimizer"] = optimizer
        stored["lr"] = lr
        stored["max_epochs"] = max_epochs
        stored["batch_size"] = batch_size
        stored["early_stopping"] = early_stopping
        stored["validation_fraction"] = validation_fraction
        stored["n_iter_no_change"] = n_iter_no_change
        stored["random_state"] = random_state
        stored["device"] = device
        stored["mixed_precision"] = mixed_precision
        stored["warm_start"] = warm_start
        stored["verbose"] = verbose
        stored["callbacks"] = callbacks
        stored["train_split"] = train_split
        stored["iterator_train"] = iterator_train
        stored["iterator_valid"] = iterator_valid
        stored["dataset"] = dataset
        stored["predict_nonlinearity"] = predict_nonlinearity
        stored["compile"] = compile
        stored["use_caching"] = use_caching
        stored["torch_load_kwargs"] = torch_load_kwargs
        stored.update(kwargs)

    @with_callbacks
    def fit(self, X, y=None, sample_weight=None, **fit_params):
        """Train the network from its beginning, or go on with ``warm_start=True``.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples; those that are missing (all NaN) are left out.
        y : array-like of shape (n_samples, ...)
            Target.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the samples in the loss.
        **fit_params : dict
            Passed to the module's ``forward``, as skorch does.

        Returns
        -------
        self
            The fitted estimator.
        """
        fresh = not (self.warm_start and self.initialized_)
        return self._fit(X, y, sample_weight, fresh, None, fit_params)

    @with_callbacks
    def partial_fit(self, X, y=None, classes=None, sample_weight=None, **fit_params):
        """Train for ``max_epochs`` more epochs on these samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.
        y : array-like of shape (n_samples, ...)
            Target.
        classes : array-like of shape (n_classes,) or None
            All classes there will be, in the first call of a classifier.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the samples in the loss.
        **fit_params : dict
            Passed to the module's ``forward``.

        Returns
        -------
        self
            The fitted estimator.
        """
        fresh = not self.initialized_
        return self._fit(X, y, sample_weight, fresh, classes, fit_params)

    def _fit(self, X, y, sample_weight, fresh, classes, fit_params):
        check_parameters(
            self._parameter_constraints, vars(self), caller_name=type(self).__name__
        )
        context = self._init_callback_context(max_subtasks=self.max_epochs)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        samples = self._check_samples(X, fresh, y)
        target = self._encode_target(samples, y, fresh, classes)
        weight = self._combine_weights(sample_weight, samples, target)
        samples, target, weight = self._drop_missing(samples, target, weight)
        self._seed = self._draw_seed()
        keep_freed_memory()
        with fork_generators(self._seed, self.device), self._on_device():
            if fresh:
                self.initialize()
                self._adapt(samples)
            if weight is not None:
                target = (target, weight)
            self._train(samples, target, fit_params)
        context.call_on_fit_task_end(
            estimator=self, X=X, y=y, reconstruction_attributes={}
        )
        return self

    def _train(self, samples, target, fit_params):
        try:
            with note_interrupts() as interrupts:
                NeuralNet.partial_fit(self, samples, target, **fit_params)
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise ValueError(
                f"{type(self).__name__}: batch normalisation cannot train on a batch "
                f"of one sample; batch_size is {self.batch_size}, and there are "
                f"{len(samples)} samples."
            ) from None
        if interrupts:  # skorch hides it: a grid search would go on with this net
            raise KeyboardInterrupt

    def _draw_seed(self):
        generator = check_random_state(self.random_state)
        if isinstance(self.random_state, Integral):  # nets of one seed begin alike
            return int(self.random_state)
        return generator.randint(np.iinfo(np.int32).max)

    # Steps of skorch.

    @property
    def _default_callbacks(self):
        return default_callbacks(self)

    def initialize_module(self):
        """Build the backbone for the shape of the samples, and a linear head."""
        options = self.get_params_for("module")
        if isinstance(self.module, nn.Module) and not options:
            backbone = copy.deepcopy(self.module)  # the user's stays as it is
        else:
            options.setdefault("input_shape", self.input_shape_)
            if self._takes_ids():
                options.setdefault("n_tokens", self.n_tokens_)
            backbone = self._module_class()(**options)
        if not hasattr(backbone, "out_features"):
            raise TypeError(
                f"{type(backbone).__name__} has no out_features. A backbone is built "
                "as Backbone(input_shape, **options), returns (n_samples, "
                "out_features) and says how many those are."
            )
        self.module_ = self._join_head(backbone)
        return self

    def _join_head(self, backbone):
        return WithHead(backbone, self._count_outputs())

    def _initialize_module(self, reason=None):
        with self._on_device():
            return super()._initialize_module(reason)

    def _initialize_criterion(self, reason=None):
        with self._on_device():
            return super()._initialize_criterion(reason)

    @contextmanager
    def _on_device(self):
        """Let skorch see the device that "auto" stands for."""
        asked, self.device = self.device, pick_device(self.device)
        try:
            yield
        finally:
            self.device = asked

    def _adapt(self, samples):
        """Show the backbone some training samples, if it wants to see them."""
        adapt = getattr(unwrap(self.module_).backbone, "adapt", None)
        if adapt is not None and not self._takes_ids():
            some = take_some(samples)
            some = as_tensors(np.ascontiguousarray(some, dtype=np.float32))
            adapt(to_device(some, pick_device(self.device)))

    def get_split_datasets(self, X, y=None, **fit_params):
        """Set a part of the samples aside to know when to stop."""
        if self.train_split or not self.early_stopping:
            return super().get_split_datasets(X, y, **fit_params)
        dataset = self.get_dataset(X, y)
        labels = y[0] if isinstance(y, tuple) else y
        train, valid = split_rows(len(X), self.validation_fraction, labels)
        if len(valid) == 0:
            return dataset, None
        return Subset(dataset, train), Subset(dataset, valid)

    def get_iterator(self, dataset, training=False):
        """Iterate over batches, in training in another order each epoch."""
        iterator = super().get_iterator(dataset, training)
        is_ours = isinstance(iterator, TensorBatches)
        if is_ours:
            iterator.device = self.device
        if training and is_ours and "iterator_train__shuffle" not in vars(self):
            iterator.shuffle = True
        return iterator

    def load_params(self, *args, **kwargs):
        """Load weights, as skorch does, to the net's device."""
        with self._on_device():
            return super().load_params(*args, **kwargs)

    def infer(self, x, **fit_params):
        """Run the module on a batch, on its device."""
        device = pick_device(self.device)
        x = to_device(torch.as_tensor(x), device)
        if self._takes_ids():
            x = torch.where(x < self.n_tokens_, x, 1)  # not seen in fit: unknown
        mixed = self.mixed_precision and torch.device(device).type == "cuda"
        with torch.autocast("cuda", torch.bfloat16, enabled=mixed):
            return self.module_(x, **fit_params)

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Mean loss of a batch, weighted if there are weights."""
        device = pick_device(self.device)
        if not isinstance(y_true, tuple | list):
            return self._find_loss(y_pred, y_true.to(device), None, training)
        y_true, weight = (part.to(device) for part in y_true)
        return self._find_loss(y_pred, y_true, weight, training)

    def _find_loss(self, y_pred, y_true, weight, training):
        if weight is None:
            return self.criterion_(y_pred.float(), y_true)
        losses = self._find_row_losses(y_pred, y_true)
        return (losses * weight).sum() / weight.sum().clamp_min(1e-12)

    def _find_row_losses(self, y_pred, y_true):
        criterion = copy.copy(self.criterion_)
        criterion.reduction = "none"
        losses = criterion(y_pred.float(), y_true)
        return losses.flatten(1).mean(dim=1) if losses.ndim > 1 else losses

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        """Tell scikit-learn's callbacks."""
        super().on_epoch_begin(net, dataset_train, dataset_valid, **kwargs)
        self._epoch_task = self._callback_fit_ctx.subcontext(task_name="epoch")
        self._epoch_task.call_on_fit_task_begin(estimator=self)

    def on_epoch_end(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        """Refuse a loss that is no number; tell scikit-learn's callbacks."""
        batches = self.history_[-1]["batches"]
        loss = sum(batch.get("train_loss", 0.0) for batch in batches)
        if not np.isfinite(loss):
            raise ValueError(
                f"the loss became {loss} in epoch {len(self.history_)}. Lower lr (now "
                f"{self.lr}), clip the gradients (GradientNormClipping of "
                "skorch.callbacks), or scale inputs and targets that are very large."
            )
        whole = getattr(dataset_train, "dataset", dataset_train)
        self._epoch_task.call_on_fit_task_end(
            estimator=self, X=whole.X, reconstruction_attributes={}
        )

    def __delattr__(self, name):
        object.__delattr__(self, name)  # nothing is registered that skorch would undo

    # Predicting.

    @property
    def predict_proba(self):
        """Only classifiers have it."""
        raise AttributeError(f"{type(self).__name__} has no predict_proba")

    @property
    def predict(self):
        """Encoders do not have it."""
        raise AttributeError(f"{type(self).__name__} has no predict")

    def _forward(self, X):
        """Give the network's outputs for checked samples, as an array."""
        return check_outputs(NeuralNet.predict_proba(self, X), type(self).__name__)

    def __sklearn_tags__(self):
        """Say that samples may have any number of axes, and missing values."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        return tags
