"""What aligners share: embedding the cells of a modality, and scoring the space."""

import numpy as np
from sklearn.base import TransformerMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from .._columns.selection import Selection
from .._columns.table import column_names, read_table, select_columns
from ..metrics import mean_average_precision_scorer


def fit_aligner(aligner, X):
    """Return the aligner itself if it is fitted, else a clone fitted on ``X``."""
    try:
        check_is_fitted(aligner)
    except NotFittedError:
        return clone(aligner).fit(X)
    return aligner


def scale_to_unit(vectors):
    """Scale vectors along the last axis to length one; zeros stay zeros."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(length, np.finfo(np.float32).tiny)


class AlignerMixin(TransformerMixin):
    """Maps each of several modalities into one space, as vectors of length one.

    Subclasses have ``_columns`` by modality, ``embedding_dim_``, and ``_embed(name,
    cells)``, which returns an array of shape ``(n_samples, embedding_dim)`` with NaN
    rows for missing cells.
    """

    @property
    def modalities_(self):
        """Names of the modalities."""
        check_is_fitted(self)
        return list(self._columns)

    def transform(self, X, modality=None):
        """Embed one modality of a table, or all of them.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays, or column
            The table. With a ``modality``, a table with that modality's columns, or
            its cells on their own (a list, a Series, an array).
        modality : str or None, default=None
            The modality to embed. By default, the mean of the modalities that a row
            has, scaled to length one.

        Returns
        -------
        ndarray of shape (n_samples, embedding_dim), float32
            Vectors of length one; rows of NaN where the modality (by default, every
            modality) is missing.
        """
        check_is_fitted(self)
        if modality is not None:
            return self._embed(modality, self.select_modality(X, modality))
        X = self._check_X(X, reset=False)
        parts = [
            self._embed(name, self.select_modality(X, name)) for name in self._columns
        ]
        missing = np.isnan(parts).all(axis=(0, 2))
        total = scale_to_unit(np.nansum(parts, axis=0))
        total[missing] = np.nan
        return total

    def score(self, X, y=None):
        """Mean average precision of finding each row's counterparts among all rows.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays
            The table.
        y : array-like of shape (n_samples,) or None, default=None
            Labels; all rows with the same label are counterparts. By default, a row's
            only counterpart is itself.

        Returns
        -------
        float
            The mean over all ordered pairs of modalities.
        """
        return mean_average_precision_scorer(self, X, y)

    def get_feature_names_out(self, input_features=None):
        """Get the names of the dimensions.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Ignored.

        Returns
        -------
        ndarray of str
            One name per dimension.
        """
        check_is_fitted(self)
        names = [f"embedding{i}" for i in range(self.embedding_dim_)]
        return np.asarray(names, dtype=object)

    def select_modality(self, X, modality):
        """Select a modality's columns from a table.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays, or column
            A table with the modality's columns, or the modality's cells on their own: a
            Series, a list or an array. A DataFrame or dict must have the columns by
            name, because a column of another name may be another modality.
        modality : str
            The modality.

        Returns
        -------
        Series, DataFrame, ndarray, list or dict of arrays
            Its cells.

        Raises
        ------
        ValueError
            If there is no such modality, or ``X`` lacks its columns.
        """
        check_is_fitted(self)
        self._check_modality(modality)
        if isinstance(X, (str, bytes)) or not hasattr(X, "__len__"):
            raise TypeError(
                f"modality {modality!r}: X must be a table or a column of cells, got "
                f"{type(X).__name__}. Pass a single cell as a list: [cell]."
            )
        is_named = isinstance(X, dict) or hasattr(X, "columns")
        if not is_named and getattr(X, "ndim", 1) != 2:
            return X
        X = read_table(X) if is_named else X
        columns, names = self._columns[modality], column_names(X)
        chosen = Selection(columns, names)
        if is_named and chosen.by_name:
            _check_names(modality, chosen.lacking, names)
            return select_columns(X, columns)
        if not chosen.by_name and len(names) == self.n_features_in_:
            return select_columns(X, columns)
        if not is_named and chosen.is_scalar:
            return X  # an array of vectors, one per cell
        self._check_width(modality, columns, len(names))
        return X

    def _check_modality(self, modality):
        if modality not in self._columns:
            raise ValueError(
                f"modality must be one of {list(self._columns)}, got {modality!r}."
            )

    def _check_width(self, modality, columns, width):
        """Check that a table is as wide as the modality's own columns."""
        if not Selection(columns, range(self.n_features_in_)).by_name:
            columns = np.arange(self.n_features_in_)[columns]
        if width != np.size(columns):
            raise ValueError(
                f"modality {modality!r}: X has {width} columns. Pass the whole table, "
                f"or the {np.size(columns)} columns of this modality."
            )


def _check_names(modality, lacking, names):
    if lacking:
        raise ValueError(
            f"modality {modality!r}: X has no column {lacking}, only {names}. Pass a "
            "table with that column, or the cells on their own as a Series, a list or "
            "an array."
        )
