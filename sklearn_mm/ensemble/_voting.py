"""Fusion by vote: the classifiers of the modalities that are present decide."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._utils.imports import StrOptions
from ._base_voting import BaseVoting
from ._pool import Pool
from ._probability_rules import LinearPool, LogLinearPool, MajorityVote
from ._rules import PoolingRule
from ._targets import ClassTargetMixin


def _has_probabilities(estimator):
    if estimator._rule_method == "predict":
        raise AttributeError(
            f"predict_proba is not available when voting={estimator.voting!r}"
        )
    return True


class MultimodalVotingClassifier(ClassTargetMixin, ClassifierMixin, BaseVoting):
    """One classifier per modality, fused by vote.

    Each modality's classifier is fitted on the rows where that modality is present and
    abstains elsewhere; only the modalities that are present vote. A row on which all
    abstain gets the class frequencies of the training set, and one warning says how
    many such rows there are.

    Parameters
    ----------
    estimators : list of tuple (name, estimator, columns)
        As in :class:`~sklearn.compose.ColumnTransformer`: ``columns`` is a name (the
        estimator gets a 1-D column), a list of names (it gets a frame), an index,
        slice, mask, or callable; ``"drop"`` instead of an estimator leaves a modality
        out. A classifier in a :class:`~sklearn.frozen.FrozenEstimator` is not fitted.
    voting : {"soft", "hard", "product"} or PoolingRule, default="soft"
        "soft" averages the class probabilities (:class:`LinearPool`); "product" takes
        their normalised geometric mean (:class:`LogLinearPool`); "hard" counts the
        predicted classes (:class:`MajorityVote`), and a tie goes to the class that
        sorts first. An instance of your own subclass of :class:`PoolingRule` is a rule,
        too.
    weights : array-like of shape (n_modalities,), dict of str to float, "learned", \
            "confidence" or None, default=None
        Weight of each modality, in the order of ``estimators`` (dropped ones included)
        or by name. All are equal by default. Where modalities abstain, the weights of
        the others are scaled up; one of weight zero decides where no other answers.
        "learned": the weights that minimise the log-loss of the fused out-of-fold
        predictions, if they beat equal weights by more than noise (see Notes).
        "confidence": the weight of a modality on each row is the certainty of its
        prediction (one minus the entropy, relative to that of equal probabilities)
        times its reliability (the share of the class frequencies' log-loss that it
        removes out of fold).
    calibration : {"sigmoid", "isotonic", "temperature"} or None, default=None
        Calibrate each modality on its out-of-fold predictions, as
        :class:`~sklearn.calibration.CalibratedClassifierCV` does.
    guard : bool, default=False
        Whether to fall back to what is best out of fold, if the fusion is not: the best
        modality alone, where it is present, or equal weights.
    cv : int, splitter or iterable, default=None
        Folds for out-of-fold predictions, by default 5 and stratified. They are needed
        if weights or calibration are learned or ``guard`` is set; each modality is then
        fitted once more per fold. Frozen models are not fitted again.
    on_absent : {"raise", "drop"}, default="raise"
        What to do with a modality that is missing from every row.
    n_jobs : int or None, default=None
        Number of fits that run in parallel.
    verbose : bool, default=False
        Whether to print how long fitting each modality takes.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted classifiers of the modalities that are not dropped.
    named_estimators_ : Bunch
        The same, by name.
    classes_ : ndarray of shape (n_classes,), or list of ndarray
        Class labels; a list with an entry per column if ``y`` is 2-D.
    class_prior_ : ndarray of shape (n_classes,), or list of ndarray
        Their frequencies in the training set.
    member_classes_ : dict of str to ndarray of shape (n_classes,), or list of ndarray
        By modality, the labels that its classifier knows. The classifier itself
        learned their positions 0, 1, ..., unless a parameter of it names labels.
    weights_ : ndarray of shape (n_modalities,)
        Weights of ``estimators_``; they sum to one. With ``weights="confidence"`` they
        are the modalities' reliabilities. Learned weights of a product are in the
        proportions of its exponents, which are ``weights_ * sharpness_``.
    sharpness_ : float
        With ``weights="learned"``: the power to which fused probabilities are raised
        where all modalities are present; it is smaller where some are missing. Of a
        product with learned weights, the sum of the exponents.
    weights_gap_ : float
        With ``weights="learned"``: upper bound on how far the penalised log-loss of the
        learned weights, whether they are used or not, is above its minimum.
    unimodal_scores_ : dict of str to float
        Out-of-fold accuracy of each modality on its own. Rows where the modality is
        missing count as the majority class.
    fused_score_ : float
        Out-of-fold accuracy of the fusion; weights and calibration are learned on the
        other folds.
    equal_score_ : float
        Out-of-fold accuracy of the same rule with equal weights.
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
    sklearn.ensemble.VotingClassifier : A vote of models that all see the same table.

    Notes
    -----
    A modality is absent from a row if all of its cells are missing there, or if a step
    of its pipeline returns only NaN for it, as a loader with ``on_error="missing"``
    does for a file that it cannot read. A modality's classifier gives probability zero
    to a class that it has never seen.

    With ``weights="learned"`` two candidates are compared on the out-of-fold
    predictions, as they are and once more with modalities dropped at random: equal
    weights and learned ones, each learned on the other folds. Learned weights are used
    if their accuracy is higher and their log-loss lower, both by more than 1.96
    standard errors. Learning is penalised by the distance from equal weights. "soft"
    learns weights that sum to one; "product" learns exponents of any sum, which
    multiply the modalities' evidence beyond the class frequencies. The sharpness of the
    result is learned with equal weights as well, since a mean of calibrated
    probabilities is not sharp enough; it does not change the order of the classes.

    References
    ----------
    J. Kittler, M. Hatef, R. P. W. Duin and J. Matas (1998), "On combining classifiers",
    IEEE Transactions on Pattern Analysis and Machine Intelligence 20.

    R. Ranjan and T. Gneiting (2010), "Combining probability forecasts", Journal of the
    Royal Statistical Society B 72.

    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger (2017), "On calibration of modern
    neural networks", ICML.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_mm import MultimodalVotingClassifier, TextVectorizer
    >>> X = pd.DataFrame(
    ...     {
    ...         "review": ["lovely", "awful", None, "lovely fit", "awful fit"],
    ...         "rating": [5, 1, 2, 4, None],
    ...     }
    ... )
    >>> y = ["yes", "no", "no", "yes", "no"]
    >>> words = make_pipeline(TextVectorizer(), LogisticRegression())
    >>> fusion = MultimodalVotingClassifier(
    ...     [
    ...         ("text", words, "review"),
    ...         ("number", LogisticRegression(), ["rating"]),
    ...     ]
    ... )
    >>> fusion.fit(X, y).predict(X)
    array(['yes', 'no', 'no', 'yes', 'no'], dtype='<U3')
    """

    _rules = {"soft": LinearPool, "hard": MajorityVote, "product": LogLinearPool}
    _parameter_constraints: dict = {
        **BaseVoting._parameter_constraints,
        "voting": [StrOptions(set(_rules)), PoolingRule],
        "calibration": [StrOptions({"sigmoid", "isotonic", "temperature"}), None],
    }

    def __init__(
        self,
        estimators,
        *,
        voting="soft",
        weights=None,
        calibration=None,
        guard=False,
        cv=None,
        on_absent="raise",
        n_jobs=None,
        verbose=False,
    ):
        super().__init__(estimators)
        self.voting = voting
        self.weights = weights
        self.calibration = calibration
        self.guard = guard
        self.cv = cv
        self.on_absent = on_absent
        self.n_jobs = n_jobs
        self.verbose = verbose

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : dataframe, dict of columns or array-like of shape (n_samples, n_columns)
            The table.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Class labels.
        """
        return self._decode(self._fuse(self._predict_outputs(X)))

    @available_if(_has_probabilities)
    def predict_proba(self, X):
        """Predict probabilities of the classes; not available with ``voting="hard"``.

        Parameters
        ----------
        X : dataframe, dict of columns or array-like of shape (n_samples, n_columns)
            The table.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or list of ndarray
            Probabilities, in the order of ``classes_``; a list with an entry per
            column of a 2-D target.
        """
        fused = self._fuse(self._predict_outputs(X))
        return fused[0] if self._n_outputs is None else fused

    def get_feature_names_out(self, input_features=None):
        """Name the columns of ``transform``: ``modality__class``.

        Parameters
        ----------
        input_features : array-like of str or None
            Ignored.

        Returns
        -------
        ndarray of str
            One name per column; for a 2-D target ``modality__output_class``.
        """
        check_is_fitted(self)
        labels = [str(label) for label in self._classes[0]]
        if self._n_outputs is not None:
            labels = [
                f"{i}_{c}" for i, known in enumerate(self._classes) for c in known
            ]
        names = [f"{m}__{label}" for m in self._columns for label in labels]
        return np.asarray(names, dtype=object)

    def _pick_method(self, name, estimator):
        return self._rule_method

    def _check_member(self, name, estimator):
        super()._check_member(name, estimator)
        if not hasattr(estimator, self._rule_method):
            raise AttributeError(
                f"modality {name!r}: voting={self.voting!r} needs "
                f"{self._rule_method}, which "
                f"{type(estimator).__name__} does not have. Use voting='hard', or wrap "
                "it in CalibratedClassifierCV."
            )

    def _check_weights(self):
        options = {"weights": "confidence", "calibration": self.calibration}
        for name, option in options.items():
            value = getattr(self, name)
            is_set = isinstance(value, str) and value == option
            if is_set and self._rule_method == "predict":
                raise ValueError(
                    f"{name}={value!r} needs probabilities, which "
                    f"voting={self.voting!r} does not compute. Use voting='soft' or "
                    "'product'."
                )
        return super()._check_weights()

    def _needs_folds(self, weights):
        return super()._needs_folds(weights) or self.calibration is not None

    def _make_pool(self, weights):
        return Pool(self._make_rule(), weights, self._priors, self.calibration)
