"""Co-training: each modality labels the rows it is sure of for the others."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    assert_all_finite,
    check_consistent_length,
    check_is_fitted,
)

from .._columns.table import select_columns, select_rows
from .._members.labels import complete_class_weights
from .._members.rows import AbsentModalityError, fit_present, predict_present
from .._utils.imports import HasMethods, Interval, StrOptions, fit_context
from .._utils.versions import VersionMixin
from ._base import BaseFusion
from ._targets import check_labels


def _fusion_has(method):
    def check(estimator):
        getattr(getattr(estimator, "fusion_", estimator.fusion), method)
        return True

    return check


class CoTrainingClassifier(ClassifierMixin, VersionMixin, BaseEstimator):
    """Train modalities on each other's confident predictions, then fuse them.

    Unlabelled rows are -1, as in :mod:`sklearn.semi_supervised`. In each round every
    modality's classifier is fitted on the rows labelled for it, and labels the rows
    that it is sure of for the others. If several modalities label a row for another
    one, the majority decides. Finally, the fusion estimator is fitted on all labelled
    rows.

    Parameters
    ----------
    fusion : fusion classifier
        Such as :class:`MultimodalVotingClassifier`; its ``estimators`` are the
        modalities, at least two, whose classifiers need ``predict_proba``.
    criterion : {"k_best", "threshold"}, default="k_best"
        "k_best": a modality labels the ``k_best`` most certain rows of each class,
        which keeps the classes balanced. "threshold": it labels all rows whose
        probability exceeds ``threshold``.
    threshold : float, default=0.9
        Probability above which a prediction becomes a label.
    k_best : int, default=10
        Rows of each class that each modality labels in a round.
    max_iter : int or None, default=10
        Maximum number of rounds; None continues until no row gets a label.

    Attributes
    ----------
    fusion_ : fusion classifier
        Fitted on the labelled rows, including those labelled by co-training.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    transduction_ : ndarray of shape (n_samples,)
        Labels that ``fusion_`` was fitted on; -1 for rows that were left out.
    labeled_iter_ : ndarray of shape (n_samples,)
        Round in which a row got its label: 0 for labels in ``y``, -1 for none.
    n_iter_ : int
        Number of rounds; 0 if all rows were labelled.
    termination_condition_ : {"max_iter", "no_change", "all_labeled"}
        Why the rounds ended.
    n_features_in_ : int
        Number of columns of the table.

    Notes
    -----
    Co-training helps if each modality on its own is accurate enough, and their errors
    are independent given the class. Otherwise wrong labels spread: compare with the
    fusion estimator fitted on the labelled rows alone.

    See Also
    --------
    sklearn.semi_supervised.SelfTrainingClassifier : Self-training of a single model.

    References
    ----------
    A. Blum and T. Mitchell (1998), "Combining labeled and unlabeled data with
    co-training", COLT. Y. Zhou and S. Goldman (2004), "Democratic co-learning", ICTAI.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_mm import CoTrainingClassifier, MultimodalVotingClassifier
    >>> X, y = load_digits(return_X_y=True)  # upper and lower halves of digits
    >>> few = np.where(np.arange(len(y)) % 20 == 0, y, -1)
    >>> nb = GaussianNB(var_smoothing=0.01)
    >>> fusion = MultimodalVotingClassifier(
    ...     [("upper", nb, slice(0, 32)), ("lower", nb, slice(32, 64))]
    ... )
    >>> training = CoTrainingClassifier(fusion, max_iter=3).fit(X, few)
    >>> bool(training.score(X, y) > 0.75)
    True
    """

    _parameter_constraints: dict = {
        "fusion": [HasMethods(["fit", "predict"])],
        "criterion": [StrOptions({"threshold", "k_best"})],
        "threshold": [Interval(Real, 0, 1, closed="left")],
        "k_best": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left"), None],
    }

    def __init__(
        self, fusion, *, criterion="k_best", threshold=0.9, k_best=10, max_iter=10
    ):
        self.fusion = fusion
        self.criterion = criterion
        self.threshold = threshold
        self.k_best = k_best
        self.max_iter = max_iter

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        """Label rows round by round, and fit the fusion estimator.

        Parameters
        ----------
        X : dataframe, dict of columns or array-like of shape (n_samples, n_columns)
            The table.
        y : array-like of shape (n_samples,)
            Class labels; -1 for unlabelled rows.

        Returns
        -------
        self
            The fitted estimator.
        """
        self.fusion_ = self._check_fusion()
        X = self.fusion_._check_X(X, reset=True)
        y = self._check_y(X, y)  # codes of the classes
        members = self.fusion_._check_members(X)
        if len(members) < 2:
            raise ValueError("co-training needs two modalities or more, got one.")
        labels = np.tile(y, (len(members), 1))  # a row per modality
        self.labeled_iter_ = np.where(y == -1, -1, 0)
        self.n_iter_, self.termination_condition_ = 0, "max_iter"
        while self.max_iter is None or self.n_iter_ < self.max_iter:
            if (labels != -1).all():
                self.termination_condition_ = "all_labeled"
                break
            self.n_iter_ += 1
            newly_labelled = self._label_for_others(members, X, labels)
            if not newly_labelled.any():
                self.termination_condition_ = "no_change"
                break
        agreed = np.where(y != -1, y, self._compute_majority(labels))
        self.labeled_iter_[agreed == -1] = -1
        rows = np.flatnonzero(agreed != -1)
        self.fusion_.fit(select_rows(X, rows), self.classes_[agreed[rows]])
        is_numeric = self.classes_.dtype.kind in "iuf"
        self.transduction_ = np.full(
            len(y), -1, dtype=self.classes_.dtype if is_numeric else object
        )
        self.transduction_[rows] = self.classes_[agreed[rows]]
        return self

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : dataframe, dict of columns or array-like of shape (n_samples, n_columns)
            The table.

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels.
        """
        check_is_fitted(self)
        return self.fusion_.predict(X)

    @available_if(_fusion_has("predict_proba"))
    def predict_proba(self, X):
        """Predict probabilities of the classes by the fusion estimator.

        Parameters
        ----------
        X : dataframe, dict of columns or array-like of shape (n_samples, n_columns)
            The table.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        check_is_fitted(self)
        return self.fusion_.predict_proba(X)

    @property
    def n_features_in_(self):
        """Number of columns of the table."""
        return self.fusion_.n_features_in_

    def _check_fusion(self):
        if isinstance(self.fusion, BaseFusion) and is_classifier(self.fusion):
            return clone(self.fusion)
        raise TypeError(
            "fusion must be a MultimodalVotingClassifier or a "
            f"MultimodalStackingClassifier, got {type(self.fusion).__name__}. Their "
            "members know their columns, which co-training needs."
        )

    def _check_y(self, X, y):
        # numpy would turn the -1 in a list of strings into the string "-1".
        y = y if hasattr(y, "dtype") else np.asarray(y, dtype=object)
        y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        if "-1" in y.tolist():
            raise ValueError(
                "y holds the string '-1'; unlabelled rows are the number -1, which an "
                "array of strings keeps with dtype=object only."
            )
        known = np.array([label != -1 for label in y.tolist()], dtype=bool)
        if not known.any():
            raise ValueError("all rows are unlabelled (-1): there is nothing to learn.")
        labels = check_labels(y[known], type(self).__name__)
        labels = np.array(labels.tolist()) if labels.dtype.kind == "O" else labels
        check_classification_targets(labels)
        assert_all_finite(labels, input_name="y")
        self.classes_, codes = np.unique(labels, return_inverse=True)
        numbered = np.full(len(y), -1)
        numbered[known] = codes
        return numbered

    def _label_for_others(self, members, X, labels):
        """Add the confident predictions of the others to each modality's labels.

        Works in place, and returns which rows got a label.
        """
        proposals = np.full(labels.shape, -1, dtype=labels.dtype)
        for m, (_, estimator, columns) in enumerate(members):
            if not hasattr(estimator, "predict_proba"):
                raise AttributeError(
                    f"modality {members[m][0]!r}: co-training needs predict_proba."
                )
            cells = select_columns(X, columns)
            open_rows = np.flatnonzero((labels == -1).any(axis=0))
            rows, codes = self._propose(clone(estimator), cells, labels[m], open_rows)
            proposals[m, rows] = codes
        newly_labelled = np.zeros(labels.shape[1], dtype=bool)
        for m in range(len(members)):
            others = np.delete(proposals, m, axis=0)
            codes = self._compute_majority(others)
            is_new = (labels[m] == -1) & (codes != -1)
            labels[m, is_new] = codes[is_new]
            newly_labelled |= is_new
        self.labeled_iter_[newly_labelled & (self.labeled_iter_ == -1)] = self.n_iter_
        return newly_labelled

    def _propose(self, estimator, X, labels, open_rows):
        """Find the rows that a modality is sure of, and the codes of their classes."""
        nothing = open_rows[:0], labels[:0]
        known = np.flatnonzero(labels != -1)
        y_known = self.classes_[labels[known]]
        estimator = complete_class_weights(estimator, self.classes_)
        try:
            estimator, codes = fit_present(
                estimator, select_rows(X, known), y_known, {}
            )
        except AbsentModalityError:
            return nothing
        if len(codes.labels[0]) < 2:  # sure of the only class that it knows
            return nothing
        rows, values, (names,) = predict_present(
            estimator, select_rows(X, open_rows), "predict_proba", codes
        )
        if not len(rows):
            return nothing
        proba = values[0][:, np.isin(names, self.classes_)]
        names = np.searchsorted(self.classes_, names[np.isin(names, self.classes_)])
        rows, codes = open_rows[rows], proba.argmax(axis=1)
        certainty = proba.max(axis=1)
        if self.criterion == "threshold":
            chosen = np.flatnonzero(certainty > self.threshold)
        else:
            order = np.argsort(-certainty, kind="stable")
            chosen = np.concatenate(
                [
                    order[codes[order] == code][: self.k_best]
                    for code in range(proba.shape[1])
                ]
            )
        return rows[chosen], names[codes[chosen]]

    def _compute_majority(self, labels):
        """Compute the most frequent label by column; -1 if there is none, or a tie."""
        codes = np.arange(len(self.classes_))
        votes = (labels[:, :, None] == codes).sum(axis=0)  # (n_rows, n_classes)
        highest = votes.max(axis=1)
        is_unique = (votes == highest[:, None]).sum(axis=1) == 1
        return np.where((highest > 0) & is_unique, votes.argmax(axis=1), -1)
