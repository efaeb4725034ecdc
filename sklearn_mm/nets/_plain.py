"""Any module of torch behind the contract of backbones."""

import copy
import inspect

import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from .._utils.notices import warn_user

#: Ways to pass samples (n_samples, ...) to a module, by name.
LAYOUTS = {
    "as they are": lambda x: x,
    "with channels first": lambda x: x.movedim(-1, 1),
    "with one channel": lambda x: x.unsqueeze(1),
}
#: Samples to try a module on: not a likely number of channels.
_N_TRIED = 5


class PlainBackbone(nn.Module):
    """A module that knows nothing of backbones: ordinary input, one vector per sample.

    NaN, which pads short samples, becomes zero.

    Parameters
    ----------
    module : module
        Returns ``(n_samples, out_features)``.
    layout : str
        The key in ``LAYOUTS`` of the layout that it expects.
    out_features : int
        Length of the vectors.
    """

    _trusted = True

    def __init__(self, module, layout, out_features):
        super().__init__()
        self.module = module
        self.layout = layout
        self.out_features = out_features

    def forward(self, x, **kwargs):
        """Return the module's output for samples (n_samples, ...)."""
        x = x.nan_to_num(nan=0.0) if x.is_floating_point() else x
        output = self.module(LAYOUTS[self.layout](x), **kwargs)
        fault = _find_fault(output, len(x))
        if fault:
            raise TypeError(f"{type(self.module).__name__} {fault}")
        return output


def as_backbone(module, input_shape, takes_ids, knows_shape):
    """Return a module as a backbone: in a :class:`PlainBackbone` where it needs one.

    Parameters
    ----------
    module : module
        The module, which is tried on a few samples.
    input_shape : tuple of int
        Shape of a sample.
    takes_ids : bool
        Whether samples are token ids.
    knows_shape : bool
        Whether it was built for ``input_shape``. Otherwise images are passed as torch
        has them, with channels first, if the module takes them so.

    Returns
    -------
    module
        The backbone, with ``out_features``.
    """
    declared = getattr(module, "out_features", None)
    if declared is not None and _takes_more(module):
        return module  # it cannot be tried
    device = next((p.device for p in module.parameters()), None)
    x = torch.ones(_N_TRIED, *input_shape, device=device)
    x = x.long() if takes_ids else x.cumsum(0).cumsum(-1).sin()
    faults = {}
    for layout in _list_layouts(input_shape, takes_ids, knows_shape):
        tried, output, fault = _try(module, LAYOUTS[layout](x))
        if fault is None and declared not in (None, output.shape[1]):
            fault = f"returned {output.shape[1]} features, not out_features={declared}"
        if fault is not None:
            faults[layout] = fault
            continue
        _warn_if_mixing(tried, LAYOUTS[layout](x), output)
        is_layer = type(module).__module__.startswith("torch.")  # Linear has it, too
        if declared is not None and layout == "as they are" and not is_layer:
            return tried
        return PlainBackbone(tried, layout, output.shape[1])
    raise ValueError(_explain(module, x, faults))


def _takes_more(module):
    """Whether ``forward`` has required arguments beyond the samples."""
    parameters = inspect.signature(module.forward).parameters.values()
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return sum(p.default is p.empty and p.kind not in kinds for p in parameters) > 1


def _list_layouts(input_shape, takes_ids, knows_shape):
    """List the layouts to try, the likeliest first."""
    as_is, first, one = LAYOUTS
    if takes_ids:
        return [as_is]
    if len(input_shape) == 1:
        return [as_is, one]
    if len(input_shape) == 2:  # an image without channels, or a sequence
        return [as_is, one, first]
    return [as_is, first, one] if knows_shape else [first, as_is, one]


def _try(module, x):
    """Run a module in evaluation; return it, its output, and what is wrong or None."""
    if any(isinstance(p, UninitializedParameter) for p in module.parameters()):
        module = copy.deepcopy(module)  # it takes its shapes from the first input
    was_training = module.training
    try:
        with torch.no_grad():
            output = module.eval()(x)
    except Exception as error:  # of any kind: it is the user's code
        return module, None, f"raised {type(error).__name__}: {_shorten(error)}"
    finally:
        module.train(was_training)
    return module, output, _find_fault(output, len(x))


def _find_fault(output, n_samples):
    """Return what is wrong with the output of a module, or None."""
    if not isinstance(output, torch.Tensor):
        return (
            f"returned a {type(output).__name__}, not a tensor; wrap it in a module "
            "that returns one vector per sample"
        )
    if output.ndim == 2 and len(output) == n_samples:
        return None
    return (
        f"returned shape {tuple(output.shape)} for {n_samples} samples, not "
        f"({n_samples}, n_features); pool it, or append torch.nn.Flatten()"
    )


def _warn_if_mixing(module, x, output):
    """Warn if the outputs of some samples change with the others in the batch."""
    _, fewer, _ = _try(module, x[:2])
    if not torch.allclose(fewer, output[:2], rtol=0.01, atol=1e-3, equal_nan=True):
        warn_user(
            f"the output of {type(module).__name__} for a sample is random, or depends "
            "on the other samples in the batch, even in evaluation. A recurrent or "
            "transformer layer needs batch_first=True.",
            UserWarning,
        )


def _shorten(error):
    lines = str(error).strip().splitlines() or [""]
    return lines[0] if len(lines[0]) <= 200 else f"{lines[0][:197]}..."


def _explain(module, x, faults):
    name = type(module).__name__
    kind = str(x.dtype).removeprefix("torch.")
    tried = [f"{layout}, it {fault}" for layout, fault in faults.items()]
    if len(set(faults.values())) == 1:
        tried = [f"it {fault}" for fault in faults.values()][:1]
    return (
        f"the module {name} cannot encode samples of shape {tuple(x.shape[1:])}, "
        f"{kind}: given them {'; '.join(tried)}. A class with a parameter input_shape "
        "is built for the shape of the samples; one with a parameter n_tokens gets "
        "token ids."
    )
