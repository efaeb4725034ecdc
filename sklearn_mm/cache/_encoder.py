"""Encode each cell once, and look the result up by the content of the cell."""

import os
from numbers import Integral

import numpy as np
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils.validation import check_is_fitted

from .._columns.arrays import find_majority
from .._columns.base import ArrayOutputMixin, StatelessTransformer
from .._columns.column import as_column, describe_cell, find_missing
from .._columns.loading import check_files_exist, report_failures
from .._columns.padding import pad_samples, unpad
from .._utils.callbacks import as_task
from .._utils.imports import HasMethods, Interval, StrOptions, fit_context
from .._utils.notices import gather_notices, place_notices
from .._utils.parallel import run_calls, runs_elsewhere
from ._keys import compute_keys
from ._steps import (
    find_loader,
    find_on_error,
    list_steps,
    make_blank,
    make_steps,
    run_steps,
)
from ._store import open_store


class CachedEncoder(CallbackSupportMixin, StatelessTransformer):
    """Cache the output of an encoder for each cell, so that it is computed only once.

    Each encoded sample is stored under a key derived from the content of the cell and
    from the encoder: its class, its parameters, and the versions of the libraries that
    affect results. In a ``GridSearchCV`` over the later steps each file is decoded only
    once, whatever the number of folds and candidates.

    Parameters
    ----------
    encoder : transformer, or Pipeline of transformers
        It must not learn in ``fit``; loaders and most encoders of this package do not.
    location : str, PathLike or None, default=None
        Folder of the cache, which processes and encoders can share. By default samples
        are kept in the memory of this process only, which all encoders share and
        :func:`~sklearn_mm.cache.set_memory_limit` bounds.
    key : {"stat", "content"}, default="stat"
        What identifies a file: its path, size and modification time, or its bytes,
        which must then be read each time but also identify copies.
    batch_size : int, default=256
        Number of cells that are encoded and stored at a time.
    max_bytes : int, default=2**32
        Maximum size of the folder in bytes; the oldest samples are evicted first.
    n_jobs : int or None, default=None
        Number of threads of the loaders; by default their own ``n_jobs``. With a joblib
        backend of other processes (``parallel_config(backend="dask")``), the number of
        batches that are encoded at the same time.
    verbose : int, default=0
        If 1, print a line for each encoded batch.

    Attributes
    ----------
    sample_shape_ : tuple of int
        Shape of an encoded sample, without the length if samples are padded.

    Raises
    ------
    TypeError
        If a step of the encoder learns in ``fit``, or depends on an object whose
        content cannot be compared.

    See Also
    --------
    sklearn.pipeline.Pipeline : Its ``memory`` caches a step's output for the column as
        a whole, so that each new fold is encoded again.

    Notes
    -----
    Not cached are cells that are missing, that could not be read, or that are read
    through a custom ``filesystem``. If the folder cannot be used, a warning is issued
    and samples are kept in memory. ``fit`` encodes, and notifies scikit-learn's
    callbacks after each batch. Samples are stored as float32.

    Each stored sample has a checksum, and a damaged one is encoded again. The checksum
    detects corruption, not tampering: anyone who can write to the folder can change
    your results, so restrict write access. No code is ever loaded from the folder.

    A function or class of your own is identified by its code and by all that the code
    names: defaults, closures, globals, helpers. What cannot be compared, such as a lock
    or an open file, is refused. Code of installed packages is identified by their
    versions. What code reads from elsewhere (files, the environment) goes unnoticed:
    call ``clear`` when it changes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_mm import CachedEncoder, HOGEncoder, ImageLoader
    >>> images = list(np.random.default_rng(0).random((5, 28, 28)))
    >>> encoder = CachedEncoder(make_pipeline(ImageLoader(), HOGEncoder()))
    >>> vectors = encoder.fit_transform(images)  # encoded
    >>> bool((encoder.transform(images) == vectors).all())  # looked up
    True
    """

    _parameter_constraints: dict = {
        "encoder": [HasMethods(["fit", "transform"])],
        "location": [str, os.PathLike, None],
        "key": [StrOptions({"stat", "content"})],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_bytes": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        encoder,
        location=None,
        *,
        key="stat",
        batch_size=256,
        max_bytes=2**32,
        n_jobs=None,
        verbose=0,
    ):
        self.encoder = encoder
        self.location = location
        self.key = key
        self.batch_size = batch_size
        self.max_bytes = max_bytes
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X, y=None):
        """Encode the cells that are not cached yet.

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
        self.fit_transform(X)
        return self

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X, y=None):
        """Encode the cells that are not cached yet, and return all samples.

        Parameters
        ----------
        X : column
            One cell per sample.
        y : None
            Ignored.

        Returns
        -------
        ndarray
            Output of the encoder, all NaN where a cell is missing.
        """
        context = self._init_callback_context(max_subtasks=None)
        context.call_on_fit_task_begin(estimator=self, X=X)
        for name in ("sample_shape_", "_probe"):
            vars(self).pop(name, None)
        column = as_column(X, type(self).__name__)
        first = list_steps(self.encoder)[0]
        check_files_exist(column, find_loader(first), type(first).__name__)
        samples = self._encode(column, context)
        known = np.flatnonzero([sample is not None for sample in samples])
        # Keep one cell, from which feature names are computed on request.
        self._probe = column.cells[known[:1] if len(known) else slice(1)]
        encoded = self._stack(column, samples)
        self.sample_shape_ = encoded.shape[2 if self._returns_arrays() else 1 :]
        context.call_on_fit_task_end(estimator=self, X=X, reconstruction_attributes={})
        return encoded

    def transform(self, X):
        """Encode a column, using the samples that are cached.

        Parameters
        ----------
        X : column
            One cell per sample.

        Returns
        -------
        ndarray
            Output of the encoder, all NaN where a cell is missing.
        """
        column = as_column(X, type(self).__name__)
        return self._stack(column, self._encode(column))

    def cache_info(self):
        """Return statistics of the cache.

        Returns
        -------
        dict of str to int
            ``n_hits`` and ``n_misses``: number of cells that this process did and did
            not find; ``n_arrays`` and ``n_bytes``: content of the location, including
            that of other encoders.
        """
        return self._open().count()

    def clear(self):
        """Empty the location, including the samples of other encoders."""
        self._open().clear()

    def get_feature_names_out(self, input_features=None):
        """Return the names of the encoder's features.

        Parameters
        ----------
        input_features : array-like of str or None
            Names of the input.

        Returns
        -------
        ndarray of str
            Names of the features.
        """
        check_is_fitted(self)
        steps = self._make_steps(on_error="missing")
        run_steps(steps, self._probe, fit=True)
        return steps[-1].get_feature_names_out(input_features)

    def set_output(self, *, transform=None):
        """Set the container of vectors; no-op if the encoder returns arrays.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None
            The container; None keeps the current one.

        Returns
        -------
        self
            The encoder.
        """
        return (
            self if self._returns_arrays() else super().set_output(transform=transform)
        )

    def _open(self):
        location = None if self.location is None else os.path.abspath(self.location)
        return open_store(location, self.max_bytes, os.getpid())

    def _encode(self, column, context=None):
        """Return the encoded sample of each cell, or None."""
        keys = compute_keys(column, list_steps(self.encoder), self.key)
        found = self._open().get_many(key for key in keys if isinstance(key, bytes))
        # Reversed, so that the first of several equal cells is encoded.
        rows = {keys[row]: row for row in reversed(range(len(keys)))}
        rows = sorted(r for k, r in rows.items() if k is not None and k not in found)
        batches = [
            rows[start : start + self.batch_size]
            for start in range(0, len(rows), self.batch_size)
        ]
        results = self._encode_batches(column, batches)
        n_done = 0
        for batch in batches:
            with as_task(self, context):
                encoded = next(results).items()
                self._keep({keys[batch[i]]: sample for i, sample in encoded}, found)
            n_done += len(batch)
            if self.verbose:
                print(f"[CachedEncoder] {n_done} of {len(rows)} cells encoded")
        self._report(self._encode_again(column, keys, found), column, keys)
        return [found.get(key) for key in keys]

    def _keep(self, fresh, found):
        """Store samples by their keys, if these are not only positions."""
        found.update(fresh)
        fresh = {key: s for key, s in fresh.items() if isinstance(key, bytes)}
        self._open().put_many(fresh)

    def _encode_batches(self, column, batches):
        """Yield the samples of each batch by their positions in it."""
        if len(batches) > 1 and runs_elsewhere():
            calls = [(self._encode_batch, column.cells[rows]) for rows in batches]
            yield from run_calls(calls, self.n_jobs, return_as="generator")
            return
        for rows in batches:
            with place_notices(column, rows):
                encoded = self._encode_batch(column.cells[rows])
            yield encoded

    def _encode_batch(self, cells):
        steps = self._make_steps(on_error="missing")
        return self._list_samples(*run_steps(steps, cells, fit=True)[:2])

    def _list_samples(self, encoded, rows):
        """Return samples by position, without padding and those that are missing."""
        if encoded is None:
            return {}
        if self._returns_arrays():
            samples = zip(rows, unpad(encoded))
            return {row: x for row, x in samples if x is not None}
        present = ~find_missing(encoded)
        return {row: x for row, x, is_known in zip(rows, encoded, present) if is_known}

    def _encode_again(self, column, keys, found):
        """Encode cells once more that were refused, or are not of the shape of others.

        Batches may disagree on the shape that is right. ``found`` gets the samples of
        the shape that ``fit`` saw, or that most have in ``fit``. Returns the reasons
        for refusing the others by row.
        """
        shape = self._find_shape(found.values())
        rows = {key: row for row, key in enumerate(keys) if key is not None}
        good = [key for key, sample in found.items() if self._shape_of(sample) == shape]
        bad = sorted(rows[key] for key in rows.keys() - good)
        if not bad:
            return {}
        probe = vars(self).get("_probe", column.cells[[rows[key] for key in good[:1]]])
        steps = self._make_steps(on_error="raise")
        with gather_notices():  # the same as before
            if len(probe):
                run_steps(steps, probe, fit=True)
            encoded, kept, refused = run_steps(steps, column.cells[bad], not len(probe))
        reasons = {bad[i]: reason for i, reason in refused.items()}
        samples = {bad[i]: s for i, s in self._list_samples(encoded, kept).items()}
        for row in bad:
            found.pop(keys[row], None)
        for row, sample in samples.items():
            if shape is None or self._shape_of(sample) == shape:
                self._keep({keys[row]: sample}, found)
            else:
                cell = describe_cell(column.cells[row])
                reason = f"it is encoded as {self._shape_of(sample)}, others as {shape}"
                reasons[row] = cell, reason
        return reasons

    def _shape_of(self, sample):
        """Return the shape of an encoded sample, without a length that varies."""
        return sample.shape[self._returns_arrays() :]

    def _find_shape(self, samples):
        """Return the shape that ``fit`` saw, or in ``fit`` that of most samples."""
        shape = vars(self).get("sample_shape_")
        return find_majority(map(self._shape_of, samples)) if shape is None else shape

    def _report(self, failures, column, keys):
        first = list_steps(self.encoder)[0]
        reasons = {keys[row]: reason for row, reason in failures.items()}
        failures = [(r, *reasons[k]) for r, k in enumerate(keys) if k in reasons]
        on_error = find_on_error(self.encoder)
        report_failures(failures, column, type(first).__name__, on_error)

    def _stack(self, column, samples):
        n_samples, is_padded = len(samples), self._returns_arrays()
        shape = self._find_shape(s for s in samples if s is not None)
        if shape is None or is_padded:
            # A missing cell shows whether the encoder pads to a fixed length.
            steps = self._make_steps(on_error="missing")
            blank, _, _ = run_steps(steps, make_blank(column))
            shape = blank.shape[1 + is_padded :] if shape is None else shape
        if not is_padded:
            stacked = np.full((n_samples, *shape), np.nan, dtype=np.float32)
            for row, sample in enumerate(samples):
                if sample is not None:
                    stacked[row] = sample
            return stacked
        length = max((len(s) for s in samples if s is not None), default=1)
        length = max(length, blank.shape[1])
        rate = getattr(blank, "sampling_rate", None)
        return pad_samples(
            samples, length=length, sample_shape=shape, sampling_rate=rate
        )

    def _returns_arrays(self):
        return isinstance(list_steps(self.encoder)[-1], ArrayOutputMixin)

    def _make_steps(self, on_error):
        return make_steps(self.encoder, type(self).__name__, on_error, self.n_jobs)


# scikit-learn sets this attribute on every subclass after executing its body, so it can
# only be overridden here. Arrays have no columns to name, whatever the container.
CachedEncoder._sklearn_auto_wrap_output_keys = property(
    lambda self: set() if self._returns_arrays() else {"transform"}
)
