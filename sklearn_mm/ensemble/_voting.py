"""Fusion by vote: the classifiers' answers averaged, by those who can answer."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._utils.imports import StrOptions
from ._base_voting import BaseVoting
from ._pool import ProbabilityPool
from ._targets import ClassTargetMixin


def _gives_probabilities(estimator):
    if estimator.voting == "hard":
        raise AttributeError("predict_proba is not available when voting='hard'")
    return True


class MultimodalVotingClassifier(ClassTargetMixin, ClassifierMixin, BaseVoting):
    """One classifier per modality, fused by vote.

    Each modality's classifier is fitted on the rows where that modality is present and
    abstains elsewhere; the vote is among those that answer. A row on which all abstain
    gets the class frequencies of the training set, and one warning says how many.

    Parameters
    ----------
    estimators : list of tuple (name, estimator, columns)
        As in :class:`~sklearn.compose.ColumnTransformer`: ``columns`` is a name (the
        estimator gets a 1-D column), a list of names (it gets a frame), an index,
        slice, mask, or callable; ``"drop"`` in place of an estimator leaves a modality
        out. A classifier in a :class:`~sklearn.frozen.FrozenEstimator` is not fitted.
    voting : {"soft", "hard", "product"}, default="soft"
        "soft" averages the probabilities of the classes; "product" takes their
        normalised geometric mean, the logarithmic opinion pool; "hard" counts the
        predicted classes, and a tie goes to the class that sorts first.
    weights : array-like of shape (n_modalities,), dict of str to float, "learned", \
            "confidence" or None, default=None
        Weight of each modality, in the order of ``estimators`` (dropped ones included)
        or by name. All are equal by default. Where modalities abstain, the weights of
        the others are scaled up. "learned" are those that minimise the log-loss of
        out-of-fold answers. "confidence" weighs each row's answers by how certain they
        are (one less their entropy, relative to that of equal probabilities) times the
        modality's reliability, the share of the class frequencies' log-loss that it
        takes away out of fold.
    calibration : {"sigmoid", "isotonic", "temperature"} or None, default=None
        Calibrate each modality on its out-of-fold answers, as
        :class:`~sklearn.calibration.CalibratedClassifierCV` does.
    divide_prior : bool, default=False
        For ``voting="product"``: count each modality's evidence beyond the class
        frequencies once, and these once, as is right for modalities that are
        independent given the class. A modality's weight then is an exponent, 1 if all
        are equal.
    guard : bool, default=False
        Whether the best modality alone decides where it answers, if out of fold fusing
        did not beat it.
    cv : int, splitter or iterable, default=None
        Folds for out-of-fold answers, 5 by default, stratified; used if weights or
        calibration are learned or ``guard`` is set, which fits each modality once more
        per fold. Models that are frozen answer for the rows given.
    on_absent : {"raise", "drop"}, default="raise"
        What to do about a modality that is missing from every row.
    n_jobs : int or None, default=None
        Number of fits at the same time.
    verbose : bool, default=False
        Print the time that each modality's fit took.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted classifiers, those not dropped.
    named_estimators_ : Bunch
        The same by name.
    classes_ : ndarray of shape (n_classes,), or list of ndarray
        Class labels; a list by column where ``y`` is 2-D.
    class_prior_ : ndarray of shape (n_classes,), or list of ndarray
        Their frequencies in the training set.
    weights_ : ndarray of shape (n_modalities,)
        Weights of ``estimators_``; they sum to one. With ``weights="confidence"`` they
        are the modalities' reliabilities.
    weights_gap_ : float
        With ``weights="learned"``: how much the log-loss may be above its minimum.
    unimodal_scores_ : dict of str to float
        Accuracy of each modality alone on out-of-fold answers, where there are some;
        a row that it does not answer gets the most frequent class.
    fused_score_ : float
        Accuracy of all fused, weights and calibration learned on the other folds.
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
    sklearn.ensemble.VotingClassifier : The same for models that all see the same table.

    Notes
    -----
    A modality is absent from a row if all of its cells are missing there, or if a step
    of its pipeline returns nothing but NaN for it, as a loader does under
    ``on_error="missing"`` for a file that it cannot read. A class that a modality's
    classifier never saw has probability zero from it.

    References
    ----------
    J. Kittler, M. Hatef, R. P. W. Duin and J. Matas (1998), "On combining classifiers",
    IEEE Transactions on Pattern Analysis and Machine Intelligence 20. C. Genest and
    J. V. Zidek (1986), "Combining probability distributions: a critique and an
    annotated bibliography", Statistical Science 1.

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

    _parameter_constraints: dict = {
        **BaseVoting._parameter_constraints,
        "voting": [StrOptions({"soft", "hard", "product"})],
        "calibration": [StrOptions({"sigmoid", "isotonic", "temperature"}), None],
        "divide_prior": ["boolean"],
    }

    def __init__(
        self,
        estimators,
        *,
        voting="soft",
        weights=None,
        calibration=None,
        divide_prior=False,
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
        self.divide_prior = divide_prior
        self.guard = guard
        self.cv = cv
        self.on_absent = on_absent
        self.n_jobs = n_jobs
        self.verbose = verbose

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : DataFrame, ndarray or SliceDict with n_samples rows
            The table.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Class labels.
        """
        fused = self._fuse(self._collect(X))
        labels = [
            known[np.argmax(part, axis=1)] for known, part in zip(self._classes, fused)
        ]
        return labels[0] if self._n_outputs is None else np.column_stack(labels)

    @available_if(_gives_probabilities)
    def predict_proba(self, X):
        """Fuse the modalities' probabilities; not with ``voting="hard"``.

        Parameters
        ----------
        X : DataFrame, ndarray or SliceDict with n_samples rows
            The table.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or list of ndarray
            Probabilities, in the order of ``classes_``; a list by column of a 2-D
            target.
        """
        fused = self._fuse(self._collect(X))
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
            One name per column; of a 2-D target ``modality__output_class``.
        """
        check_is_fitted(self)
        labels = [str(label) for label in self._classes[0]]
        if self._n_outputs is not None:
            labels = [f"{i}_{c}" for i, own in enumerate(self._classes) for c in own]
        names = [f"{m}__{label}" for m in self._columns for label in labels]
        return np.asarray(names, dtype=object)

    # The members and their answers.

    def _pick_method(self, name, estimator):
        return "predict" if self.voting == "hard" else "predict_proba"

    def _check_member(self, name, estimator):
        super()._check_member(name, estimator)
        if self.voting != "hard" and not hasattr(estimator, "predict_proba"):
            raise AttributeError(
                f"modality {name!r}: voting={self.voting!r} needs predict_proba, which "
                f"{type(estimator).__name__} has not. Use voting='hard', or wrap it in "
                "CalibratedClassifierCV."
            )

    def _check_weights(self):
        for name in ("weights", "calibration"):
            asked = getattr(self, name)
            if self.voting == "hard" and isinstance(asked, str):
                raise ValueError(
                    f"{name}={asked!r} needs probabilities, which voting='hard' does "
                    "not ask for. Use voting='soft' or 'product'."
                )
        return super()._check_weights()

    def _needs_folds(self, weights):
        return super()._needs_folds(weights) or self.calibration is not None

    def _make_pool(self, weights):
        return ProbabilityPool(
            self.voting, weights, self.calibration, self.divide_prior, self._priors
        )
