"""A block of features: its default encoder, its reduction and its scale."""

from contextlib import contextmanager

import numpy as np
from scipy import sparse
from sklearn import config_context
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.pipeline import Pipeline, make_pipeline

from .._columns.base import learns
from .._columns.column import find_missing
from ..cache import CachedEncoder
from ..vector import PooledEncoder


@contextmanager
def encode_arrays():
    """Let encoders return arrays, whatever container a global setting asks for.

    Numbers too large for float32 become infinite without a warning: they are squashed.
    """
    with config_context(transform_output="default"), np.errstate(over="ignore"):
        yield


def make_default_encoder(
    modality,
    *,
    lists=False,
    sparse=False,
    cache="memory",
    root=None,
    on_error="raise",
    n_jobs=None,
):
    """Make a modality's default encoder, with what it computes for a cell cached.

    Parameters
    ----------
    modality : Modality
        Makes the encoder.
    lists : bool
        Whether cells are lists of items.
    sparse : bool
        Whether the result may be sparse, a missing cell being a row of zeros.
    cache : "memory", str, PathLike or None
        Where samples are kept.
    root, on_error, n_jobs
        Of the loader.

    Returns
    -------
    transformer
        Not fitted.
    """
    encoder = modality.build_encoder(
        root=root, on_error=on_error, n_jobs=n_jobs, sparse=sparse
    )
    return cache_stateless(encoder, cache, lists)


def cache_stateless(encoder, cache, lists=False):
    """Cache the steps of an encoder that learn nothing, up to the first that does.

    Parameters
    ----------
    encoder : transformer or Pipeline
        From a column of cells to vectors.
    cache : "memory", str, PathLike or None
        Where to; None for nowhere.
    lists : bool
        Whether cells are lists of what the encoder encodes.

    Returns
    -------
    transformer
        Not fitted.
    """
    steps = (
        [s for _, s in encoder.steps] if isinstance(encoder, Pipeline) else [encoder]
    )
    n_stateless = next((i for i, s in enumerate(steps) if learns(s)), len(steps))
    if n_stateless == 0:
        return encoder
    stateless = make_pipeline(*steps[:n_stateless]) if n_stateless > 1 else steps[0]
    if lists:
        stateless = PooledEncoder(stateless)
    if cache is not None:
        stateless = CachedEncoder(stateless, None if cache == "memory" else cache)
    rest = steps[n_stateless:]
    return make_pipeline(stateless, *rest) if rest else stateless


class Reducer:
    """Principal components of the present rows (truncated SVD of a sparse matrix).

    Single NaN are imputed by the mean of their column; a row of NaN stays one.

    Parameters
    ----------
    n_components : int or None
        Number of components; None keeps all features, sparse ones too. If there are
        not more features than that, they are kept.
    random_state : int, RandomState or None
        Seed of the randomised solver.
    """

    _trusted = True

    def __init__(self, n_components=None, random_state=None):
        self.n_components = n_components
        self.random_state = random_state

    def fit_transform(self, X):
        """Learn the components of ``(n_samples, n_features)``, and return them."""
        present = _find_present(X)
        n_components = self.n_components or np.inf
        self.solver_ = None
        if n_components < min(X.shape[1], present.sum()):
            solver = TruncatedSVD if sparse.issparse(X) else PCA
            self.solver_ = solver(n_components, random_state=self.random_state)
            if not sparse.issparse(X):
                self.mean_ = np.nanmean(X[present], axis=0)
            self.solver_.fit(self._fill(X[present]))
        return self.transform(X)

    def transform(self, X):
        """Return the components of ``(n_samples, n_features)``."""
        if self.solver_ is None:
            wide = self.n_components is None or not sparse.issparse(X)
            return X if wide else X.toarray()
        present = _find_present(X)
        width = len(self.solver_.components_)
        reduced = np.full((X.shape[0], width), np.nan, dtype=np.float32)
        if present.any():
            reduced[present] = self.solver_.transform(self._fill(X[present]))
        return reduced

    def name(self, names):
        """Return the components' names, or the features' if all are kept."""
        if self.solver_ is None:
            return list(names)
        return [f"component{i}" for i in range(len(self.solver_.components_))]

    def _fill(self, X):
        if sparse.issparse(X):
            return X
        return np.where(np.isnan(X), np.nan_to_num(self.mean_), X)


def _find_present(X):
    if sparse.issparse(X):
        # A missing sample is a row of stored NaN.
        return ~np.isnan(np.asarray(X.sum(axis=1)).ravel())
    return ~find_missing(X)


def compute_scales(blocks, encoded, how):
    """Compute the factors that make each modality count as much as any other.

    Parameters
    ----------
    blocks : list of Block
        The columns that were encoded together.
    encoded : list of ndarray or sparse matrix of shape (n_samples, n_features)
        What they were encoded as.
    how : {"frobenius", "sqrt"} or None
        By the total variance, by the number of features, or not at all.

    Returns
    -------
    dict of str to float
        The factor by modality.
    """
    by_modality = {}
    for block, features in zip(blocks, encoded):
        by_modality.setdefault(block.modality, []).append(features)
    return {name: _compute_scale(parts, how) for name, parts in by_modality.items()}


def _compute_scale(blocks, how):
    if how is None:
        return 1.0
    if how == "sqrt":
        return 1 / np.sqrt(max(1, sum(block.shape[1] for block in blocks)))
    total = sum(map(_sum_variances, blocks))
    return 1 / np.sqrt(total) if total > 0 else 1.0


def _sum_variances(block):
    if block.shape[0] == 0 or block.shape[1] == 0:
        return 0.0
    if sparse.issparse(block):
        mean = np.asarray(block.mean(axis=0)).ravel()
        return block.multiply(block).sum() / block.shape[0] - (mean**2).sum()
    counts = (~np.isnan(block)).sum(axis=0)
    known = block[:, counts > 0].astype(np.float64)
    return np.nanvar(known, axis=0).sum()


def as_block(encoded):
    """Convert what an encoder returns to a float32 matrix."""
    if sparse.issparse(encoded):
        return encoded.tocsr().astype(np.float32)
    block = np.asarray(encoded, dtype=np.float32)
    if block.ndim != 2:
        raise ValueError(
            "MultimodalVectorizer: an encoder must return vectors (n_samples, "
            f"n_features), got an array of shape {block.shape}. Append one to the "
            "loader, such as HOGEncoder, AudioStatistics or VectorStacker."
        )
    return block
