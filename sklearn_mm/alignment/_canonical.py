"""An aligner by canonical correlation analysis of two or more modalities."""

from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.cross_decomposition import CCA
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array

from .._columns.arrays import check_float32_range
from .._columns.table import check_unique_names, select_columns
from .._members.columns import annotate
from .._members.rows import AbsentModalityError, transform_present
from .._members.specs import ModalitySpecs
from .._utils.imports import Interval, StrOptions, fit_context, num_samples
from ._base import AlignerMixin, scale_to_unit


class CanonicalAligner(AlignerMixin, ModalitySpecs):
    """Map modalities into one space by canonical correlation analysis (CCA).

    Finds the linear maps of each modality's vectors with the highest correlation, from
    rows that have all modalities, without labels. Large and sparse vectors are reduced
    to their principal components first, and their covariances are shrunk.

    Parameters
    ----------
    estimators : list of (str, transformer, columns)
        Name, transformer and columns of each modality, two or more. The transformer
        returns vectors, dense or sparse: an encoder, a pipeline that ends in one,
        "passthrough" (numeric columns) or "drop". Columns are specified as in
        :class:`~sklearn.compose.ColumnTransformer`.
    n_components : int, default=64
        Dimensions of the space, at most: no more than the smallest number of principal
        components of a modality.
    solver : {"svd", "nipals"}, default="svd"
        "svd" decomposes the whitened covariances [1]_, [2]_; with more than two
        modalities, the sum of the correlations of all pairs is maximised [3]_. "nipals"
        is scikit-learn's :class:`~sklearn.cross_decomposition.CCA`, for two modalities
        with few features, without regularisation.
    n_pca_components : int or None, default=256
        Principal components that each modality is reduced to before the correlations
        are computed; None keeps all. Used by "svd" only.
    shrinkage : "auto" or float, default="auto"
        Share of each covariance that is replaced by a multiple of the identity, from 0
        to 1; "auto" is the Ledoit-Wolf estimate [4]_. Used by "svd" only.
    power : float, default=1.0
        Dimensions are weighted by their correlation to this power, so that uncorrelated
        ones do not count; 0 weights all equally.
    normalize : bool, default=True
        Whether vectors are scaled to length one, so that the nearest vector has the
        highest cosine similarity.

    Attributes
    ----------
    correlations_ : ndarray of shape (embedding_dim,)
        Regularised correlation of each dimension in training, descending; with more
        than two modalities, its mean over all pairs.
    embedding_dim_ : int
        Dimensions of the space.
    modalities_ : list of str
        Names of the modalities.
    transformers_ : dict of str to transformer
        Fitted transformers; None stands for "passthrough".
    n_features_in_ : int
        Number of columns of the table.
    feature_names_in_ : ndarray of shape (n_features_in,)
        Names of the columns of the table, if all of them are strings.

    See Also
    --------
    ContrastiveAligner : Learns the maps by networks.
    sklearn.cross_decomposition.CCA : Two arrays, without regularisation.

    References
    ----------
    .. [1] H. Hotelling (1936), "Relations between two sets of variates", Biometrika 28.
    .. [2] D. R. Hardoon, S. Szedmak and J. Shawe-Taylor (2004), "Canonical correlation
       analysis: an overview with application to learning methods", Neural Computation
       16.
    .. [3] J. R. Kettenring (1971), "Canonical analysis of several sets of variables",
       Biometrika 58.
    .. [4] O. Ledoit and M. Wolf (2004), "A well-conditioned estimator for
       large-dimensional covariance matrices", Journal of Multivariate Analysis 88.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_mm import CanonicalAligner
    >>> X, _ = load_digits(return_X_y=True)
    >>> aligner = CanonicalAligner(
    ...     [
    ...         ("upper", "passthrough", slice(0, 32)),
    ...         ("lower", "passthrough", slice(32, 64)),
    ...     ]
    ... )
    >>> bool(aligner.fit(X[:1600]).score(X[1600:]) > 0.2)  # by chance 0.03
    True
    >>> aligner.transform(X[1600:, :32], modality="upper").shape
    (197, 30)
    """

    _parameter_constraints: dict = {
        "estimators": [list, tuple],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "solver": [StrOptions({"svd", "nipals"})],
        "n_pca_components": [Interval(Integral, 1, None, closed="left"), None],
        "shrinkage": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="both")],
        "power": [Interval(Real, 0, None, closed="left")],
        "normalize": ["boolean"],
    }

    def __init__(
        self,
        estimators,
        *,
        n_components=64,
        solver="svd",
        n_pca_components=256,
        shrinkage="auto",
        power=1.0,
        normalize=True,
    ):
        self.estimators = estimators
        self.n_components = n_components
        self.solver = solver
        self.n_pca_components = n_pca_components
        self.shrinkage = shrinkage
        self.power = power
        self.normalize = normalize

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the maps on the rows that have all modalities.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays
            The table.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted aligner.
        """
        vars(self).pop("embedding_dim_", None)  # not fitted until it is complete
        vectors = self._select_shared(*self._fit_transformers(X))
        if self.solver == "nipals":
            self._solve_nipals(vectors)
        else:
            self._solve_svd(vectors)
        self.embedding_dim_ = len(self.correlations_)
        return self

    def _fit_transformers(self, X):
        """Fit the transformers on the rows where their modality is present.

        Returns
        -------
        tuple of (list of ndarray, list of ndarray of int, int)
            Vectors of each modality, the rows that they belong to, and the number of
            rows of ``X``.
        """
        X = self._check_X(X, reset=True)
        members = self._check_members(X)
        if len(members) < 2:
            raise ValueError(
                f"{type(self).__name__} needs two modalities or more, got "
                f"{len(members)}."
            )
        self.transformers_, vectors, present = {}, [], []
        for name, transformer, columns in members:
            fitted = None if transformer == "passthrough" else clone(transformer)
            self.transformers_[name] = fitted
            with annotate(name, columns):
                array, rows = _fit_present(fitted, name, select_columns(X, columns))
            vectors.append(array)
            present.append(rows)
        return vectors, present, num_samples(X)

    def _select_shared(self, vectors, present, n_samples):
        """Select the vectors of the rows that have all modalities."""
        shared = np.arange(n_samples)
        for rows in present:
            shared = np.intersect1d(shared, rows)
        if len(shared) < 2:
            raise ValueError(
                f"{type(self).__name__} learns from rows that have all modalities: it "
                f"needs two, got {len(shared)} of {n_samples} rows."
            )
        vectors = [v[np.searchsorted(r, shared)] for v, r in zip(vectors, present)]
        for name, array in zip(self._columns, vectors):
            _check_varies(name, array)
        return vectors

    def _check_member(self, name, estimator):
        if isinstance(estimator, str) and estimator == "passthrough":
            return
        super()._check_member(name, estimator)

    def _solve_svd(self, vectors):
        """Compute each modality's map and offset from the eigenvectors of all pairs."""
        reduced = [_whiten(v, self.n_pca_components, self.shrinkage) for v in vectors]
        gram = np.hstack([whitened for whitened, _, _ in reduced])
        gram = gram.T @ gram
        sizes = [whitened.shape[1] for whitened, _, _ in reduced]
        ends = np.cumsum(sizes)
        for start, end in zip(ends - sizes, ends):
            gram[start:end, start:end] = np.eye(end - start)
        values, directions = np.linalg.eigh(gram)  # 1 plus the sum of the correlations
        top = np.argsort(-values)[: min(self.n_components, *sizes)]
        correlations = (values[top] - 1) / (len(vectors) - 1)
        self.correlations_ = np.clip(correlations, 0, 1)  # shrunk ones can exceed 1
        parts = np.split(directions[:, top] * np.sqrt(len(vectors)), ends[:-1])
        self._maps = {
            name: (mapping @ part, offset @ part)
            for name, (_, mapping, offset), part in zip(self._columns, reduced, parts)
        }

    def _solve_nipals(self, vectors):
        """Compute the maps and offsets of two modalities by scikit-learn's CCA."""
        if len(vectors) != 2:
            raise ValueError(
                "solver='nipals' takes two modalities; use 'svd' for more."
            )
        dense = [v.toarray() if issparse(v) else v for v in vectors]
        plain = StandardScaler().set_output(transform="default")
        scalers = [clone(plain).fit(v) for v in dense]
        scaled = [scaler.transform(v) for scaler, v in zip(scalers, dense)]
        n_dims = min(self.n_components, len(dense[0]), *(v.shape[1] for v in dense))
        model = CCA(n_dims, scale=False).fit(*scaled)
        maps = [model.x_rotations_, model.y_rotations_]
        scores = [v @ m for v, m in zip(scaled, maps)]
        spreads = np.min([score.std(axis=0) for score in scores], axis=0)
        kept = spreads > 1e-10 * spreads.max()  # drop directions without variance
        if not kept.any():
            raise ValueError("solver='nipals' found no correlated direction.")
        maps, scores = ([m[:, kept] for m in part] for part in (maps, scores))
        self._maps = {}
        for name, scaler, rotation, score in zip(self._columns, scalers, maps, scores):
            mapping = rotation / scaler.scale_[:, None] / score.std(axis=0)
            self._maps[name] = mapping, scaler.mean_ @ mapping
        first, second = (score / score.std(axis=0) for score in scores)
        self.correlations_ = np.clip((first * second).mean(axis=0), 0, 1)

    def _embed(self, name, cells):
        vectors = np.full((num_samples(cells), self.embedding_dim_), np.nan, np.float32)
        with annotate(name, self._columns[name]):
            array, rows = transform_present(
                self.transformers_[name], cells, None, fit=False
            )
            if len(rows):
                vectors[rows] = self._project(name, _check_vectors(array))
        return vectors

    def _project(self, name, array):
        mapping, offset = self._maps[name]
        if array.shape[1] != len(mapping):
            raise ValueError(
                f"modality {name!r} was fitted on {len(mapping)} features, got "
                f"{array.shape[1]}."
            )
        projected = array @ mapping - offset
        projected *= self.correlations_**self.power
        if self.normalize:
            return scale_to_unit(projected)
        return projected

    def __sklearn_is_fitted__(self):
        """Whether the maps were computed."""
        return hasattr(self, "embedding_dim_")


