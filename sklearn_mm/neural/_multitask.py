"""Task fusion: one network, a head and a loss for each of several targets."""

import numpy as np
import torch
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length
from skorch.dataset import Dataset
from skorch.utils import is_dataset

from .._columns.table import read_table
from .._utils.imports import StrOptions
from ._batches import TensorBatches
from ._branches import PRESENT
from ._multimodal import BaseMultimodalNet, hide_absent
from ._parameters import store_parameters
from ._samples import warn_absent
from ._target import Target
from ._task_loss import TaskLoss, list_weights
from ._task_tables import get_container, pack_predictions, split_tasks
from ._tasks import TaskGroup, check_task_names, make_tasks


def _has_classes(net):
    if "classification" not in getattr(net, "tasks_", {0: "classification"}).values():
        raise AttributeError("predict_proba needs a task that is a classification.")
    return True


class MultitaskNet(BaseMultimodalNet):
    """Train one network for several tasks, classification and regression mixed.

    All tasks share the branches and their fusion; each has a linear head and a loss of
    its own. Missing labels (None, NaN) are skipped, so that tasks with few labels
    benefit from the layers that they share with the others.

    Parameters
    ----------
    estimators : list of (str, transformer, columns)
        Name, transformer and columns of each branch, one or more, as in
        :class:`~sklearn.compose.ColumnTransformer`. See
        :class:`MultimodalNetClassifier`.
    backbones : dict of str to class or instance of torch.nn.Module
        The backbone of each branch by name, one of :mod:`sklearn_mm.nets` or your
        own, see :class:`NetClassifier`.
    criterion : class, default=TaskLoss
        Combines the losses of the tasks; see :class:`~sklearn_mm.neural.TaskLoss`.
    task_kinds : dict or None, default=None
        "classification" or "regression" by task, where
        :func:`~sklearn.utils.multiclass.type_of_target` would be wrong: it takes whole
        numbers for classes.
    task_weights : dict, {"uncertainty", "gradnorm"} or None, default=None
        Weights of the tasks' losses, 1 for those not in a dict. "uncertainty" learns
        them as the noise of the tasks, "gradnorm" such that all tasks learn at the same
        rate; see :class:`~sklearn_mm.neural.TaskLoss`.
    fusion : str, class or instance of torch.nn.Module, default="transformer"
        How the branches are joined to one vector; see
        :class:`MultimodalNetClassifier` for the names.
    modality_dropout : float, default=0.0
        Probability that a modality is left out of a training step, drawn for each row;
        one always stays. Trains the network for missing modalities.
    auxiliary_loss : float, default=0.0
        Weight of the mean loss of additional heads, one for each branch, which
        ``branch_scores`` evaluates; 0 adds no such heads.
    balance : {"ogm"} or None, default=None
        "ogm" slows down branches that learn faster than the others; see
        :class:`MultimodalNetClassifier`.
    init_from : dict of str to NetEncoder or None, default=None
        Fitted networks, or pipelines that end in one, from whose backbones the branches
        take their initial weights.
    freeze : list of str, "all" or None, default=None
        Branches whose backbone is not trained.
    on_absent : {"raise", "drop"}, default="raise"
        What to do if a modality is missing from every row in ``fit``: raise an error,
        or leave it out.
    optimizer : class, default=torch.optim.Adam
        Optimizer.
    lr : float, default=0.001
        Learning rate.
    max_epochs : int, default=100
        Maximum number of epochs.
    batch_size : int, default=64
        Samples per batch; -1 puts all of them into one batch.
    early_stopping : bool, default=True
        Whether to stop when the loss on a validation set no longer improves, and to
        restore the best epoch. With fewer than ``1 / validation_fraction`` samples
        there is no validation set.
    validation_fraction : float, default=0.1
        Share of the samples in the validation set, stratified by class.
    n_iter_no_change : int, default=10
        Epochs without improvement after which training stops.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the order of the batches and dropout. The same seed
        gives the same weights on a CPU. torch's global generators are left untouched.
    device : str, torch.device or None, default="auto"
        Device to compute on. "auto" is cuda if available, else mps, else the CPU. A
        network fitted on a GPU can be loaded where there is none.
    mixed_precision : bool, default=False
        Whether to compute in bfloat16 where that is safe; on cuda only.
    warm_start : bool, default=False
        Whether ``fit`` continues from the current weights.
    verbose : int, default=0
        1 prints one line per epoch.
    callbacks : list or None, default=None
        skorch callbacks, in addition to the default ones.
    train_split : callable or None, default=None
        skorch's way to split off a validation set, replaces ``validation_fraction``.
    iterator_train, iterator_valid : class, default=TensorBatches
        Iterate over batches. Use :class:`torch.utils.data.DataLoader` for data that are
        not arrays.
    dataset : class, default=skorch.dataset.Dataset
        Holds the samples.
    predict_nonlinearity : callable, "auto" or None, default="auto"
        Turns outputs into probabilities; softmax for the default criterion.
    compile : bool, default=False
        Whether to use ``torch.compile``, which does not pay off for small networks.
    use_caching : bool or "auto", default="auto"
        Whether skorch's scoring callbacks share predictions, see skorch.
    torch_load_kwargs : dict or None, default=None
        Arguments of ``torch.load``, see skorch.
    **kwargs : dict
        Options of parts, by a prefix: ``backbones__image__n_filters=8`` is one of the
        backbone of branch "image", ``fusion__n_layers=1`` one of the fusion layer; also
        ``balance__*`` and, as in skorch, ``optimizer__*``, ``criterion__*``,
        ``callbacks__*``, ``iterator_train__*``, ``iterator_valid__*``, ``dataset__*``
        and ``compile__*``.

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
        The fitted transformers; None stands for "passthrough".
    input_shapes_ : dict of str to tuple of int
        Shape of each branch's samples.
    n_tokens_ : dict of str to int
        Size of the vocabulary of each branch whose samples are token ids.
    n_features_in_ : int
        Number of columns of the table.
    feature_names_in_ : ndarray of shape (n_features_in,)
        Names of the columns, if ``X`` was a frame with string column names.
    criterion_ : torch.nn.Module
        The loss.
    optimizer_ : torch.optim.Optimizer
        The optimizer, in its state at the end of training.
    callbacks_ : list of (str, skorch.callbacks.Callback)
        The callbacks of the training.
    history_ : skorch.history.History
        Losses by epoch; validation weighs tasks equally unless weights are given.
    initialized_ : bool
        Whether the network is fitted.
    virtual_params_ : dict
        Parameters that skorch passes on to the optimizer when they are set.

    Notes
    -----
    Numbers are standardised for training. For ``GridSearchCV`` pass ``y`` as a
    DataFrame or an array, and to see every task let ``scoring`` be a function that
    returns ``estimator.score_by_task(X, y)``.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_mm import MultitaskNet
    >>> from sklearn_mm.nets import TabularMLP
    >>> X, y = load_wine(return_X_y=True, as_frame=True)
    >>> targets = pd.DataFrame({"cultivar": y, "color": X.pop("color_intensity")})
    >>> net = MultitaskNet(
    ...     [("wine", "passthrough", list(X.columns))],
    ...     backbones={"wine": TabularMLP},
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
        estimators,
        *,
        backbones,
        criterion=TaskLoss,
        task_kinds=None,
        task_weights=None,
        fusion="transformer",
        modality_dropout=0.0,
        auxiliary_loss=0.0,
        balance=None,
        init_from=None,
        freeze=None,
        on_absent="raise",
        optimizer=torch.optim.Adam,
        lr=0.001,
        max_epochs=100,
        batch_size=64,
        early_stopping=True,
        validation_fraction=0.1,
        n_iter_no_change=10,
        random_state=None,
        device="auto",
        mixed_precision=False,
        warm_start=False,
        verbose=0,
        callbacks=None,
        train_split=None,
        iterator_train=TensorBatches,
        iterator_valid=TensorBatches,
        dataset=Dataset,
        predict_nonlinearity="auto",
        compile=False,
        use_caching="auto",
        torch_load_kwargs=None,
        **kwargs,
    ):
        store_parameters(self, locals())

    def predict(self, X):
        """Predict all targets.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays
            The table.

        Returns
        -------
        DataFrame, dict of ndarray, or ndarray of shape (n_samples, ...)
            Predictions, in the container that ``y`` had in ``fit``.
        """
        predicted = {
            name: task.decode(outputs) for name, task, outputs in self._predict_tasks(X)
        }
        return pack_predictions(predicted, self._container, X)

    @available_if(_has_classes)
    def predict_proba(self, X):
        """Predict the class probabilities of the tasks that are classifications.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays
            The table.

        Returns
        -------
        dict of str to ndarray of shape (n_samples, n_classes)
            By task, in the order of ``classes_[task]``; an array if ``y`` was a vector.
        """
        proba = {
            name: task.compute_proba(outputs)
            for name, task, outputs in self._predict_tasks(X)
            if task.kind == "classification"
        }
        return next(iter(proba.values())) if self._container == "vector" else proba

    def score(self, X, y):
        """Compute the mean of the tasks' scores, see ``score_by_task``.

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
        """Compute the score of each task: accuracy of classes, R2 of numbers.

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
        outputs = [outputs for _, _, outputs in self._predict_tasks(X)]
        return self._task.score(split_tasks(y), outputs)

    @property
    def task_weights_(self):
        """Weights of the losses at the end of training, by task."""
        return dict(zip(self.tasks_, self.criterion_.get_weights().tolist()))

    def _check_samples(self, X, reset, y=None):
        if y is not None:
            check_consistent_length(read_table(X), *split_tasks(y).values())
        return super()._check_samples(X, reset)  # no transformer learns from gaps

    def _make_target(self, samples, y, sample_weight, fresh, classes):
        target = super()._make_target(samples, y, sample_weight, fresh, classes)
        if fresh:
            self._container = get_container(y)
        return target

    def _check_target(self, y, samples):
        if y is None:
            raise ValueError(
                "MultitaskNet requires y to be passed, but the target y is None."
            )
        return split_tasks(y)

    def _make_task(self, samples, columns, classes):
        check_task_names("task_kinds", self.task_kinds, columns)
        check_task_names("task_weights", self.task_weights, columns)
        tasks = make_tasks(columns, self.task_kinds or {})
        self.tasks_ = {name: task.kind for name, task in tasks.items()}
        group = TaskGroup(tasks)
        self.classes_ = group.classes
        return group

    def initialize_criterion(self):
        """Build the loss that combines the tasks' losses."""
        options = self.get_params_for("criterion")
        options.setdefault("kinds", list(self.tasks_.values()))
        options.setdefault("weights", list_weights(self.task_weights, self.tasks_))
        self.criterion_ = self.criterion(**options)
        return self

    def _compute_loss(self, y_pred, target, training):
        return self.criterion_(y_pred, target.codes, target.weight, training)

    def _compute_row_losses(self, y_pred, codes):
        return self.criterion_.compute_row_losses(y_pred, codes).nanmean(dim=1)

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Combine the losses of the tasks."""
        if training and self.task_weights == "gradnorm":
            codes = Target.unpack(y_true).codes.to(y_pred.fused.device)
            self.criterion_.balance(y_pred.prediction, codes, y_pred.fused)
        return super().get_loss(y_pred, y_true, X, training)

    def _predict_tasks(self, X):
        """Return name, task and outputs of each task; without a modality, its prior."""
        samples = self._check_fitted_samples(X)
        outputs = self._evaluate(samples, "predict")
        tasks = self._task.tasks
        if not is_dataset(X):
            absent = ~samples[PRESENT].any(axis=1)
            if absent.any():
                for task, output in zip(tasks.values(), outputs):
                    output[absent] = task.make_prior_outputs()
                warn_absent(absent)
        return list(zip(tasks, tasks.values(), outputs))

    def _score_outputs(self, outputs, y, rows):
        """Compute the mean score of a head's outputs over the tasks, on some rows."""
        scores = self._task.score(split_tasks(y), outputs, rows).values()
        known = [score for score in scores if not np.isnan(score)]
        return float(np.mean(known)) if known else np.nan

    def _list_outputs(self):
        return [str(name) for name in self.tasks_]

    def _list_classes(self):
        return {name: classes.tolist() for name, classes in self.classes_.items()}

    def _trace(self, module, inputs):
        *inputs, present = inputs
        outputs = module.predict_all(inputs, present)
        return tuple(
            task.trace(hide_absent(output, present, task.make_prior_outputs()))
            for task, output in zip(self._task.tasks.values(), outputs)
        )

    def __sklearn_tags__(self):
        """Declare that there may be several targets."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.required = True
        return tags
