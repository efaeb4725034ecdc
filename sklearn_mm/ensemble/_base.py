"""What all fusion estimators share: modality specs, columns, fitting, abstention."""

import warnings
from abc import abstractmethod
from numbers import Integral

from sklearn.base import clone
from sklearn.callback import CallbackSupportMixin
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Bunch
from sklearn.utils.validation import check_consistent_length

from .._columns.table import select_columns
from .._members.columns import annotate
from .._members.rows import (
    AbsentModalityError,
    answer_fold,
    fit_present,
    predict_present,
)
from .._members.specs import ModalitySpecs
from .._utils.imports import StrOptions, print_elapsed_time
from .._utils.parallel import run_calls
from ._routing import RoutingMixin


class BaseFusion(RoutingMixin, CallbackSupportMixin, ModalitySpecs):
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
            calls.append((_fit_member, clone(estimator), *own, message, self, task))
            if not isinstance(estimator, FrozenEstimator):
                calls += [
                    (_answer_fold, clone(estimator), *own, fold, methods[name])
                    for fold in folds
                ]
        results = iter(run_calls(calls, self.n_jobs))
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
