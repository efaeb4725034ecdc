"""What all fusion estimators share: modality specs, columns, fitting, abstention."""

import warnings
from abc import abstractmethod
from numbers import Integral

from sklearn.base import BaseEstimator, clone
from sklearn.callback import CallbackSupportMixin
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Bunch, get_tags
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_consistent_length

from .._imports import (
    BaseComposition,
    StrOptions,
    VisualBlock,
    print_elapsed_time,
)
from .._modality import (
    AbsentModalityError,
    answer_fold,
    fit_present,
    predict_present,
)
from .._modality_columns import (
    ModalityColumnsMixin,
    annotate,
    is_nothing,
    select_columns,
)
from ._routing import RoutingMixin


class AbstentionWarning(UserWarning):
    """Rows on which every modality abstained got the training set's prior.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_mm.ensemble import AbstentionWarning
    >>> warnings.simplefilter("ignore", AbstentionWarning)
    """


class BaseFusion(
    RoutingMixin, ModalityColumnsMixin, CallbackSupportMixin, BaseComposition
):
    """Fits one model per modality, on the rows where that modality is present.

    Subclasses add what the answers are combined by.
    """

    _parameter_constraints: dict = {
        "estimators": [list, tuple],
        "on_absent": [StrOptions({"raise", "drop"})],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    @abstractmethod
    def __init__(self, estimators):
        self.estimators = estimators

    # Parameters: (name, estimator, columns) seen as the pairs that scikit-learn knows.

    @property
    def _estimators(self):
        try:
            return [(name, estimator) for name, estimator, _ in self.estimators]
        except (TypeError, ValueError):  # no list of triples: fit says so
            return self.estimators

    @_estimators.setter
    def _estimators(self, pairs):
        self.estimators = [
            (name, estimator, columns)
            for (name, estimator), (_, _, columns) in zip(pairs, self.estimators)
        ]

    def get_params(self, deep=True):
        """Get the parameters, those of the modalities' models as ``name__parameter``.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include those of the models.

        Returns
        -------
        dict
            Values by name.
        """
        return self._get_params("_estimators", deep=deep)

    def set_params(self, **params):
        """Set parameters; ``name="drop"`` leaves a modality out.

        Parameters
        ----------
        **params : dict
            Values by name, as ``get_params`` gives them.

        Returns
        -------
        self
            The estimator.
        """
        self._set_params("_estimators", **params)
        return self

    # Fitting.

    def _fit_members(self, members, X, y, params, folds=()):
        """Fit every modality's model; set ``estimators_``, ``named_estimators_``.

        Give for each what :func:`answer_fold` gives for each of the folds, for which
        other clones of it are fitted; a frozen model answers for all rows at once.
        """
        routed = self._route_params(members, y, params)
        context = self._init_callback_context(max_subtasks=len(members))
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        calls = []
        methods = {name: self._pick_method(name, model) for name, model, _ in members}
        for number, (name, estimator, columns) in enumerate(members, start=1):
            own = (name, columns, select_columns(X, columns), y, routed[name])
            task = context.subcontext(task_name=f"fit-{name}")
            message = self._log_message(name, number, len(members))
            calls.append(
                delayed(_fit_member)(clone(estimator), *own, message, self, task)
            )
            if not isinstance(estimator, FrozenEstimator):
                calls += [
                    delayed(_answer_fold)(clone(estimator), *own, fold, methods[name])
                    for fold in folds
                ]
        results = iter(Parallel(n_jobs=self.n_jobs)(calls))
        answers = []
        self.estimators_ = []
        for name, estimator, _ in list(members):
            fitted = next(results)
            if isinstance(fitted, AbsentModalityError):
                self._drop_absent(name, fitted)
            else:
                self.estimators_.append(fitted)
            frozen = isinstance(estimator, FrozenEstimator)
            given = [] if frozen else [next(results) for _ in folds]
            if name in self._columns:
                answers.append(given)
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        self._methods = [methods[name] for name in self._columns]
        self._name_members()
        if folds:
            self._ask_frozen(X, answers)
        return answers

    def _drop_absent(self, name, error):
        if self.on_absent != "drop" or len(self._columns) == 1:
            raise error
        del self._columns[name]
        warnings.warn(
            f"modality {name!r} is missing from every row of X and left out.",
            UserWarning,
            stacklevel=4,
        )

    def _name_members(self):
        fitted = dict(zip(self._columns, self.estimators_))
        self.named_estimators_ = Bunch(
            **{name: fitted.get(name, "drop") for name, _, _ in self.estimators}
        )

    def _ask_frozen(self, X, answers):
        """Let models that were not fitted here answer for all rows, in place."""
        if all(answers):
            return
        for given, (model, rows, told) in zip(answers, self._iter_answers(X)):
            if not given:
                given.append((rows, told, getattr(model, "classes_", None)))

    def _check_members(self, X):
        """Check the specs; give those not dropped, their columns looked up in ``X``."""
        if not self.estimators or any(
            not isinstance(spec, (tuple, list)) or len(spec) != 3
            for spec in self.estimators
        ):
            raise ValueError(
                "estimators must be a non-empty list of (name, estimator, columns), "
                f"got {self.estimators!r}."
            )
        self._validate_names([name for name, _, _ in self.estimators])
        members = []
        for name, estimator, columns in self.estimators:
            if isinstance(estimator, str) and estimator == "drop":
                continue
            self._check_member(name, estimator)
            if callable(columns):
                columns = columns(X)
                if is_nothing(columns):  # as ColumnTransformer skips them
                    continue
            members.append((name, estimator, columns))
        if not members:
            raise ValueError("All modalities are dropped; at least one is needed.")
        self._columns = {name: columns for name, _, columns in members}
        self._check_columns(X)
        return members

    def _check_member(self, name, estimator):
        if not hasattr(estimator, "fit") or isinstance(estimator, type):
            raise TypeError(
                f"modality {name!r}: expected an estimator or 'drop', got "
                f"{estimator!r}."
            )

    def _log_message(self, name, number, total):
        if not self.verbose:
            return None
        return f"({number} of {total}) Fitting {name}"

    # Predicting.

    def _iter_answers(self, X):
        """Yield each modality's model, the rows it answers for, and its answers."""
        for (name, columns), estimator, method in zip(
            self._columns.items(), self.estimators_, self._methods
        ):
            with annotate(name, columns):
                rows, answers = predict_present(
                    estimator, select_columns(X, columns), method
                )
            yield estimator, rows, answers

    # What scikit-learn asks.

    @property
    def _repr_names(self):
        return [
            f"{name}: {columns}" if isinstance(columns, str) else name
            for name, _, columns in self.estimators
        ]

    def _sk_visual_block_(self):
        """Show the modalities side by side."""
        estimators = [estimator for _, estimator, _ in self.estimators]
        return VisualBlock(
            "parallel", estimators, names=self._repr_names, dash_wrapped=False
        )

    def __sklearn_tags__(self):
        """Say whether cells may be missing: if every modality's model takes them so."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        # A NaN among other cells reaches the model; only absent rows are kept from it.
        models = [pair[1] for pair in _pairs(self._estimators)]
        tags.input_tags.allow_nan = all(
            get_tags(model).input_tags.allow_nan
            for model in models
            if isinstance(model, BaseEstimator)
        )
        return tags


def _pairs(estimators):
    return estimators if isinstance(estimators, list) else []


def _fit_member(estimator, name, columns, X, y, params, message, caller, task):
    with annotate(name, columns), print_elapsed_time(type(caller).__name__, message):
        check_consistent_length(X, y)
        with task.propagate_callback_context(estimator):
            task.call_on_fit_task_begin(estimator=caller, X=X, y=y)
            try:
                estimator = fit_present(estimator, X, y, params)
            except AbsentModalityError as error:
                if caller.on_absent == "raise":
                    raise
                estimator = error
            task.call_on_fit_task_end(estimator=caller, X=X, y=y)
    return estimator


def _answer_fold(estimator, name, columns, X, y, params, fold, method):
    with annotate(name, columns):
        return answer_fold(estimator, X, y, fold, method, params)
