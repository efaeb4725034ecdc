"""What all estimators of one network share: fitting, the module and its loss."""

import copy
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.callback import with_callbacks
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from skorch import NeuralNet
from skorch.utils import is_dataset, to_device
from torch import nn

from .._columns.column import find_missing
from .._utils.devices import pick_device
from .._utils.imports import Interval, Options, check_parameters, check_sample_weight
from .._utils.interrupts import note_interrupts
from ..nets._head import WithHead
from ._backbone import build_backbone, takes_ids
from ._batches import as_tensors, take_some
from ._device import fork_generators, keep_freed_memory, unwrap
from ._onnx import Samples, write_onnx
from ._samples import check_outputs, check_samples, warn_absent
from ._skorch import SkorchNet
from ._target import Target


class BaseNet(SkorchNet):
    """A skorch net with automatic shapes, device selection, seeding and early stopping.

    Whatever skorch documents works: ``module__*``, ``optimizer__*``, callbacks,
    ``history_``, checkpoints. ``_task_class`` says what the network is trained for; its
    object ``_task`` encodes targets and decodes outputs.
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
    _onnx_outputs: tuple = ()

    @with_callbacks
    def fit(self, X, y=None, sample_weight=None, **fit_params):
        """Train the network from scratch, or continue with ``warm_start=True``.

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
            All classes that may occur, in the first call of a classifier.
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
        if fresh:
            self.initialized_ = False
        check_parameters(
            self._parameter_constraints, vars(self), caller_name=type(self).__name__
        )
        context = self._init_callback_context(max_subtasks=self.max_epochs)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        try:
            samples = self._check_samples(X, fresh, y)
            target = self._make_target(samples, y, sample_weight, fresh, classes)
            samples, target = self._drop_missing(samples, target)
            interrupts = self._train(samples, target, fresh, fit_params)
        except BaseException:
            if fresh:
                self.initialized_ = False
            raise
        if interrupts:  # skorch hides it: a grid search would go on with this net
            raise KeyboardInterrupt
        context.call_on_fit_task_end(
            estimator=self, X=X, y=y, reconstruction_attributes={}
        )
        return self

    def _train(self, samples, target, fresh, fit_params):
        """Train; return whether Ctrl-C ended it, which skorch catches."""
        self._seed = self._draw_seed()
        keep_freed_memory()
        with fork_generators(self._seed, self.device), self._on_device():
            if fresh:
                self.initialize()
                self._adapt(samples)
            try:
                with note_interrupts() as interrupts:
                    NeuralNet.partial_fit(self, samples, target.pack(), **fit_params)
            except ValueError as error:
                if "more than 1 value per channel" not in str(error):
                    raise
                raise ValueError(
                    f"{type(self).__name__}: batch normalisation cannot train on a "
                    f"batch of one sample; batch_size is {self.batch_size}, and there "
                    f"are {len(samples)} samples."
                ) from None
        return interrupts

    def _draw_seed(self):
        generator = check_random_state(self.random_state)
        if isinstance(self.random_state, Integral):  # nets of one seed begin alike
            return int(self.random_state)
        return generator.randint(np.iinfo(np.int32).max)

    def _check_samples(self, X, reset, y=None):
        """Return numbers, or token ids, of the shape that ``fit`` saw."""
        if is_dataset(X):  # from a skorch callback, in training: checked already
            return X
        X = check_samples(self, X, reset, self._takes_ids())
        if reset:
            self.input_shape_ = X.shape[1:]
            if self._takes_ids():
                self.n_tokens_ = int(X.max(initial=1)) + 1
        shape, expected = X.shape[1:], self.input_shape_
        if len(shape) == len(expected) > 1 and self._is_variable():
            shape, expected = shape[1:], expected[1:]  # any number of steps
        if shape != expected:
            raise ValueError(
                f"{type(self).__name__} was fitted on samples of shape "
                f"{self.input_shape_}, got {X.shape[1:]}."
            )
        return X

    def _module_class(self):
        is_instance = isinstance(self.module, nn.Module)
        return type(self.module) if is_instance else self.module

    def _takes_ids(self):
        return takes_ids(self.module)

    def _is_variable(self):
        return getattr(self._module_class(), "variable_length", False)

    def _make_target(self, samples, y, sample_weight, fresh, classes):
        """Check and encode ``y``; learn the task from it if ``fresh``."""
        y = self._check_target(y, samples)
        if fresh:
            self._task = self._make_task(samples, y, classes)
        codes = self._task.encode(y)
        return Target(codes, self._compute_weight(sample_weight, samples, codes))

    def _check_target(self, y, samples):
        return self._task_class.check(y, samples, type(self).__name__)

    def _compute_weight(self, sample_weight, samples, codes):
        """Return the weights of the samples in the loss, or None if all are equal."""
        if sample_weight is None:
            return None
        return check_sample_weight(sample_weight, samples, dtype=np.float32)

    def _drop_missing(self, samples, target):
        present = ~find_missing(samples)
        if present.all():
            return samples, target
        if not present.any():
            raise ValueError("all samples are missing (all NaN): nothing to train on.")
        return samples[present], target.take(present)

    def initialize_module(self):
        """Build the backbone for the shape of the samples, and a linear head."""
        n_tokens = self.n_tokens_ if self._takes_ids() else None
        options = self.get_params_for("module")
        self.module_ = self._join_head(
            build_backbone(self.module, self.input_shape_, n_tokens, options)
        )
        return self

    def _join_head(self, backbone):
        return WithHead(backbone, self._task.n_outputs)

    def _adapt(self, samples):
        """Show some training samples to a backbone that has a method ``adapt``."""
        adapt = getattr(unwrap(self.module_).backbone, "adapt", None)
        if adapt is not None and not self._takes_ids():
            some = take_some(samples)
            some = as_tensors(np.ascontiguousarray(some, dtype=np.float32))
            adapt(to_device(some, pick_device(self.device)))

    def infer(self, x, **fit_params):
        """Run the module on a batch, on its device."""
        x = self._prepare_batch(x)
        with self._autocast():
            return self.module_(x, **fit_params)

    def _prepare_batch(self, x):
        """Move a batch to the device; turn token ids not seen in ``fit`` to unknown."""
        x = to_device(torch.as_tensor(x), pick_device(self.device))
        return torch.where(x < self.n_tokens_, x, 1) if self._takes_ids() else x

    def _autocast(self):
        device = pick_device(self.device)  # None where accelerate places the module
        is_cuda = device is not None and torch.device(device).type == "cuda"
        enabled = self.mixed_precision and is_cuda
        return torch.autocast("cuda", torch.bfloat16, enabled=enabled)

    def _forward(self, X):
        """Return the network's outputs; the prior where a sample is missing."""
        if is_dataset(X):  # from a skorch callback, without missing samples
            return self._run(X)
        present = self._find_present(X)
        if present.all():
            return self._run(X)
        warn_absent(~present)
        prior = np.asarray(self._make_prior(), np.float32)
        outputs = np.tile(prior, (len(present), 1))
        if present.any():
            outputs[present] = self._run(X[present])
        return outputs

    def _run(self, samples):
        outputs = NeuralNet.predict_proba(self, samples)
        return check_outputs(outputs, type(self).__name__, samples)

    def _find_present(self, samples):
        return ~find_missing(samples)

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Compute the mean loss of a batch, weighted if there are weights."""
        target = Target.unpack(y_true).to(pick_device(self.device))
        return self._compute_loss(y_pred, target, training)

    def _compute_loss(self, y_pred, target, training):
        if target.weight is None:
            return self.criterion_(y_pred.float(), target.codes)
        losses = self._compute_row_losses(y_pred, target.codes)
        return (losses * target.weight).sum() / target.weight.sum().clamp_min(1e-12)

    def _compute_row_losses(self, y_pred, codes):
        criterion = copy.copy(self.criterion_)
        criterion.reduction = "none"
        losses = criterion(y_pred.float(), codes)
        return losses.flatten(1).mean(dim=1) if losses.ndim > 1 else losses

    def to_onnx(self, path):
        """Write the fitted network to a file that ONNX runtimes read.

        The file computes in float32 what the estimator predicts, to about five digits:

        ==================== =================== ======================================
        estimator            output              meaning
        ==================== =================== ======================================
        classifier           ``probabilities``   ``predict_proba(X)``
        regressor            ``predictions``     ``predict(X)``, in the target's units
        encoder              ``vectors``         ``transform(X)``
        ``MultitaskNet``     one for each task,  probabilities of its classes, or its
                             with its name       numbers
        ``SpeechRecognizer`` ``log_proba``,      ``predict_log_proba(X)``, padded, and
                             ``n_steps``         the number of steps of each recording
        ==================== =================== ======================================

        The input of a network over one modality is ``X``, as in ``fit``: float32, or
        int64 for token ids. A joint network has an input for each branch, with its name
        and the output of its transformer, and ``present`` (n_samples, n_branches),
        bool: the branches that each row has. Where a branch is absent, its values do
        not matter. The input of a ``SpeechRecognizer`` is spectrograms. There may be
        any number of samples, and of steps where the network takes any. NaN means the
        same as in ``predict``.

        Parameters
        ----------
        path : str or path-like
            The file. An existing one is replaced when the new one is complete.

        Raises
        ------
        ImportError
            Without the extra ``onnx``.
        ValueError
            If the network has an operation that ONNX lacks.

        Notes
        -----
        The file's metadata have the classes as JSON, under ``classes``. Weights of
        more than 2 GB go to a second file, ``path`` with ``.data`` appended.
        """
        check_is_fitted(self)
        write_onnx(
            self,
            path,
            inputs=self._list_inputs(),
            outputs=self._list_outputs(),
            trace=self._trace,
            classes=self._list_classes(),
        )

    def _list_inputs(self):
        """Return the network's inputs by name."""
        n_tokens = self.n_tokens_ if self._takes_ids() else None
        is_variable = self._is_variable() and len(self.input_shape_) > 1
        return {"X": Samples(self.input_shape_, n_tokens, is_variable)}

    def _list_outputs(self):
        return self._onnx_outputs

    def _list_classes(self):
        return None

    def _trace(self, module, inputs):
        """Compute the outputs of the file from tensors, by torch alone."""
        return self._trace_outputs(module, inputs)

    def _trace_outputs(self, module, inputs):
        (x,) = inputs
        compute = self._get_predict_nonlinearity()
        if self._takes_ids():
            return compute(module(x))
        is_missing, x = fill_missing(x)
        prior = torch.as_tensor(self._make_prior(), dtype=x.dtype)
        return torch.where(is_missing, prior, compute(module(x)))

    def __sklearn_tags__(self):
        """Declare that samples may have any number of axes, and missing values."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        return tags


def fill_missing(x):
    """Find missing samples (all NaN) and put zeros there, by torch alone.

    Parameters
    ----------
    x : tensor of shape (n_samples, ...)
        Samples.

    Returns
    -------
    tensor of shape (n_samples, 1), bool
        Which are missing.
    tensor of shape (n_samples, ...)
        The samples.
    """
    is_missing = x.isnan().flatten(1).all(dim=1, keepdim=True)
    return is_missing, x.masked_fill(is_missing.reshape(-1, *[1] * (x.ndim - 1)), 0.0)
