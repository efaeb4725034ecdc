"""Warnings that point to the user's line, and are not repeated for the same cause."""

import sys
import threading
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from ..exceptions import LoadWarning

#: Packages whose frames lie between a user's line and a warning.
_BETWEEN = {
    *("sklearn_mm", "sklearn", "skorch", "skrub", "torch", "joblib", "dask"),
    *("distributed", "concurrent", "multiprocessing", "threading"),
    *("contextlib", "functools"),
}
#: Number of bad cells that an error or a warning lists; the others are only counted.
NAMED = 10
#: Number of causes that are remembered.
_CAUSES = 100_000
_GATHERED = ContextVar("gathered", default=None)


class Notice(NamedTuple):
    """Bad cells of a column that count as missing."""

    owner: str  # the estimator
    column: object  # name of the column, if known
    n_samples: int
    failures: list  # of tuples (row, source, reason)
    causes: list  # what identifies each bad cell, whatever row it is in


@contextmanager
def gather_notices():
    """Yield a list that takes the notices posted within, in place of warnings.

    If an error is raised, they are posted, as they may be its cause.
    """
    notices = []
    token = _GATHERED.set(notices)
    try:
        try:
            yield notices
        finally:
            _GATHERED.reset(token)
    except Exception:
        post_notices(notices)
        raise


def post_notices(notices):
    """Warn once for each column, or hand the notices to :func:`gather_notices`.

    Cells that this process has warned of are not reported again.

    Parameters
    ----------
    notices : iterable of Notice
        Those of several folds, members and workers.
    """
    gathered = _GATHERED.get()
    if gathered is not None:
        gathered.extend(notices)
        return
    by_column = {}
    for notice in notices:
        name = notice.owner if notice.column is None else notice.column
        by_column.setdefault(name, []).append(notice)
    for name, group in by_column.items():
        n_samples = max(notice.n_samples for notice in group)
        failures, causes = {}, set()
        for notice in group:
            failures |= {tuple(failure[:2]): failure for failure in notice.failures}
            causes |= {(name, cause) for cause in notice.causes}
        message = summarise(
            group[0].owner, group[0].column, n_samples, list(failures.values())
        )
        warn_user(message + "Treated as missing.", LoadWarning, causes)


@contextmanager
def place_notices(column, rows):
    """Post the notices of some rows of a column as notices of that column.

    Parameters
    ----------
    column : Column
        The whole column, which has a name and row labels.
    rows : list of int
        Positions in it; the notices have positions among these.
    """
    with gather_notices() as notices:
        yield
    post_notices(
        notice._replace(
            column=column.name,
            n_samples=len(column),
            failures=[
                (column.labels[rows[position]], *rest)
                for position, *rest in notice.failures
            ],
        )
        for notice in notices
    )


def summarise(owner, column, n_samples, failures):
    """Describe bad cells, for an error or a warning.

    Parameters
    ----------
    owner : str
        Name of the estimator.
    column : hashable or None
        Name of the column, if known.
    n_samples : int
        Number of cells.
    failures : list of tuple (row, source, reason)
        The bad cells.

    Returns
    -------
    str
        Ends with a space or a line break.
    """
    owner = owner if column is None else f"{owner}: column {column!r}"
    if len(failures) == 1:
        row, source, reason = failures[0]
        return f"{owner}: row {row} ({source}) could not be used: {reason}. "
    lines = [f"  row {row} ({source}): {why}" for row, source, why in failures[:NAMED]]
    if len(failures) > NAMED:
        lines.append(f"  and {len(failures) - NAMED} more")
    head = f"{owner}: {len(failures)} of {n_samples} cells could not be used:"
    return "\n".join([head, *lines]) + "\n"


def warn_user(message, category=UserWarning, causes=()):
    """Issue a warning that points to the user's line, unless it is a repetition.

    Parameters
    ----------
    message : str
        The text.
    category : type
        A warning.
    causes : set of hashable
        What the warning is about: nothing is issued if this process has warned of all
        of them. By default, only the fits of one search or cross-validation of
        scikit-learn do not repeat a category of warnings.
    """
    frame, level = sys._getframe(), 1
    in_search = False
    while frame.f_back and _get_package(frame) in _BETWEEN:
        frame, level = frame.f_back, level + 1
        in_search |= _get_module(frame).startswith("sklearn.model_selection")
    if not causes and in_search:
        kind = message if category is UserWarning else category
        causes = {(kind, frame.f_code.co_filename, frame.f_lineno)}
    if not causes or not _MEMORY.holds(causes):
        warnings.warn(message, category, stacklevel=level)
        _MEMORY.add(causes)  # not if the warning was raised as an error


class _Memory:
    """What this process has warned of since its warning filters were last changed."""

    def __init__(self):
        self._causes, self._state = set(), None
        self._lock = threading.Lock()

    def holds(self, causes):
        """Whether all causes are remembered."""
        state = _read_filters()
        with self._lock:
            if state != self._state:
                self._causes.clear()
                self._state = state
            return self._causes.issuperset(causes)

    def add(self, causes):
        """Remember causes."""
        with self._lock:
            if len(self._causes) > _CAUSES:
                self._causes.clear()
            self._causes.update(causes)


def _read_filters():
    """Return the warning filters, and where ``catch_warnings`` records to."""
    # scikit-learn rebuilds the filters for each task, with patterns in place of texts.
    filters = [[getattr(x, "pattern", x) for x in entry] for entry in warnings.filters]
    return filters, getattr(warnings, "_showwarnmsg_impl", None)


def _get_module(frame):
    return frame.f_globals.get("__name__") or ""


def _get_package(frame):
    return _get_module(frame).partition(".")[0]


_MEMORY = _Memory()
