"""Routing of the arguments of fit, to the modalities' models and to the splitter."""

import inspect
from collections.abc import Iterable

import numpy as np
from sklearn.base import is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import KFold, check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.validation import has_fit_parameter

from .._utils.imports import routing_enabled
from ._folds import make_splitter, read_folds


class RoutingMixin:
    """Routes ``sample_weight`` and ``groups``; with routing enabled, all metadata."""

    def _route_params(self, members, y, params):
        """Return the arguments of ``fit`` for each modality's model."""
        if routing_enabled():
            routed = process_routing(self, "fit", **params)
            return {name: routed[name].fit for name, _, _ in members}
        unknown = sorted(set(params) - {"sample_weight", "groups"})
        if unknown:
            raise TypeError(
                f"{type(self).__name__}.fit got {unknown}; without metadata routing "
                "only sample_weight reaches the modalities. Use "
                "sklearn.set_config(enable_metadata_routing=True)."
            )
        weight = params.get("sample_weight")
        if weight is None:
            return {name: {} for name, _, _ in members}
        return {name: route_weight(name, model, weight) for name, model, _ in members}

    def _make_folds(self, X, y, params):
        """Return the folds: for each, rows to fit on and rows to predict."""
        if not hasattr(self.cv, "split") and isinstance(self.cv, Iterable):
            return read_folds(self.cv, len(y))
        if self.cv is None:
            splitter = make_splitter(y, stratify=is_classifier(self))
        else:
            splitter = check_cv(self.cv, y, classifier=is_classifier(self))
        if routing_enabled():
            split_params = process_routing(self, "fit", **params)["cv"].split
        else:
            split_params = {"groups": params.get("groups")}
        folds = splitter.split(np.zeros(len(y)), y, **split_params)
        return read_folds(folds, len(y))

    def get_metadata_routing(self):
        """Get the routing of ``fit``: to each modality's model and to the splitter.

        Returns
        -------
        MetadataRouter
            The routing.
        """
        # Modalities cannot have the name of a parameter, so that "cv" is free.
        splitter = self.cv if hasattr(self.cv, "split") else KFold()
        router = MetadataRouter(owner=self).add_self_request(self)
        router.add(
            cv=splitter,
            method_mapping=MethodMapping().add(callee="split", caller="fit"),
        )
        for name, estimator in self._list_routed():
            router.add(
                **{name: estimator},
                method_mapping=MethodMapping().add(callee="fit", caller="fit"),
            )
        return router

    def _list_routed(self):
        """List the models that get metadata, by name."""
        return [
            (name, estimator)
            for name, estimator, _ in self.estimators
            if not isinstance(estimator, str)
        ]


def route_weight(name, model, weight):
    """Name sample weights as the model's ``fit`` expects them.

    Parameters
    ----------
    name : str
        Name of the modality, for errors.
    model : estimator
        The model, possibly a pipeline.
    weight : ndarray of shape (n_samples,)
        Weights.

    Returns
    -------
    dict
        Arguments of ``fit``.
    """
    if isinstance(model, FrozenEstimator):
        return {}
    prefix, inner = "", model
    while not has_fit_parameter(inner, "sample_weight"):
        if isinstance(inner, Pipeline):
            step, inner = inner.steps[-1]
            prefix += f"{step}__"
        elif not _takes_any_argument(inner):
            raise TypeError(
                f"modality {name!r}: {type(inner).__name__}.fit takes no sample_weight."
            )
        elif hasattr(inner, "estimator"):  # a search passes it on
            inner = inner.estimator
        else:  # a fusion
            break
    return {f"{prefix}sample_weight": weight}


def _takes_any_argument(model):
    parameters = inspect.signature(model.fit).parameters.values()
    return any(parameter.kind == parameter.VAR_KEYWORD for parameter in parameters)
