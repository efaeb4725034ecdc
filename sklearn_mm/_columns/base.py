"""What loaders and encoders share: a column or array in, an array or vectors out."""

from numbers import Integral
from os import PathLike

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from .._utils.imports import Interval, StrOptions, fit_context
from .._utils.versions import VersionMixin
from .arrays import as_array
from .column import as_column, find_missing
from .files import names_file, read_source
from .loading import load_cells


def learns(transformer):
    """Whether what a transformer returns depends on what it was fitted on."""
    if isinstance(transformer, Pipeline):
        parts = [step for _, step in transformer.steps]
    elif isinstance(transformer, FeatureUnion):
        parts = [part for _, part in transformer.transformer_list]
    else:
        return get_tags(transformer).requires_fit
    return any(learns(part) for part in parts if not isinstance(part, str | None))


class ColumnTransformerMixin:
    """Tags of a transformer of one column of cells, missing ones included."""

    def __sklearn_tags__(self):
        """Say that the input is no 2-D table of numbers, and may hold missing cells."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        return tags


class ArrayOutputMixin:
    """Output of a transformer to one array whose samples need not be vectors.

    Such an array has no columns to name, so ``set_output`` leaves it an array, and
    ``get_feature_names_out`` hands the names of the input on to the encoder behind it.
    """

    def __init_subclass__(cls, **kwargs):
        # Not wrapped under a global set_config(transform_output=...) either.
        super().__init_subclass__(auto_wrap_output_keys=None, **kwargs)

    def set_output(self, *, transform=None):
        """Do nothing: an array of samples is no table, whatever container is asked for.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None
            Ignored.

        Returns
        -------
        self
            The loader.
        """
        return self

    def get_feature_names_out(self, input_features=None):
        """Give the input's names unchanged, for the encoder that follows.

        Parameters
        ----------
        input_features : array-like of str or None
            Names of the input.

        Returns
        -------
        ndarray of str
            The same names.
        """
        names = ["x0"] if input_features is None else input_features
        return np.asarray(names, dtype=object)


class StatelessTransformer(
    ColumnTransformerMixin, TransformerMixin, VersionMixin, BaseEstimator
):
    """A transformer that returns the same whatever it was fitted on.

    ``fit`` checks the parameters and that there is one column; ``transform`` works
    without it.
    """

    _parameter_constraints: dict = {}

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters; nothing is learned.

        Parameters
        ----------
        X : column
            One cell per sample.
        y : None
            Ignored.

        Returns
        -------
        self
            The transformer.
        """
        as_column(X, type(self).__name__)
        return self

    def __sklearn_tags__(self):
        """Say that ``transform`` needs no ``fit``."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


class ArrayTransformer(ArrayOutputMixin, StatelessTransformer):
    """A stateless transformer to one array whose samples need not be vectors."""


class BaseLoader(ArrayTransformer):
    """From cells to one float32 array; a class says how to load one cell."""

    _parameter_constraints: dict = {
        "root": [str, PathLike, None],
        "on_error": [StrOptions({"raise", "warn", "missing"})],
        "max_bytes": [Interval(Integral, 1, None, closed="left"), None],
        "filesystem": [object],
        "n_jobs": [Integral, None],
    }

    def _read_bytes(self, cell):
        """Read an encoded file, or give None if the cell is something else."""
        if not names_file(cell):
            return None
        return read_source(
            cell, root=self.root, max_bytes=self.max_bytes, filesystem=self.filesystem
        )

    def _load_cells(self, column, load):
        load_cells(
            column,
            load,
            owner=type(self).__name__,
            on_error=self.on_error,
            n_jobs=self.n_jobs,
        )


class BaseArrayEncoder(StatelessTransformer):
    """From a loader's array to vectors.

    A subclass has ``_check_array(array)``, which refuses what it cannot read,
    ``_encode(array)``, which sees present samples only, and
    ``_feature_names(sample_shape)``. ``_ragged`` says whether samples are NaN-padded,
    ``_gaps`` whether there may be NaN among their numbers.
    """

    _ragged = True
    _gaps = True

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters and remember the shape of a sample.

        Parameters
        ----------
        X : ndarray of shape (n_samples, ...), or column of arrays
            Samples as a loader returns them.
        y : None
            Ignored.

        Returns
        -------
        self
            The encoder.
        """
        self.sample_shape_ = self._as_array(X, None).shape[1:]
        return self

    def transform(self, X):
        """Encode each sample.

        Parameters
        ----------
        X : ndarray of shape (n_samples, ...), or column of arrays
            Samples as a loader returns them.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float32
            All NaN where a sample is missing.
        """
        array = self._as_array(X, getattr(self, "sample_shape_", None))
        n_features = self._check_width(array.shape[1:])
        vectors = np.full((len(array), n_features), np.nan, dtype=np.float32)
        present = ~find_missing(array)
        if present.any():
            present = slice(None) if present.all() else present
            vectors[present] = self._encode(array[present])
        return vectors

    def get_feature_names_out(self, input_features=None):
        """Name the features.

        Parameters
        ----------
        input_features : array-like of str or None
            Ignored.

        Returns
        -------
        ndarray of str
            One name per feature.
        """
        check_is_fitted(self, "sample_shape_")
        return np.asarray(self._feature_names(self.sample_shape_), dtype=object)

    def _as_array(self, X, sample_shape):
        if sample_shape is not None and self._ragged:
            sample_shape = sample_shape[1:]
        array = as_array(
            X,
            type(self).__name__,
            ragged=self._ragged,
            on_error=getattr(self, "on_error", None),
            shape=sample_shape,
            gaps=self._gaps,
        )
        return self._check_array(array)

    def _check_width(self, sample_shape):
        n_features = len(self._feature_names(sample_shape))
        fitted_shape = getattr(self, "sample_shape_", sample_shape)
        if fitted_shape == sample_shape:
            return n_features
        if len(self._feature_names(fitted_shape)) != n_features:
            raise ValueError(
                f"{type(self).__name__} was fitted on samples of shape {fitted_shape}, "
                f"got {sample_shape}."
            )
        return n_features
