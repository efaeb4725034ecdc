"""What the votes of classifiers and of regressors share: weights, folds, the guard."""

import copy
from abc import abstractmethod

import numpy as np
from sklearn.base import TransformerMixin

from .._utils.imports import StrOptions, check_sample_weight, fit_context
from ._base import BaseFusion
from ._out_of_fold import OutOfFoldMixin, number_tests, take, take_target


class BaseVoting(TransformerMixin, OutOfFoldMixin, BaseFusion):
    """Fits one model per modality, and pools their answers by weights.

    Subclasses say what is predicted (``_targets.py``), and how it is pooled.
    """

    _parameter_constraints: dict = {
        **BaseFusion._parameter_constraints,
        "weights": ["array-like", dict, StrOptions({"learned", "confidence"}), None],
        "cv": ["cv_object"],
        "guard": ["boolean"],
    }

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, **params):
        """Fit every modality's model on the rows where it is present.

        Parameters
        ----------
        X : DataFrame, ndarray or SliceDict with n_samples rows
            The table.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target.
        **params : dict
            ``sample_weight``, for every model; ``groups``, for the splitter ``cv``;
            with metadata routing enabled whatever the models request.

        Returns
        -------
        self
            The fitted estimator.
        """
        X = self._check_X(X, reset=True)
        y = self._check_y(X, y)
        members = self._check_members(X)
        weights = self._check_weights()
        weight = params.get("sample_weight")
        if weight is not None:
            weight = params["sample_weight"] = check_sample_weight(weight, y)
        folds = self._make_folds(X, y, params) if self._needs_folds(weights) else ()
        given = self._fit_members(members, X, y, params, folds)
        if isinstance(weights, dict):
            weights = np.array([weights[name] for name in self._columns])
        self._set_target(y, weight)
        pool = self._make_pool(weights)
        if folds:
            self._fit_pool(pool, given, y, weight, folds, params.get("groups"))
        else:
            self._pool = pool.fit()
        self.weights_ = self._pool.weights_
        return self

    def transform(self, X):
        """Give each modality's answers, as they are pooled.

        Parameters
        ----------
        X : DataFrame, ndarray or SliceDict with n_samples rows
            The table.

        Returns
        -------
        ndarray of shape (n_samples, n_modalities * n_answers)
            Modality after modality; NaN where one abstains. Of a classifier the
            probabilities of the classes, with ``voting="hard"`` 1 for the predicted
            class and 0 for the others; of a regressor the prediction.
        """
        answers = self._pool.calibrated(self._collect(X))
        parts = [part[m] for m in range(len(answers[0])) for part in answers]
        return np.concatenate(parts, axis=1)

    # Weights.

    def _check_weights(self):
        """Weights by name of those not dropped, or how to find them."""
        names = [name for name, _, _ in self.estimators]
        if isinstance(self.weights, str):
            single = len(self._columns) == 1
            return dict.fromkeys(self._columns, 1.0) if single else self.weights
        weights = np.ones(len(names)) if self.weights is None else self.weights
        if isinstance(weights, dict):
            if set(weights) != set(names):
                raise ValueError(
                    f"weights must name the modalities {names}, got {sorted(weights)}."
                )
            weights = [weights[name] for name in names]
        weights = np.asarray(weights, dtype=float)
        if weights.shape != (len(names),):
            raise ValueError(
                f"weights must be one number for each of the {len(names)} modalities, "
                f"got {self.weights!r}."
            )
        kept = {n: w for n, w in zip(names, weights) if n in self._columns}
        values = np.array(list(kept.values()))
        if not (np.isfinite(values).all() and (values >= 0).all() and values.any()):
            raise ValueError(
                "weights must be finite and not negative, and one of them positive, "
                f"got {self.weights!r}."
            )
        return kept

    def _needs_folds(self, weights):
        # Of a single modality there is nothing to learn or to guard.
        return isinstance(weights, str) or (self.guard and len(self._columns) > 1)

    # Out-of-fold answers.

    def _fit_pool(self, pool, given, y, weight, folds, groups):
        """Fit the pool on out-of-fold answers, and see whether fusing pays."""
        rows, tests = number_tests(folds, len(y))
        answers = take(self._arrange(given, len(y)), rows)
        target = self._encode(y[rows])
        weight = None if weight is None else weight[rows]
        groups = None if groups is None else np.asarray(groups)[rows]
        self._pool = pool.fit(answers, target, weight)
        if self._pool.gap_ is not None:
            self.weights_gap_ = self._pool.gap_
        fused = self._fuse_out_of_fold(pool, answers, target, weight, tests)
        self._compare(answers, fused, target, weight, groups)

    def _fuse_out_of_fold(self, pool, answers, target, weight, tests):
        """Fuse each fold's answers by a pool that was fitted on the other folds'."""
        n_rows = answers[0].shape[1]
        fused = [np.empty(part.shape[1:]) for part in answers]
        for test in tests:
            others = np.ones(n_rows, dtype=bool)
            others[test] = False
            if others.any():
                pool = copy.copy(pool).fit(
                    take(answers, others),
                    take_target(target, others),
                    None if weight is None else weight[others],
                )
            for part, result in zip(fused, pool.fuse(take(answers, test))[0]):
                part[test] = result
        return fused

    def _fuse(self, answers):
        """Pool the answers; the best modality's own, if the guard found it better."""
        fused, silent = self._pool.fuse(answers)
        if getattr(self, "guarded_", None) is not None:
            best = self._comparison.best
            for part, own in zip(fused, self._pool.calibrated(answers)):
                answered = ~np.isnan(own[best][:, 0])
                part[answered] = own[best][answered]
        self._warn_of_silence(silent)
        return fused

    @abstractmethod
    def _make_pool(self, weights):
        """Make the pool, not fitted."""
