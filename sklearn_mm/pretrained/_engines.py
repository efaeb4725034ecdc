"""Loaded models, shared within a process."""

import os
from weakref import WeakValueDictionary

from .._utils.forks import protect_children
from .._utils.imports import is_instance

protect_children()
_engines = WeakValueDictionary()


class Engine:
    """A loaded model behind one interface.

    Subclasses have ``n_features`` and ``encode(samples)``, which returns an array
    ``(n_samples, n_features)`` for a list of samples.
    """


def share_engine(key, load):
    """Return the engine that this process has loaded under a key, or load it.

    It is released when no estimator refers to it any longer.

    Parameters
    ----------
    key : hashable
        Everything that the engine depends on.
    load : callable
        Loads the engine.

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
    """Raise if the state for skops, which cannot hold such models, needs weights."""
    is_plain = isinstance(encoder.model, (str, os.PathLike)) or is_instance(
        encoder.model, "torch.nn", "Module"
    )
    if encoder.store_weights or not is_plain:
        raise TypeError(
            f"{type(encoder).__name__}: skops cannot store pretrained weights. Pass "
            "model as a name or a folder, with store_weights=False, or save with "
            "joblib, whose files should only be loaded from a trusted source."
        )


def pick_dtype(dtype):
    """Return torch's dtype of that name."""
    import torch

    return getattr(torch, dtype)
