"""Fusion of parameters: networks of one architecture, averaged into one network."""

import copy
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_random_state, get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from .._columns.table import check_unique_names
from .._utils.imports import (
    HasMethods,
    Interval,
    StrOptions,
    check_sample_weight,
    fit_context,
    safe_indexing,
)
from .._utils.parallel import run_calls
from .._utils.targets import check_target
from .._utils.versions import VersionMixin


class _BaseSoup(VersionMixin, BaseEstimator):
    """Trains networks from a common start, and averages their parameters."""

    _parameter_constraints: dict = {
        "net": [HasMethods(["fit", "predict", "initialize_module"])],
        "settings": [Interval(Integral, 1, None, closed="left"), list],
        "recipe": [StrOptions({"uniform", "greedy"})],
        "n_shared_epochs": [Interval(Integral, 0, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        net,
        settings=5,
        *,
        recipe="greedy",
        n_shared_epochs=5,
        validation_fraction=0.2,
        random_state=None,
        n_jobs=None,
    ):
        self.net = net
        self.settings = settings
        self.recipe = recipe
        self.n_shared_epochs = n_shared_epochs
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None):
        """Train the networks and average them.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.
        y : array-like of shape (n_samples, ...)
            Target.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the samples in the loss.

        Returns
        -------
        self
            The fitted estimator.
        """
        X, y = self._check_samples(X, y)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X)
        if self._takes_fitted():
            nets, train = list(self.settings), np.arange(len(X))
            valid = train
        else:
            train, valid = self._split(X, y)
            nets = self._train(X, y, sample_weight, train)
        states = [net.module_.state_dict() for net in nets]
        _check_alike(states)
        X_valid, y_valid = safe_indexing(X, valid), safe_indexing(y, valid)
        self.scores_ = np.array([net.score(X_valid, y_valid) for net in nets])
        self.net_ = copy.deepcopy(nets[int(np.argmax(self.scores_))])
        seen = safe_indexing(X, train)

        def score(chosen):
            self._load_mean([states[i] for i in chosen], seen)
            return self.net_.score(X_valid, y_valid)

        self.ingredients_ = self._choose(score)
        self.soup_score_ = score(self.ingredients_)
        if hasattr(self.net_, "classes_"):
            self.classes_ = self.net_.classes_
        return self

    def predict(self, X):
        """Predict with the averaged network.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, ...)
            Predictions.
        """
        check_is_fitted(self)
        return self.net_.predict(X)

    @property
    def n_features_in_(self):
        """Number of columns, if samples are vectors."""
        check_is_fitted(self)
        return self.net_.n_features_in_

    def _check_samples(self, X, y):
        check_target(y, type(self).__name__)
        check_unique_names(X)
        X = check_array(X, allow_nd=True, ensure_2d=False, ensure_all_finite=False)
        y = check_array(y, dtype=None, ensure_2d=False, input_name="y")
        check_consistent_length(X, y)
        return X, y

    def _takes_fitted(self):
        return isinstance(self.settings, list) and all(
            hasattr(setting, "module_") for setting in self.settings
        )

    def _split(self, X, y):
        """Split rows for training and validation, stratified if there are enough."""
        rows = np.arange(len(y))
        n_valid = int(self.validation_fraction * len(y))
        if n_valid == 0:
            return rows, rows
        labels = np.asarray(y) if isinstance(self, ClassifierMixin) else None
        if labels is not None:
            check_classification_targets(labels)
            _, counts = np.unique(labels, return_counts=True)
            if counts.min() < 2 or min(n_valid, len(y) - n_valid) < len(counts):
                labels = None
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        return train_test_split(
            rows, test_size=n_valid, stratify=labels, random_state=seed
        )

    def _train(self, X, y, sample_weight, rows):
        """Train all networks from the state after the shared epochs."""
        X, y = safe_indexing(X, rows), safe_indexing(y, rows)
        weight = None if sample_weight is None else sample_weight[rows]
        generator = check_random_state(self.random_state)
        settings = self.settings
        if isinstance(settings, Integral):
            settings = [{} for _ in range(settings)]
        seeds = generator.randint(2**31 - 1, size=len(settings) + 1)
        start = clone(self.net).set_params(
            max_epochs=self.n_shared_epochs,
            early_stopping=False,
            random_state=int(seeds[0]),
        )
        start.fit(X, y, sample_weight=weight)
        calls = [
            (_continue_training, start, self.net, setting, int(seed), X, y, weight)
            for setting, seed in zip(settings, seeds[1:])
        ]
        return run_calls(calls, self.n_jobs)

    def _choose(self, score):
        """Choose the networks to average, by their positions."""
        order = np.argsort(-self.scores_, kind="stable").tolist()
        if self.recipe == "uniform":
            return sorted(order)
        chosen = order[:1]
        best = score(chosen)
        for candidate in order[1:]:
            trial = score([*chosen, candidate])
            if trial >= best:
                chosen, best = [*chosen, candidate], trial
        return chosen

    def _load_mean(self, states, X):
        """Load the mean of the states into the network."""
        import torch

        mean = {
            key: torch.stack([state[key] for state in states]).mean(dim=0)
            if value.is_floating_point()
            else value
            for key, value in states[0].items()
        }
        self.net_.module_.load_state_dict(mean)
        if len(states) > 1 and any(
            isinstance(layer, torch.nn.modules.batchnorm._BatchNorm)
            for layer in self.net_.module_.modules()
        ):
            batches = self.net_.get_iterator(self.net_.get_dataset(X))
            device = next(iter(mean.values())).device
            torch.optim.swa_utils.update_bn(batches, self.net_.module_, device)

    def __sklearn_tags__(self):
        """Accept the same input and targets as the network."""
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.net).input_tags
        tags.target_tags.multi_output = get_tags(self.net).target_tags.multi_output
        return tags


