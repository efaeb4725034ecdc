"""What aligners share: embedding cells of one modality, and a score of the space."""

import numpy as np
from sklearn.base import TransformerMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from .._members.columns import is_names, select_columns
from ..metrics import mean_average_precision_scorer


def fit_aligner(aligner, X):
    """Give an aligner that is fitted: itself, or a clone fitted on ``X``."""
    try:
        check_is_fitted(aligner)
    except NotFittedError:
        return clone(aligner).fit(X)
    return aligner


def scale_to_unit(vectors):
    """Bring vectors along the last axis to length one; zeros stay zeros."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(length, np.finfo(np.float32).tiny)


class AlignerMixin(TransformerMixin):
    """Maps each of several modalities into one space, as vectors of length one.

    Subclasses have ``_columns`` by modality, ``embedding_dim_``, and ``_embed(name,
    cells)``, which gives ``(n_samples, embedding_dim)``, NaN where a cell is missing.
    """

    @property
    def modalities_(self):
        """Names of the modalities."""
        check_is_fitted(self)
        return list(self._columns)

    def transform(self, X, modality=None):
        """Embed what a table has of one modality, or of all.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays, or column
            The table. With a ``modality`` it needs the columns of that one only, and
            its cells by themselves (a list, a Series, an array) will do.
        modality : str or None, default=None
            The modality. By default the mean of those that a row has, at length one.

        Returns
        -------
        ndarray of shape (n_samples, embedding_dim), float32
            Vectors of length one; all NaN where the modality (all of them) is missing.
        """
        check_is_fitted(self)
        if modality is not None:
            self._check_modality(modality)
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
        """Mean average precision of finding each row's counterparts among all rows'.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays
            The table.
        y : array-like of shape (n_samples,) or None
            Labels; all rows with the same are counterparts. By default only the row
            itself is.

        Returns
        -------
        float
            The mean over all ordered pairs of modalities.
        """
        return mean_average_precision_scorer(self, X, y)

    def get_feature_names_out(self, input_features=None):
        """Name the dimensions.

        Parameters
        ----------
        input_features : array-like of str or None
            Ignored.

        Returns
        -------
        ndarray of str
            One name per dimension.
        """
        check_is_fitted(self)
        names = [f"embedding{i}" for i in range(self.embedding_dim_)]
        return np.asarray(names, dtype=object)

    def _check_modality(self, modality):
        if modality not in self._columns:
            raise ValueError(
                f"modality must be one of {list(self._columns)}, got {modality!r}."
            )

    def select_modality(self, X, modality):
        """Take a modality's columns out of a table, unless ``X`` is those already.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays, or column
            The table, or the modality's cells by themselves.
        modality : str
            The modality.

        Returns
        -------
        Series, DataFrame, ndarray, list or dict of arrays
            Its cells.
        """
        columns = self._columns[modality]
        known = list(X) if isinstance(X, dict) else getattr(X, "columns", None)
        if known is None or not is_names(columns):
            is_table = getattr(X, "ndim", 2) == 2 and hasattr(X, "shape")
            if is_table and not is_names(columns) and X.shape[1] == self.n_features_in_:
                return select_columns(X, columns)
            return X
        wanted = [columns] if isinstance(columns, str) else columns
        lacking = [column for column in wanted if column not in known]
        if not lacking:
            return select_columns(X, columns)
        if len(known) == 1:
            return X[known[0]]
        raise ValueError(
            f"modality {modality!r}: X has no column {lacking}, only {list(known)}."
        )
