"""Parameters of networks: those in the signature, and their parts' by a prefix."""

from difflib import get_close_matches


def store_parameters(net, arguments):
    """Store a constructor's arguments as they are.

    They go to ``vars`` because skorch registers every module that is set as an
    attribute. Keyword arguments that are not in the signature must be
    ``parameter__option``, with a parameter that skorch or the network builds.

    Parameters
    ----------
    net : SkorchNet
        The network.
    arguments : dict
        The ``locals()`` of its ``__init__``.
    """
    arguments = {
        key: value
        for key, value in arguments.items()
        if key not in ("self", "__class__")
    }
    options = arguments.pop("kwargs")
    prefixes = [name for name in arguments if name in net.prefixes_]
    for key in options:
        prefix, _, option = key.partition("__")
        if key == "kwargs":  # scikit-learn's checks pass it; fit refuses it
            continue
        if not option or prefix not in prefixes:
            raise TypeError(
                f"{type(net).__name__} got an unexpected argument {key!r}, did you "
                f"mean {_find_nearest(key, arguments, prefixes)!r}?"
            )
    vars(net).update(arguments)
    vars(net).update(options)


def _find_nearest(key, names, prefixes):
    prefix, separator, option = key.partition("__")
    if separator and option:
        return f"{_get_closest(prefix, prefixes)}__{option}"
    for prefix in prefixes:
        if key.startswith(f"{prefix}_"):
            return f"{prefix}__{key.removeprefix(prefix).lstrip('_')}"
    return _get_closest(key, names)


def _get_closest(word, names):
    return get_close_matches(word, names, n=1, cutoff=0.0)[0]
