"""Zero-shot classification: classes are described, not learned."""

from numbers import Real

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.utils.validation import check_is_fitted

from .._utils.imports import HasMethods, Interval, fit_context
from .._utils.notices import warn_user
from .._utils.versions import VersionMixin
from ..exceptions import AbstentionWarning
from ._base import fit_aligner, scale_to_unit


class ZeroShotClassifier(
    ClassifierMixin, MetaEstimatorMixin, VersionMixin, BaseEstimator
):
    """Predict the class whose description is closest in an aligner's space.

    No labels are learned from: the aligner learned from pairs which cells match, and a
    class is described by a text (or a cell of any other modality).

    Parameters
    ----------
    aligner : aligner
        A :class:`ContrastiveAligner`, :class:`CanonicalAligner` or
        :class:`PretrainedAligner`. A fitted aligner is used as is; otherwise, a clone
        is fitted on ``X``.
    labels : dict
        Maps each class to its description: a cell of the modality ``target``, or a list
        of cells, whose mean embedding describes the class.
    query : str or None, default=None
        Name of the modality to classify. By default, all modalities but ``target``; if
        there are several, their mean embedding.
    target : str, default="text"
        Name of the modality of the descriptions.
    temperature : float or None, default=None
        Divisor of the cosine similarities in the softmax. By default, the aligner's
        ``temperature_``, or 0.07 if it has none.

    Attributes
    ----------
    aligner_ : aligner
        The fitted aligner.
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    class_embeddings_ : ndarray of shape (n_classes, embedding_dim)
        Embeddings of the descriptions, of length one.

    Notes
    -----
    A row where every classified modality is missing gets equal probabilities for all
    classes, with an :class:`~sklearn_mm.exceptions.AbstentionWarning`.

    References
    ----------
    A. Radford et al. (2021), "Learning transferable visual models from natural language
    supervision", ICML.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_mm import CanonicalAligner, TextVectorizer, VectorStacker
    >>> from sklearn_mm import ZeroShotClassifier
    >>> X = pd.DataFrame(
    ...     {
    ...         "color": [[0.9, 0.1], [0.1, 0.8], [0.8, 0.2], [0.2, 0.9]],
    ...         "text": ["a dark red", "a light green", "a light red", "a dark green"],
    ...     }
    ... )
    >>> aligner = CanonicalAligner(
    ...     [("color", VectorStacker(), "color"), ("text", TextVectorizer(), "text")]
    ... )
    >>> classifier = ZeroShotClassifier(aligner, labels={0: "red", 1: "green"})
    >>> classifier.fit(X).predict([[0.7, 0.0], [0.0, 0.7]])
    array([0, 1])
    """

    _parameter_constraints: dict = {
        "aligner": [HasMethods(["fit", "transform"])],
        "labels": [dict],
        "query": [str, None],
        "target": [str],
        "temperature": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(self, aligner, labels, *, query=None, target="text", temperature=None):
        self.aligner = aligner
        self.labels = labels
        self.query = query
        self.target = target
        self.temperature = temperature

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X=None, y=None):
        """Embed the descriptions; fit the aligner first if it is not fitted.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays, or None
            The table; not needed with a fitted aligner.
        y : array-like of shape (n_samples,) or None, default=None
            Not learned from; its classes must all have a description.

        Returns
        -------
        self
            The fitted classifier.
        """
        vars(self).pop("class_embeddings_", None)  # not fitted until it is complete
        self.classes_ = self._check_labels(y)
        self.aligner_ = fit_aligner(self.aligner, X)
        self._queries = self._check_queries()
        self.class_embeddings_ = np.stack(
            [self._embed_class(label) for label in self.classes_.tolist()]
        )
        return self

    def _check_labels(self, y):
        classes = np.unique(list(self.labels))
        if len(classes) < 2:
            raise ValueError(
                f"labels must describe two classes or more, got {self.labels}."
            )
        unknown = [] if y is None else np.setdiff1d(y, classes).tolist()
        if unknown:
            raise ValueError(f"y holds the classes {unknown}, which labels lacks.")
        return classes

    def _check_queries(self):
        """Return the names of the modalities to classify."""
        known = list(self.aligner_.modalities_)
        for name in (self.target, self.query):
            if name is not None and name not in known:
                raise ValueError(
                    f"query and target must be among the aligner's modalities {known}, "
                    f"got {name!r}."
                )
        if self.query is not None:
            return [self.query]
        return [name for name in known if name != self.target]

    def _embed_class(self, label):
        cells = self.labels[label]
        cells = cells if isinstance(cells, list) else [cells]
        vectors = np.asarray(self.aligner_.transform(cells, modality=self.target))
        if np.isnan(vectors).any():
            raise ValueError(f"a description of class {label!r} is missing.")
        return scale_to_unit(scale_to_unit(vectors).mean(axis=0))

    def predict_proba(self, X):
        """Predict class probabilities, the softmax of cosine similarities.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays, or column
            The table, or the cells of the classified modality if there is only one.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        check_is_fitted(self)
        vectors = [
            scale_to_unit(np.asarray(self.aligner_.transform(X, modality=name)))
            for name in self._queries
        ]
        present = ~np.isnan(vectors).any(axis=2)  # (n_queries, n_samples)
        total = scale_to_unit(np.nansum(vectors, axis=0))
        similarities = total @ self.class_embeddings_.T
        proba = softmax(similarities / self._get_temperature(), axis=1)
        absent = ~present.any(axis=0)
        if absent.any():
            proba[absent] = 1 / len(self.classes_)
            warn_user(
                f"{self._queries} missing from {absent.sum()} of {len(absent)} rows; "
                "these get equal probabilities for all classes.",
                AbstentionWarning,
            )
        return proba

    def predict(self, X):
        """Predict the class whose description is closest.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays, or column
            The table, or the cells of the classified modality if there is only one.

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels.
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _get_temperature(self):
        if self.temperature is not None:
            return self.temperature
        return getattr(self.aligner_, "temperature_", 0.07)

    def __sklearn_is_fitted__(self):
        """Whether the descriptions are embedded."""
        return hasattr(self, "class_embeddings_")

    def __sklearn_tags__(self):
        """Need no target."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        return tags
