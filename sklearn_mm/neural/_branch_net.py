"""A network over several branches, before anything is said about how they join."""

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_consistent_length, check_is_fitted
from skorch.helper import SliceDict
from skorch.utils import is_dataset, to_device

from .._columns.arrays import as_samples
from .._columns.column import find_missing
from .._columns.table import select_columns
from .._members.columns import annotate
from .._members.rows import AbsentModalityError, transform_present
from .._members.specs import ModalitySpecs
from .._utils.devices import pick_device
from .._utils.imports import StrOptions, num_samples
from .._utils.notices import warn_user
from ._backbone import build_backbone, takes_ids
from ._base import BaseNet
from ._batches import as_tensors, take_some
from ._branches import (
    PRESENT,
    check_backbones,
    copy_weights,
    get_backbone_name,
    place_rows,
)
from ._device import unwrap
from ._onnx import Samples
from ._samples import check_outputs


class BaseBranchNet(ModalitySpecs, TransformerMixin, BaseNet):
    """A skorch net with a branch for each modality: a transformer and a backbone."""

    _parameter_constraints: dict = {
        **{k: v for k, v in BaseNet._parameter_constraints.items() if k != "module"},
        "estimators": [list, tuple],
        "init_from": [dict, None],
        "freeze": [list, tuple, set, StrOptions({"all"}), None],
        "on_absent": [StrOptions({"raise", "drop"})],
    }
    _own_prefixes: tuple = ("backbones",)
    prefixes_: list = [*BaseNet.prefixes_, *_own_prefixes]

    def __repr__(self, N_CHAR_MAX=700):
        # As scikit-learn's estimators, not as skorch's, which shows a module.
        return BaseEstimator.__repr__(self, N_CHAR_MAX)

    def __sklearn_clone__(self):
        twin = super().__sklearn_clone__()
        twin.init_from = self.init_from  # networks that stay fitted
        return twin

    def get_params(self, deep=True):
        """Get the parameters, including those of the branches.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the transformers as ``name``, their parameters as
            ``name__parameter``, and the backbones as ``backbones__name``.

        Returns
        -------
        dict
            Values by name.
        """
        params = super().get_params(deep=deep)
        if deep and isinstance(self.backbones, dict):
            for name, backbone in self.backbones.items():
                params[f"backbones__{name}"] = backbone
        return params

    def set_params(self, **params):
        """Set parameters; ``name="drop"`` leaves a branch out.

        Parameters
        ----------
        **params : dict
            Values by name, as in ``get_params``; ``backbones__name__option`` is an
            option of a backbone.

        Returns
        -------
        self
            The estimator.
        """
        for key in ("estimators", "backbones"):
            if key in params:
                vars(self)[key] = params.pop(key)
        names, nested = self._branch_names(), {}
        for key in sorted(params):
            name, _, rest = key.partition("__")
            if name in names and rest:
                nested.setdefault(name, {})[rest] = params.pop(key)
            elif name in names:
                self._replace_estimator("_estimators", name, params.pop(key))
            elif name in self._own_prefixes:
                self._set_option(key, params.pop(key))
        BaseNet.set_params(self, **params)
        for name, own in nested.items():
            transformer = dict(self._estimators)[name]
            if not hasattr(transformer, "set_params"):
                raise ValueError(
                    f"Invalid parameter {f'{name}__{next(iter(own))}'!r}: the "
                    f"transformer of branch {name!r} is {transformer!r}."
                )
            transformer.set_params(**own)
        return self

    def _set_option(self, key, value):
        prefix, *rest = key.split("__")
        if prefix == "backbones" and len(rest) == 1:
            self.backbones = {**self.backbones, rest[0]: value}
        else:
            vars(self)[key] = value

    def _branch_names(self):
        try:
            return [name for name, _, _ in self.estimators]
        except (TypeError, ValueError):  # no list of triples: fit raises
            return []

    def _check_members(self, X):
        members = super()._check_members(X)
        options = [key for key in vars(self) if key.startswith("backbones__")]
        used = [name for name, _, _ in members]
        check_backbones(self.backbones, options, self._branch_names(), used)
        return members

    def _check_member(self, name, estimator):
        is_passthrough = isinstance(estimator, str) and estimator == "passthrough"
        if not is_passthrough and not (
            hasattr(estimator, "transform") or isinstance(estimator, Pipeline)
        ):
            raise TypeError(
                f"branch {name!r}: expected a transformer, 'passthrough' or 'drop', "
                f"got {estimator!r}."
            )

    def _validate_names(self, names):
        for name in names:
            if not isinstance(name, str) or not name or "." in name:
                raise ValueError(
                    f"the name of a branch must be a string without '.', got {name!r}."
                )
            if name in self.prefixes_ or hasattr(torch.nn.ModuleDict(), name):
                raise ValueError(f"{name!r} is taken; use another name for the branch.")
        super()._validate_names(names)

    def _check_samples(self, X, reset, y=None):
        """Return an array for each branch, and which rows have it, as a SliceDict."""
        if is_dataset(X):  # from a skorch callback, in training: checked already
            return X
        X = self._check_X(X, reset=reset)
        if num_samples(X) == 0:
            raise ValueError(f"{type(self).__name__}: X has 0 samples.")
        if reset:
            self._start_branches(X)
        if y is not None:
            y = np.asarray(y)
            check_consistent_length(X, y)
        arrays, present = {}, np.zeros((num_samples(X), len(self._columns)), bool)
        for name, columns in list(self._columns.items()):
            with annotate(name, columns):
                cells = select_columns(X, columns)
                array, rows = self._run_branch(name, cells, y, reset)
            if array is None:
                continue
            column = list(self._columns).index(name)
            present[rows, column] = True
            arrays[name] = place_rows(array, rows, len(present))
        arrays[PRESENT] = present[:, : len(arrays)]
        return SliceDict(**arrays)

    def _start_branches(self, X):
        members = self._check_members(X)
        self._backbones = {name: self.backbones[name] for name, _, _ in members}
        self.transformers_ = {
            name: None if transformer == "passthrough" else clone(transformer)
            for name, transformer, _ in members
        }
        self.input_shapes_, self.n_tokens_ = {}, {}

    def _run_branch(self, name, X, y, reset):
        """Transform the rows that have the branch; learn its shape if ``reset``."""
        has_ids = takes_ids(self._backbones[name])
        try:
            X, rows = transform_present(self.transformers_[name], X, y, fit=reset)
            array = as_samples(X, type(self).__name__, has_ids) if len(rows) else None
            if array is not None and len(array) != len(rows):
                raise ValueError(
                    f"branch {name!r}: its transformer returned {len(array)} samples "
                    f"of {len(rows)} rows; it must return one for each."
                )
            present = ~find_missing(array) if array is not None else rows
            if not present.all():
                array, rows = array[present], rows[present]
        except AbsentModalityError as error:
            return self._drop_branch(name, error)
        if reset:
            self.input_shapes_[name] = array.shape[1:]
            if has_ids:
                self.n_tokens_[name] = int(array.max(initial=1)) + 1
        if array is None or not len(rows):
            kind = np.int64 if name in self.n_tokens_ else np.float32
            return np.zeros((0, *self.input_shapes_[name]), kind), rows
        self._check_branch_shape(name, array.shape[1:])
        return array, rows

    def _drop_branch(self, name, error):
        if self.on_absent != "drop" or len(self._columns) == 1:
            raise error
        del self._columns[name], self._backbones[name], self.transformers_[name]
        warn_user(
            f"modality {name!r} is missing from every row of X and left out.",
            UserWarning,
        )
        return None, None

    def _check_branch_shape(self, name, shape):
        expected = self.input_shapes_[name]
        compared, wanted = shape, expected
        is_variable = getattr(self._backbones[name], "variable_length", False)
        if is_variable and len(shape) == len(expected) > 1:
            compared, wanted = shape[1:], expected[1:]  # any number of steps
        if compared != wanted:
            raise ValueError(
                f"branch {name!r} was fitted on samples of shape {expected}, got "
                f"{shape}."
            )

    def _find_present(self, samples):
        return samples[PRESENT].any(axis=1)

    def _drop_missing(self, samples, target):
        present = self._find_present(samples)
        if present.all():
            return samples, target
        if not present.any():
            raise ValueError("every modality is missing from every row of X.")
        return samples[present], target.take(present)

    def _build_backbones(self):
        """Build each branch's backbone for the shape of its samples."""
        built = {}
        for name, backbone in self._backbones.items():
            with annotate(name, self._columns[name]):
                built[name] = build_backbone(
                    backbone,
                    self.input_shapes_[name],
                    self.n_tokens_.get(name),
                    self.get_params_for(f"backbones__{name}"),
                    f"backbones__{name}",
                )
        return built

    def _load_branches(self):
        """Start branches from networks that were trained alone."""
        for name in self._check_used(self.init_from or {}, "init_from"):
            self._start_from(name, self.init_from[name])

    def _get_frozen(self):
        if self.freeze == "all":
            return list(self._backbones)
        return self._check_used(self.freeze or (), "freeze")

    def _check_used(self, names, parameter):
        """Return those of the names that are branches in use; raise if any is none."""
        branches = self._branch_names()
        unknown = sorted(set(names) - set(branches))
        if unknown:
            raise ValueError(
                f"{parameter} names {unknown}, but the branches are {branches}."
            )
        return [name for name in names if name in self._backbones]

    def _start_from(self, name, encoder):
        """Take over the weights of a network that was trained alone."""
        encoder = encoder[-1] if isinstance(encoder, Pipeline) else encoder
        check_is_fitted(encoder)
        target = unwrap(self.module_).backbones[name]
        if hasattr(encoder.module_, "backbones"):  # of the branch of that name
            source = getattr(encoder.module_.backbones, name, None)
        else:
            source = encoder.module_.backbone
        try:
            copy_weights(target, source)
        except RuntimeError as error:
            raise ValueError(
                f"init_from[{name!r}]: the weights of its backbone do not fit branch "
                f"{name!r}, a {type(target).__name__} of samples "
                f"{self.input_shapes_[name]}; it must have the same options. {error}"
            ) from None

    def _adapt(self, samples):
        backbones = unwrap(self.module_).backbones
        for column, (name, backbone) in enumerate(backbones.items()):
            adapt = getattr(backbone, "adapt", None)
            learned = name in (self.init_from or {})
            if adapt is None or learned or name in self.n_tokens_:
                continue
            adapt(self._take_some(samples, name, column))

    def _take_some(self, samples, name, column):
        """Take some of the samples that have a branch, as a tensor on the device."""
        present = samples[PRESENT][:, column]
        array = samples[name]
        some = take_some(array if present.all() else array[present])
        return to_device(as_tensors(some), pick_device(self.device))

    def infer(self, x, **fit_params):
        """Run the module on a batch, on its device."""
        inputs, present = self._prepare_batch(x)
        with self._autocast():
            return self.module_(inputs, present, **fit_params)

    def _prepare_batch(self, x):
        """Return the inputs of the branches, and which are present, on the device."""
        device = pick_device(self.device)
        x = to_device({key: torch.as_tensor(part) for key, part in x.items()}, device)
        for name, n_tokens in self.n_tokens_.items():
            x[name] = torch.where(x[name] < n_tokens, x[name], 1)  # unknown
        return [x[name] for name in self._backbones], x[PRESENT]

    def _check_fitted_samples(self, X):
        check_is_fitted(self)
        return self._check_samples(X, reset=False)

    def _evaluate(self, samples, method):
        """Run a method of the module on all samples, batch by batch.

        Parameters
        ----------
        samples : SliceDict
            Checked samples.
        method : str
            Name of the method, which takes inputs and present.

        Returns
        -------
        ndarray, or (nested) tuple of ndarray
            The results of all batches.
        """
        self.module_.eval()
        compute, parts = getattr(unwrap(self.module_), method), []
        for x, _ in self.get_iterator(self.get_dataset(samples)):
            with torch.no_grad(), self._autocast():
                parts.append(_as_arrays(compute(*self._prepare_batch(x))))
        return check_outputs(_concatenate(parts), type(self).__name__, samples)

    def _list_inputs(self):
        inputs = {name: self._describe(name) for name in self._backbones}
        return {**inputs, "present": Samples((len(inputs),), is_mask=True)}

    def _describe(self, name):
        shape = self.input_shapes_[name]
        can_vary = getattr(self._backbones[name], "variable_length", False)
        is_variable = can_vary and len(shape) > 1
        return Samples(shape, self.n_tokens_.get(name), is_variable)

    @property
    def _repr_names(self):
        backbones = self.backbones if isinstance(self.backbones, dict) else {}
        return [
            f"{name}: {get_backbone_name(backbones.get(name))}"
            for name in self._branch_names()
        ]

    def __sklearn_tags__(self):
        """Declare that X is a table, and that vectors are float32."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = False
        tags.transformer_tags.preserves_dtype = []
        return tags


def _as_arrays(outputs):
    if isinstance(outputs, tuple | list):
        return tuple(_as_arrays(part) for part in outputs)
    return outputs.float().cpu().numpy()


def _concatenate(parts):
    if isinstance(parts[0], tuple):
        return tuple(_concatenate(part) for part in zip(*parts))
    return np.concatenate(parts)
