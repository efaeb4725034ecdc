"""Encode cells that hold several items each, and pool the vectors of the items."""

from itertools import chain

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from .._columns.base import ColumnTransformerMixin, learns
from .._columns.column import as_column, find_missing
from .._utils.imports import HasMethods, StrOptions, fit_context, safe_indexing
from .._utils.versions import VersionMixin


class PooledEncoder(
    ColumnTransformerMixin, TransformerMixin, VersionMixin, BaseEstimator
):
    """Encode cells that are lists of items, and pool the vectors of each list.

    For example four photographs of a house, or the pages of a document: each item is a
    cell of the kind that the wrapped encoder expects. A cell that is not a list counts
    as a list of one item.

    Parameters
    ----------
    encoder : transformer
        Encodes a column of items as vectors.
    pooling : {"mean", "max", "first"}, default="mean"
        How the vectors of a row are combined. Items that are missing or could not be
        read do not count.
    split_arrays : bool, default=False
        Whether an array is split into items along its first axis, such as the frames
        of a :class:`VideoLoader`. By default an array is one item.

    Attributes
    ----------
    encoder_ : transformer
        The fitted encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_mm import HOGEncoder, ImageLoader, PooledEncoder
    >>> photo = np.zeros((48, 64), dtype=np.uint8)
    >>> encoder = PooledEncoder(make_pipeline(ImageLoader(), HOGEncoder()))
    >>> encoder.fit_transform([[photo, photo], [photo], None]).shape
    (3, 324)
    """

    _parameter_constraints: dict = {
        "encoder": [HasMethods(["fit", "transform"])],
        "pooling": [StrOptions({"mean", "max", "first"})],
        "split_arrays": ["boolean"],
    }

    def __init__(self, encoder, pooling="mean", *, split_arrays=False):
        self.encoder = encoder
        self.pooling = pooling
        self.split_arrays = split_arrays

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the encoder on the items of all rows.

        Parameters
        ----------
        X : column of lists
            Each a list of cells.
        y : array-like of shape (n_samples,) or None
            Target of each row, which all of its items share.

        Returns
        -------
        self
            The fitted transformer.
        """
        items, rows, _ = self._flatten(X)
        y = None if y is None else safe_indexing(y, rows)
        self.encoder_ = clone(self.encoder).fit(items, y)
        return self

    def transform(self, X):
        """Encode the items and pool them by row.

        Parameters
        ----------
        X : column of lists
            Each a list of cells.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float32
            All NaN where no item of a row could be read.
        """
        encoder = self.encoder
        if learns(encoder) or hasattr(self, "encoder_"):
            check_is_fitted(self)
            encoder = self.encoder_
        items, rows, n_samples = self._flatten(X)
        vectors = encoder.transform(items)
        vectors = vectors.toarray() if issparse(vectors) else np.asarray(vectors)
        if vectors.ndim != 2:
            raise ValueError(
                "PooledEncoder: the encoder must return vectors (n_samples, "
                f"n_features), got {vectors.shape}. Add an encoder after the loader, "
                "such as HOGEncoder, AudioStatistics or VectorStacker."
            )
        pooled = np.full((n_samples, vectors.shape[1]), np.nan, dtype=np.float32)
        present = ~find_missing(vectors)
        rows, first = np.unique(rows[present], return_index=True)
        if len(rows):
            pooled[rows] = self._pool(vectors[present], first)
        return pooled

    def get_feature_names_out(self, input_features=None):
        """Return the names of the encoder's features.

        Parameters
        ----------
        input_features : array-like of str or None
            Names of the input.

        Returns
        -------
        ndarray of str
            One name per feature.
        """
        check_is_fitted(self)
        return self.encoder_.get_feature_names_out(input_features)

    def __sklearn_tags__(self):
        """Declare that ``transform`` works without ``fit`` if the encoder's does."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = learns(self.encoder)
        return tags

    def _flatten(self, X):
        """Return one column of all items, labelled by row for error messages."""
        column = as_column(X, type(self).__name__, convert=False)
        if self.split_arrays and column.cells.ndim > 1:
            return _split_array(column.cells)
        lists = [
            [] if missing else _as_items(cell, self.split_arrays)
            for cell, missing in zip(column.cells, column.missing)
        ]
        rows = np.repeat(np.arange(len(lists)), [len(items) for items in lists])
        items = np.empty(len(rows), dtype=object)
        for i, item in enumerate(chain.from_iterable(lists)):
            items[i] = item
        labels = pd.Index(column.labels).take(rows)
        items = pd.Series(items, index=labels, dtype=object, name=column.name)
        return items, rows, len(lists)

    def _pool(self, vectors, first):
        if self.pooling == "first":
            return vectors[first]
        if self.pooling == "max":
            return np.maximum.reduceat(vectors, first)
        counts = np.diff(first, append=len(vectors))
        return np.add.reduceat(vectors, first) / counts[:, None]


def _split_array(array):
    """Return the present items ``(n_items, ...)``, their rows, and the row count."""
    items = array.reshape(-1, *array.shape[2:])
    present = np.flatnonzero(~find_missing(items))
    rows = np.arange(len(array)).repeat(array.shape[1])[present]
    return items if len(present) == len(items) else items[present], rows, len(array)


def _as_items(cell, split_arrays):
    if isinstance(cell, np.ndarray):
        is_list = cell.ndim == 1 and cell.dtype.kind in "OUST"
        return list(cell) if is_list or split_arrays else [cell]
    return list(cell) if isinstance(cell, list) else [cell]
