"""Results that several calls share while a context lasts."""

from contextlib import contextmanager
from contextvars import ContextVar

_RESULTS = ContextVar("results", default=None)


@contextmanager
def share_results():
    """Let :func:`compute_once` remember its results until the context ends."""
    if _RESULTS.get() is not None:  # the outer context's are shared as well
        yield
        return
    token = _RESULTS.set({})
    try:
        yield
    finally:
        _RESULTS.reset(token)


def compute_once(key, compute, keep=None):
    """Return ``compute()``, or what it returned for this key within the context.

    Parameters
    ----------
    key : hashable
        What the result depends on.
    compute : callable
        Called without arguments.
    keep : object
        What the key names by its ``id``: it lives as long as the context.

    Returns
    -------
    object
        The result.
    """
    results = _RESULTS.get()
    if results is None:
        return compute()
    if key not in results:
        results[key] = compute(), keep
    return results[key][0]
