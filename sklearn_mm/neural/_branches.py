"""Branches: a modality's columns, the transformer of its cells, and a backbone."""

import inspect
import warnings

import numpy as np
import torch
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_consistent_length
from skorch.helper import SliceDict
from skorch.utils import is_dataset

from .._columns.arrays import as_samples
from .._columns.column import find_missing
from .._columns.table import select_columns
from .._members.columns import ModalityColumnsMixin, annotate, is_nothing
from .._members.rows import AbsentModalityError, transform_present
from .._utils.imports import VisualBlock, num_samples
from ._base import BaseNet

#: Key of the mask of present branches among the samples; no branch has such a name.
PRESENT = "__present__"


class BranchesMixin(ModalityColumnsMixin):
    """Turns a table into the samples of each branch, and says which are present."""

    _own_prefixes: tuple = ()  # of parameters, beside the branches

    # Parameters: of each branch its transformer's and its backbone's.

    @property
    def prefixes_(self):
        """First parts of the names of parameters, those of the branches among them."""
        return [*BaseNet.prefixes_, *self._own_prefixes, *self._branch_names()]

    def _branch_names(self):
        branches = vars(self).get("branches")
        if not isinstance(branches, list | tuple):
            return []
        return [
            spec[0]
            for spec in branches
            if isinstance(spec, list | tuple) and len(spec) == 4
        ]

    def get_params(self, deep=True, **kwargs):
        """Get the parameters, those of the branches among them.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include ``name__transformer``, its parameters and
            ``name__backbone`` of each branch.
        **kwargs : dict
            Ignored.

        Returns
        -------
        dict
            Values by name.
        """
        params = super().get_params(deep=deep, **kwargs)
        if not deep or not self._branch_names():
            return params
        for name, transformer, backbone, _ in self.branches:
            params[f"{name}__backbone"] = backbone
            params[f"{name}__transformer"] = transformer
            if hasattr(transformer, "get_params"):
                for key, value in transformer.get_params().items():
                    params[f"{name}__transformer__{key}"] = value
        return params

    def set_params(self, **params):
        """Set parameters; ``name__transformer="drop"`` leaves a branch out.

        Parameters
        ----------
        **params : dict
            Values by name, as ``get_params`` gives them, and ``name__backbone__*``.

        Returns
        -------
        self
            The estimator.
        """
        if "branches" in params:
            self.branches = params.pop("branches")
        names = self._branch_names()
        later = {
            key: params.pop(key)
            for key in list(params)
            if key.partition("__")[0] in (*names, *self._own_prefixes) and "__" in key
        }
        # skorch takes what begins like a prefix for its own, "balance" for branch "b".
        known = self._get_param_names()
        for key in [k for k in params if k in known and "__" not in k]:
            if key != "callbacks":
                vars(self)[key] = params.pop(key)
        super().set_params(**params)
        for key in sorted(later):  # a transformer before its parameters
            self._set_nested(key, later[key])
        return self

    def _set_nested(self, key, value):
        name, part, rest = [*key.split("__", 2), ""][:3]
        if name not in self._branch_names() or (part, bool(rest)) == ("backbone", True):
            vars(self)[key] = value
            return
        if part not in ("transformer", "backbone"):
            raise ValueError(_explain_parameter(key, name))
        branches = [list(spec) for spec in self.branches]
        spec = branches[self._branch_names().index(name)]
        if rest:
            spec[1].set_params(**{rest: value})
        else:
            spec[1 if part == "transformer" else 2] = value
        self.branches = [tuple(spec) for spec in branches]

    # Specs.

    def _check_branches(self, X):
        """Check the specs; give those not dropped, their columns looked up in ``X``."""
        specs = self.branches
        if (
            not isinstance(specs, list | tuple)
            or not specs
            or any(
                not isinstance(spec, list | tuple) or len(spec) != 4 for spec in specs
            )
        ):
            raise ValueError(
                "branches must be a non-empty list of (name, transformer, backbone, "
                f"columns), got {specs!r}."
            )
        self._check_names([spec[0] for spec in specs])
        kept = []
        for name, transformer, backbone, columns in specs:
            if isinstance(transformer, str) and transformer == "drop":
                continue
            _check_parts(name, transformer, backbone)
            if callable(columns):
                columns = columns(X)
                if is_nothing(columns):
                    continue
            kept.append((name, transformer, backbone, columns))
        if not kept:
            raise ValueError("All branches are dropped; at least one is needed.")
        self._columns = {name: columns for name, _, _, columns in kept}
        self._check_columns(X)
        return kept

    def _check_names(self, names):
        for name in names:
            if not isinstance(name, str) or not name or "__" in name or "." in name:
                raise ValueError(
                    "the name of a branch must be a string without '__' and '.', got "
                    f"{name!r}."
                )
            if name in self._get_param_names() or hasattr(torch.nn.ModuleDict(), name):
                raise ValueError(f"{name!r} is taken; give the branch another name.")
        if len(set(names)) != len(names):
            raise ValueError(f"names of branches must differ, got {names}.")
        for key in self._get_param_names():
            name, part, option = [*key.split("__", 2), "", ""][:3]
            if name in names and part and (part != "backbone" or not option):
                raise ValueError(_explain_parameter(key, name))

    # Samples.

    def _check_samples(self, X, reset, y=None):
        """Give an array for each branch, and which rows have it, as a SliceDict."""
        if is_dataset(X):  # from a skorch callback, in training: checked already
            return X
        before = dict(vars(self))
        try:
            return self._read_samples(X, reset, y)
        except BaseException:  # a net that was fitted still is
            if reset:  # else nothing was changed, and other threads may predict
                vars(self).clear()
                vars(self).update(before)
            raise

    def _read_samples(self, X, reset, y):
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
                array, rows = self._run_branch(
                    name, select_columns(X, columns), y, reset
                )
            if array is None:
                continue
            column = list(self._columns).index(name)
            present[rows, column] = True
            arrays[name] = self._spread(name, array, rows, len(present))
        arrays[PRESENT] = present[:, : len(arrays)]
        return SliceDict(**arrays)

    def _start_branches(self, X):
        specs = self._check_branches(X)
        self._backbones = {name: backbone for name, _, backbone, _ in specs}
        self.transformers_ = {
            name: None if transformer == "passthrough" else clone(transformer)
            for name, transformer, _, _ in specs
        }
        self.input_shapes_, self.n_tokens_ = {}, {}

    def _run_branch(self, name, X, y, reset):
        """Transform the rows that have the branch; learn its shape if ``reset``."""
        takes_ids = "n_tokens" in _parameters_of(self._backbones[name])
        try:
            X, rows = transform_present(self.transformers_[name], X, y, fit=reset)
            array = as_samples(X, type(self).__name__, takes_ids) if len(rows) else None
            if array is not None and len(array) != len(rows):
                raise ValueError(
                    f"branch {name!r}: its transformer made {len(array)} samples of "
                    f"{len(rows)} rows; it must give one for each."
                )
            present = ~find_missing(array) if array is not None else rows
            if not present.all():
                array, rows = array[present], rows[present]
        except AbsentModalityError as error:
            return self._drop_branch(name, error)
        if reset:
            self.input_shapes_[name] = array.shape[1:]
            if takes_ids:
                self.n_tokens_[name] = int(array.max(initial=1)) + 1
        if array is None or not len(rows):
            return self._make_nothing(name), rows
        self._check_branch_shape(name, array.shape[1:])
        return array, rows

    def _drop_branch(self, name, error):
        if self.on_absent != "drop" or len(self._columns) == 1:
            raise error
        del self._columns[name], self._backbones[name], self.transformers_[name]
        warnings.warn(
            f"modality {name!r} is missing from every row of X and left out.",
            UserWarning,
            stacklevel=2,
        )
        return None, None

    def _make_nothing(self, name):
        kind = np.int64 if name in self.n_tokens_ else np.float32
        return np.zeros((0, *self.input_shapes_[name]), kind)

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

    def _spread(self, name, array, rows, n_samples):
        """Put samples into their rows; the others are missing (NaN, or id 0)."""
        if len(rows) == n_samples:
            return array
        missing = 0 if array.dtype.kind == "i" else np.nan
        if not len(rows):
            filler = np.array(missing, array.dtype)
            return np.broadcast_to(filler, (n_samples, *array.shape[1:]))
        whole = np.full((n_samples, *array.shape[1:]), missing, array.dtype)
        whole[rows] = array
        return whole

    def _drop_missing(self, samples, target, weight):
        present = samples[PRESENT].any(axis=1)
        if present.all():
            return samples, target, weight
        if not present.any():
            raise ValueError("every modality is missing from every row of X.")
        target = None if target is None else target[present]
        weight = None if weight is None else weight[present]
        return samples[present], target, weight

    # What scikit-learn asks.

    def _sk_visual_block_(self):
        """Show the branches side by side."""
        transformers = [spec[1] for spec in self.branches]
        names = [f"{spec[0]}: {_name_of(spec[2])}" for spec in self.branches]
        return VisualBlock("parallel", transformers, names=names, dash_wrapped=False)

    def __sklearn_tags__(self):
        """Say that cells may be missing."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = False
        tags.transformer_tags.preserves_dtype = []
        tags.input_tags.allow_nan = all(
            get_tags(spec[1]).input_tags.allow_nan
            for spec in self.branches
            if hasattr(spec[1], "fit")
        )
        return tags


def _check_parts(name, transformer, backbone):
    is_passthrough = isinstance(transformer, str) and transformer == "passthrough"
    if not is_passthrough and not (
        hasattr(transformer, "transform") or isinstance(transformer, Pipeline)
    ):
        raise TypeError(
            f"branch {name!r}: expected a transformer, 'passthrough' or 'drop', got "
            f"{transformer!r}."
        )
    if not callable(backbone):
        raise TypeError(
            f"branch {name!r}: expected a backbone, a class of sklearn_mm.nets or your "
            f"own, got {backbone!r}."
        )


def _explain_parameter(key, name):
    return (
        f"Invalid parameter {key!r}: those of a branch begin with "
        f"'{name}__transformer' (by set_params) or '{name}__backbone__'."
    )


def _parameters_of(backbone):
    if isinstance(backbone, torch.nn.Module):
        backbone = type(backbone)
    return inspect.signature(backbone).parameters


def _name_of(backbone):
    return getattr(backbone, "__name__", type(backbone).__name__)
