"""Fusion by stacking: a classifier learns from the modalities' predictions."""

import numpy as np
from sklearn.base import ClassifierMixin, is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.utils.metaestimators import available_if

from .._utils.imports import StrOptions
from ._base_stacking import BaseStacking
from ._pooled_logistic import PooledLogisticRegression
from ._probabilities import encode_votes, scatter_probabilities
from ._probability_rules import LinearPool
from ._targets import ClassTargetMixin

_METHODS = ("predict_proba", "decision_function", "predict")


def _final_has(method):
    def check(estimator):
        final = getattr(estimator, "final_estimator_", estimator._clone_final())
        getattr(final, method)
        return True

    return check


class MultimodalStackingClassifier(ClassTargetMixin, ClassifierMixin, BaseStacking):
    """One classifier per modality, and one that learns from their predictions.

    Each modality's classifier is fitted on the rows where that modality is present and
    abstains elsewhere; the final estimator learns from out-of-fold predictions. A
    row on which all abstain gets the class frequencies of the training set.

    Parameters
    ----------
    estimators : list of tuple (name, estimator, columns)
        As in :class:`MultimodalVotingClassifier`.
    final_estimator : classifier or None, default=None
        Learns from the modalities' predictions; by default a logistic regression that a
        ridge penalty shrinks towards the product of the modalities' probabilities with
        learned exponents. If it does not accept NaN, missing predictions are replaced
        by their mean.
    cv : int, splitter, iterable or "prefit", default=None
        Folds for the predictions that the final estimator learns from, 5 by default.
        "prefit" takes fitted models as they are, and their predictions of all rows.
    stack_method : {"auto", "predict_proba", "decision_function", "predict"}, \
            default="auto"
        Method of each modality's classifier; "auto" takes the first that it has.
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
    stack_method_ : list of str
        Method of each modality's classifier.
    classes_ : ndarray of shape (n_classes,), or list of ndarray
        Class labels; a list with an entry per column if ``y`` is 2-D.
    class_prior_ : ndarray of shape (n_classes,), or list of ndarray
        Their frequencies in the training set.
    member_classes_ : dict of str to ndarray of shape (n_classes,), or list of ndarray
        By modality, the labels that its classifier knows. The classifier itself
        learned their positions 0, 1, ..., unless a parameter of it names labels.
    unimodal_scores_ : dict of str to float
        Out-of-fold accuracy of each modality on its own. Rows where the modality is
        missing count as the majority class.
    fused_score_ : float
        Out-of-fold accuracy of stacking; the final estimator is fitted on the other
        folds.
    equal_score_ : float
        Out-of-fold accuracy of the mean of the modalities' predictions.
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
    sklearn.ensemble.StackingClassifier : Stacking of models that all see the same
        table.

    Notes
    -----
    Where a modality abstains its predictions are NaN, and each modality that abstained
    in ``fit`` has an indicator column. On complete tables the results are the same as
    scikit-learn's with the same final estimator.

    The default final estimator adds to the log-linear pool, which has one coefficient
    for each modality, a linear function of all log-probabilities and of the columns
    passed through. It is trained on the rows as they are and once more with modalities
    dropped at random, so that it expects what is missing later.

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
    >>> X[::3, :2] = float("nan")  # a third of the sepals were not measured
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

    _vote_rule = LinearPool()

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
        """Method of each modality's classifier."""
        return list(self._methods.values())

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
        stacked, predictions, abstained = self._stack(X, "predict")
        votes = self._overrule(self._to_outputs(stacked), predictions, abstained)
        return self._decode(votes)

    @available_if(_final_has("predict_proba"))
    def predict_proba(self, X):
        """Predict probabilities of the classes by the final estimator.

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
        stacked, predictions, abstained = self._stack(X, "predict_proba")
        parts = [np.zeros(part.shape[1:]) for part in predictions]
        rows = np.arange(len(abstained))
        for outputs in zip(parts, stacked, self._final_codes.labels, self._classes):
            scatter_probabilities(*outputs, rows)
        parts = self._overrule(parts, predictions, abstained)
        return parts[0] if self._n_outputs is None else parts

    @available_if(_final_has("decision_function"))
    def decision_function(self, X):
        """Compute the decisions of the final estimator, without regard to the guard.

        Parameters
        ----------
        X : dataframe, dict of columns or array-like of shape (n_samples, n_columns)
            The table.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Decisions.
        """
        return self._stack(X, "decision_function")[0]

    def _pick_method(self, name, estimator):
        if self.stack_method != "auto":
            getattr(estimator, self.stack_method)  # an AttributeError if it is missing
            return self.stack_method
        for method in _METHODS:
            if hasattr(estimator, method):
                return method
        raise AttributeError(
            f"modality {name!r}: {type(estimator).__name__} has none of the methods "
            f"{', '.join(_METHODS)}."
        )

    def _make_final(self):
        if getattr(self, "_n_outputs", None) is not None:
            return LogisticRegression()
        ends = np.cumsum([0, *getattr(self, "_widths", ())])
        methods = self._methods.values() if hasattr(self, "_widths") else ()
        blocks = [
            (int(start), int(stop))
            for start, stop, method in zip(ends, ends[1:], methods)
            if method == "predict_proba"
        ]
        return PooledLogisticRegression(blocks, getattr(self, "classes_", ()))

    def _check_members(self, X):
        final = self._clone_final()
        if not is_classifier(final):
            raise TypeError(
                f"final_estimator must be a classifier, got {type(final).__name__}."
            )
        return super()._check_members(X)

    def _to_numbers(self, method, values):
        if method == "predict":
            values = np.column_stack(
                [np.searchsorted(*pair) for pair in zip(self._classes, values)]
            )
        return super()._to_numbers(method, values)

    def _to_outputs(self, predicted):
        return encode_votes(predicted, self._classes)
