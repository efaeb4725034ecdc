"""Fusion by stacking: a classifier learns from the modalities' answers."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils.metaestimators import available_if

from .._utils.imports import StrOptions
from ._answers import encode_labels, split_probabilities, split_votes
from ._base_stacking import BaseStacking
from ._targets import ClassTargetMixin

_METHODS = ("predict_proba", "decision_function", "predict")


def _final_has(method):
    def check(estimator):
        final = getattr(estimator, "final_estimator_", estimator._clone_final())
        getattr(final, method)
        return True

    return check


class MultimodalStackingClassifier(ClassTargetMixin, ClassifierMixin, BaseStacking):
    """One classifier per modality, and one that learns from their answers.

    Each modality's classifier is fitted on the rows where that modality is present and
    abstains elsewhere; the final estimator learns from what they answer out of fold. A
    row on which all abstain gets the class frequencies of the training set.

    Parameters
    ----------
    estimators : list of tuple (name, estimator, columns)
        As in :class:`MultimodalVotingClassifier`.
    final_estimator : classifier or None, default=None
        Learns from the modalities' answers; by default a logistic regression. In front
        of one that takes no NaN, the answer of a modality that abstains is replaced by
        its mean.
    cv : int, splitter, iterable or "prefit", default=None
        Folds for the answers that the final estimator learns from, 5 by default.
        "prefit" takes fitted models, which answer for the rows given.
    stack_method : {"auto", "predict_proba", "decision_function", "predict"}, \
            default="auto"
        What each modality is asked; "auto" takes the first that it has.
    passthrough : bool, or columns, default=None
        Columns of numbers that the final estimator sees as well; True for all.
    guard : bool, default=False
        Whether the best modality alone decides where it answers, if out of fold fusing
        did not beat it.
    on_absent : {"raise", "drop"}, default="raise"
        What to do about a modality that is missing from every row.
    n_jobs : int or None, default=None
        Number of fits at the same time.
    verbose : bool, default=False
        Print the time that each modality's fit took.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted models, those not dropped.
    named_estimators_ : Bunch
        The same by name.
    final_estimator_ : estimator
        The fitted final estimator.
    stack_method_ : list of str
        What each modality is asked.
    classes_ : ndarray of shape (n_classes,), or list of ndarray
        Class labels; a list by column where ``y`` is 2-D.
    class_prior_ : ndarray of shape (n_classes,), or list of ndarray
        Their frequencies in the training set.
    unimodal_scores_ : dict of str to float
        Accuracy of each modality alone on out-of-fold answers; a row that it does not
        answer gets the most frequent class.
    fused_score_ : float
        Accuracy of stacking, the final estimator fitted on the other folds' answers.
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
    sklearn.ensemble.StackingClassifier : The same for models of one table.

    Notes
    -----
    Where a modality abstains its answers are NaN, and for each modality that abstained
    in ``fit`` a column says so. On complete tables the results are scikit-learn's.

    References
    ----------
    D. H. Wolpert (1992), "Stacked generalization", Neural Networks 5.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_mm import MultimodalStackingClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> X[::3, :2] = float("nan")  # a third of the sepals was not measured
    >>> stacking = MultimodalStackingClassifier(
    ...     [("sepal", GaussianNB(), [0, 1]), ("petal", GaussianNB(), [2, 3])]
    ... )
    >>> bool(stacking.fit(X, y).score(X, y) > 0.9)
    True
    """

    _parameter_constraints: dict = {
        **BaseStacking._parameter_constraints,
        "stack_method": [StrOptions({"auto", *_METHODS})],
    }

    def __init__(
        self,
        estimators,
        final_estimator=None,
        *,
        cv=None,
        stack_method="auto",
        passthrough=None,
        guard=False,
        on_absent="raise",
        n_jobs=None,
        verbose=False,
    ):
        super().__init__(estimators)
        self.final_estimator = final_estimator
        self.cv = cv
        self.stack_method = stack_method
        self.passthrough = passthrough
        self.guard = guard
        self.on_absent = on_absent
        self.n_jobs = n_jobs
        self.verbose = verbose

    @property
    def stack_method_(self):
        """What each modality is asked."""
        return list(self._methods)

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
        stacked, answers, silent = self._stack(X, "predict")
        if not silent.any() and self.guarded_ is None:
            return stacked
        votes = self._overrule(self._to_answers(stacked), answers, silent)
        labels = [
            known[part.argmax(axis=1)] for known, part in zip(self._classes, votes)
        ]
        return labels[0] if self._n_outputs is None else np.column_stack(labels)

    @available_if(_final_has("predict_proba"))
    def predict_proba(self, X):
        """Probabilities of the classes, by the final estimator.

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
        stacked, answers, silent = self._stack(X, "predict_proba")
        parts = split_probabilities(stacked, self._n_outputs)
        parts = self._overrule(parts, answers, silent)
        return parts[0] if self._n_outputs is None else parts

    @available_if(_final_has("decision_function"))
    def decision_function(self, X):
        """Decisions of the final estimator, whatever the guard says.

        Parameters
        ----------
        X : DataFrame, ndarray or SliceDict with n_samples rows
            The table.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Decisions.
        """
        return self._stack(X, "decision_function")[0]

    def _pick_method(self, name, estimator):
        if self.stack_method != "auto":
            getattr(estimator, self.stack_method)  # its error says what it lacks
            return self.stack_method
        return next(method for method in _METHODS if hasattr(estimator, method))

    def _make_final(self):
        return LogisticRegression()

    def _to_numbers(self, m, values):
        if self._methods[m] != "predict":
            return values
        return np.column_stack(encode_labels(values, self._classes))

    def _to_answers(self, predicted):
        return split_votes(predicted, self._classes)
