"""What all fusion estimators share: fitting a model per modality, and predicting."""

from abc import abstractmethod
from numbers import Integral
from typing import NamedTuple

from sklearn.base import clone, is_classifier
from sklearn.callback import CallbackSupportMixin
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch, get_tags
from sklearn.utils.validation import check_consistent_length

from .._columns.table import select_columns
from .._members.columns import annotate
from .._members.labels import complete_class_weights
from .._members.rows import (
    AbsentModalityError,
    fit_present,
    predict_fold,
    predict_present,
)
from .._members.specs import Member, ModalitySpecs
from .._utils.imports import StrOptions, print_elapsed_time
from .._utils.notices import warn_user
from .._utils.parallel import run_calls
from ..exceptions import AbstentionWarning
from ._routing import RoutingMixin


class Job(NamedTuple):
    """One fit of a member: on all rows, or on a fold's, to predict its other rows."""

    member: Member
    fold: tuple | None = None  # rows to fit on, rows to predict


class BaseFusion(RoutingMixin, CallbackSupportMixin, ModalitySpecs):
    """Fits one model per modality, on the rows where that modality is present.

    Subclasses add how the predictions are combined.
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

    def _fit_members(self, members, X, y, params, folds=()):
        """Fit a model per modality, and another clone of it per fold.

        Sets ``estimators_`` and ``named_estimators_``. Returns the out-of-fold
        predictions of each modality that is kept, one :class:`RowPredictions` per fold.
        A frozen model is not fitted again: it predicts all rows at once.
        """
        self._methods = {
            m.name: self._pick_method(m.name, m.estimator) for m in members
        }
        context = self._init_callback_context(max_subtasks=len(members))
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        jobs = [Job(member) for member in members]
        jobs += [Job(m, fold) for m in members if not _is_frozen(m) for fold in folds]
        results = self._run_jobs(jobs, X, y, params, context)
        self._set_members(
            {j.member.name: r for j, r in zip(jobs, results) if j.fold is None}
        )
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        oof_predictions = {name: [] for name in self._columns}
        for job, result in zip(jobs, results):
            if job.fold is not None and job.member.name in oof_predictions:
                oof_predictions[job.member.name].append(result)
        for name, parts in oof_predictions.items():
            if folds and not parts:
                parts.append(self._predict_member(name, X))
            oof_predictions[name] = self._leave_out_errors(name, parts)
        return list(oof_predictions.values())

    def _leave_out_errors(self, name, parts):
        """Let a model abstain in the folds whose training rows it refused."""
        errors = [part for part in parts if isinstance(part, ValueError)]
        if not errors:
            return parts
        if len(errors) == len(parts):
            raise errors[0]
        warn_user(
            f"modality {name!r} abstains in {len(errors)} of {len(parts)} folds, in "
            f"which its model could not be fitted: {errors[0]}",
            AbstentionWarning,
        )
        return [part for part in parts if not isinstance(part, ValueError)]

    def _run_jobs(self, jobs, X, y, params, context):
        members = [job.member for job in jobs if job.fold is None]
        routed = self._route_params(members, y, params)
        tables = {m.name: select_columns(X, m.columns) for m in members}
        numbers = {m.name: number for number, m in enumerate(members, start=1)}
        calls = []
        for job in jobs:
            name, estimator, columns = job.member
            estimator = complete_class_weights(clone(estimator), y)
            member = Member(name, estimator, columns)
            data = (member, tables[name], y, routed[name])
            if job.fold is None:
                message = self._log_message(name, numbers[name], len(members))
                task = context.subcontext(task_name=f"fit-{name}")
                calls.append((_fit_member, *data, message, self, task))
            else:
                calls.append((_predict_fold, *data, job.fold, self._methods[name]))
        return run_calls(calls, self.n_jobs)

    def _set_members(self, fitted):
        """Keep the fitted models, and drop modalities that are absent everywhere."""
        for name, model in fitted.items():
            if isinstance(model, AbsentModalityError):
                self._drop_absent(name, model)
        self.estimators_ = [fitted[name][0] for name in self._columns]
        self._codes = {name: fitted[name][1] for name in self._columns}
        kept = dict(zip(self._columns, self.estimators_))
        self.named_estimators_ = Bunch(
            **{name: kept.get(name, "drop") for name, _, _ in self.estimators}
        )

        for name, codes in self._codes.items():
            if codes is not None and codes.refusal is not None:
                warn_user(
                    f"modality {name!r} knows only the classes "
                    f"{codes.labels[0].tolist()}: the others have too few rows for its "
                    f"model, which refused them: {codes.refusal}",
                    UserWarning,
                )

    def _drop_absent(self, name, error):
        if self.on_absent != "drop" or len(self._columns) == 1:
            raise error
        del self._columns[name], self._methods[name]
        warn_user(
            f"modality {name!r} is missing from every row of X and left out.",
            UserWarning,
        )

    def _log_message(self, name, number, total):
        if not self.verbose:
            return None
        return f"({number} of {total}) Fitting {name}"

    def _predict_member(self, name, X):
        """Predict the rows where a modality is present, by its fitted model."""
        columns, estimator = self._columns[name], self.named_estimators_[name]
        with annotate(name, columns):
            return predict_present(
                estimator,
                select_columns(X, columns),
                self._methods[name],
                self._codes[name],
            )


def _is_frozen(member):
    return isinstance(member.estimator, FrozenEstimator)


def _fit_member(member, X, y, params, message, caller, task):
    name, estimator, columns = member
    with annotate(name, columns), print_elapsed_time(type(caller).__name__, message):
        check_consistent_length(X, y)
        with task.propagate_callback_context(estimator):
            task.call_on_fit_task_begin(estimator=caller, X=X, y=y)
            try:
                fitted = fit_present(estimator, X, y, params)
            except AbsentModalityError as error:
                if caller.on_absent == "raise":
                    raise
                fitted = error
            except ValueError as error:
                if y.ndim == 1 or get_tags(estimator).target_tags.multi_output:
                    raise
                raise ValueError(_explain_outputs(name, estimator, y)) from error
            task.call_on_fit_task_end(estimator=caller, X=X, y=y)
    return fitted


def _explain_outputs(name, estimator, y):
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    kind = "Classifier" if is_classifier(estimator) else "Regressor"
    return (
        f"modality {name!r}: {type(estimator).__name__} learns one target, but y has "
        f"{y.shape[1]} columns. Fit a model for each column, by "
        f"MultiOutput{kind} around this model or around the whole estimator."
    )


def _predict_fold(member, X, y, params, fold, method):
    with annotate(member.name, member.columns):
        return predict_fold(member.estimator, X, y, fold, method, params)
