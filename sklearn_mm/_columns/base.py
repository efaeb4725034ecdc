"""Base classes of loaders (cells to an array) and encoders (an array to vectors)."""

from abc import abstractmethod
from numbers import Integral
from os import PathLike

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from .._utils.imports import Interval, StrOptions, fit_context
from .._utils.versions import VersionMixin
from .arrays import as_array
from .column import as_column, find_missing
from .files import names_file, read_source
from .loading import check_files_exist, load_cells, report_failures
from .padding import iter_padded


def learns(transformer):
    """Whether the output of a transformer depends on the data it was fitted on."""
    if isinstance(transformer, Pipeline):
        parts = [step for _, step in transformer.steps]
    elif isinstance(transformer, FeatureUnion):
        parts = [part for _, part in transformer.transformer_list]
    else:
        return get_tags(transformer).requires_fit
    return any(learns(part) for part in parts if not isinstance(part, str | None))


class ColumnTransformerMixin:
    """Tags of a transformer of one column of cells, which may be missing."""

    def __sklearn_tags__(self):
        """Declare that the input is a column of cells, which may be missing."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        return tags


class ArrayOutputMixin:
    """Output of a transformer to one array whose samples need not be vectors.

    Such an array has no columns to name: ``set_output`` has no effect, and
    ``get_feature_names_out`` passes the input's names on to the encoder that follows.
    """

    def __init_subclass__(cls, **kwargs):
        # None: a global set_config(transform_output=...) has no effect either.
        super().__init_subclass__(auto_wrap_output_keys=None, **kwargs)

    def set_output(self, *, transform=None):
        """No-op: the output is always an array.

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
        """Return the input's names unchanged, for the encoder that follows.

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


class SparseOutputMixin:
    """Output that may be a sparse matrix, which a global setting leaves as it is.

    ``set_config(transform_output=...)`` frames dense output alone, so that a text of
    many terms stays sparse, as with scikit-learn's ``TfidfVectorizer``. ``set_output``
    asks for a frame, and gets a dense one. A subclass has ``_is_sparse``, whether the
    output is a sparse matrix; it comes last among its bases that define ``transform``.
    """

    _is_sparse = False

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        # scikit-learn sets this attribute on every subclass.
        cls._sklearn_auto_wrap_output_keys = property(SparseOutputMixin._list_framed)

    def _list_framed(self):
        """Return the methods whose output scikit-learn puts into a frame."""
        is_sparse = self._is_sparse and not self._is_framed
        return set() if is_sparse else {"transform"}

    @property
    def _is_framed(self):
        """Whether ``set_output`` asked for a frame."""
        config = getattr(self, "_sklearn_output_config", {})
        return config.get("transform", "default") != "default"

    def set_output(self, *, transform=None):
        """Set the container of the output.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None
            The container; a frame is dense. None keeps the current one.

        Returns
        -------
        self
            The transformer.
        """
        if transform is not None:
            config = getattr(self, "_sklearn_output_config", {})
            self._sklearn_output_config = config | {"transform": transform}
        return self

    def _make_framable(self, output):
        """Make a sparse matrix dense if it goes into a frame."""
        return output.toarray() if issparse(output) and self._is_framed else output


class StatelessTransformer(
    ColumnTransformerMixin, TransformerMixin, VersionMixin, BaseEstimator
):
    """A transformer whose output does not depend on the data it was fitted on.

    ``fit`` checks the parameters and that the input is one column; ``transform`` works
    without a call to ``fit``.
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
        """Declare that ``transform`` works without ``fit``."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


class ArrayTransformer(ArrayOutputMixin, StatelessTransformer):
    """A stateless transformer to one array whose samples need not be vectors."""


class BaseLoader(ArrayTransformer):
    """From cells to one float32 array.

    A subclass has ``read(cell)``, which loads one cell, and a ``transform`` that reads
    all of them and puts them into one array.
    """

    _parameter_constraints: dict = {
        "root": [str, PathLike, None],
        "on_error": [StrOptions({"raise", "warn", "missing"})],
        "max_bytes": [Interval(Integral, 1, None, closed="left"), None],
        "filesystem": [object],
        "n_jobs": [Integral, None],
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters, and that most files exist; nothing is learned.

        Parameters
        ----------
        X : column
            One cell per sample.
        y : None
            Ignored.

        Returns
        -------
        self
            The loader.

        Raises
        ------
        LoadError
            If most of the files do not exist, whatever ``on_error`` says.
        """
        column = as_column(X, type(self).__name__)
        check_files_exist(column, self, type(self).__name__)
        return self

    @abstractmethod
    def read(self, cell):
        """Load one cell; raise if it is bad."""

    def _read_bytes(self, cell):
        """Return the encoded file, or None if the cell is neither a path nor bytes."""
        if not names_file(cell):
            return None
        return read_source(
            cell, root=self.root, max_bytes=self.max_bytes, filesystem=self.filesystem
        )

    def _read_into(self, samples, column, read=None):
        """Store ``read(cell)`` in ``samples`` for every cell that is not missing."""
        read = self.read if read is None else read

        def load(row, cell):
            samples[row] = read(cell)

        failures = load_cells(column, load, n_jobs=self.n_jobs)
        report_failures(failures, column, type(self).__name__, self.on_error)


class BaseArrayEncoder(StatelessTransformer):
    """From a loader's array to vectors.

    A subclass has ``_check_array(array)``, which refuses arrays that it cannot encode,
    ``_encode(array)``, which gets present samples only, and
    ``_feature_names(sample_shape)``. ``_ragged`` says whether samples are padded with
    NaN, ``_gaps`` whether individual numbers may be NaN. An ``on_error`` parameter, if
    there is one, applies to cells that are not arrays of numbers. A subclass that is
    not stateless extends ``_learn(array)``, and sets the tag ``requires_fit``.
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
        self._learn(self._as_array(X, None))
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        """Remember the shape of a sample, and encode each sample.

        Parameters
        ----------
        X : ndarray of shape (n_samples, ...), or column of arrays
            Samples as a loader returns them.
        y : None
            Ignored.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float32
            All NaN where a sample is missing.
        """
        array = self._as_array(X, None)
        self._learn(array)
        return self._encode_present(array)

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
        self._validate_params()
        array = self._as_array(X, getattr(self, "sample_shape_", None))
        return self._encode_present(array)

    def _learn(self, array):
        self.sample_shape_ = array.shape[1:]

    def _encode_present(self, array):
        n_features = self._check_width(array.shape[1:])
        vectors = np.full((len(array), n_features), np.nan, dtype=np.float32)
        present = np.flatnonzero(~find_missing(array))
        if len(present):
            for rows, samples in iter_padded(array, present):
                vectors[rows] = self._encode(samples)
        return vectors

    def get_feature_names_out(self, input_features=None):
        """Return the names of the features.

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
