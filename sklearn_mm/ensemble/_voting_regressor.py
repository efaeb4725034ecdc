"""Fusion by vote: mean or median of the regressors that are present."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from .._utils.imports import StrOptions
from ._base_voting import BaseVoting
from ._number_rules import WeightedMean, WeightedMedian
from ._rules import PoolingRule, weighted_mean
from ._targets import NumberTargetMixin


class MultimodalVotingRegressor(NumberTargetMixin, RegressorMixin, BaseVoting):
    """One regressor per modality, fused by weighted mean or median.

    Each modality's regressor is fitted on the rows where that modality is present and
    abstains elsewhere; the mean is over the modalities that are present. A row on which
    all abstain gets the mean of the training set, and one warning says how many such
    rows there are.

    Parameters
    ----------
    estimators : list of tuple (name, estimator, columns)
        As in :class:`MultimodalVotingClassifier`, with regressors.
    voting : {"mean", "median"} or PoolingRule, default="mean"
        Weighted mean (:class:`WeightedMean`), or weighted median
        (:class:`WeightedMedian`), which one wrong modality hardly moves. An instance of
        your own subclass of :class:`PoolingRule` is a rule, too.
    weights : array-like of shape (n_modalities,), dict of str to float, "learned" or \
            None, default=None
        Weight of each modality, in the order of ``estimators`` (dropped ones included)
        or by name. All are equal by default. Where modalities abstain, the weights of
        the others are scaled up; one of weight zero decides where no other answers.
        "learned": the weights that minimise the squared error of the mean of the
        out-of-fold predictions, penalised by their distance from equal weights, if they
        beat equal weights out of fold by 1.96 standard errors, on the rows as they are
        and with modalities dropped at random.
    guard : bool, default=False
        Whether to fall back to what is best out of fold, if the fusion is not: the best
        modality alone, where it is present, or equal weights.
    cv : int, splitter or iterable, default=None
        Folds for out-of-fold predictions, 5 by default. They are needed if weights are
        learned or ``guard`` is set.
    on_absent : {"raise", "drop"}, default="raise"
        What to do with a modality that is missing from every row.
    n_jobs : int or None, default=None
        Number of fits that run in parallel.
    verbose : bool, default=False
        Whether to print how long fitting each modality takes.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted regressors of the modalities that are not dropped.
    named_estimators_ : Bunch
        The same, by name.
    weights_ : ndarray of shape (n_modalities,)
        Weights of ``estimators_``; they sum to one.
    weights_gap_ : float
        With ``weights="learned"``: upper bound on how far the penalised squared error
        of the learned weights, whether they are used or not, is above its minimum, in
        units of the target's variance.
    target_mean_ : ndarray of shape (n_outputs,)
        Mean of the target.
    unimodal_scores_ : dict of str to float
        Out-of-fold R² of each modality on its own. Rows where the modality is missing
        count as the training mean.
    fused_score_ : float
        Out-of-fold R² of the fusion; weights are learned on the other folds.
    equal_score_ : float
        Out-of-fold R² of the same rule with equal weights.
    fusion_gain_ : float
        ``fused_score_`` minus the best of ``unimodal_scores_`` and ``equal_score_``,
        the latter unless weights are equal.
    fusion_gain_over_ : str
        What that is: a modality's name or "equal weights".
    fusion_gain_interval_ : tuple of (float, float)
        The 95 % interval of the gain, by bootstrap over rows or groups.
    guarded_ : str or None
        The modality that decides where it is present, or "equal weights", because the
        fusion did not beat it.
    n_features_in_ : int
        Number of columns of the table.
    feature_names_in_ : ndarray of str
        Their names, if all are strings.

    See Also
    --------
    PoolingRule : Base class of voting rules.
    sklearn.ensemble.VotingRegressor : A vote of models that all see the same table.

    References
    ----------
    L. Breiman (1996), "Stacked regressions", Machine Learning 24: weights that are not
    negative, learned on cross-validated predictions.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_mm import MultimodalVotingRegressor, TextVectorizer
    >>> X = pd.DataFrame(
    ...     {
    ...         "review": ["lovely", "awful", None, "lovely fit", "awful fit"],
    ...         "rating": [5, 1, 2, 4, None],
    ...     }
    ... )
    >>> y = [9.0, 2.0, 3.0, 8.0, 1.0]
    >>> words = make_pipeline(TextVectorizer(), Ridge(0.1))
    >>> fusion = MultimodalVotingRegressor(
    ...     [("text", words, "review"), ("number", Ridge(0.1), ["rating"])]
    ... )
    >>> mean, std = fusion.fit(X, y).predict(X, return_std=True)
    >>> mean.round(1)
    array([9.2, 1.7, 3.6, 7.3, 1.9])
    """

    _rules = {"mean": WeightedMean, "median": WeightedMedian}
    _parameter_constraints: dict = {
        **BaseVoting._parameter_constraints,
        "weights": ["array-like", dict, StrOptions({"learned"}), None],
        "voting": [StrOptions(set(_rules)), PoolingRule],
    }

    def __init__(
        self,
        estimators,
        *,
        voting="mean",
        weights=None,
        guard=False,
        cv=None,
        on_absent="raise",
        n_jobs=None,
        verbose=False,
    ):
        super().__init__(estimators)
        self.voting = voting
        self.weights = weights
        self.guard = guard
        self.cv = cv
        self.on_absent = on_absent
        self.n_jobs = n_jobs
        self.verbose = verbose

    def predict(self, X, return_std=False):
        """Predict the target of each row.

        Parameters
        ----------
        X : dataframe, dict of columns or array-like of shape (n_samples, n_columns)
            The table.
        return_std : bool, default=False
            Whether to return the standard deviation over modalities as well.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.
        ndarray of the same shape
            With ``return_std``: weighted standard deviation of the modalities'
            predictions; 0 where only one is present, NaN where none is.
        """
        predictions = self._predict_outputs(X)
        (fused,) = self._fuse(predictions)
        fused = fused[:, 0] if self._n_outputs is None else fused
        if not return_std:
            return fused
        (part,) = predictions
        weights = self._pool.weigh_rows(part)
        weights = np.where(weights.sum(axis=0) == 0, 1, weights)
        deviation = part - weighted_mean(part, weights)
        std = np.sqrt(weighted_mean(deviation**2, weights))
        std[np.isnan(part).all(axis=(0, 2))] = np.nan
        return fused, std[:, 0] if self._n_outputs is None else std

    def get_feature_names_out(self, input_features=None):
        """Name the columns of ``transform``: the modalities.

        Parameters
        ----------
        input_features : array-like of str or None
            Ignored.

        Returns
        -------
        ndarray of str
            One name per column; for a 2-D target ``modality__output``.
        """
        check_is_fitted(self)
        names = list(self._columns)
        if self._n_outputs is not None:
            names = [f"{name}__{i}" for name in names for i in range(self._n_outputs)]
        return np.asarray(names, dtype=object)

    def _pick_method(self, name, estimator):
        return "predict"
