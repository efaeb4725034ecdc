"""Task fusion: one network, a head and a loss for each of several targets."""

from numbers import Real

import numpy as np
import pandas as pd
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length
from skorch.utils import is_dataset

from .._columns.table import read_table
from .._utils.imports import StrOptions, is_instance
from ._branches import PRESENT
from ._multimodal import BaseMultimodalNet, hide_absent, warn_absent
from ._task_loss import TaskLoss
from ._tasks import KINDS, encode_tasks, make_task, score_tasks, split_tasks


def _has_classes(net):
    kinds = getattr(net, "tasks_", {"any": "classification"}).values()
    if "classification" not in kinds:
        raise AttributeError("predict_proba needs a task that is a classification.")
    return True


class MultitaskNet(BaseMultimodalNet):
    """Train one network for several tasks, classifications and regressions mixed.

    All tasks share the branches and their fusion; each has a linear head and a loss of
    its own. A label that is missing (None, NaN) is skipped, so that tasks with few
    labels learn from what the others' teach the shared layers.

    Parameters
    ----------
    branches : list of (str, transformer, module, columns)
        Name, transformer, backbone and columns of each branch, one or more, see
        :class:`MultimodalNetClassifier`.
    criterion : class, default=TaskLoss
        Combines the losses of the tasks; see :class:`~sklearn_mm.neural.TaskLoss`.
    task_kinds : dict or None, default=None
        By task "classification" or "regression", where
        :func:`~sklearn.utils.multiclass.type_of_target` would be wrong: it takes whole
        numbers for classes.
    task_weights : dict, {"uncertainty", "gradnorm"} or None, default=None
        Weights of the tasks' losses, 1 where there is none; learned as the tasks' noise
        [1]_; or such that all learn equally fast [2]_.
    **kwargs : dict
        See :class:`MultimodalNetClassifier`.

    Attributes
    ----------
    tasks_ : dict of str to {"classification", "regression"}
        The tasks, in the order of the columns of ``y``.
    classes_ : dict of str to ndarray
        Labels of the tasks that are classifications.
    task_weights_ : dict of str to float
        Weights of the losses at the end of training.
    module_ : torch.nn.Module
        The trained network, with ``module_.backbones``, ``fusion`` and ``head``.
    transformers_ : dict of str to transformer
        Fitted; None stands for "passthrough".
    input_shapes_ : dict of str to tuple of int
        Shape of each branch's samples.
    history_ : skorch History
        Losses by epoch; the validation loss counts tasks equally unless weights are
        given.
    n_features_in_ : int
        Number of columns of the table.

    Notes
    -----
    Numbers are standardised for training, so that tasks of any unit weigh alike. For
    ``GridSearchCV`` let ``y`` be a DataFrame or an array; ``scoring`` may be a function
    that returns ``estimator.score_by_task(X, y)``, to see every task.

    References
    ----------
    .. [1] A. Kendall, Y. Gal and R. Cipolla (2018), "Multi-task learning using
       uncertainty to weigh losses for scene geometry and semantics", CVPR.
    .. [2] Z. Chen, V. Badrinarayanan, C.-Y. Lee and A. Rabinovich (2018), "GradNorm:
       gradient normalization for adaptive loss balancing in deep multitask networks",
       ICML.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_mm import MultitaskNet
    >>> from sklearn_mm.nets import TabularMLP
    >>> X, y = load_wine(return_X_y=True, as_frame=True)
    >>> targets = pd.DataFrame({"cultivar": y, "color": X.pop("color_intensity")})
    >>> net = MultitaskNet(
    ...     [("wine", "passthrough", TabularMLP, list(X.columns))],
    ...     fusion="concat",
    ...     random_state=0,
    ... )
    >>> net.fit(X, targets).predict(X).dtypes.to_dict()
    {'cultivar': dtype('int64'), 'color': dtype('float64')}
    >>> net.tasks_
    {'cultivar': 'classification', 'color': 'regression'}
    """

    _parameter_constraints: dict = {
        **BaseMultimodalNet._parameter_constraints,
        "task_kinds": [dict, None],
        "task_weights": [dict, StrOptions({"uncertainty", "gradnorm"}), None],
    }

    def __init__(
        self,
        branches,
        *,
        criterion=TaskLoss,
        task_kinds=None,
        task_weights=None,
        **kwargs,
    ):
        super().__init__(branches, criterion=criterion, **kwargs)
        self.task_kinds = task_kinds
        self.task_weights = task_weights

    def predict(self, X):
        """Predict all targets.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays
            The table.

        Returns
        -------
        DataFrame, dict of ndarray, or ndarray of shape (n_samples, ...)
            What ``y`` was in ``fit``.
        """
        outputs = self._ask(X)
        predicted = {
            name: task.decode(output)
            for (name, task), output in zip(self._tasks.items(), outputs)
        }
        return self._pack(predicted, X)

    @available_if(_has_classes)
    def predict_proba(self, X):
        """Probabilities of the classes, of the tasks that are classifications.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays
            The table.

        Returns
        -------
        dict of str to ndarray of shape (n_samples, n_classes)
            By task, in the order of ``classes_[task]``; the array by itself if ``y``
            was a vector.
        """
        outputs = self._ask(X)
        proba = {
            name: task.find_proba(output)
            for (name, task), output in zip(self._tasks.items(), outputs)
            if task.kind == "classification"
        }
        return next(iter(proba.values())) if self._container == "vector" else proba

    def score(self, X, y):
        """Mean over the tasks of what ``score_by_task`` gives.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays
            The table.
        y : DataFrame, dict of arrays, or array
            Targets; missing labels do not count.

        Returns
        -------
        float
            The mean score.
        """
        return float(np.nanmean(list(self.score_by_task(X, y).values())))

    def score_by_task(self, X, y):
        """Score each task: accuracy of classes, R2 of numbers.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays
            The table.
        y : DataFrame, dict of arrays, or array
            Targets; missing labels do not count.

        Returns
        -------
        dict of str to float
            Scores; NaN for a task without labels.
        """
        outputs = self._ask(X)
        return score_tasks(self._tasks, self._read_tasks(y), outputs)

    @property
    def task_weights_(self):
        """Weights of the losses at the end of training, by task."""
        loss = self.criterion_
        weights = loss.weights
        if self.task_weights == "uncertainty":
            weights = (-loss.log_variance.detach()).exp()
        return dict(zip(self._tasks, weights.tolist()))

    # Targets.

    def _check_samples(self, X, reset, y=None):
        if y is not None:
            check_consistent_length(read_table(X), *split_tasks(y).values())
        return super()._check_samples(X, reset)  # no transformer learns from gaps

    def _encode_target(self, samples, y, fresh, classes):
        if y is None:
            raise ValueError(
                "MultitaskNet requires y to be passed, but the target y is None."
            )
        columns = split_tasks(y)
        if fresh:
            kinds = self._check_kinds(columns)
            self._tasks = {
                name: make_task(name, values, kinds.get(name))
                for name, values in columns.items()
            }
            self.tasks_ = {name: task.kind for name, task in self._tasks.items()}
            self.classes_ = {
                name: task.classes
                for name, task in self._tasks.items()
                if task.kind == "classification"
            }
            self._container = _find_container(y)
        return encode_tasks(self._tasks, self._read_tasks(y))

    def _check_kinds(self, columns):
        for parameter in ("task_kinds", "task_weights"):
            given = getattr(self, parameter)
            unknown = set(given) - set(columns) if isinstance(given, dict) else ()
            if unknown:
                raise ValueError(
                    f"{parameter} names {sorted(map(str, unknown))}, but the tasks are "
                    f"{list(columns)}."
                )
        kinds = self.task_kinds or {}
        for name, kind in kinds.items():
            if kind not in KINDS:
                raise ValueError(
                    f"task_kinds[{name!r}] must be one of {KINDS}, got {kind!r}."
                )
        return kinds

    def _read_tasks(self, y):
        columns = split_tasks(y)
        if len(columns) == len(self._tasks) == 1:  # whatever it is called
            return dict(zip(self._tasks, columns.values()))
        if set(columns) != set(self._tasks):
            raise ValueError(
                f"y holds the tasks {list(columns)}, but fit saw {list(self._tasks)}."
            )
        return columns

    def _count_outputs(self):
        return [task.n_outputs for task in self._tasks.values()]

    # Losses.

    def initialize_criterion(self):
        """Build what combines the tasks' losses."""
        options = self.get_params_for("criterion")
        options.setdefault("kinds", list(self.tasks_.values()))
        options.setdefault("weights", self._list_weights())
        self.criterion_ = self.criterion(**options)
        return self

    def _list_weights(self):
        if not isinstance(self.task_weights, dict):
            return self.task_weights
        weights = [self.task_weights.get(name, 1.0) for name in self._tasks]
        for weight in weights:
            if not isinstance(weight, Real) or weight < 0:
                raise ValueError(f"task_weights must not be negative, got {weight!r}.")
        return weights

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Combine the losses of the tasks."""
        if training and self.task_weights == "gradnorm":
            target = y_true[0] if isinstance(y_true, tuple | list) else y_true
            target = target.to(y_pred.fused.device)
            self.criterion_.balance(y_pred.prediction, target, y_pred.fused)
        return super().get_loss(y_pred, y_true, X, training)

    def _find_loss(self, y_pred, y_true, weight, training):
        return self.criterion_(y_pred, y_true, weight, training)

    def _find_row_losses(self, y_pred, y_true):
        return self.criterion_.find_row_losses(y_pred, y_true).nanmean(dim=1)

    # Outputs.

    def _ask(self, X):
        """Give each task's outputs; where every modality is missing, its prior."""
        samples = self._check_fitted_samples(X)
        outputs = self._evaluate(samples, "prediction")
        if not is_dataset(X):
            absent = ~samples[PRESENT].any(axis=1)
            if absent.any():
                for task, output in zip(self._tasks.values(), outputs):
                    output[absent] = task.prior
                warn_absent(absent)
        return outputs

    def _list_outputs(self):
        return [str(name) for name in self._tasks]

    def _list_classes(self):
        return {name: classes.tolist() for name, classes in self.classes_.items()}

    def _trace(self, module, inputs):
        *inputs, present = inputs
        outputs = module.predict_all(inputs, present)
        return tuple(
            task.trace(hide_absent(output, present, task.prior))
            for task, output in zip(self._tasks.values(), outputs)
        )

    def _pack(self, predicted, X):
        """Give predictions in the container that ``y`` came in."""
        if self._container == "dict":
            return predicted
        if self._container in ("pandas", "polars"):
            index = X.index if isinstance(X, pd.DataFrame) else None
            frame = pd.DataFrame(predicted, index=index)
            return frame if self._container == "pandas" else _as_polars(predicted)
        if self._container == "vector":
            return next(iter(predicted.values()))
        if len({array.dtype.kind in "OU" for array in predicted.values()}) > 1:
            predicted = {name: a.astype(object) for name, a in predicted.items()}
        return np.column_stack(list(predicted.values()))

    def _score_outputs(self, outputs, y, rows):
        """Mean score of a head's outputs over the tasks, on some rows."""
        scores = score_tasks(self._tasks, self._read_tasks(y), outputs, rows)
        known = [score for score in scores.values() if not np.isnan(score)]
        return float(np.mean(known)) if known else np.nan

    def __sklearn_tags__(self):
        """Say that there may be several targets."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.required = True
        return tags


def _find_container(y):
    if isinstance(y, dict):
        return "dict"
    if isinstance(y, pd.DataFrame):
        return "pandas"
    if is_instance(y, "polars", "DataFrame"):
        return "polars"
    return "vector" if np.asarray(y).ndim == 1 else "array"


def _as_polars(predicted):
    import polars

    return polars.DataFrame(predicted)
