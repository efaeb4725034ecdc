"""Loaded models: shared in a process, named in errors, never part of a pickle."""

import os
from weakref import WeakValueDictionary

from .._utils.forks import protect_children
from .._utils.imports import is_instance

protect_children()
_engines = WeakValueDictionary()


class Engine:
    """A loaded model behind one interface.

    Subclasses have ``n_features`` and ``encode(samples)``, which gives
    ``(n_samples, n_features)`` for a list of samples.
    """


def share_engine(key, load):
    """Give the engine that this process has loaded under a key, or load it.

    It is forgotten when no estimator holds it any longer.

    Parameters
    ----------
    key : hashable
        What it depends on.
    load : callable
        Loads it.

    Returns
    -------
    Engine
        The engine.
    """
    engine = _engines.get(key)
    if engine is None:
        engine = _engines[key] = load()
    return engine


def refuse_weights(encoder):
    """Refuse to hand weights over to skops, which has no way to hold such models."""
    is_plain = isinstance(encoder.model, (str, os.PathLike)) or is_instance(
        encoder.model, "torch.nn", "Module"
    )
    if encoder.store_weights or not is_plain:
        raise TypeError(
            f"{type(encoder).__name__}: skops keeps no pretrained weights. Give model "
            "as a name or a folder, with store_weights=False; or save by joblib, whose "
            "files only those who trust you should load."
        )


def pick_torch_device(device):
    """Give the device that "auto" stands for: cuda, else mps, else cpu."""
    import torch

    if device != "auto":
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def pick_dtype(dtype):
    """Give torch's type of that name."""
    import torch

    return getattr(torch, dtype)
