"""Fusion by vote: the regressors' predictions averaged, by those who can answer."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from .._utils.imports import StrOptions
from ._base_voting import BaseVoting
from ._prediction_pool import PredictionPool
from ._targets import NumberTargetMixin


class MultimodalVotingRegressor(NumberTargetMixin, RegressorMixin, BaseVoting):
    """One regressor per modality, fused by weighted mean or median.

    Each modality's regressor is fitted on the rows where that modality is present and
    abstains elsewhere; the mean is over those that answer. A row on which all abstain
    gets the mean of the training set, and one warning says how many.

    Parameters
    ----------
    estimators : list of tuple (name, estimator, columns)
        As in :class:`MultimodalVotingClassifier`, with regressors.
    voting : {"mean", "median"}, default="mean"
        Weighted mean, or weighted median, which one wrong modality hardly moves.
    weights : array-like of shape (n_modalities,), dict of str to float, "learned" or \
            None, default=None
        Weight of each modality, in the order of ``estimators`` (dropped ones included)
        or by name. All are equal by default. Where modalities abstain, the weights of
        the others are scaled up. "learned" are those that minimise the squared error of
        the mean of out-of-fold answers.
    guard : bool, default=False
        Whether the best modality alone decides where it answers, if out of fold fusing
        did not beat it.
    cv : int, splitter or iterable, default=None
        Folds for out-of-fold answers, 5 by default; used if weights are learned or
        ``guard`` is set.
    on_absent : {"raise", "drop"}, default="raise"
        What to do about a modality that is missing from every row.
    n_jobs : int or None, default=None
        Number of fits at the same time.
    verbose : bool, default=False
        Print the time that each modality's fit took.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted regressors, those not dropped.
    named_estimators_ : Bunch
        The same by name.
    weights_ : ndarray of shape (n_modalities,)
        Weights of ``estimators_``; they sum to one.
    weights_gap_ : float
        With ``weights="learned"``: how much the squared error may be above its minimum,
        in units of the target's variance.
    target_mean_ : ndarray of shape (n_outputs,)
        Mean of the target.
    unimodal_scores_ : dict of str to float
        R² of each modality alone on out-of-fold answers, where there are some; a row
        that it does not answer gets the training mean.
    fused_score_ : float
        R² of all fused, the weights learned on the other folds.
    fusion_gain_ : float
        ``fused_score_`` less the best of ``unimodal_scores_``.
    fusion_gain_interval_ : tuple of (float, float)
        Its 95 % interval, by bootstrap over rows, or over groups.
    guarded_ : str or None
        The modality that decides where it answers, because fusing did not beat it.
    n_features_in_ : int
        Number of columns of the table.
    feature_names_in_ : ndarray of str
        Their names, if all are strings.

    See Also
    --------
    sklearn.ensemble.VotingRegressor : The same for models that all see the same table.

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

    _parameter_constraints: dict = {
        **BaseVoting._parameter_constraints,
        "weights": ["array-like", dict, StrOptions({"learned"}), None],
        "voting": [StrOptions({"mean", "median"})],
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
        X : DataFrame, ndarray or SliceDict with n_samples rows
            The table.
        return_std : bool, default=False
            Also return how far the modalities disagree.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.
        ndarray of the same shape
            With ``return_std``: weighted standard deviation of the modalities' answers;
            0 where only one answers, NaN where none does.
        """
        answers = self._collect(X)
        (fused,) = self._fuse(answers)
        fused = fused[:, 0] if self._n_outputs is None else fused
        if not return_std:
            return fused
        std = self._pool.spread(answers)
        std[np.isnan(answers[0]).all(axis=(0, 2))] = np.nan
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
            One name per column; of a 2-D target ``modality__output``.
        """
        check_is_fitted(self)
        names = list(self._columns)
        if self._n_outputs is not None:
            names = [f"{name}__{i}" for name in names for i in range(self._n_outputs)]
        return np.asarray(names, dtype=object)

    def _pick_method(self, name, estimator):
        return "predict"

    def _make_pool(self, weights):
        return PredictionPool(self.voting, weights, self.target_mean_)
