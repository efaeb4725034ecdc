"""Fusion by vote: the modalities' answers averaged, by those who can answer."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.base import ClassifierMixin, TransformerMixin, is_classifier
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    assert_all_finite,
    check_consistent_length,
    check_is_fitted,
)

from .._imports import StrOptions, check_sample_weight, fit_context, num_samples
from ._base import AbstentionWarning, BaseFusion


def _votes_softly(estimator):
    if estimator.voting != "soft":
        raise AttributeError(
            f"predict_proba is not available when voting={estimator.voting!r}"
        )
    return True


class MultimodalVotingClassifier(ClassifierMixin, TransformerMixin, BaseFusion):
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
    voting : {"soft", "hard"}, default="soft"
        "soft" averages the probabilities of the classes, "hard" counts the predicted
        classes; a tie goes to the class that sorts first.
    weights : array-like of shape (n_modalities,), dict of str to float, or None, \
            default=None
        Weight of each modality, in the order of ``estimators`` (dropped ones included)
        or by name. All are equal by default. Where modalities abstain, the weights of
        the others are scaled up.
    n_jobs : int or None, default=None
        Number of modalities fitted at the same time.
    verbose : bool, default=False
        Print the time that each modality's fit took.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted classifiers, those not dropped.
    named_estimators_ : Bunch
        The same by name.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    class_prior_ : ndarray of shape (n_classes,)
        Their frequencies in the training set.
    weights_ : ndarray of shape (n_modalities,)
        Weights of ``estimators_``; they sum to one.
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
    IEEE Transactions on Pattern Analysis and Machine Intelligence 20.

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
        **BaseFusion._parameter_constraints,
        "voting": [StrOptions({"soft", "hard"})],
        "weights": ["array-like", dict, None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self, estimators, *, voting="soft", weights=None, n_jobs=None, verbose=False
    ):
        super().__init__(estimators)
        self.voting = voting
        self.weights = weights
        self.n_jobs = n_jobs
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, **params):
        """Fit every modality's classifier on the rows where it is present.

        Parameters
        ----------
        X : DataFrame, ndarray or SliceDict with n_samples rows
            The table.
        y : array-like of shape (n_samples,)
            Class labels.
        **params : dict
            ``sample_weight``, for every classifier; with metadata routing enabled
            whatever the classifiers request.

        Returns
        -------
        self
            The fitted estimator.
        """
        X = self._check_X(X, reset=True)
        y = self._check_y(X, y)
        members = self._check_members(X)
        weights = self._check_weights()
        if params.get("sample_weight") is not None:
            params["sample_weight"] = check_sample_weight(params["sample_weight"], y)
        self._fit_members(members, X, y, params)
        self.weights_ = weights / weights.sum()
        self._set_classes(y, params.get("sample_weight"))
        return self

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : DataFrame, ndarray or SliceDict with n_samples rows
            The table.

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels.
        """
        fused = self._fuse(X)
        return self.classes_[np.argmax(fused, axis=1)]

    @available_if(_votes_softly)
    def predict_proba(self, X):
        """Average the modalities' probabilities; only with ``voting="soft"``.

        Parameters
        ----------
        X : DataFrame, ndarray or SliceDict with n_samples rows
            The table.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        return self._fuse(X)

    def transform(self, X):
        """Give each modality's probabilities, or its votes with ``voting="hard"``.

        Parameters
        ----------
        X : DataFrame, ndarray or SliceDict with n_samples rows
            The table.

        Returns
        -------
        ndarray of shape (n_samples, n_modalities * n_classes)
            Modality after modality; NaN where one abstains. A vote is 1 for the
            predicted class and 0 for the others.
        """
        answers = self._collect(X)  # (n_modalities, n_samples, n_classes)
        return np.concatenate(answers, axis=1)

    def get_feature_names_out(self, input_features=None):
        """Name the columns of ``transform``: ``modality__class``.

        Parameters
        ----------
        input_features : array-like of str or None
            Ignored.

        Returns
        -------
        ndarray of str
            One name per column.
        """
        check_is_fitted(self)
        names = [f"{m}__{label}" for m in self._columns for label in self.classes_]
        return np.asarray(names, dtype=object)

    def _check_y(self, X, y):
        check_classification_targets(y)
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        check_consistent_length(X, y)
        return y

    def _check_member(self, name, estimator):
        super()._check_member(name, estimator)
        if not is_classifier(estimator):
            raise TypeError(
                f"modality {name!r}: {type(estimator).__name__} is no classifier. Put "
                "one behind it in a pipeline."
            )
        if self.voting == "soft" and not hasattr(estimator, "predict_proba"):
            raise AttributeError(
                f"modality {name!r}: voting='soft' needs predict_proba, which "
                f"{type(estimator).__name__} has not. Use voting='hard', or wrap it in "
                "CalibratedClassifierCV."
            )

    def _check_weights(self):
        """Weights of the modalities that are not dropped."""
        names = [name for name, _, _ in self.estimators]
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
        kept = [not isinstance(estimator, str) for _, estimator, _ in self.estimators]
        weights = weights[kept]
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
            raise ValueError(
                "weights must be finite and not negative, and one of them positive, "
                f"got {self.weights!r}."
            )
        return weights

    def _set_classes(self, y, sample_weight):
        labels = [np.unique(y), *(model.classes_ for model in self.estimators_)]
        self.classes_ = np.unique(np.concatenate(labels))  # frozen models may know more
        counts = np.bincount(
            np.searchsorted(self.classes_, y),
            weights=sample_weight,
            minlength=len(self.classes_),
        )
        self.class_prior_ = counts / counts.sum()

    def _collect(self, X):
        """Probabilities or votes ``(n_modalities, n_samples, n_classes)``, or NaN."""
        check_is_fitted(self)
        X = self._check_X(X, reset=False)
        method = "predict_proba" if self.voting == "soft" else "predict"
        shape = (len(self.estimators_), num_samples(X), len(self.classes_))
        collected = np.full(shape, np.nan)
        members = self._iter_answers(X, method)
        for scores, (model, rows, answers) in zip(collected, members):
            if len(rows):
                scores[rows] = 0
                labels = model.classes_ if self.voting == "soft" else answers
                column = np.searchsorted(self.classes_, labels)
                if self.voting == "soft":
                    scores[np.ix_(rows, column)] = answers
                else:
                    scores[rows, column] = 1
        return collected

    def _fuse(self, X):
        """Weighted mean of the answers ``(n_samples, n_classes)``; else the prior."""
        collected = self._collect(X)
        answered = ~np.isnan(collected[:, :, 0])  # (n_modalities, n_samples)
        weights = self.weights_[:, None] * answered
        total = weights.sum(axis=0)  # (n_samples,)
        fused = np.einsum("mn,mnk->nk", weights, np.nan_to_num(collected))
        silent = total == 0
        fused /= np.where(silent, 1, total)[:, None]
        if silent.any():
            fused[silent] = self.class_prior_
            warnings.warn(
                f"All modalities abstain on {silent.sum()} of {len(silent)} rows, "
                "which get the class frequencies of the training set.",
                AbstentionWarning,
                stacklevel=3,
            )
        return fused
