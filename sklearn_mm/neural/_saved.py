"""How networks are saved: as skorch pickles them, and as plain parts for skops."""

from sklearn.base import clone
from skorch import NeuralNet
from skorch.utils import get_map_location

from .._utils.devices import pick_device
from .._utils.state import StoredStateMixin, restore

#: What belongs to a fit that is going on.
_PASSING = ("_epoch_task", "_callback_fit_ctx")


class SavedNetMixin(StoredStateMixin):
    """A net's two states.

    In the plain one modules are classes, attributes and arrays. The optimizer is built
    anew and takes its state over; callbacks begin anew, as they do in each ``fit``.
    """

    _stamped = (*StoredStateMixin._stamped, "torch")

    def _get_pickled_state(self):
        state = NeuralNet.__getstate__(self)
        return {key: value for key, value in state.items() if key not in _PASSING}

    def _set_pickled_state(self, state):
        # "auto" is no device that skorch could look for; weights go where there is one.
        asked = state["device"]
        NeuralNet.__setstate__(self, {**state, "device": pick_device(asked)})
        if asked == "auto":
            vars(self)["device"] = asked

    def _get_plain_state(self):
        left_out = (*_PASSING, "callbacks_", "virtual_params_")
        state = {k: v for k, v in vars(self).items() if k not in left_out}
        if isinstance(state["callbacks"], list | tuple):
            state["callbacks"] = [_forget(callback) for callback in self.callbacks]
        for name in self._optimizers:
            if f"{name}_" in state:
                state[f"{name}_"] = state[f"{name}_"].state_dict()
        return state

    def _set_plain_state(self, state):
        asked = state["device"]
        device = pick_device(asked)
        where = get_map_location(device)
        if asked != "auto":
            state["device"] = self._check_device(device, where)
        is_fitted = state.pop("initialized_", False)
        optimizers = {name: state.pop(f"{name}_", None) for name in self._optimizers}
        vars(self).update(restore(state, where))
        if is_fitted:
            self._initialize_virtual_params()
            self._initialize_callbacks()
            self._initialize_optimizer()
            for name, own in optimizers.items():
                vars(self)[f"{name}_"].load_state_dict(restore(own, where))
            self.initialized_ = True


def _forget(callback):
    """Give a callback as it was before the fit."""
    if isinstance(callback, tuple):
        return callback[0], _forget(callback[1])
    return callback if isinstance(callback, type) else clone(callback)
