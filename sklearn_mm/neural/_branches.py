"""The parts of branches: transformers, backbones, and arrays with a row per sample."""

import copy
import inspect

import numpy as np
import torch

from ._base import check_backbone

#: Key of the mask of present branches among the samples; no branch has this name.
PRESENT = "__present__"


def check_backbones(backbones, options, names, used):
    """Raise if a branch has no backbone, or a backbone no branch.

    Parameters
    ----------
    backbones : dict of str to class or module
        The backbones.
    options : list of str
        Parameters ``backbones__name__option``.
    names : list of str
        Names of all branches.
    used : list of str
        Names of those that are not dropped.
    """
    if not isinstance(backbones, dict):
        raise TypeError(
            "backbones must be a dict of the branches' names to backbones, got "
            f"{backbones!r}."
        )
    named = {*backbones, *(option.split("__")[1] for option in options)}
    unknown = sorted(map(str, named - set(names)))
    if unknown:
        raise ValueError(f"backbones names {unknown}, but the branches are {names}.")
    lacking = [name for name in used if name not in backbones]
    if lacking:
        raise ValueError(
            f"backbones has none for the branches {lacking}; it names "
            f"{list(backbones)}."
        )
    for name in used:
        if not callable(backbones[name]):
            raise TypeError(
                f"branch {name!r}: expected a backbone, a class of sklearn_mm.nets or "
                f"your own, got {backbones[name]!r}."
            )


def build_backbone(backbone, input_shape, n_tokens, options):
    """Build a backbone for the shape of its samples.

    Parameters
    ----------
    backbone : class or instance of torch.nn.Module
        The backbone; a copy of an instance is used as it is, unless there are options.
    input_shape : tuple of int
        Shape of a sample.
    n_tokens : int or None
        Size of the vocabulary, if samples are token ids.
    options : dict
        Further arguments.

    Returns
    -------
    module
        The backbone.
    """
    if isinstance(backbone, torch.nn.Module) and not options:
        return check_backbone(copy.deepcopy(backbone))  # the user's stays as it is
    if isinstance(backbone, torch.nn.Module):
        backbone = type(backbone)
    options = {"input_shape": input_shape, **options}
    if n_tokens is not None:
        options.setdefault("n_tokens", n_tokens)
    return check_backbone(backbone(**options))


def copy_weights(target, source):
    """Copy the weights of one backbone to another of the same class and options.

    Parameters
    ----------
    target, source : module
        The backbones.
    """
    if type(target) is not type(source):
        raise RuntimeError(f"it is a {type(source).__name__}")
    target.load_state_dict(source.state_dict())


def takes_ids(backbone):
    """Whether a backbone, class or instance, takes token ids."""
    if isinstance(backbone, torch.nn.Module):
        backbone = type(backbone)
    return "n_tokens" in inspect.signature(backbone).parameters


def get_backbone_name(backbone):
    """Return the name of a backbone's class."""
    return getattr(backbone, "__name__", type(backbone).__name__)


def place_rows(array, rows, n_samples):
    """Place samples in their rows of a longer array.

    Parameters
    ----------
    array : ndarray of shape (n_present, ...)
        The samples.
    rows : ndarray of shape (n_present,), int
        Their rows.
    n_samples : int
        Number of all rows.

    Returns
    -------
    ndarray of shape (n_samples, ...)
        The other rows are missing: NaN, or id 0.
    """
    if len(rows) == n_samples:
        return array
    missing = 0 if array.dtype.kind == "i" else np.nan
    if not len(rows):
        filler = np.array(missing, array.dtype)
        return np.broadcast_to(filler, (n_samples, *array.shape[1:]))
    whole = np.full((n_samples, *array.shape[1:]), missing, array.dtype)
    whole[rows] = array
    return whole
