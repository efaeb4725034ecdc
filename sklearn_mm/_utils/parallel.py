"""Run calls where joblib's backend decides; a worker that is lost costs its calls."""

from joblib.parallel import get_active_backend
from sklearn.utils.parallel import Parallel, delayed


def run_calls(calls, n_jobs, return_as="list"):
    """Call functions in parallel.

    Parameters
    ----------
    calls : iterable of tuple
        Of each call the function and its arguments.
    n_jobs : int or None
        Number of jobs, as joblib has it.
    return_as : {"list", "generator"}
        Whether results are given all at once or each as soon as it and those before it
        are there.

    Returns
    -------
    list or generator
        The results, in the order of the calls.

    Notes
    -----
    Each call travels as one tuple: large arguments by themselves joblib puts on one of
    dask's workers, where others fetch them, and they are lost with it.
    """
    return Parallel(n_jobs=n_jobs, return_as=return_as)(
        delayed(_run_call)(call) for call in calls
    )


def _run_call(call):
    function, *arguments = call
    return function(*arguments)


def runs_elsewhere():
    """Whether the active backend of joblib runs calls in other processes.

    Returns
    -------
    bool
        False unless a backend was chosen by ``parallel_config``.
    """
    backend, _ = get_active_backend(prefer="threads")
    is_shared = getattr(backend, "supports_sharedmem", False)
    return not is_shared and backend.supports_return_generator
