"""Encode each sample once, ever: results kept by the cell's content."""

import os
from contextlib import contextmanager
from functools import lru_cache
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils.validation import check_is_fitted

from .._columns.base import ArrayOutputMixin, StatelessTransformer
from .._columns.column import as_column, find_missing
from .._columns.loading import report_failures
from .._columns.padding import pad_samples, valid_lengths
from .._utils.imports import HasMethods, Interval, StrOptions, fit_context
from .._utils.parallel import run_calls, runs_elsewhere
from ._keys import find_keys
from ._steps import find_on_error, list_steps, make_steps, run_steps, try_rows
from ._store import ArrayStore


class CachedEncoder(CallbackSupportMixin, StatelessTransformer):
    """Keep what an encoder makes of each cell, and never make it again.

    Each sample is kept under a key made of the cell's content and of the encoder: its
    class, its parameters, and the versions of the libraries that change results. In a
    ``GridSearchCV`` over what comes behind it each file is decoded once in all,
    whatever the number of folds and candidates.

    Parameters
    ----------
    encoder : transformer, or Pipeline of transformers
        It must learn nothing in ``fit``, as the loaders and most encoders here.
    location : str, PathLike or None, default=None
        Folder of the cache, which may be shared by processes and by encoders. None
        keeps samples in this process alone.
    key : {"stat", "content"}, default="stat"
        What a file is known by: path, size and time of modification, or its bytes,
        which costs reading them and also recognises copies.
    batch_size : int, default=256
        Cells that are encoded, and kept, at a time.
    max_bytes : int, default=2**32
        Bound on what is kept, in bytes; the oldest samples go first.
    n_jobs : int or None, default=None
        Number of threads of the loaders; None leaves it to them. Under a joblib backend
        of other processes (``parallel_config(backend="dask")``) the number of batches
        that are encoded at the same time.
    verbose : int, default=0
        1 prints a line for each batch that is encoded.

    Attributes
    ----------
    sample_shape_ : tuple of int
        Shape of an encoded sample; of samples that are padded, without their length.

    Raises
    ------
    TypeError
        If a step of the encoder learns in ``fit``.

    See Also
    --------
    sklearn.pipeline.Pipeline : Its ``memory`` keeps a whole step's output by the whole
        column, so that each new fold is encoded anew.

    Notes
    -----
    Cells that are missing, that could not be read, or that a ``filesystem`` of the
    user's own reads are not kept. If the folder cannot be used, one warning says so and
    samples are kept in memory. ``fit`` encodes, and tells scikit-learn's callbacks
    after each batch. Samples are kept as float32.

    Each kept sample has a checksum, and one that was damaged is encoded again. Against
    intent that helps nothing: keep the folder where only those can write who may decide
    your results. No code is ever loaded from it. A change of an encoder's own source
    code is noticed by the version of its package, or if it is a function, but not in a
    class of a script: ``clear`` the cache then.

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
        """Encode what is not kept yet.

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
        """Encode what is not kept yet, and give all.

        Parameters
        ----------
        X : column
            One cell per sample.
        y : None
            Ignored.

        Returns
        -------
        ndarray
            What the encoder returns, all NaN where a cell is missing.
        """
        context = self._init_callback_context(max_subtasks=None)
        context.call_on_fit_task_begin(estimator=self, X=X)
        column, samples = self._encode(X, context)
        known = np.flatnonzero([sample is not None for sample in samples])
        # One cell that names and shapes can be found out from, when they are asked for.
        self._probe = column.cells[known[:1] if len(known) else slice(1)]
        self.__dict__.pop("sample_shape_", None)
        encoded = self._stack(column, samples)
        self.sample_shape_ = encoded.shape[2 if self._gives_arrays() else 1 :]
        context.call_on_fit_task_end(estimator=self, X=X, reconstruction_attributes={})
        return encoded

    def transform(self, X):
        """Encode a column, taking from the cache what is there.

        Parameters
        ----------
        X : column
            One cell per sample.

        Returns
        -------
        ndarray
            What the encoder returns, all NaN where a cell is missing.
        """
        return self._stack(*self._encode(X))

    def cache_info(self):
        """Say what was found, and what is kept.

        Returns
        -------
        dict of str to int
            ``n_hits`` and ``n_misses``: cells that this process found or not;
            ``n_arrays`` and ``n_bytes``: what the location holds of all encoders.
        """
        return self._open().count()

    def clear(self):
        """Forget all that the location holds, of other encoders as well."""
        self._open().clear()

    def get_feature_names_out(self, input_features=None):
        """Give the encoder's names.

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
        """Set the container of vectors; an array of samples stays an array.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None
            The container; None leaves it as it is.

        Returns
        -------
        self
            The encoder.
        """
        if self._gives_arrays():
            return self
        return super().set_output(transform=transform)

    def _open(self):
        location = None if self.location is None else os.path.abspath(self.location)
        return _open_store(location, self.max_bytes, os.getpid())

    def _encode(self, X, context=None):
        """Give the column, and of each cell what the encoder makes of it, or None."""
        column = as_column(X, type(self).__name__)
        steps = self._make_steps(on_error="missing")
        keys = find_keys(column, steps, self.key)
        store = self._open()
        found = store.get_many(key for key in keys if isinstance(key, bytes))
        # Backwards, so that of cells that are the same the first is encoded.
        rows = {keys[row]: row for row in reversed(range(len(keys)))}
        rows = sorted(r for k, r in rows.items() if k is not None and k not in found)
        batches = [
            rows[start : start + self.batch_size]
            for start in range(0, len(rows), self.batch_size)
        ]
        results = self._encode_batches(column, batches, steps)
        failures, n_done = {}, 0
        for batch in batches:
            with _as_task(self, context):
                samples, refused = next(results)
                fresh = {keys[batch[i]]: sample for i, sample in samples.items()}
                failures |= {batch[i]: reason for i, reason in refused.items()}
                store.put_many({k: s for k, s in fresh.items() if isinstance(k, bytes)})
                found.update(fresh)
            n_done += len(batch)
            if self.verbose:
                print(f"[CachedEncoder] {n_done} of {len(rows)} cells encoded")
        self._report(failures, column, keys)
        return column, [found.get(key) for key in keys]

    def _encode_batches(self, column, batches, steps):
        """Yield what :meth:`_encode_batch` gives for each."""
        if len(batches) > 1 and runs_elsewhere():
            calls = [(self._encode_batch, column.cells[rows]) for rows in batches]
            yield from run_calls(calls, self.n_jobs, return_as="generator")
            return
        fit = True  # until a step has seen what fitting it needs: one sample
        for rows in batches:
            result = self._encode_batch(column.cells[rows], steps, fit)
            fit = fit and not result[0]
            yield result

    def _encode_batch(self, cells, steps=None, fit=True):
        """Give samples by row without missing ones, and why rows were refused."""
        steps = steps or self._make_steps(on_error="missing")
        refused = {}
        encoded, rows = try_rows(steps, cells, [*range(len(cells))], refused, fit)
        if encoded is None:
            return {}, refused
        empty = find_missing(encoded)
        if empty.any() and find_on_error(self.encoder) != "missing":
            strict = self._make_steps(on_error="raise")
            bad = [row for row, is_empty in zip(rows, empty) if is_empty]
            try_rows(strict, cells, bad, refused)  # again, to hear the reason
        if self._gives_arrays():
            lengths = valid_lengths(encoded)
            return {r: x[:n] for r, x, n in zip(rows, encoded, lengths) if n}, refused
        kept = {r: x for r, x, is_empty in zip(rows, encoded, empty) if not is_empty}
        return kept, refused

    def _report(self, failures, column, keys):
        first = list_steps(self.encoder)[0]
        reasons = {keys[row]: reason for row, reason in failures.items()}
        failures = [
            (column.labels[row], *reasons[key])
            for row, key in enumerate(keys)
            if key in reasons
        ]
        on_error = find_on_error(self.encoder)
        report_failures(failures, type(first).__name__, len(column), on_error)

    def _stack(self, column, samples):
        n_samples, is_padded = len(samples), self._gives_arrays()
        shapes = {s.shape[is_padded:] for s in samples if s is not None}
        if hasattr(self, "sample_shape_"):
            shapes.add(self.sample_shape_)
        if len(shapes) > 1:
            raise ValueError(
                f"CachedEncoder: encoded samples must have one shape, got "
                f"{sorted(shapes)}. Give each kind of cell an encoder of its own."
            )
        if not shapes or is_padded:
            # Whether the encoder pads to a length of its own, a missing cell tells.
            blank = run_steps(self._make_steps(on_error="missing"), _make_blank(column))
            shapes = shapes or {blank.shape[1 + is_padded :]}
        (shape,) = shapes
        if not is_padded:
            stacked = np.full((n_samples, *shape), np.nan, dtype=np.float32)
            for row, sample in enumerate(samples):
                if sample is not None:
                    stacked[row] = sample
            return stacked
        length = max((len(s) for s in samples if s is not None), default=1)
        length = max(length, blank.shape[1])
        return pad_samples(samples, length=length, sample_shape=shape)

    def _gives_arrays(self):
        return isinstance(list_steps(self.encoder)[-1], ArrayOutputMixin)

    def _make_steps(self, on_error):
        return make_steps(self.encoder, type(self).__name__, on_error, self.n_jobs)


# Arrays have no columns to name, whatever container scikit-learn is set to.
CachedEncoder._sklearn_auto_wrap_output_keys = property(
    lambda self: set() if self._gives_arrays() else {"transform"}
)


@lru_cache(maxsize=64)
def _open_store(location, max_bytes, pid):
    """One store for each location in each process."""
    if location is None:
        return ArrayStore(memory_bytes=max_bytes)
    return ArrayStore(Path(location) / "samples.sqlite", max_bytes=max_bytes)


def _make_blank(column):
    """Cells of the column's kind, of which one is missing."""
    if column.cells.dtype.kind == "O":
        return np.array([None], dtype=object)
    return np.full((1, *column.cells.shape[1:]), np.nan, dtype=np.float32)


@contextmanager
def _as_task(encoder, context):
    """Tell scikit-learn's callbacks of a batch, where they listen."""
    if context is None:
        yield
        return
    task = context.subcontext(task_name="batch")
    task.call_on_fit_task_begin(estimator=encoder)
    yield
    task.call_on_fit_task_end(estimator=encoder, reconstruction_attributes={})
