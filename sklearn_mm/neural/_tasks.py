"""Tasks: how a target becomes numbers to train on, and outputs become predictions."""

import numpy as np
import torch
from scipy.special import softmax
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import assert_all_finite

from .._utils.targets import check_target, compute_mean_and_std
from ._batches import take_some

KINDS = ("classification", "regression")


class ClassTask:
    """Predict classes.

    Parameters
    ----------
    labels : ndarray of shape (n_known,)
        Labels from which the classes and their frequencies are learned.
    classes : array-like of shape (n_classes,) or None
        The classes, if ``labels`` may lack some.
    name : str, default="y"
        Name of the target in error messages.
    """

    _trusted = True
    kind = "classification"

    def __init__(self, labels, classes=None, name="y"):
        self.name = name
        self.classes = np.unique(labels if classes is None else classes)
        self.n_outputs = len(self.classes)
        counts = np.bincount(self.encode(labels), minlength=self.n_outputs)
        self.prior = counts / counts.sum()

    @staticmethod
    def check(y, samples, owner):
        """Return a target as labels ``(n_samples,)``; raise if it holds none."""
        check_target(y, owner)
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind in ("multilabel-indicator", "multiclass-multioutput"):
            raise ValueError(
                f"{owner} takes one label per sample, got a {kind} target of shape "
                f"{np.shape(y)}. Undo a one-hot encoding by y.argmax(axis=1)."
            )
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        check_consistent_length(samples, y)
        return y

    def encode(self, labels):
        """Return the positions of labels in ``classes``, int64."""
        codes = np.searchsorted(self.classes, labels).clip(max=self.n_outputs - 1)
        unknown = np.unique(labels[self.classes[codes] != labels])
        if len(unknown):
            raise ValueError(
                f"{self.name} holds the classes {unknown.tolist()}, which are not in "
                f"{self.classes}."
            )
        return codes.astype(np.int64)

    def decode(self, outputs):
        """Return the label of each row's highest output."""
        return self.classes[outputs.argmax(axis=1)]

    def make_prior_outputs(self):
        """Return the outputs that stand for the frequencies of the classes."""
        return np.log(self.prior)

    def compute_proba(self, outputs):
        """Return the probabilities of the classes."""
        return softmax(outputs, axis=1)

    def trace(self, outputs):
        """Compute the probabilities from a tensor of outputs."""
        return outputs.softmax(dim=1)

    def score(self, labels, predicted):
        """Return the accuracy."""
        return float(accuracy_score(labels, predicted))


class NumberTask:
    """Predict numbers, which are standardised for training.

    Parameters
    ----------
    y : ndarray of shape (n_known,) or (n_known, n_targets)
        Numbers from which mean and standard deviation are learned.
    name : str, default="y"
        Name of the target in error messages.
    """

    _trusted = True
    kind = "regression"

    def __init__(self, y, name="y"):
        self.name = name
        y = self._as_floats(y)
        self.ndim = y.ndim
        self.mean, self.std = compute_mean_and_std(y.reshape(len(y), -1), name)
        self.n_outputs = len(self.mean)

    @staticmethod
    def check(y, samples, owner):
        """Return a target as numbers; raise if it holds none."""
        check_target(y, owner)
        try:
            y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        except (TypeError, ValueError) as error:
            if "could not convert" not in str(error):
                raise
            raise ValueError(
                f"{owner} predicts numbers, but y holds others: {error}. Use a "
                "classifier for labels."
            ) from None
        check_consistent_length(samples, y)
        return y

    def encode(self, y):
        """Standardise numbers: ``(n_samples, n_targets)``, float32."""
        y = self._as_floats(y)
        return ((y.reshape(len(y), -1) - self.mean) / self.std).astype(np.float32)

    def decode(self, outputs):
        """Return outputs in the target's own units."""
        predicted = outputs * self.std + self.mean
        return predicted[:, 0] if self.ndim == 1 else predicted

    def make_prior_outputs(self):
        """Return the outputs that stand for the mean."""
        return np.zeros(self.n_outputs, np.float32)

    def trace(self, outputs):
        """Compute predictions in the target's units from a tensor of outputs."""
        mean, std = map(torch.from_numpy, (self.mean, self.std))
        predicted = outputs.double() * std + mean
        return predicted[:, 0] if self.ndim == 1 else predicted

    def score(self, y, predicted):
        """Return R2; NaN for fewer than two samples."""
        return float(r2_score(y, predicted)) if len(y) > 1 else np.nan

    def _as_floats(self, y):
        try:
            y = np.asarray(y, dtype=np.float64)
        except (TypeError, ValueError):
            raise ValueError(
                f"{self.name} is a regression, but holds {y[0]!r}."
            ) from None
        if not np.isfinite(y).all():
            raise ValueError(f"{self.name} holds infinity.")
        return y


