"""A network over several branches, before anything is said of how they join."""

import copy

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from skorch.utils import to_device

from .._members.columns import annotate
from .._utils.devices import pick_device
from .._utils.imports import StrOptions
from ._base import BaseNet
from ._batches import as_tensors, take_some
from ._branches import PRESENT, BranchesMixin
from ._device import unwrap
from ._onnx import Samples
from ._samples import check_outputs


class BaseBranchNet(BranchesMixin, TransformerMixin, BaseNet):
    """A skorch net with a backbone for each branch, learned, given or frozen."""

    _parameter_constraints: dict = {
        **{k: v for k, v in BaseNet._parameter_constraints.items() if k != "module"},
        "branches": [list, tuple],
        "init_from": [dict, None],
        "freeze": [list, tuple, set, StrOptions({"all"}), None],
        "on_absent": [StrOptions({"raise", "drop"})],
    }

    def __init__(
        self, branches, *, init_from=None, freeze=None, on_absent="raise", **kwargs
    ):
        super().__init__(branches=branches, **kwargs)
        self.init_from = init_from
        self.freeze = freeze
        self.on_absent = on_absent

    def __repr__(self, N_CHAR_MAX=700):
        # As scikit-learn's estimators, not as skorch's, which shows a module.
        return BaseEstimator.__repr__(self, N_CHAR_MAX)

    def __sklearn_clone__(self):
        twin = super().__sklearn_clone__()
        twin.init_from = self.init_from  # networks that stay fitted
        return twin

    # Backbones.

    def _build_backbones(self):
        """Build each branch's backbone for the shape of its samples."""
        built = {}
        for name, backbone in self._backbones.items():
            options = self.get_params_for(f"{name}__backbone")
            with annotate(name, self._columns[name]):
                built[name] = self._build_backbone(name, backbone, options)
        return built

    def _build_backbone(self, name, backbone, options):
        if isinstance(backbone, torch.nn.Module) and not options:
            backbone = copy.deepcopy(backbone)  # the user's stays as it is
        else:
            if isinstance(backbone, torch.nn.Module):
                backbone = type(backbone)
            options.setdefault("input_shape", self.input_shapes_[name])
            if name in self.n_tokens_:
                options.setdefault("n_tokens", self.n_tokens_[name])
            backbone = backbone(**options)
        if not hasattr(backbone, "out_features"):
            raise TypeError(
                f"branch {name!r}: {type(backbone).__name__} has no out_features. A "
                "backbone is built as Backbone(input_shape, **options), returns "
                "(n_samples, out_features) and says how many those are."
            )
        return backbone

    def _load_branches(self):
        """Let branches start from networks that were trained alone."""
        for name in self._known(self.init_from or {}, "init_from"):
            self._start_from(name, self.init_from[name])

    def _find_frozen(self):
        if self.freeze == "all":
            return list(self._backbones)
        return self._known(self.freeze or (), "freeze")

    def _known(self, names, parameter):
        """Give those of the names that are branches in use; refuse what is none."""
        unknown = sorted(set(names) - set(self._branch_names()))
        if unknown:
            raise ValueError(
                f"{parameter} names {unknown}, but the branches are "
                f"{self._branch_names()}."
            )
        return [name for name in names if name in self._backbones]

    def _start_from(self, name, encoder):
        """Take over the weights of a network that was trained alone."""
        encoder = encoder[-1] if isinstance(encoder, Pipeline) else encoder
        check_is_fitted(encoder)
        own = unwrap(self.module_).backbones[name]
        if hasattr(encoder.module_, "backbones"):  # of the branch of that name
            other = getattr(encoder.module_.backbones, name, None)
        else:
            other = encoder.module_.backbone
        try:
            if type(own) is not type(other):
                raise RuntimeError(f"it is a {type(other).__name__}")
            own.load_state_dict(other.state_dict())
        except RuntimeError as error:
            raise ValueError(
                f"init_from[{name!r}]: the weights of its backbone do not fit branch "
                f"{name!r}, a {type(own).__name__} of samples "
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

    # Batches.

    def infer(self, x, **fit_params):
        """Run the module on a batch, on its device."""
        device = pick_device(self.device)
        x = to_device({key: torch.as_tensor(part) for key, part in x.items()}, device)
        for name, n_tokens in self.n_tokens_.items():
            x[name] = torch.where(x[name] < n_tokens, x[name], 1)  # unknown
        inputs = [x[name] for name in self._backbones]
        mixed = self.mixed_precision and torch.device(device).type == "cuda"
        with torch.autocast("cuda", torch.bfloat16, enabled=mixed):
            return self.module_(inputs, x[PRESENT], **fit_params)

    def _list_inputs(self):
        inputs = {name: self._describe(name) for name in self._backbones}
        return {**inputs, "present": Samples((len(inputs),), is_mask=True)}

    def _describe(self, name):
        shape = self.input_shapes_[name]
        can_vary = getattr(self._backbones[name], "variable_length", False)
        is_variable = can_vary and len(shape) > 1
        return Samples(shape, self.n_tokens_.get(name), is_variable)

    def _check_fitted_samples(self, X):
        check_is_fitted(self)
        return self._check_samples(X, reset=False)

    def _evaluate(self, samples, want):
        """Give what the module makes of all samples, batch by batch, as arrays."""
        self.module_.eval()
        parts = []
        for x, _ in self.get_iterator(self.get_dataset(samples)):
            with torch.no_grad():
                parts.append(_as_arrays(self.infer(x, want=want)))
        return check_outputs(_concatenate(parts), type(self).__name__)


def _as_arrays(outputs):
    if isinstance(outputs, tuple):
        return tuple(_as_arrays(part) for part in outputs)
    return outputs.float().cpu().numpy()


def _concatenate(parts):
    if isinstance(parts[0], tuple):
        return tuple(_concatenate(part) for part in zip(*parts))
    return np.concatenate(parts)
