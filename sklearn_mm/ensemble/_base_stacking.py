"""What stacking classifiers and regressors share: features and the final estimator."""

from abc import abstractmethod

import numpy as np
from sklearn.base import TransformerMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import check_is_fitted

from .._columns.table import get_column, list_names, n_rows
from .._members.labels import complete_class_weights, fit_model
from .._members.specs import Member
from .._utils.imports import (
    HasMethods,
    StrOptions,
    check_method_params,
    check_sample_weight,
    fit_context,
    routing_enabled,
)
from .._utils.notices import warn_user
from ..exceptions import AbstentionWarning
from ._base import BaseFusion
from ._folds import make_splitter
from ._out_of_fold import EQUAL, OutOfFoldMixin, number_tests, take_predictions
from ._pool import Pool
from ._routing import route_weight
from ._rules import PoolingRule


class BaseStacking(TransformerMixin, OutOfFoldMixin, BaseFusion):
    """Fits a final estimator on the members' out-of-fold predictions.

    Subclasses add the kind of target (``_targets.py``), the members' method, and the
    default final estimator.
    """

    _parameter_constraints: dict = {
        **BaseFusion._parameter_constraints,
        "final_estimator": [HasMethods(["fit", "predict"]), None],
        "cv": ["cv_object", StrOptions({"prefit"})],
        "passthrough": ["boolean", str, "array-like", slice, callable, None],
        "guard": ["boolean"],
    }
    _vote_rule: PoolingRule  # what the guard falls back to, by equal weights

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, **params):
        """Fit every modality's model, and the final estimator on their predictions.

        Parameters
        ----------
        X : dataframe, dict of columns or array-like of shape (n_samples, n_columns)
            The table.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target.
        **params : dict
            ``sample_weight``, for every model and the final estimator; ``groups``, for
            the splitter ``cv``; with metadata routing enabled whatever is requested.

        Returns
        -------
        self
            The fitted estimator.
        """
        X = self._check_X(X, reset=True)
        y = self._check_y(X, y)
        members = self._check_members(X)
        weight = params.get("sample_weight")
        if weight is not None:
            weight = params["sample_weight"] = check_sample_weight(weight, y)
        final_params = self._route_final(y, params)
        folds = self._make_folds(X, y, params)
        oof_parts = self._fit_members(members, X, y, params, folds)
        self._set_target(y, weight)
        rows, tests = number_tests(folds, len(y))
        predictions = self._arrange(oof_parts, len(y))
        features = self._make_features(oof_parts, predictions, X, fitting=True)[rows]
        final_params = check_method_params(y, final_params, rows)
        self._fit_final(features, y[rows], final_params)
        predictions = take_predictions(predictions, rows)
        fused = self._predict_folds(predictions, features, y[rows], tests, final_params)
        weight = None if weight is None else weight[rows]
        groups = params.get("groups")
        groups = None if groups is None else np.asarray(groups)[rows]
        target = self._encode(y[rows])
        self._vote = Pool(self._vote_rule, "equal", self._priors)
        equal, _ = self._vote.fit(predictions, target, weight).fuse(predictions)
        self._compare(predictions, fused, target, weight, groups, equal)
        return self

    def transform(self, X):
        """Return the features of the final estimator.

        Parameters
        ----------
        X : dataframe, dict of columns or array-like of shape (n_samples, n_columns)
            The table.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            The modalities' predictions, NaN where one abstains; an indicator of
            abstention for each modality that abstained in ``fit``; the columns passed
            through.
        """
        return self._predict_features(X)[0]

    def get_feature_names_out(self, input_features=None):
        """Name the columns of ``transform``.

        Parameters
        ----------
        input_features : array-like of str or None
            Ignored.

        Returns
        -------
        ndarray of str
            ``modality__number`` for its predictions, ``modality__abstains``, and the
            names of the columns passed through, ``x0``, ``x1``, ... in an array.
        """
        check_is_fitted(self)
        names = list(self._columns)
        features = [
            f"{name}__{i}"
            for m, name in enumerate(names)
            for i in range(self._widths[m])
        ]
        features += [f"{names[m]}__abstains" for m in self._abstainers]
        return np.asarray([*features, *self._passed], dtype=object)

    def _check_members(self, X):
        members = super()._check_members(X)
        if not isinstance(self.cv, str):
            return members
        for _, estimator, _ in members:
            check_is_fitted(estimator)
        return [
            Member(name, FrozenEstimator(estimator), columns)
            for name, estimator, columns in members
        ]

    def _predict_features(self, X):
        """Predict by the members; also return their predictions by output."""
        check_is_fitted(self)
        X = self._check_X(X, reset=False)
        parts = [[self._predict_member(name, X)] for name in self._columns]
        predictions = self._arrange(parts, n_rows(X))
        return self._make_features(parts, predictions, X), predictions

    def _make_features(self, parts, predictions, X, fitting=False):
        """Join the members' predictions, who abstains, and the columns passed through.

        ``parts`` holds the :class:`RowPredictions` of each member, ``predictions`` the
        same by output.
        """
        blocks = [
            self._make_probability_block([part[m] for part in predictions])
            if method == "predict_proba"
            else self._make_block(m, method, parts[m], X, fitting)
            for m, method in enumerate(self._methods.values())
        ]
        abstained = np.array([np.isnan(block).all(axis=1) for block in blocks])
        if fitting:
            self._widths = [block.shape[1] for block in blocks]
            self._abstainers = np.flatnonzero(abstained.any(axis=1))
        names, passed = self._pass_through(X)
        if fitting:
            self._passed = names
        abstained = abstained[self._abstainers].T.astype(float)
        return np.concatenate([*blocks, abstained, *passed], axis=1)

    def _make_probability_block(self, outputs):
        """One member's probabilities without those that the others imply."""
        several = len(outputs) > 1
        return np.concatenate(
            [p[:, 1:] if several or p.shape[1] == 2 else p for p in outputs], axis=1
        )

    def _make_block(self, m, method, parts, X, fitting):
        """One member's predictions ``(n_samples, width)``, NaN where it abstains."""
        name = list(self._columns)[m]
        parts = [part for part in parts if len(part.rows)]
        if fitting:
            parts = self._select_comparable(name, method, parts)
        numbers = [self._to_numbers(method, part.values) for part in parts]
        if fitting:
            some = numbers or [self._predict_numbers(name, method, X)]
            width = some[0].shape[1]
        else:
            width = self._widths[m]
        block = np.full((n_rows(X), width), np.nan)
        for part, values in zip(parts, numbers):
            block[part.rows] = values
        return block

    def _select_comparable(self, name, method, parts):
        """Leave out decisions among other classes than those of the fitted model."""
        if method != "decision_function":
            return parts
        labels = self._codes[name].labels
        kept = [p for p in parts if all(map(np.array_equal, p.labels, labels))]
        if len(kept) < len(parts):
            warn_user(
                f"modality {name!r} abstains in {len(parts) - len(kept)} of "
                f"{len(parts)} folds, which lack some of its classes: decisions among "
                "other classes cannot be compared. stack_method='predict_proba' "
                "keeps them.",
                AbstentionWarning,
            )
        return kept

    def _predict_numbers(self, name, method, X):
        return self._to_numbers(method, self._predict_member(name, X).values)

    def _to_numbers(self, method, values):
        """Turn a member's predictions into features ``(n_rows, width)``."""
        return np.asarray(values).reshape(len(values), -1)

    def _pass_through(self, X):
        """Take the columns that are passed through, as their names and blocks."""
        columns = self.passthrough
        if columns is None or columns is False:
            return [], []
        columns = slice(None) if columns is True else columns
        columns = columns(X) if callable(columns) else columns
        names, blocks = [], []
        for name in list_names(X, columns):
            block = _read_numbers(get_column(X, name), name)
            name = f"x{name}" if isinstance(X, np.ndarray) else str(name)
            width = block.shape[1]
            names += [name] if width == 1 else [f"{name}__{i}" for i in range(width)]
            blocks.append(block)
        return names, blocks

    @abstractmethod
    def _make_final(self):
        """Make the default final estimator."""

    def _clone_final(self):
        if self.final_estimator is None:
            return self._make_final()
        return clone(self.final_estimator)

    def _make_folds(self, X, y, params):
        if not isinstance(self.cv, str):
            return super()._make_folds(X, y, params)
        everyone = np.arange(len(y))  # "prefit"
        return [(everyone, everyone)]

    def _list_routed(self):
        final = self._clone_final()
        if self.final_estimator is None:
            final.set_fit_request(sample_weight=True)
        return [*super()._list_routed(), ("final_estimator", final)]

    def _route_final(self, y, params):
        """Return the arguments of ``fit`` for the final estimator."""
        if routing_enabled():
            return process_routing(self, "fit", **params)["final_estimator"].fit
        weight = params.get("sample_weight")
        if weight is None:
            return {}
        return route_weight("final_estimator", self._clone_final(), weight)

    def _fit_final(self, features, y, params):
        self._imputer = None
        if not get_tags(self._clone_final()).input_tags.allow_nan:
            imputer = SimpleImputer(keep_empty_features=True)
            imputer.set_output(transform="default")  # whatever the global setting
            self._imputer = imputer.fit(features)
        self.final_estimator_, self._final_codes = self._fit_one(features, y, params)

    def _fit_one(self, features, y, params):
        """Fit a final estimator, and return the labels that it learned, too."""
        final = complete_class_weights(self._clone_final(), y)
        return fit_model(final, self._impute(features), y, params)

    def _predict_final(self, final, codes, features, method):
        """Predict by a final estimator, in terms of the labels."""
        features = self._impute(features)
        if codes is None:
            return getattr(final, method)(features)
        return codes.predict(final, features, method)

    def _impute(self, features):
        return features if self._imputer is None else self._imputer.transform(features)

    def _predict_folds(self, predictions, features, y, tests, params):
        """Predict each fold by a final estimator fitted on the other folds."""
        fused = [np.empty(part.shape[1:]) for part in predictions]
        for test in self._check_tests(tests, y):
            others = np.setdiff1d(np.arange(len(y)), test)
            params_others = check_method_params(y, params, others)
            final = self._fit_one(features[others], y[others], params_others)
            predicted = self._predict_final(*final, features[test], "predict")
            for part, values in zip(fused, self._to_outputs(predicted)):
                part[test] = values
        return fused

    def _check_tests(self, tests, y):
        """Return folds of which each leaves rows to fit on."""
        if len(tests) > 1 and all(len(np.unique(test)) < len(y) for test in tests):
            return tests
        folds = make_splitter(y, hasattr(self, "classes_")).split(y, y)
        return [test for _, test in folds]

    def _stack(self, X, method):
        """Predict by the final estimator.

        Also returns the members' predictions, and the rows where all abstain.
        """
        features, predictions = self._predict_features(X)
        abstained = np.isnan(predictions[0][:, :, 0]).all(axis=0)
        self._warn_of_abstention(abstained)
        final = self.final_estimator_, self._final_codes
        stacked = self._predict_final(*final, features, method)
        return stacked, predictions, abstained

    def _overrule(self, stacked, predictions, abstained):
        """Insert what the guard fell back to, and the prior where all abstain."""
        if self.guarded_ == EQUAL:
            return self._vote.fuse(predictions)[0]
        for part, member_parts, prior in zip(stacked, predictions, self._priors):
            part[abstained] = prior
            if self.guarded_ is not None:
                guarded = member_parts[self._comparison.best]
                present = ~np.isnan(guarded[:, 0])
                part[present] = guarded[present]
        return stacked


def _read_numbers(column, name):
    """Read a column that is passed through as ``(n_samples, width)``."""
    try:
        numbers = np.asarray(column)
        if numbers.dtype.kind in "mM":  # numpy would count nanoseconds
            raise TypeError("dates and durations are not numbers")
        numbers = numbers.astype(float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"passthrough takes columns of numbers, but column {name!r} of X is not "
            f"one ({getattr(column, 'dtype', 'object')}): {error}. Name the numeric "
            "columns, as in passthrough=['price']."
        ) from error
    return numbers.reshape(len(numbers), -1)
