"""What stacking classifiers and regressors share: features and the final estimator."""

from abc import abstractmethod

import numpy as np
from sklearn.base import TransformerMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import check_cv
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from .._columns.table import n_rows, select_columns
from .._members.specs import Member
from .._utils.imports import HasMethods, StrOptions, check_sample_weight, fit_context
from ._base import BaseFusion
from ._out_of_fold import OutOfFoldMixin, number_tests, take_predictions
from ._routing import route_weight


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
        everyone = np.arange(len(y))
        prefit = isinstance(self.cv, str)
        folds = [(everyone, everyone)] if prefit else self._make_folds(X, y, params)
        oof_parts = self._fit_members(members, X, y, params, folds)
        self._set_target(y, weight)
        rows, tests = number_tests(folds, len(y))
        predictions = self._arrange(oof_parts, len(y))
        features = self._make_features(oof_parts, predictions, X, fitting=True)[rows]
        self._fit_final(features, y[rows], None if weight is None else weight[rows])
        predictions = take_predictions(predictions, rows)
        self._compare_stacked(predictions, features, y, rows, tests, weight, params)
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
            names of the columns passed through.
        """
        check_is_fitted(self)
        names = list(self._columns)
        features = [
            f"{name}__{i}"
            for m, name in enumerate(names)
            for i in range(self._widths[m])
        ]
        features += [f"{names[m]}__abstains" for m in self._abstainers]
        n_passed = self._n_features - len(features)
        passed = self.passthrough
        if isinstance(passed, str) or n_passed == 0:
            passed = [passed][:n_passed]
        elif not (
            isinstance(passed, list) and all(isinstance(name, str) for name in passed)
        ):
            passed = [f"passthrough{i}" for i in range(n_passed)]
        return np.asarray([*features, *passed], dtype=object)

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
        n_samples = predictions[0].shape[1]
        blocks = [
            self._make_probability_block([part[m] for part in predictions])
            if method == "predict_proba"
            else self._make_block(m, method, parts[m], n_samples)
            for m, method in enumerate(self._methods.values())
        ]
        abstained = np.array([np.isnan(block).all(axis=1) for block in blocks])
        if fitting:
            self._widths = [block.shape[1] for block in blocks]
            self._abstainers = np.flatnonzero(abstained.any(axis=1))
        features = [*blocks, abstained[self._abstainers].T.astype(float)]
        if self.passthrough is not None and self.passthrough is not False:
            features.append(self._pass_through(X))
        return np.concatenate(features, axis=1)

    def _make_probability_block(self, outputs):
        """One member's probabilities without those that the others imply."""
        several = len(outputs) > 1
        return np.concatenate(
            [p[:, 1:] if several or p.shape[1] == 2 else p for p in outputs], axis=1
        )

    def _make_block(self, m, method, parts, n_samples):
        """One member's predictions ``(n_samples, width)``, NaN where it abstains."""
        parts = [part for part in parts if len(part.rows)]
        numbers = [
            self._to_numbers(method, np.asarray(part.values)).reshape(
                len(part.rows), -1
            )
            for part in parts
        ]
        width = numbers[0].shape[1] if numbers else self._widths[m]
        block = np.full((n_samples, width), np.nan)
        for part, values in zip(parts, numbers):
            block[part.rows] = values
        return block

    def _to_numbers(self, method, values):
        return values

    def _pass_through(self, X):
        columns = slice(None) if self.passthrough is True else self.passthrough
        columns = columns(X) if callable(columns) else columns
        passed = np.asarray(select_columns(X, columns), dtype=float)
        return passed.reshape(len(passed), -1)

    @abstractmethod
    def _make_final(self):
        """Make the default final estimator."""

    def _clone_final(self):
        if self.final_estimator is None:
            return self._make_final()
        return clone(self.final_estimator)

    def _fit_final(self, features, y, weight):
        self._n_features = features.shape[1]
        final = self._clone_final()
        self._imputer = None
        if not get_tags(final).input_tags.allow_nan:
            imputer = SimpleImputer(keep_empty_features=True)
            imputer.set_output(transform="default")  # whatever the global setting
            self._imputer = imputer.fit(features)
        self.final_estimator_ = self._fit_one(final, features, y, weight)

    def _fit_one(self, final, features, y, weight):
        params = (
            {} if weight is None else route_weight("final_estimator", final, weight)
        )
        return final.fit(self._impute(features), y, **params)

    def _impute(self, features):
        return features if self._imputer is None else self._imputer.transform(features)

    def _compare_stacked(self, predictions, features, y, rows, tests, weight, params):
        """Predict each fold by a final estimator fitted on the other folds."""
        y = y[rows]
        if len(tests) < 2:
            splitter = check_cv(None, y, classifier=hasattr(self, "classes_"))
            tests = [test for _, test in splitter.split(features, y)]
        predicted = np.empty(y.shape, dtype=y.dtype)
        weight = None if weight is None else weight[rows]
        for test in tests:
            others = np.setdiff1d(np.arange(len(y)), test)
            weight_others = None if weight is None else weight[others]
            final = self._clone_final()
            self._fit_one(final, features[others], y[others], weight_others)
            predicted[test] = final.predict(self._impute(features[test]))
        groups = params.get("groups")
        groups = None if groups is None else np.asarray(groups)[rows]
        target = self._encode(y)
        self._compare(predictions, self._to_outputs(predicted), target, weight, groups)

    def _stack(self, X, method):
        """Predict by the final estimator.

        Also returns the members' predictions, and the rows where all abstain.
        """
        features, predictions = self._predict_features(X)
        abstained = np.isnan(predictions[0][:, :, 0]).all(axis=0)
        self._warn_of_abstention(abstained)
        stacked = getattr(self.final_estimator_, method)(self._impute(features))
        return stacked, predictions, abstained

    def _overrule(self, stacked, predictions, abstained):
        """Insert the prior where all abstain, and a guarded modality where present."""
        for part, member_parts, prior in zip(stacked, predictions, self._priors):
            part[abstained] = prior
            if self.guarded_ is not None:
                guarded = member_parts[self._comparison.best]
                present = ~np.isnan(guarded[:, 0])
                part[present] = guarded[present]
        return stacked
