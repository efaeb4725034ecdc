"""skorch's net with scikit-learn's conventions, and without its global side effects."""

import inspect
from contextlib import contextmanager

import numpy as np
import torch
from sklearn.callback import CallbackSupportMixin
from skorch import NeuralNet
from torch.utils.data import Subset

from .._utils.devices import pick_device
from .._utils.state import StoredStateMixin
from ._batches import TensorBatches
from ._callbacks import default_callbacks
from ._samples import explain_broken
from ._saved import (
    get_pickled_state,
    get_plain_state,
    set_pickled_state,
    set_plain_state,
)
from ._split import split_rows
from ._target import Target, map_parts


class SkorchNet(StoredStateMixin, CallbackSupportMixin, NeuralNet):
    """skorch's steps of training, overridden where scikit-learn asks for it."""

    # skorch sets and registers these per instance, which scikit-learn does not allow.
    history_ = None
    initialized_ = False
    virtual_params_: dict = {}
    prefixes_: list = [*NeuralNet.prefixes_, "module", "criterion", "optimizer"]
    cuda_dependent_attributes_: list = ["module_", "criterion_", "optimizer_"]
    _modules: list = ["module"]
    _criteria: list = ["criterion"]
    _optimizers: list = ["optimizer"]
    _stamped = (*StoredStateMixin._stamped, "torch")

    def __sklearn_is_fitted__(self):
        """Whether the last fit came to its end."""
        return self.initialized_

    def set_params(self, **params):
        """Set parameters, including those of estimators among the parameters.

        Parameters
        ----------
        **params : dict
            Values by name, as in ``get_params``, and ``module__*`` and so on.

        Returns
        -------
        self
            The estimator.
        """
        nested = {}
        if "callbacks" in params and not self.initialized_:  # fit builds them
            vars(self)["callbacks"] = params.pop("callbacks")
        for key in [key for key in params if "__" in key]:
            name, _, rest = key.partition("__")
            if hasattr(params.get(name, vars(self).get(name)), "set_params"):
                nested.setdefault(name, {})[rest] = params.pop(key)
        super().set_params(**params)
        for name, own in nested.items():
            vars(self)[name].set_params(**own)
        return self

    def _get_params_callbacks(self, deep=True):
        try:
            return super()._get_params_callbacks(deep)
        except (TypeError, ValueError):  # no list of callbacks: fit raises
            return {}

    @property
    def _params_to_validate(self):
        """Parameters beyond the signatures, which skorch checks by their prefixes."""
        known = {
            name
            for parent in type(self).__mro__
            if "__init__" in vars(parent)
            for name in inspect.signature(parent.__init__).parameters
        }
        return set(self._get_param_names()) - known

    def _get_param_names(self):
        return [k for k in vars(self) if not k.endswith("_") and not k.startswith("_")]

    @property
    def _default_callbacks(self):
        return default_callbacks(self)

    @contextmanager
    def _current_init_context(self, name):
        with super()._current_init_context(name):
            yield
        del self.init_context_  # it says what is being built, and nothing is

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

    def get_split_datasets(self, X, y=None, **fit_params):
        """Split off a validation set for early stopping."""
        if self.train_split or not self.early_stopping:
            return super().get_split_datasets(X, y, **fit_params)
        dataset = self.get_dataset(X, y)
        codes = Target.unpack(y).codes
        train, valid = split_rows(len(X), self.validation_fraction, codes)
        if len(valid) == 0:
            return dataset, None
        return Subset(dataset, train), Subset(dataset, valid)

    def evaluation_step(self, batch, training=False):
        """Compute the outputs of a batch, as float32 if numpy lacks their type."""
        return _as_float(super().evaluation_step(batch, training))

    def get_iterator(self, dataset, training=False):
        """Iterate over batches, in training in another order each epoch."""
        iterator = super().get_iterator(dataset, training)
        is_ours = isinstance(iterator, TensorBatches)
        if is_ours:
            iterator.device = self.device
        if training and is_ours and "iterator_train__shuffle" not in vars(self):
            iterator.shuffle = True
        return iterator

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        """Notify scikit-learn's callbacks."""
        super().on_epoch_begin(net, dataset_train, dataset_valid, **kwargs)
        self._epoch_task = self._callback_fit_ctx.subcontext(task_name="epoch")
        self._epoch_task.call_on_fit_task_begin(estimator=self)

    def on_epoch_end(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        """Raise if the loss is not finite; notify scikit-learn's callbacks."""
        whole = getattr(dataset_train, "dataset", dataset_train)
        batches = self.history_[-1]["batches"]
        loss = sum(batch.get("train_loss", 0.0) for batch in batches)
        if not np.isfinite(loss):
            raise ValueError(
                f"the loss became {loss} in epoch {len(self.history_)}. Lower lr (now "
                f"{self.lr}), or clip the gradients (GradientNormClipping of "
                f"skorch.callbacks). {explain_broken(whole.X)}"
            )
        self._epoch_task.call_on_fit_task_end(
            estimator=self, X=whole.X, reconstruction_attributes={}
        )

    def load_params(self, *args, **kwargs):
        """Load weights, as skorch does, to the net's device."""
        with self._on_device():
            return super().load_params(*args, **kwargs)

    def __delattr__(self, name):
        object.__delattr__(self, name)  # nothing is registered that skorch would undo

    @property
    def predict_proba(self):
        """Only classifiers have it."""
        raise AttributeError(f"{type(self).__name__} has no predict_proba")

    @property
    def predict(self):
        """Encoders do not have it."""
        raise AttributeError(f"{type(self).__name__} has no predict")

    def _get_pickled_state(self):
        return get_pickled_state(self)

    def _set_pickled_state(self, state):
        set_pickled_state(self, state)

    def _get_plain_state(self):
        return get_plain_state(self)

    def _set_plain_state(self, state):
        set_plain_state(self, state)


def _as_float(outputs):
    if isinstance(outputs, dict | tuple):
        return map_parts(_as_float, outputs)
    if isinstance(outputs, list):
        return [_as_float(part) for part in outputs]
    is_low = getattr(outputs, "dtype", None) in (torch.bfloat16, torch.float16)
    return outputs.float() if is_low else outputs
