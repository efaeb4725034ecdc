"""Fusion by stacking: a regressor learns from the modalities' predictions."""

from sklearn.base import RegressorMixin
from sklearn.linear_model import RidgeCV

from ._base_stacking import BaseStacking
from ._number_rules import WeightedMean
from ._targets import NumberTargetMixin


class MultimodalStackingRegressor(NumberTargetMixin, RegressorMixin, BaseStacking):
    """One regressor per modality, and one that learns from their predictions.

    Each modality's regressor is fitted on the rows where that modality is present and
    abstains elsewhere; the final estimator learns from out-of-fold predictions. A
    row on which all abstain gets the mean of the training set.

    Parameters
    ----------
    estimators : list of tuple (name, estimator, columns)
        As in :class:`MultimodalVotingClassifier`, with regressors.
    final_estimator : regressor or None, default=None
        Learns from the modalities' predictions; by default a ridge regression
        (``RidgeCV``). If it does not accept NaN, missing predictions are replaced by
        their mean.
    cv : int, splitter, iterable or "prefit", default=None
        Folds for the predictions that the final estimator learns from, 5 by default.
        "prefit" takes fitted models as they are, and their predictions of all rows.
    passthrough : bool, or columns, default=None
        Numeric columns that are passed to the final estimator as well; True for all.
    guard : bool, default=False
        Whether to fall back to what is best out of fold, if stacking is not: the best
        modality alone, where it is present, or the mean of those present.
    on_absent : {"raise", "drop"}, default="raise"
        What to do with a modality that is missing from every row.
    n_jobs : int or None, default=None
        Number of fits that run in parallel.
    verbose : bool, default=False
        Whether to print how long fitting each modality takes.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted models of the modalities that are not dropped.
    named_estimators_ : Bunch
        The same, by name.
    final_estimator_ : estimator
        The fitted final estimator.
    target_mean_ : ndarray of shape (n_outputs,)
        Mean of the target.
    unimodal_scores_ : dict of str to float
        Out-of-fold R² of each modality on its own. Rows where the modality is missing
        count as the training mean.
    fused_score_ : float
        Out-of-fold R² of stacking; the final estimator is fitted on the other folds.
    equal_score_ : float
        Out-of-fold R² of the mean of the modalities' predictions.
    fusion_gain_ : float
        ``fused_score_`` minus the best of ``unimodal_scores_`` and ``equal_score_``.
    fusion_gain_over_ : str
        What that is: a modality's name or "equal weights".
    fusion_gain_interval_ : tuple of (float, float)
        The 95 % interval of the gain, by bootstrap over rows or groups.
    guarded_ : str or None
        The modality that decides where it is present, or "equal weights", because
        stacking did not beat it.
    n_features_in_ : int
        Number of columns of the table.
    feature_names_in_ : ndarray of str
        Their names, if all are strings.

    See Also
    --------
    sklearn.ensemble.StackingRegressor : Stacking of models that all see the same
        table.

    Notes
    -----
    Where a modality abstains its predictions are NaN, and each modality that abstained
    in ``fit`` has an indicator column. On complete tables the results are the same as
    scikit-learn's.

    References
    ----------
    D. H. Wolpert (1992), "Stacked generalization", Neural Networks 5.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_mm import MultimodalStackingRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X[::3, :4] = float("nan")
    >>> stacking = MultimodalStackingRegressor(
    ...     [("body", Ridge(0.1), slice(0, 4)), ("blood", Ridge(0.1), slice(4, 10))]
    ... )
    >>> bool(stacking.fit(X, y).score(X, y) > 0.4)
    True
    """

    _vote_rule = WeightedMean()

    def __init__(
        self,
        estimators,
        final_estimator=None,
        *,
        cv=None,
        passthrough=None,
        guard=False,
        on_absent="raise",
        n_jobs=None,
        verbose=False,
    ):
        super().__init__(estimators)
        self.final_estimator = final_estimator
        self.cv = cv
        self.passthrough = passthrough
        self.guard = guard
        self.on_absent = on_absent
        self.n_jobs = n_jobs
        self.verbose = verbose

    def predict(self, X):
        """Predict the target of each row.

        Parameters
        ----------
        X : dataframe, dict of columns or array-like of shape (n_samples, n_columns)
            The table.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.
        """
        stacked, predictions, abstained = self._stack(X, "predict")
        outputs = self._to_outputs(stacked)
        (stacked,) = self._overrule(outputs, predictions, abstained)
        return stacked[:, 0] if self._n_outputs is None else stacked

    def _pick_method(self, name, estimator):
        return "predict"

    def _make_final(self):
        return RidgeCV()

    def _to_outputs(self, predicted):
        return self._encode(predicted)