def _fit_present(transformer, name, cells):
    try:
        array, rows = transform_present(transformer, cells, None, fit=True)
    except AbsentModalityError:
        raise ValueError(f"modality {name!r} is missing from every row of X.") from None
    return _check_vectors(array), rows


def _check_vectors(array):
    check_unique_names(array)
    array = check_array(array, accept_sparse="csr", dtype=[np.float64, np.float32])
    numbers = array.data if issparse(array) else array
    check_float32_range(numbers, "CanonicalAligner")
    return array


def _check_varies(name, vectors):
    low, high = vectors.min(axis=0), vectors.max(axis=0)
    if not np.any((high - low).toarray() if issparse(low) else high > low):
        raise ValueError(
            f"modality {name!r} is the same in all rows: it cannot be correlated."
        )


def _whiten(vectors, n_components, shrinkage):
    """Compute principal components of unit variance, from shrunk variances.

    Returns
    -------
    tuple of (ndarray, ndarray, ndarray)
        Whitened vectors (n_samples, k), scaled so that their products are covariances;
        the map (n_features, k) to unscaled whitened vectors; and the offset (k,) to
        subtract after the map.
    """
    n_samples, n_features = vectors.shape
    rank = min(n_samples - 1, n_features)
    n_components = min(rank, n_components or rank)
    basis = None
    if issparse(vectors) and n_components < rank:  # centring would make it dense
        svd = TruncatedSVD(n_components + 1, random_state=0)
        svd.set_output(transform="default")
        vectors, basis = svd.fit_transform(vectors), svd.components_.T
    elif issparse(vectors):
        vectors = vectors.toarray()
    pca = PCA(n_components, random_state=0).set_output(transform="default")
    scores = pca.fit_transform(vectors).astype(np.float64)
    variance = pca.explained_variance_.astype(np.float64)
    kept = variance > 1e-10 * variance[0]
    scores, variance = scores[:, kept], variance[kept]
    if shrinkage == "auto":
        shrinkage = ledoit_wolf_shrinkage(scores, assume_centered=True)
    scale = np.sqrt((1 - shrinkage) * variance + shrinkage * variance.mean())
    mapping = pca.components_[kept].T / scale
    offset = pca.mean_ @ mapping
    mapping = mapping if basis is None else basis @ mapping
    return scores / scale / np.sqrt(n_samples - 1), mapping, offset
