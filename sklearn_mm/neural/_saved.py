"""How networks are saved: as skorch pickles them, and as plain parts for skops.

In the plain state modules are classes, attributes and arrays. The optimizer is built
anew and takes over its state; callbacks start anew, as they do in each ``fit``.
"""

from sklearn.base import clone
from skorch import NeuralNet
from skorch.utils import get_map_location

from .._utils.devices import pick_device
from .._utils.state import restore

#: Attributes of a fit that is going on.
_PASSING = ("_epoch_task", "_callback_fit_ctx")


def get_pickled_state(net):
    """Return the state that pickle writes."""
    state = NeuralNet.__getstate__(net)
    return {key: value for key, value in state.items() if key not in _PASSING}


def set_pickled_state(net, state):
    """Take over the state that pickle wrote."""
    # "auto" is no device that skorch could look for; weights go where there is one.
    asked = state["device"]
    NeuralNet.__setstate__(net, {**state, "device": pick_device(asked)})
    if asked == "auto":
        vars(net)["device"] = asked


def get_plain_state(net):
    """Return the state in which modules are still modules, and nothing is bytes."""
    left_out = (*_PASSING, "callbacks_", "virtual_params_")
    state = {k: v for k, v in vars(net).items() if k not in left_out}
    if isinstance(state["callbacks"], list | tuple):
        state["callbacks"] = [_reset_callback(callback) for callback in net.callbacks]
    for name in net._optimizers:
        if f"{name}_" in state:
            state[f"{name}_"] = state[f"{name}_"].state_dict()
    return state


def set_plain_state(net, state):
    """Take over a plain state."""
    asked = state["device"]
    device = pick_device(asked)
    location = get_map_location(device)
    if asked != "auto":
        state["device"] = net._check_device(device, location)
    is_fitted = state.pop("initialized_", False)
    optimizers = {name: state.pop(f"{name}_", None) for name in net._optimizers}
    vars(net).update(restore(state, location))
    if is_fitted:
        net._initialize_virtual_params()
        net._initialize_callbacks()
        net._initialize_optimizer()
        for name, optimizer_state in optimizers.items():
            vars(net)[f"{name}_"].load_state_dict(restore(optimizer_state, location))
        net.initialized_ = True


def _reset_callback(callback):
    """Return a callback as it was before the fit."""
    if isinstance(callback, tuple):
        return callback[0], _reset_callback(callback[1])
    return callback if isinstance(callback, type) else clone(callback)
