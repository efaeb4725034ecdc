"""Networks as classes, attributes and arrays, without pickled bytes."""

import copyreg
from collections import OrderedDict

import numpy as np

from .imports import is_instance
from .versions import VersionMixin


class PickledState(dict):
    """A state that pickle wrote, which may contain bytes for pickle to load.

    It must never be a trusted type: only pickle may create one.
    """


class StoredTensor:
    """A tensor or parameter as an array.

    Parameters
    ----------
    tensor : torch.Tensor
        On any device.
    """

    _trusted = True

    def __init__(self, tensor):
        import torch

        self.dtype = str(tensor.dtype).removeprefix("torch.")
        self.requires_grad = tensor.requires_grad
        self.is_parameter = isinstance(tensor, torch.nn.Parameter)
        values = tensor.detach().cpu().contiguous()
        if values.dtype == torch.bfloat16:  # numpy does not have this type
            values = values.view(torch.int16)
        self.array = values.numpy()

    def restore(self, device):
        """Create the tensor on a device."""
        import torch

        dtype = getattr(torch, self.dtype)
        tensor = torch.from_numpy(np.asarray(self.array)).view(dtype).to(device)
        if self.is_parameter:
            return torch.nn.Parameter(tensor, self.requires_grad)
        return tensor.requires_grad_(self.requires_grad)


class StoredModule:
    """A module as its class and its attributes.

    Parameters
    ----------
    kind : type
        The class.
    """

    _trusted = True

    def __init__(self, kind):
        self.kind = kind
        self.state = None

    def make(self):
        """Create a module of the class, still without attributes."""
        from torch import nn

        if not (isinstance(self.kind, type) and issubclass(self.kind, nn.Module)):
            raise ValueError(f"{self.kind!r} was stored as a module, but is not one.")
        return self.kind.__new__(self.kind)


def store(value, memo=None):
    """Replace modules and tensors, also in dicts, lists and tuples, by plain parts.

    Parameters
    ----------
    value : object
        Anything else is returned unchanged.
    memo : dict or None
        The replacements so far, so that shared parts stay shared.

    Returns
    -------
    object
        An equivalent for :func:`restore`.
    """
    memo = {} if memo is None else memo
    if type(value) in (dict, OrderedDict):
        return type(value)((key, store(part, memo)) for key, part in value.items())
    if type(value) in (list, tuple):
        return type(value)(store(part, memo) for part in value)
    is_module = is_instance(value, "torch.nn", "Module")
    if not is_module and not is_instance(value, "torch", "Tensor"):
        return value
    if id(value) not in memo:
        stored = StoredModule(type(value)) if is_module else StoredTensor(value)
        memo[id(value)] = stored, value
        if is_module:
            stored.state = store(dict(value.__getstate__()), memo)
    return memo[id(value)][0]


def restore(value, device="cpu", memo=None):
    """Recreate the modules and tensors that :func:`store` replaced.

    Parameters
    ----------
    value : object
        The result of ``store``.
    device : str or torch.device, default="cpu"
        Device of the tensors.
    memo : dict or None
        The parts recreated so far.

    Returns
    -------
    object
        The original value.
    """
    memo = {} if memo is None else memo
    if type(value) in (dict, OrderedDict):
        parts = ((key, restore(part, device, memo)) for key, part in value.items())
        return type(value)(parts)
    if type(value) in (list, tuple):
        return type(value)(restore(part, device, memo) for part in value)
    if not isinstance(value, StoredModule | StoredTensor):
        return value
    if id(value) not in memo:
        if isinstance(value, StoredModule):
            module = memo[id(value)] = value.make()
            module.__setstate__(restore(value.state, device, memo))
        else:
            memo[id(value)] = value.restore(device)
    return memo[id(value)]


class StoredStateMixin(VersionMixin):
    """Have two states: one for pickle and copies, and plain parts for skops.

    pickle calls ``__reduce_ex__``, skops calls ``__getstate__``. Bytes for pickle are
    accepted only in a state that pickle wrote.
    """

    def __reduce_ex__(self, protocol):
        """Describe to pickle and copy how to recreate the estimator."""
        state = PickledState(self._stamp(self._get_pickled_state()))
        return copyreg.__newobj__, (type(self),), state

    def __getstate__(self):
        """Return plain parts."""
        return self._stamp(store(self._get_plain_state()))

    def __setstate__(self, state):
        """Set either state."""
        checked = self._check_state(state)
        if isinstance(state, PickledState):
            self._set_pickled_state(checked)
        else:
            self._set_plain_state(checked)

    def _get_plain_state(self):
        return vars(self)

    def _set_plain_state(self, state):
        vars(self).update(restore(state))

    def _set_pickled_state(self, state):
        vars(self).update(state)
