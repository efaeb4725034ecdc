"""What the votes of classifiers and regressors share: weights, folds, the guard."""

import copy

import numpy as np
from sklearn.base import TransformerMixin, clone

from .._utils.imports import StrOptions, check_sample_weight, fit_context
from ._base import BaseFusion
from ._dropout import drop_modalities
from ._guard import standardize_mean
from ._out_of_fold import (
    EQUAL,
    OutOfFoldMixin,
    number_tests,
    take_predictions,
    take_target,
)
from ._pool import Pool


class BaseVoting(TransformerMixin, OutOfFoldMixin, BaseFusion):
    """Fits one model per modality, and pools their predictions by weights and a rule.

    Subclasses add the kind of target (``_targets.py``) and the names of its rules.
    """

    _rules: dict = {}  # PoolingRule classes by the names that ``voting`` accepts

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
        X : dataframe, dict of columns or array-like of shape (n_samples, n_columns)
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
        oof_parts = self._fit_members(members, X, y, params, folds)
        if isinstance(weights, dict):
            weights = np.array([weights[name] for name in self._columns])
        self._set_target(y, weight)
        pool = self._make_pool(weights)
        if folds:
            self._fit_pool(pool, oof_parts, y, weight, folds, params.get("groups"))
        else:
            self._pool = pool.fit()
        self.weights_ = self._pool.weights_
        return self

    def transform(self, X):
        """Return each modality's predictions, as they are pooled.

        Parameters
        ----------
        X : dataframe, dict of columns or array-like of shape (n_samples, n_columns)
            The table.

        Returns
        -------
        ndarray of shape (n_samples, n_modalities * n_classes or n_outputs)
            Modality after modality; NaN where one abstains. For a classifier, the
            probabilities of the classes, or with ``voting="hard"`` 1 for the predicted
            class and 0 for the others; for a regressor, the predictions.
        """
        predictions = self._pool.calibrate(self._predict_outputs(X))
        parts = [part[m] for m in range(len(predictions[0])) for part in predictions]
        return np.concatenate(parts, axis=1)

    def _make_rule(self):
        if isinstance(self.voting, str):
            return self._rules[self.voting]()
        return clone(self.voting)

    @property
    def _rule_method(self):
        """Method of the members that the rule needs, even if ``voting`` is invalid."""
        is_named = isinstance(self.voting, str)
        rule = self._rules.get(self.voting) if is_named else self.voting
        return getattr(rule, "method", "predict_proba")

    def _check_weights(self):
        """Return the weights by name of those not dropped, or how to find them."""
        is_learned = isinstance(self.weights, str) and self.weights == "learned"
        if is_learned and not self._make_rule().can_learn:
            raise ValueError(
                "weights='learned' needs a voting rule with an objective, which "
                f"{self.voting!r} does not have. Give weights, or define the rule's "
                "method objective()."
            )
        names = [name for name, _, _ in self.estimators]
        if isinstance(self.weights, str):
            single = len(self._columns) == 1
            return dict.fromkeys(self._columns, 1.0) if single else self.weights
        weights = np.ones(len(names)) if self.weights is None else self.weights
        if isinstance(weights, dict):
            if set(weights) != set(names):
                raise ValueError(
                    f"weights must name the modalities {names}, got {list(weights)}."
                )
            weights = [weights[name] for name in names]
        try:
            weights = np.asarray(weights, dtype=float)
        except (TypeError, ValueError):
            raise ValueError(
                f"weights must be numbers, got {self.weights!r}."
            ) from None
        if weights.shape != (len(names),):
            raise ValueError(
                f"weights must be one number for each of the {len(names)} modalities, "
                f"got {self.weights!r}."
            )
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
            raise ValueError(
                "weights must be finite and not negative, and one of them positive, "
                f"got {self.weights!r}."
            )
        return {n: w for n, w in zip(names, weights) if n in self._columns}

    def _needs_folds(self, weights):
        # With a single modality there is nothing to learn or to guard.
        return isinstance(weights, str) or (self.guard and len(self._columns) > 1)

    def _make_pool(self, weights):
        return Pool(self._make_rule(), weights, self._priors)

    def _fit_pool(self, pool, oof_parts, y, weight, folds, groups):
        """Fit the pool on out-of-fold predictions, and measure whether fusing pays."""
        rows, tests = number_tests(folds, len(y))
        predictions = take_predictions(self._arrange(oof_parts, len(y)), rows)
        target = self._encode(y[rows])
        weight = None if weight is None else weight[rows]
        groups = None if groups is None else np.asarray(groups)[rows]
        self._pool = pool.fit(predictions, target, weight)
        pools = _fit_pools(pool, predictions, target, weight, tests)
        fused, equal = (
            _fuse_folds(pools, predictions, tests, equally) for equally in (False, True)
        )
        if pool.is_learned:
            self.weights_gap_ = pool.gap_
            dropped = drop_modalities(predictions)
            pairs = [(equal, fused)]
            pairs.append([_fuse_folds(pools, dropped, tests, e) for e in (True, False)])
            if not self._beat_equal(pairs, target, weight, groups):
                pool.use_equal_weights()
                fused = equal
            if pool.sharpness_ is not None:
                self.sharpness_ = pool.sharpness_
        if len(np.unique(pool.weights_)) == 1 and not pool.is_confident:
            equal = None  # what is fused has equal weights itself
        self._compare(predictions, fused, target, weight, groups, equal)

    def _beat_equal(self, pairs, target, weight, groups):
        """Whether learned weights beat equal ones out of fold by more than noise.

        ``pairs`` are fused by equal and by learned weights, from the rows as they are,
        and from rows with modalities dropped.
        """
        gains = []  # in standard errors
        for measure in self._measures:
            losses = np.array([[measure(fused, target) for fused in p] for p in pairs])
            differences = (losses[:, 0] - losses[:, 1]).mean(axis=0)
            differences *= 1 if weight is None else weight
            gains.append(standardize_mean(differences, groups))
        return min(gains) > 1.96

    def _fuse(self, predictions):
        """Pool the predictions; a guarded modality decides where it is present."""
        guarded = getattr(self, "guarded_", None)
        fused, abstained = self._pool.fuse(predictions, equally=guarded == EQUAL)
        if guarded not in (None, EQUAL):
            best = self._comparison.best
            for part, member_parts in zip(fused, self._pool.calibrate(predictions)):
                present = ~np.isnan(member_parts[best][:, 0])
                part[present] = member_parts[best][present]
        self._warn_of_abstention(abstained)
        return fused


def _fit_pools(pool, predictions, target, weight, tests):
    """Fit a pool for each fold, on the predictions of the other folds."""
    pools = []
    for test in tests:
        others = np.ones(predictions[0].shape[1], dtype=bool)
        others[test] = False
        if others.any():
            data = take_predictions(predictions, others), take_target(target, others)
            weight_others = None if weight is None else weight[others]
            pool = copy.copy(pool).fit(*data, weight_others)
        pools.append(pool)
    return pools


def _fuse_folds(pools, predictions, tests, equally=False):
    """Fuse each fold's predictions by its pool."""
    fused = [np.empty(part.shape[1:]) for part in predictions]
    for pool, test in zip(pools, tests):
        results, _ = pool.fuse(take_predictions(predictions, test), equally)
        for part, result in zip(fused, results):
            part[test] = result
    return fused
