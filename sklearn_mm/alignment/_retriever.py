"""Search one modality by another."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.validation import check_is_fitted

from .._columns.column import as_column
from .._utils.imports import HasMethods, Interval, fit_context, is_instance
from .._utils.versions import VersionMixin
from ..metrics import mean_average_precision_scorer
from ._base import fit_aligner, scale_to_unit


class CrossModalRetriever(MetaEstimatorMixin, VersionMixin, BaseEstimator):
    """Find the cells of one modality that match those of another.

    An image for a sentence, the recording of a word, or a caption for an image: ``fit``
    embeds and indexes the cells of the target modality, ``kneighbors`` and ``predict``
    look up cells of the query modality among them.

    Parameters
    ----------
    aligner : aligner
        A :class:`ContrastiveAligner`, :class:`CanonicalAligner` or
        :class:`PretrainedAligner`. A fitted aligner is used as is; wrap it in a
        :class:`~sklearn.frozen.FrozenEstimator` inside ``GridSearchCV``, which clones.
        Otherwise, a clone is fitted.
    query : str
        Name of the modality to search by.
    target : str
        Name of the modality to search for.
    n_neighbors : int, default=10
        Default number of targets that ``kneighbors`` returns.
    neighbors : estimator or None, default=None
        Unfitted neighbours estimator with scikit-learn's ``fit(X)`` and
        ``kneighbors(X, n_neighbors)``, such as
        :class:`~sklearn_mm.alignment.FaissNeighbors` for approximate search among many
        targets. A clone is fitted on vectors of length one, and distances are in its
        metric. By default, exact search by cosine distance.

    Attributes
    ----------
    aligner_ : aligner
        The fitted aligner.
    targets_ : ndarray of shape (n_targets, ...)
        The indexed cells; tuples of cells if the modality has several columns.
    neighbors_ : estimator
        The fitted neighbours estimator.

    See Also
    --------
    sklearn_mm.alignment.FaissNeighbors : Approximate search.
    ZeroShotClassifier : Predicts the described class that is closest to a cell.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_mm import CanonicalAligner, CrossModalRetriever
    >>> from sklearn_mm import TextVectorizer, VectorStacker
    >>> X = pd.DataFrame(
    ...     {
    ...         "color": [[0.9, 0.1], [0.1, 0.9], [0.5, 0.1], [0.1, 0.5]],
    ...         "name": ["light red", "light green", "dark red", "dark green"],
    ...     }
    ... )
    >>> aligner = CanonicalAligner(
    ...     [("color", VectorStacker(), "color"), ("name", TextVectorizer(), "name")]
    ... )
    >>> retriever = CrossModalRetriever(aligner, query="color", target="name")
    >>> names = retriever.fit(X).predict([[0.8, 0.0], [0.0, 0.4], None])
    >>> names[0].split()[1], names[1].split()[1], names[2]
    ('red', 'green', None)
    """

    _parameter_constraints: dict = {
        "aligner": [HasMethods(["fit", "transform"])],
        "query": [str],
        "target": [str],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "neighbors": [HasMethods(["fit", "kneighbors"]), None],
    }

    def __init__(self, aligner, *, query, target, n_neighbors=10, neighbors=None):
        self.aligner = aligner
        self.query = query
        self.target = target
        self.n_neighbors = n_neighbors
        self.neighbors = neighbors

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Index the target's cells; fit the aligner first if it is not fitted.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays, or column
            The table. With a fitted aligner, the target's cells on their own suffice.
            Missing targets are never found.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted retriever.
        """
        vars(self).pop("neighbors_", None)  # not fitted until it is complete
        self.aligner_ = fit_aligner(self.aligner, X)
        self._check_modalities()
        cells = self.aligner_.select_modality(X, self.target)
        vectors = np.asarray(self.aligner_.transform(X, modality=self.target))
        self._rows = np.flatnonzero(~np.isnan(vectors).any(axis=1))
        if not len(self._rows):
            raise ValueError(
                f"modality {self.target!r} is missing from every row of X."
            )
        self.targets_ = _list_cells(cells)
        self._is_default = self.neighbors is None
        neighbors = NearestNeighbors(algorithm="brute")
        neighbors = neighbors if self._is_default else clone(self.neighbors)
        self.neighbors_ = neighbors.fit(scale_to_unit(vectors[self._rows]))
        return self

    def _check_modalities(self):
        known = self.aligner_.modalities_
        for parameter in ("query", "target"):
            if getattr(self, parameter) not in known:
                raise ValueError(
                    f"{parameter} must be one of the aligner's modalities {known}, got "
                    f"{getattr(self, parameter)!r}."
                )

    def kneighbors(self, queries, n_neighbors=None, return_distance=True):
        """Find the targets that are closest to each query.

        Parameters
        ----------
        queries : column, DataFrame, ndarray or dict of arrays
            Cells of the query's modality, or a table that has them.
        n_neighbors : int or None, default=None
            Number of targets, ``self.n_neighbors`` by default; at most all of them.
        return_distance : bool, default=True
            Whether to return the distances.

        Returns
        -------
        distances : ndarray of shape (n_queries, n_neighbors)
            Distances, ascending: those of ``neighbors``, by default cosine distances (1
            minus the cosine similarity). NaN for a missing query. Only if
            ``return_distance`` is True.
        indices : ndarray of shape (n_queries, n_neighbors)
            Positions of the targets in the table of ``fit``; -1 for a missing query.
        """
        check_is_fitted(self)
        vectors = np.asarray(self.aligner_.transform(queries, modality=self.query))
        n_neighbors = self.n_neighbors if n_neighbors is None else n_neighbors
        n_neighbors = min(n_neighbors, len(self._rows))
        distances = np.full((len(vectors), n_neighbors), np.nan, np.float32)
        indices = np.full((len(vectors), n_neighbors), -1)
        present = ~np.isnan(vectors).any(axis=1)
        if present.any():
            found = self._search(scale_to_unit(vectors[present]), n_neighbors)
            distances[present], indices[present] = found[0], self._rows[found[1]]
        return (distances, indices) if return_distance else indices

    def _search(self, vectors, n_neighbors):
        """Search among the targets that are not missing."""
        distances, indices = self.neighbors_.kneighbors(vectors, n_neighbors)
        if np.min(indices) < 0:
            raise ValueError(
                f"{type(self.neighbors_).__name__} found fewer than {n_neighbors} "
                "neighbours for some queries. Lower n_neighbors or search more "
                "accurately."
            )
        if self._is_default:
            distances = distances**2 / 2  # from Euclidean to cosine, at length one
        return distances, indices

    def predict(self, queries):
        """Predict the target cell that is closest to each query.

        Parameters
        ----------
        queries : column, DataFrame, ndarray or dict of arrays
            Cells of the query's modality, or a table that has them.

        Returns
        -------
        ndarray of shape (n_queries, ...)
            Cells as passed to ``fit``; None (NaN for numeric arrays) for a missing
            query.
        """
        indices = self.kneighbors(queries, 1, return_distance=False)[:, 0]
        cells = self.targets_[indices]
        if (indices < 0).any():
            is_number = cells.dtype.kind in "biuf"
            cells = (
                cells.astype(np.result_type(cells, np.float32)) if is_number else cells
            )
            cells[indices < 0] = np.nan if is_number else None
        return cells

    def score(self, X, y=None):
        """Mean average precision of finding each row's target among all rows.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays
            The table, whose targets are searched instead of those of ``fit``.
        y : array-like of shape (n_samples,) or None, default=None
            Labels; all targets with the query's label are relevant. By default, only
            the target of the same row is.

        Returns
        -------
        float
            Between 0 and 1.
        """
        return mean_average_precision_scorer(self, X, y)

    def __sklearn_is_fitted__(self):
        """Whether the targets are indexed."""
        return hasattr(self, "neighbors_")


def _list_cells(X):
    """Return one cell per row: tuples if there are several columns."""
    if isinstance(X, np.ndarray) and X.ndim > 1 and X.dtype.kind != "O":
        return X
    if isinstance(X, pd.DataFrame) and X.shape[1] > 1:
        columns = [X.iloc[:, i] for i in range(X.shape[1])]
    elif is_instance(X, "polars", "DataFrame") and X.shape[1] > 1:
        columns = X.get_columns()
    elif isinstance(X, dict):
        columns = list(X.values())
    elif isinstance(X, np.ndarray) and X.ndim == 2 and X.shape[1] > 1:
        columns = list(X.T)
    else:
        return _as_objects(as_column(X, "CrossModalRetriever").cells)
    return _as_objects(list(zip(*columns)))


def _as_objects(cells):
    if isinstance(cells, np.ndarray):
        return cells
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return array
