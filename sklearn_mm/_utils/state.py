"""Networks as plain parts: classes, attributes and arrays, without pickled bytes."""

import copyreg
from collections import OrderedDict

import numpy as np

from .imports import is_instance
from .versions import VersionMixin


class PickledState(dict):
    """A state that pickle wrote, which may hold bytes for pickle to read.

    Never a trusted type: nothing but pickle makes one.
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
        if values.dtype == torch.bfloat16:  # which numpy has not
            values = values.view(torch.int16)
        self.array = values.numpy()

    def restore(self, device):
        """Make the tensor on a device."""
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
        """Give a module of the class, still without attributes."""
        from torch import nn

        if not (isinstance(self.kind, type) and issubclass(self.kind, nn.Module)):
            raise ValueError(f"{self.kind!r} was stored as a module, and is none.")
        return self.kind.__new__(self.kind)


def store(value, memo=None):
    """Replace modules and tensors, in dicts, lists and tuples too, by plain parts.

    Parameters
    ----------
    value : object
        What is neither is left as it is.
    memo : dict or None
        What was replaced, so that what is shared stays shared.

    Returns
    -------
    object
        The like, for :func:`restore`.
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
    """Make modules and tensors of what :func:`store` gave.

    Parameters
    ----------
    value : object
        What ``store`` returned.
    device : str or torch.device, default="cpu"
        Where tensors go.
    memo : dict or None
        What was made.

    Returns
    -------
    object
        As it was.
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
    """Has two states: one for pickle and copies, one of plain parts for skops.

    pickle asks ``__reduce_ex__``, skops asks ``__getstate__``. Bytes that pickle would
    read are accepted in a state that pickle wrote, and nowhere else.
    """

    def __reduce_ex__(self, protocol):
        """Say how pickle and copy remake the estimator."""
        state = PickledState(self._stamp(self._get_pickled_state()))
        return copyreg.__newobj__, (type(self),), state

    def __getstate__(self):
        """Give plain parts."""
        return self._stamp(store(self._get_plain_state()))

    def __setstate__(self, state):
        """Take over either state."""
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
