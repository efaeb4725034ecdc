"""Run calls in parallel with whichever backend of joblib is active."""

from joblib.parallel import get_active_backend
from sklearn.utils.parallel import Parallel, delayed

from .notices import gather_notices, post_notices


def run_calls(calls, n_jobs, return_as="list"):
    """Call functions in parallel.

    Parameters
    ----------
    calls : iterable of tuple
        For each call, the function and its arguments.
    n_jobs : int or None
        Number of jobs, as in joblib.
    return_as : {"list", "generator"}
        Whether to return all results at once, or to yield each as soon as it and those
        before it are ready.

    Returns
    -------
    list or generator
        The results, in the order of the calls.

    Notes
    -----
    Bad cells that the calls meet are reported by one warning for each column, after all
    calls of a list. Each call is sent as one tuple. Large arguments on their own would
    be scattered by joblib to one of dask's workers, and would be lost together with
    that worker.
    """
    results = Parallel(n_jobs=n_jobs, return_as=return_as)(
        delayed(_run_call)(call) for call in calls
    )
    if return_as == "generator":
        return (result for result, _ in results)
    post_notices([notice for _, notices in results for notice in notices])
    return [result for result, _ in results]


def _run_call(call):
    function, *arguments = call
    with gather_notices() as notices:
        return function(*arguments), notices


def runs_elsewhere():
    """Whether the active backend of joblib runs calls in other processes.

    Returns
    -------
    bool
        False unless a backend is set by ``parallel_config``.
    """
    backend, _ = get_active_backend(prefer="threads")
    is_shared = getattr(backend, "supports_sharedmem", False)
    return not is_shared and backend.supports_return_generator
