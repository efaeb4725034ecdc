"""A network as a transformer: the vector before its head."""

import numpy as np
import torch
from sklearn.base import TransformerMixin, clone
from sklearn.model_selection import check_cv
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from .._columns.column import find_missing
from .._utils.imports import check_method_params, safe_indexing
from .._utils.parallel import run_calls
from ._base import BaseNet
from ._batches import take_some
from ._classifier import encode_classes
from ._regressor import encode_numbers
from ._samples import check_outputs

#: Penalty of the map between networks, relative to the vectors' mean power.
_RIDGE = 0.1


class NetEncoder(TransformerMixin, BaseNet):
    """Train a network, and encode samples by its backbone.

    With a target, the backbone is trained with a linear head on it, a classifier's or a
    regressor's by the kind of target. Without one it is trained as an autoencoder, to
    give back (standardised) numeric input; what is NaN does not count.

    ``fit_transform`` is cross-fitted: each sample is encoded by a network that was not
    trained on its label, so that what comes behind never learns from an embedding that
    knows the answer. ``transform`` encodes by the network trained on all samples.

    Parameters
    ----------
    module : class or instance of torch.nn.Module
        A backbone, one of :mod:`sklearn_mm.nets` or your own; see
        :class:`NetClassifier`.
    criterion : class or None, default=None
        Loss. By default cross-entropy for classes, mean squared error for numbers.
    cross_fit : bool, default=True
        Whether ``fit_transform`` is cross-fitted.
    cv : int, splitter or iterable, default=5
        Folds of the cross-fitting; classes are stratified.
    n_jobs : int or None, default=None
        Number of folds trained at the same time.
    **kwargs : dict
        See :class:`NetClassifier`.

    Attributes
    ----------
    module_ : torch.nn.Module
        The trained network, ``module_.backbone`` and ``module_.head``.
    task_ : {"classification", "regression", "autoencoder"}
        What it was trained for.
    history_ : skorch History
        Losses by epoch.
    input_shape_ : tuple of int
        Shape of a sample.
    n_features_in_ : int
        Number of columns, for samples that are vectors.

    Notes
    -----
    Networks trained apart have coordinates of their own. All folds start from the
    weights that the network of all samples started from, and each fold's vectors are
    mapped onto that network's by the linear map closest to the identity (ridge
    regression of the difference) on the samples that both have seen.

    References
    ----------
    V. Chernozhukov et al. (2018), "Double/debiased machine learning", Econometrics
    Journal 21, for cross-fitting.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_mm import NetEncoder
    >>> from sklearn_mm.nets import ImageCNN
    >>> X, y = load_digits(return_X_y=True)
    >>> encoder = NetEncoder(ImageCNN, max_epochs=3, module__n_filters=4)
    >>> encoder.fit(X[:300].reshape(-1, 8, 8), y[:300]).transform(
    ...     X[300:305].reshape(-1, 8, 8)
    ... ).shape
    (5, 64)
    """

    _onnx_outputs = ("vectors",)

    def __init__(
        self, module, *, criterion=None, cross_fit=True, cv=5, n_jobs=None, **kwargs
    ):
        super().__init__(module=module, criterion=criterion, **kwargs)
        self.cross_fit = cross_fit
        self.cv = cv
        self.n_jobs = n_jobs

    def fit(self, X, y=None, groups=None, sample_weight=None, **fit_params):
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples; those that are missing (all NaN) are left out.
        y : array-like of shape (n_samples, ...) or None
            Target; without one an autoencoder is trained.
        groups : array-like of shape (n_samples,) or None
            Ignored here; ``fit_transform`` splits by them.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the samples in the loss.
        **fit_params : dict
            Passed to the module's ``forward``.

        Returns
        -------
        self
            The fitted encoder.
        """
        return super().fit(X, y, sample_weight=sample_weight, **fit_params)

    def transform(self, X):
        """Encode samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, out_features), float32
            Vectors; all NaN where a sample is missing.
        """
        return self._embed(X)

    def _embed(self, X):
        check_is_fitted(self)
        samples = self._check_samples(X, reset=False)
        self.module_.eval()
        vectors = []
        for x, _ in self.get_iterator(self.get_dataset(samples)):
            with torch.no_grad():
                vectors.append(self.infer(x, embed=True).float().cpu().numpy())
        vectors = check_outputs(np.concatenate(vectors), type(self).__name__)
        vectors[find_missing(samples)] = np.nan
        return vectors

    def fit_transform(self, X, y=None, groups=None, **params):
        """Train the network, and encode each sample by one that did not see its label.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.
        y : array-like of shape (n_samples, ...) or None
            Target.
        groups : array-like of shape (n_samples,) or None
            Groups for the splitter ``cv``.
        **params : dict
            ``sample_weight`` and what else ``fit`` takes.

        Returns
        -------
        ndarray of shape (n_samples, out_features), float32
            Vectors.
        """
        self.fit(X, y, **params)
        vectors = self._embed(X)
        if y is None or not self.cross_fit:
            return vectors
        folds = check_cv(self.cv, y, classifier=self.task_ == "classification")
        folds = list(folds.split(X, y, groups))
        alike = [clone(self).set_params(random_state=self._seed) for _ in folds]
        calls = [
            (_encode_fold, net, X, y, train, test, vectors[train], params)
            for net, (train, test) in zip(alike, folds)
        ]
        parts = run_calls(calls, self.n_jobs)
        for (_, test), part in zip(folds, parts):
            vectors[test] = part
        return vectors

    def _trace(self, module, inputs):
        (x,) = inputs
        vectors = module(x, embed=True)
        if self._takes_ids():
            return vectors
        is_missing = x.isnan().flatten(1).all(dim=1, keepdim=True)
        return torch.where(is_missing, torch.nan, vectors)

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
        check_is_fitted(self)
        n_features = self.module_.backbone.out_features
        return np.asarray([f"net{i}" for i in range(n_features)], dtype=object)

    # Targets, by kind.

    def _encode_target(self, samples, y, fresh, classes):
        if fresh:
            self.task_ = _find_task(y)
        if self.task_ == "classification":
            return encode_classes(self, samples, y, fresh, classes)
        if self.task_ == "regression":
            return encode_numbers(self, samples, y, fresh)
        if self._takes_ids():
            raise ValueError(
                "NetEncoder needs y to train on token ids: an autoencoder gives back "
                "numbers."
            )
        if fresh:
            self._learn_scale(samples)
        return None

    def _learn_scale(self, samples):
        some = take_some(samples).reshape(-1, samples[0].size)
        known = ~np.isnan(some)
        n_known = np.maximum(known.sum(axis=0), 1)
        mean = np.nansum(some, axis=0, dtype=np.float64) / n_known
        spread = np.where(known, some - mean, 0)
        std = np.sqrt((spread**2).sum(axis=0) / n_known)
        self.input_mean_ = mean.astype(np.float32)
        self.input_std_ = np.where(std > 0, std, 1).astype(np.float32)

    def _combine_weights(self, sample_weight, samples, target):
        if sample_weight is not None and target is None:
            raise ValueError("sample_weight needs y; an autoencoder has no weights.")
        return super()._combine_weights(sample_weight, samples, target)

    def _count_outputs(self):
        if self.task_ == "classification":
            return len(self.classes_)
        if self.task_ == "regression":
            return len(self.target_mean_)
        return int(np.prod(self.input_shape_))

    def initialize_criterion(self):
        """Build the loss that goes with the target."""
        by_task = torch.nn.MSELoss
        if self.task_ == "classification":
            by_task = torch.nn.CrossEntropyLoss
        criterion = by_task if self.criterion is None else self.criterion
        options = self.get_params_for("criterion")
        self.criterion_ = self.initialized_instance(criterion, options)
        return self

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Mean loss of a batch; of an autoencoder, over what is not NaN."""
        if self.task_ != "autoencoder":
            return super().get_loss(y_pred, y_true, X, training)
        x = X.to(y_pred.device).flatten(1)
        mean = torch.as_tensor(self.input_mean_, device=x.device)[: x.shape[1]]
        std = torch.as_tensor(self.input_std_, device=x.device)[: x.shape[1]]
        target = (x - mean) / std
        known = ~torch.isnan(target)
        error = (y_pred.float()[:, : x.shape[1]] - target.nan_to_num()) * known
        return error.square().sum() / known.sum().clamp_min(1)

    def __sklearn_tags__(self):
        """Say that vectors are float32 and need no target."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


def _find_task(y):
    if y is None:
        return "autoencoder"
    kind = type_of_target(y, input_name="y")
    return "regression" if kind.startswith("continuous") else "classification"


def _encode_fold(net, X, y, train, test, reference, params):
    """Train on ``train``, encode ``test`` in the coordinates of ``reference``."""
    params = check_method_params(X, params, train)
    seen = safe_indexing(X, train)
    net.fit(seen, safe_indexing(y, train), **params)
    own = net._embed(seen)
    present = ~find_missing(own)
    others = net._embed(safe_indexing(X, test))
    return _map_linearly(own[present], reference[present], others)


def _map_linearly(source, target, others):
    """Apply to ``others`` the linear map from ``source`` to ``target``.

    It is the one closest to the identity, by ridge regression of the difference: the
    networks began alike, and what their few samples do not tell stays as it is.
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    source = (source - source_mean).astype(np.float64)
    change = target - target_mean - source
    others = (others - source_mean).astype(np.float64)
    n_samples, n_features = source.shape
    penalty = _RIDGE * max(np.mean(source**2), 1e-12) * n_samples
    if n_features <= n_samples:
        gram = source.T @ source + penalty * np.eye(n_features)
        shift = others @ np.linalg.solve(gram, source.T @ change)
    else:  # the same by the samples' inner products, of which there are fewer
        gram = source @ source.T + penalty * np.eye(n_samples)
        shift = others @ source.T @ np.linalg.solve(gram, change)
    return (others + shift + target_mean).astype(np.float32)
