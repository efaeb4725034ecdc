"""Several targets side by side: their kinds, labels that are missing, their units."""

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.multiclass import type_of_target

from .._utils.imports import is_instance
from .._utils.targets import find_spread

KINDS = ("classification", "regression")


class ClassTask:
    """A target of classes.

    Parameters
    ----------
    name : str
        Of the task, for errors.
    values : ndarray of shape (n_known,)
        Labels to learn the classes and their frequencies from.
    """

    _trusted = True
    kind = "classification"

    def __init__(self, name, values):
        self.name = name
        self.classes, counts = np.unique(values, return_counts=True)
        self.prior = np.log(counts / counts.sum())
        self.n_outputs = len(self.classes)

    def encode(self, values):
        """Give the numbers of labels; refuse those that ``fit`` did not see."""
        codes = np.searchsorted(self.classes, values).clip(max=len(self.classes) - 1)
        unknown = np.unique(values[self.classes[codes] != values])
        if len(unknown):
            raise ValueError(
                f"task {self.name!r} holds the classes {unknown.tolist()}, which are "
                f"not in {self.classes}."
            )
        return codes

    def decode(self, outputs):
        """Give the label of the highest output."""
        return self.classes[outputs.argmax(axis=1)]

    def find_proba(self, outputs):
        """Give probabilities."""
        return softmax(outputs, axis=1)

    def trace(self, outputs):
        """Give probabilities of a tensor, by torch alone."""
        return outputs.softmax(dim=1)

    def score(self, values, predicted):
        """Give the accuracy."""
        return accuracy_score(values, predicted)


class NumberTask:
    """A target of numbers, standardised.

    Parameters
    ----------
    name : str
        Of the task, for errors.
    values : ndarray of shape (n_known,)
        Numbers to learn mean and standard deviation from.
    """

    _trusted = True
    kind = "regression"
    n_outputs = 1
    prior = np.zeros(1)

    def __init__(self, name, values):
        self.name = name
        values = self._check(values)
        self.mean, self.std = map(np.float64, find_spread(values, f"task {name!r}"))

    def encode(self, values):
        """Standardise numbers."""
        return (self._check(values) - self.mean) / self.std

    def decode(self, outputs):
        """Give numbers in their own units."""
        return outputs[:, 0] * self.std + self.mean

    def trace(self, outputs):
        """Give numbers of a tensor in their own units, by torch alone."""
        return outputs[:, 0].double() * self.std + self.mean

    def score(self, values, predicted):
        """Give R2; NaN for fewer than two numbers."""
        return r2_score(values, predicted) if len(values) > 1 else np.nan

    def _check(self, values):
        try:
            values = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            raise ValueError(
                f"task {self.name!r} is a regression, but holds {values[0]!r}."
            ) from None
        if not np.isfinite(values).all():
            raise ValueError(f"task {self.name!r} holds infinity.")
        return values


def split_tasks(y):
    """Take targets apart.

    Parameters
    ----------
    y : DataFrame, dict of arrays, or array-like of shape (n_samples, ...)
        A column for each task.

    Returns
    -------
    dict of str or int to Series
        Values by task; those of an array are numbered, of a nameless vector 0.
    """
    if is_instance(y, "polars", "DataFrame"):
        y = {name: y[name].to_list() for name in y.columns}
    if isinstance(y, dict):
        return {name: _as_series(values) for name, values in y.items()}
    if isinstance(y, pd.DataFrame):
        return {name: _as_series(y[name]) for name in y.columns}
    if isinstance(y, pd.Series):
        return {y.name if y.name is not None else 0: _as_series(y)}
    y = np.asarray(y)
    if y.ndim not in (1, 2):
        raise ValueError(
            f"y must be a DataFrame, a dict of arrays or an array of shape (n_samples, "
            f"n_tasks), got shape {y.shape}."
        )
    return {
        number: _as_series(values) for number, values in enumerate(np.atleast_2d(y.T))
    }


def _as_series(values):
    return pd.Series(values).reset_index(drop=True).infer_objects()


def make_task(name, values, kind=None):
    """Find out what kind of target a task has, and what is in it.

    Parameters
    ----------
    name : str or int
        Of the task.
    values : Series
        Its target, missing where it is not known.
    kind : {"classification", "regression"} or None
        None leaves it to :func:`~sklearn.utils.multiclass.type_of_target`.

    Returns
    -------
    ClassTask or NumberTask
        The task.
    """
    known = known_values(values)
    if not len(known):
        raise ValueError(f"task {name!r} has no label at all.")
    if kind is None:
        found = type_of_target(known, input_name=f"y[{name!r}]")
        if found.startswith("unknown"):
            raise ValueError(f"task {name!r} holds neither classes nor numbers.")
        kind = "regression" if found.startswith("continuous") else "classification"
    return (ClassTask if kind == "classification" else NumberTask)(name, known)


def known_values(values):
    """Give the labels that are not missing, as an array."""
    return values[values.notna()].infer_objects().to_numpy()


def encode_tasks(tasks, columns):
    """Give all targets as numbers.

    Parameters
    ----------
    tasks : dict of str to task
        The tasks.
    columns : dict of str to Series
        Their targets.

    Returns
    -------
    ndarray of shape (n_samples, n_tasks), float32
        Numbers of the classes, and standardised numbers; NaN where missing.
    """
    n_samples = len(next(iter(columns.values())))
    encoded = np.full((n_samples, len(tasks)), np.nan, np.float32)
    for i, (name, task) in enumerate(tasks.items()):
        known = columns[name].notna().to_numpy()
        if known.any():
            encoded[known, i] = task.encode(known_values(columns[name]))
    return encoded


def score_tasks(tasks, columns, outputs, rows=None):
    """Score each task's outputs on the rows whose label is known.

    Parameters
    ----------
    tasks : dict of str to task
        The tasks.
    columns : dict of str to Series
        Their targets.
    outputs : tuple of ndarray of shape (n_samples, n_outputs)
        What the network gives for each.
    rows : ndarray of int or None
        Rows to look at, if not all.

    Returns
    -------
    dict of str to float
        Accuracy or R2; NaN where no label is known.
    """
    scores = {}
    for (name, task), predicted in zip(tasks.items(), outputs):
        values = columns[name]
        known = values.notna().to_numpy()
        chosen = np.flatnonzero(known) if rows is None else rows[known[rows]]
        scores[name] = np.nan
        if len(chosen):
            truth = known_values(values[chosen])
            scores[name] = float(task.score(truth, task.decode(predicted[chosen])))
    return scores
