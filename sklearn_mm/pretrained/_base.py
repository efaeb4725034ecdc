"""What encoders by pretrained models share: loading, batches, pickling."""

import os
from abc import abstractmethod
from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._columns.base import StatelessTransformer
from .._columns.column import as_column
from .._columns.loading import report_failures, try_cells
from .._utils.imports import Interval, StrOptions, fit_context
from .._utils.state import StoredStateMixin
from ._engines import refuse_weights, share_engine

#: Batches whose samples are in memory, sorted by length, at the same time.
_BATCHES = 16


class BasePretrainedEncoder(StoredStateMixin, StatelessTransformer):
    """Encodes each cell by a model that is loaded when it is first needed.

    Subclasses say how an engine is loaded and how a cell becomes a sample.
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
    _on_error = None

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
        as_column(X, type(self).__name__)
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
        vectors = np.full((len(column), engine.n_features), np.nan, np.float32)
        rows, failures = np.flatnonzero(~column.missing), []
        size = _BATCHES * self.batch_size
        for start in range(0, len(rows), size):
            samples = {}
            failures += try_cells(
                column,
                rows[start : start + size],
                lambda row, cell, found=samples: found.update(
                    {row: self._prepare(cell, engine)}
                ),
                n_jobs=getattr(self, "n_jobs", None),
            )
            if not failures or self._forgives():
                self._encode_sorted(engine, samples, vectors)
        report_failures(
            failures, type(self).__name__, len(column), getattr(self, "on_error", None)
        )
        if self.normalize:
            length = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors /= np.maximum(length, np.finfo(np.float32).tiny)
        return vectors

    def _forgives(self):
        return getattr(self, "on_error", "raise") != "raise"

    def _encode_sorted(self, engine, samples, vectors):
        """Encode samples of about one length together, so that padding costs little."""
        rows = sorted(samples, key=lambda row: _length_of(samples[row]))
        for start in range(0, len(rows), self.batch_size):
            batch = rows[start : start + self.batch_size]
            vectors[batch] = engine.encode([samples[row] for row in batch])

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
        check_is_fitted(self, "n_features_")
        prefix = type(self).__name__.lower()
        names = [f"{prefix}{i}" for i in range(self.n_features_)]
        return np.asarray(names, dtype=object)

    # The model.

    def _open(self):
        """Give the loaded model."""
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
        """Parameters that the loaded model depends on."""
        return (
            self.pooling,
            self.device,
            self.dtype,
            self.revision,
            self.local_files_only,
        )

    def set_params(self, **params):
        """Set parameters; the model is loaded anew when it is needed.

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
        """Load the model as an engine."""

    @abstractmethod
    def _prepare(self, cell, engine):
        """Turn a cell into what the engine encodes; raise where it is bad."""

    def __sklearn_clone__(self):
        # A model that was loaded already is shared, not copied.
        params = self.get_params(deep=False)
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
