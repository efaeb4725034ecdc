"""Means in place of NaN, in wide sparse matrices as fast as in dense ones."""

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from .._columns.base import SparseOutputMixin
from .._utils.versions import VersionMixin


class MeanImputer(
    SparseOutputMixin,
    OneToOneFeatureMixin,
    TransformerMixin,
    VersionMixin,
    BaseEstimator,
):
    """Replace NaN by the mean of its feature, or by 0 where a feature is all NaN.

    It does what ``SimpleImputer(keep_empty_features=True)`` does, which looks at the
    columns of a sparse matrix one by one: of the features of 20,000 texts, at 200,000
    columns, for longer than a linear model takes to learn from them.

    Attributes
    ----------
    statistics_ : ndarray of shape (n_features,)
        The means; zeros that a sparse matrix does not store count.
    """

    _trusted = True

    def fit(self, X, y=None):
        """Find the means.

        Parameters
        ----------
        X : ndarray or sparse matrix of shape (n_samples, n_features)
            Numbers, NaN where they are missing.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted imputer.
        """
        X = self._check(X, reset=True)
        self._is_sparse = sparse.issparse(X)
        if sparse.issparse(X):
            known = ~np.isnan(X.data)
            width = X.shape[1]
            sums = np.bincount(X.indices[known], X.data[known], minlength=width)
            counts = X.shape[0] - np.bincount(X.indices[~known], minlength=width)
        else:
            sums = np.nansum(X, axis=0, dtype=np.float64)
            counts = (~np.isnan(X)).sum(axis=0)
        self.statistics_ = sums / np.maximum(counts, 1)
        return self

    def transform(self, X):
        """Fill in the means.

        Parameters
        ----------
        X : ndarray or sparse matrix of shape (n_samples, n_features)
            Numbers, NaN where they are missing; not changed.

        Returns
        -------
        ndarray or sparse matrix of shape (n_samples, n_features)
            No NaN.
        """
        check_is_fitted(self)
        X = self._check(X, reset=False, copy=True)
        if sparse.issparse(X):
            missing = np.isnan(X.data)
            X.data[missing] = self.statistics_[X.indices[missing]]
        else:
            missing = np.isnan(X)
            X[missing] = self.statistics_[np.nonzero(missing)[1]]
        return self._make_framable(X)

    def _check(self, X, reset, copy=False):
        return validate_data(
            self,
            X,
            reset=reset,
            copy=copy,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            ensure_all_finite="allow-nan",
        )

    def __sklearn_tags__(self):
        """Say that NaN and sparse matrices are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