class ReconstructionTask:
    """Reconstruct the input, standardised feature by feature.

    Parameters
    ----------
    samples : ndarray of shape (n_samples, ...)
        Training samples; NaN does not count.
    """

    _trusted = True

    kind = "autoencoder"

    def __init__(self, samples):
        some = take_some(samples).reshape(-1, samples[0].size)
        known = ~np.isnan(some)
        n_known = np.maximum(known.sum(axis=0), 1)
        mean = np.nansum(some, axis=0, dtype=np.float64) / n_known
        deviation = np.where(known, some - mean, 0)
        std = np.sqrt((deviation**2).sum(axis=0) / n_known)
        self.mean = mean.astype(np.float32)
        self.std = np.where(std > 0, std, 1).astype(np.float32)
        self.n_outputs = len(self.mean)

    @staticmethod
    def check(y, samples, owner):
        """Return None: there is no target."""
        return None

    def encode(self, y):
        """Return None: the input is the target."""
        return None

    def compute_loss(self, outputs, x):
        """Compute the mean squared error over the values of ``x`` that are not NaN."""
        x = x.to(outputs.device).flatten(1)
        n_values = x.shape[1]  # of a sequence shorter than those in fit
        mean = torch.as_tensor(self.mean, device=x.device)[:n_values]
        std = torch.as_tensor(self.std, device=x.device)[:n_values]
        target = (x - mean) / std
        known = ~torch.isnan(target)
        error = (outputs.float()[:, :n_values] - target.nan_to_num()) * known
        return error.square().sum() / known.sum().clamp_min(1)


class TaskGroup:
    """Several tasks side by side, with labels that may be missing.

    Parameters
    ----------
    tasks : dict of str to ClassTask or NumberTask
        The tasks by name.
    """

    _trusted = True

    def __init__(self, tasks):
        self.tasks = tasks
        self.n_outputs = [task.n_outputs for task in tasks.values()]

    @property
    def classes(self):
        """Labels of the tasks that are classifications, by name."""
        return {
            name: task.classes
            for name, task in self.tasks.items()
            if task.kind == "classification"
        }

    def encode(self, columns):
        """Encode all targets.

        Parameters
        ----------
        columns : dict of str to Series
            The target of each task, missing where it is not known.

        Returns
        -------
        ndarray of shape (n_samples, n_tasks), float32
            Class numbers, and standardised numbers; NaN where missing.
        """
        columns = self.match(columns)
        n_samples = len(next(iter(columns.values())))
        encoded = np.full((n_samples, len(self.tasks)), np.nan, np.float32)
        for i, (name, task) in enumerate(self.tasks.items()):
            known = columns[name].notna().to_numpy()
            if known.any():
                codes = task.encode(drop_missing_labels(columns[name]))
                encoded[known, i] = codes.reshape(len(codes))
        return encoded

    def score(self, columns, outputs, rows=None):
        """Score each task on the rows whose label is known.

        Parameters
        ----------
        columns : dict of str to Series
            The target of each task.
        outputs : tuple of ndarray of shape (n_samples, n_outputs)
            The network's outputs for each task.
        rows : ndarray of int or None
            The rows to score, all by default.

        Returns
        -------
        dict of str to float
            Accuracy or R2; NaN where no label is known.
        """
        columns, scores = self.match(columns), {}
        for (name, task), predicted in zip(self.tasks.items(), outputs):
            known = columns[name].notna().to_numpy()
            chosen = np.flatnonzero(known) if rows is None else rows[known[rows]]
            scores[name] = np.nan
            if len(chosen):
                labels = drop_missing_labels(columns[name][chosen])
                scores[name] = task.score(labels, task.decode(predicted[chosen]))
        return scores

    def match(self, columns):
        """Return the columns by the tasks' names; raise if they are others."""
        if len(columns) == len(self.tasks) == 1:  # whatever it is called
            return dict(zip(self.tasks, columns.values()))
        if set(columns) != set(self.tasks):
            raise ValueError(
                f"y holds the tasks {list(columns)}, but fit saw {list(self.tasks)}."
            )
        return columns


def check_task_names(parameter, values, columns):
    """Raise if a dict that is a parameter of the network names other tasks."""
    unknown = set(values) - set(columns) if isinstance(values, dict) else ()
    if unknown:
        raise ValueError(
            f"{parameter} names {sorted(map(str, unknown))}, but the tasks are "
            f"{list(columns)}."
        )


def make_tasks(columns, kinds):
    """Make the tasks of a table of targets.

    Parameters
    ----------
    columns : dict of str to Series
        The target of each task.
    kinds : dict of str to {"classification", "regression"}
        Kinds of some tasks; the others are inferred.

    Returns
    -------
    dict of str to ClassTask or NumberTask
        The tasks.
    """
    for name, kind in kinds.items():
        if kind not in KINDS:
            raise ValueError(
                f"task_kinds[{name!r}] must be one of {KINDS}, got {kind!r}."
            )
    return {
        name: _make_task(name, values, kinds.get(name))
        for name, values in columns.items()
    }


def _make_task(name, values, kind=None):
    known = drop_missing_labels(values)
    if not len(known):
        raise ValueError(f"task {name!r} has no label at all.")
    if kind is None:
        found = type_of_target(known, input_name=f"y[{name!r}]")
        if found.startswith("unknown"):
            raise ValueError(f"task {name!r} holds neither classes nor numbers.")
        kind = "regression" if found.startswith("continuous") else "classification"
    task = ClassTask if kind == "classification" else NumberTask
    return task(known, name=f"task {name!r}")


def drop_missing_labels(values):
    """Return the labels of a Series that are known, as an array."""
    return values[values.notna()].infer_objects().to_numpy()