def _continue_training(start, net, setting, seed, X, y, weight):
    """Continue training from the common state, with other parameters and seed."""
    state = start.module_.state_dict()
    params = {
        "max_epochs": net.max_epochs,
        "early_stopping": net.early_stopping,
        "random_state": seed,
        "warm_start": True,
        **setting,
    }
    net = copy.deepcopy(start).set_params(**params)
    _check_alike([state, net.module_.state_dict()])
    net.module_.load_state_dict(state)
    return net.fit(X, y, sample_weight=weight)


def _check_alike(states):
    shapes = [{key: tuple(v.shape) for key, v in state.items()} for state in states]
    for number, other in enumerate(shapes[1:], start=1):
        if other != shapes[0]:
            differing = sorted(
                key
                for key in shapes[0].keys() | other.keys()
                if shapes[0].get(key) != other.get(key)
            )
            raise ValueError(
                "a soup needs networks of one architecture: network "
                f"{number} differs from the first in {differing[0]!r}, "
                f"{other.get(differing[0])} against {shapes[0].get(differing[0])}."
            )


class ModelSoupClassifier(ClassifierMixin, _BaseSoup):
    """Average the parameters of several trainings of one network.

    All trainings continue from a common state, and differ in the order of batches or in
    parameters. The mean of their weights is often better than each of them, and
    predicting costs no more than with a single network.

    Parameters
    ----------
    net : NetClassifier
        The network.
    settings : int, list of dict, or list of fitted nets, default=5
        Number of trainings, which differ in their seeds; or the parameters of each; or
        fitted networks, among which ``fit`` chooses by their scores.
    recipe : {"greedy", "uniform"}, default="greedy"
        "greedy" adds networks, the best first, unless the score on the validation part
        decreases; "uniform" takes all.
    n_shared_epochs : int, default=5
        Epochs that all trainings share. Networks that start from different random
        weights end up too far apart for their mean to be useful.
    validation_fraction : float, default=0.2
        Fraction of the samples that "greedy" uses for validation.
    random_state : int, RandomState or None, default=None
        Seed of the split and the trainings.
    n_jobs : int or None, default=None
        Number of trainings that run in parallel.

    Attributes
    ----------
    net_ : NetClassifier
        The averaged network.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    scores_ : ndarray of shape (n_settings,)
        Accuracy of each network on the validation part.
    soup_score_ : float
        Accuracy of the averaged network.
    ingredients_ : list of int
        Positions of the networks that were averaged.
    n_features_in_ : int
        Number of columns, if samples are vectors.

    Notes
    -----
    The statistics of batch normalisation are recomputed for the averaged network.

    References
    ----------
    M. Wortsman et al. (2022), "Model soups: averaging weights of multiple fine-tuned
    models improves accuracy without increasing inference time", ICML. J. Frankle et al.
    (2020), "Linear mode connectivity and the lottery ticket hypothesis", ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_mm import ModelSoupClassifier, NetClassifier
    >>> from sklearn_mm.nets import TabularMLP
    >>> X, y = load_digits(return_X_y=True)
    >>> net = NetClassifier(TabularMLP, max_epochs=10)
    >>> soup = ModelSoupClassifier(net, settings=3, random_state=0)
    >>> bool(soup.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.85)
    True
    """

    def predict_proba(self, X):
        """Predict probabilities of the classes with the averaged network.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities.
        """
        check_is_fitted(self)
        return self.net_.predict_proba(X)


class ModelSoupRegressor(RegressorMixin, _BaseSoup):
    """Average the parameters of several trainings of one network.

    Like :class:`ModelSoupClassifier`, for regression; networks are chosen by R².

    Parameters
    ----------
    net : NetRegressor
        The network.
    settings : int, list of dict, or list of fitted nets, default=5
        Number of trainings; or the parameters of each; or fitted networks.
    recipe : {"greedy", "uniform"}, default="greedy"
        "greedy" adds networks, the best first, unless the score on the validation part
        decreases; "uniform" takes all.
    n_shared_epochs : int, default=5
        Epochs that all trainings share.
    validation_fraction : float, default=0.2
        Fraction of the samples that "greedy" uses for validation.
    random_state : int, RandomState or None, default=None
        Seed of the split and the trainings.
    n_jobs : int or None, default=None
        Number of trainings that run in parallel.

    Attributes
    ----------
    net_ : NetRegressor
        The averaged network.
    scores_ : ndarray of shape (n_settings,)
        R² of each network on the validation part.
    soup_score_ : float
        R² of the averaged network.
    ingredients_ : list of int
        Positions of the networks that were averaged.
    n_features_in_ : int
        Number of columns, if samples are vectors.

    References
    ----------
    M. Wortsman et al. (2022), "Model soups", ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_mm import ModelSoupRegressor, NetRegressor
    >>> from sklearn_mm.nets import TabularMLP
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = NetRegressor(TabularMLP, max_epochs=20)
    >>> soup = ModelSoupRegressor(net, settings=3, random_state=0).fit(X, y)
    >>> bool(soup.score(X, y) > 0.3)
    True
    """
