"""What stacking of classes and of numbers shares: features, and the final fit."""

from abc import abstractmethod

import numpy as np
from sklearn.base import TransformerMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import check_cv
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from .._columns.table import select_columns
from .._utils.imports import HasMethods, StrOptions, check_sample_weight, fit_context
from ._base import BaseFusion
from ._out_of_fold import OutOfFoldMixin, number_tests, take
from ._routing import weigh


class BaseStacking(TransformerMixin, OutOfFoldMixin, BaseFusion):
    """Fits a final estimator on what the members answer out of fold.

    Subclasses say what is predicted (``_targets.py``), what the members are asked, and
    what the final estimator is by default.
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
        """Fit every modality's model, and the final estimator on their answers.

        Parameters
        ----------
        X : DataFrame, ndarray or SliceDict with n_samples rows
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
        given = self._fit_members(members, X, y, params, folds)
        self._set_target(y, weight)
        rows, tests = number_tests(folds, len(y))
        answers = self._arrange(given, len(y))
        features = self._make_features(given, answers, X, fitting=True)[rows]
        self._fit_final(features, y[rows], None if weight is None else weight[rows])
        self._compare_stacked(
            take(answers, rows), features, y, rows, tests, weight, params
        )
        return self

    def transform(self, X):
        """Give what the final estimator sees.

        Parameters
        ----------
        X : DataFrame, ndarray or SliceDict with n_samples rows
            The table.

        Returns
        -------
        ndarray of shape (n_samples, n_answers)
            The modalities' answers, NaN where one abstains; 1 where it abstains, for
            each modality that did in ``fit``; the columns passed through.
        """
        given, n_samples = self._ask(X)
        return self._make_features(given, self._arrange(given, n_samples), X)

    def get_feature_names_out(self, input_features=None):
        """Name the columns of ``transform``.

        Parameters
        ----------
        input_features : array-like of str or None
            Ignored.

        Returns
        -------
        ndarray of str
            ``modality__number`` for its answers, ``modality__abstains``, and the names
            of the columns passed through.
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

    # Members.

    def _check_members(self, X):
        members = super()._check_members(X)
        if not isinstance(self.cv, str):
            return members
        for _, estimator, _ in members:
            check_is_fitted(estimator)
        return [
            (name, FrozenEstimator(estimator), columns)
            for name, estimator, columns in members
        ]

    # Features.

    def _make_features(self, given, answers, X, fitting=False):
        """Answers side by side, who abstained, and the columns passed through."""
        n_samples = answers[0].shape[1]
        blocks = [
            self._make_block(m, parts, answers, n_samples)
            for m, parts in enumerate(given)
        ]
        silent = np.array([np.isnan(block).all(axis=1) for block in blocks])
        if fitting:
            self._widths = [block.shape[1] for block in blocks]
            self._abstainers = np.flatnonzero(silent.any(axis=1))
        parts = [*blocks, silent[self._abstainers].T.astype(float)]
        if self.passthrough is not None and self.passthrough is not False:
            parts.append(self._pass_through(X))
        return np.concatenate(parts, axis=1)

    def _make_block(self, m, parts, answers, n_samples):
        """One modality's answers ``(n_samples, width)``, NaN where it abstains."""
        if self._methods[m] == "predict_proba":
            several = len(answers) > 1
            return np.concatenate(
                [
                    part[m][:, 1:] if several or part.shape[2] == 2 else part[m]
                    for part in answers
                ],
                axis=1,
            )
        told = [
            (rows, self._to_numbers(m, np.asarray(values)).reshape(len(rows), -1))
            for rows, values, _ in parts
            if len(rows)
        ]
        width = told[0][1].shape[1] if told else self._widths[m]
        block = np.full((n_samples, width), np.nan)
        for rows, values in told:
            block[rows] = values
        return block

    def _to_numbers(self, m, values):
        return values

    def _pass_through(self, X):
        columns = slice(None) if self.passthrough is True else self.passthrough
        columns = columns(X) if callable(columns) else columns
        passed = np.asarray(select_columns(X, columns), dtype=float)
        return passed.reshape(len(passed), -1)

    # The final estimator.

    @abstractmethod
    def _make_final(self):
        """Make the final estimator that is used if none is given."""

    def _clone_final(self):
        given = self.final_estimator
        return self._make_final() if given is None else clone(given)

    def _fit_final(self, features, y, weight):
        self._n_features = features.shape[1]
        final = self._clone_final()
        self._imputer = None
        if not get_tags(final).input_tags.allow_nan:
            imputer = SimpleImputer(keep_empty_features=True)
            self._imputer = imputer.fit(features)
        self.final_estimator_ = self._fit_one(final, features, y, weight)

    def _fit_one(self, final, features, y, weight):
        params = {} if weight is None else weigh("final_estimator", final, weight)
        return final.fit(self._impute(features), y, **params)

    def _impute(self, features):
        return features if self._imputer is None else self._imputer.transform(features)

    def _compare_stacked(self, answers, features, y, rows, tests, weight, params):
        """Predict each fold by a final estimator that was fitted on the others."""
        y = y[rows]
        if len(tests) < 2:
            splitter = check_cv(None, y, classifier=hasattr(self, "classes_"))
            tests = [test for _, test in splitter.split(features, y)]
        predicted = np.empty(y.shape, dtype=y.dtype)
        weight = None if weight is None else weight[rows]
        for test in tests:
            others = np.setdiff1d(np.arange(len(y)), test)
            own = None if weight is None else weight[others]
            final = self._clone_final()
            self._fit_one(final, features[others], y[others], own)
            predicted[test] = final.predict(self._impute(features[test]))
        groups = params.get("groups")
        groups = None if groups is None else np.asarray(groups)[rows]
        target = self._encode(y)
        self._compare(answers, self._to_answers(predicted), target, weight, groups)

    # Predicting.

    def _stack(self, X, method):
        """Ask the final estimator; also give the answers, and rows without any."""
        given, n_samples = self._ask(X)
        answers = self._arrange(given, n_samples)
        features = self._make_features(given, answers, X)
        silent = np.isnan(answers[0][:, :, 0]).all(axis=0)
        self._warn_of_silence(silent)
        stacked = getattr(self.final_estimator_, method)(self._impute(features))
        return stacked, answers, silent

    def _overrule(self, stacked, answers, silent):
        """Put in the prior where all abstain, the guard's modality where it answers."""
        for part, told, prior in zip(stacked, answers, self._priors):
            part[silent] = prior
            if self.guarded_ is not None:
                own = told[self._comparison.best]
                answered = ~np.isnan(own[:, 0])
                part[answered] = own[answered]
        return stacked
