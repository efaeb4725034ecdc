"""Loaded models: shared in a process, named in errors, never part of a pickle."""

import os
from weakref import WeakValueDictionary

from .._fork import protect_children
from .._imports import is_instance

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


class explain_loading:
    """Say in one sentence what to do about a model that cannot be loaded."""

    def __init__(self, owner, model, extra):
        self.owner = owner
        self.model = model
        self.extra = extra

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if not isinstance(error, Exception) or isinstance(error, ImportError):
            return False
        name = os.fspath(self.model)
        if os.path.isdir(name):
            advice = (
                f"the folder {name!r} could not be read as such a model; give one that "
                "save_pretrained wrote"
            )
        else:
            advice = (
                f"{name!r} is no folder, and was neither found in the hub's cache nor "
                "downloaded; give a folder, or download it once where there is a "
                f"network, by huggingface_hub.snapshot_download({name!r})"
            )
        raise OSError(f"{self.owner}: {advice} ({_first_line(error)}).") from error


def _first_line(error):
    lines = str(error).strip().splitlines()
    return (
        f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
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


def pool_tokens(states, mask, pooling):
    """Pool ``states`` (n_samples, n_tokens, n_features) where ``mask``.

    Parameters
    ----------
    states : tensor of shape (n_samples, n_tokens, n_features)
        Vectors of tokens, patches or frames.
    mask : tensor of shape (n_samples, n_tokens)
        Which are valid.
    pooling : {"mean", "max", "cls"}
        The mean, the maximum, or the first token.

    Returns
    -------
    tensor of shape (n_samples, n_features)
        Vectors.
    """
    if pooling == "cls":
        return states[:, 0]
    mask = mask.unsqueeze(2).to(states.dtype)
    if pooling == "max":
        return states.masked_fill(mask == 0, float("-inf")).amax(dim=1)
    return (states * mask).sum(dim=1) / mask.sum(dim=1).clamp_min(1)
