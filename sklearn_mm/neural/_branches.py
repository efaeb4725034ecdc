"""The parts of branches: transformers, backbones, and arrays with a row per sample."""

import numpy as np

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
