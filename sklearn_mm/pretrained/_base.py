"""Base class of encoders with a pretrained model: loading, batches, pickling."""

import os
from abc import abstractmethod
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from .._columns.base import StatelessTransformer
from .._columns.column import as_column
from .._columns.loading import check_files_exist, load_cells, report_failures
from .._utils.imports import Interval, StrOptions, fit_context
from .._utils.state import StoredStateMixin
from ._engines import refuse_weights, share_engine

#: Number of batches whose samples are in memory, sorted by length, at the same time.
_BATCHES = 16


class BasePretrainedEncoder(StoredStateMixin, StatelessTransformer):
    """Encodes each cell with a model that is loaded when it is first needed.

    Subclasses define how the engine is loaded and how a cell becomes a sample.
    """

    _parameter_constraints: dict = {
        "pooling": [StrOptions({"auto", "mean", "max", "cls"})],
        "normalize": ["boolean"],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "device": [str],
        "dtype": [StrOptions({"float32", "float16", "bfloat16"})],
        "revision": [str, None],
        "local_files_only": ["boolean"],
        "store_weights": ["boolean"],
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Load the model; nothing is learned.

        Parameters
        ----------
        X : column
            One cell per sample.
        y : None
            Ignored.

        Returns
        -------
        self
            The encoder.
        """
        column, loader = as_column(X, type(self).__name__), self.get_loader()
        if hasattr(loader, "filesystem"):
            check_files_exist(column, loader, type(self).__name__)
        self.n_features_ = self._open().n_features
        return self

    def transform(self, X):
        """Encode each cell.

        Parameters
        ----------
        X : column
            One cell per sample.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float32
            Vectors; all NaN where a cell is missing.
        """
        column, engine = as_column(X, type(self).__name__), self._open()
        loader = self.get_loader()
        vectors = np.full((len(column), engine.n_features), np.nan, np.float32)
        rows, failures = np.flatnonzero(~column.missing), []
        size = _BATCHES * self.batch_size
        for start in range(0, len(rows), size):
            samples = {}

            def load(row, cell, samples=samples):
                samples[row] = self._prepare(cell, loader, engine)

            chunk = rows[start : start + size]
            n_jobs = getattr(loader, "n_jobs", None)
            failures += load_cells(column, load, rows=chunk, n_jobs=n_jobs)
            if not failures or loader.on_error != "raise":
                self._encode_sorted(engine, samples, vectors)
        report_failures(failures, column, type(self).__name__, loader.on_error)
        if self.normalize:
            length = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors /= np.maximum(length, np.finfo(np.float32).tiny)
        return vectors

    def get_loader(self):
        """Return the object that sets how cells are read, and what happens to bad ones.

        Returns
        -------
        transformer
            ``loader``, or the default one if it is None; the encoder itself if it has
            no such parameter.
        """
        return self

    def _encode_sorted(self, engine, samples, vectors):
        """Encode samples of similar length together, so that padding costs little."""
        rows = sorted(samples, key=lambda row: _length_of(samples[row]))
        for start in range(0, len(rows), self.batch_size):
            batch = rows[start : start + self.batch_size]
            vectors[batch] = engine.encode([samples[row] for row in batch])

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
        check_is_fitted(self, "n_features_")
        prefix = type(self).__name__.lower()
        names = [f"{prefix}{i}" for i in range(self.n_features_)]
        return np.asarray(names, dtype=object)

    def _open(self):
        """Return the loaded model."""
        engine = vars(self).get("_engine")
        if engine is None:
            self._engine = engine = self._share()
        return engine

    def _share(self):
        if not isinstance(self.model, (str, os.PathLike)):
            return self._load()
        key = (type(self), os.fspath(self.model), *map(str, self._list_options()))
        return share_engine(key, self._load)

    def _list_options(self):
        """Return the parameters that the loaded model depends on."""
        return (
            self.pooling,
            self.device,
            self.dtype,
            self.revision,
            self.local_files_only,
        )

    def set_params(self, **params):
        """Set parameters; the model is loaded again when it is next needed.

        Parameters
        ----------
        **params : dict
            Values by name.

        Returns
        -------
        self
            The encoder.
        """
        vars(self).pop("_engine", None)
        return super().set_params(**params)

    @abstractmethod
    def _load(self):
        """Load the model and return it as an engine."""

    @abstractmethod
    def _prepare(self, cell, loader, engine):
        """Convert a cell to a sample for the engine; raise if it is bad."""

    def __sklearn_clone__(self):
        # The model is shared, not copied; only the loader is an estimator to clone.
        params = self.get_params(deep=False)
        if params.get("loader") is not None:
            params["loader"] = clone(params["loader"])
        return type(self)(**params)

    def _get_plain_state(self):
        refuse_weights(self)
        return self._get_pickled_state()

    def _get_pickled_state(self):
        state = dict(vars(self))
        if not self.store_weights:
            state.pop("_engine", None)
        elif isinstance(self.model, (str, os.PathLike)):
            state["_engine"] = self._open()
        return state


def _length_of(sample):
    try:
        return len(sample)
    except TypeError:
        return 0
