"""The one address of scikit-learn's private names and of optional packages."""

import importlib
import sys
from functools import partial

from sklearn.base import _fit_context as fit_context
from sklearn.metrics._scorer import _BaseScorer
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._indexing import _get_column_indices as get_column_indices
from sklearn.utils._param_validation import HasMethods, Interval, Options, StrOptions
from sklearn.utils._param_validation import (
    validate_parameter_constraints as check_parameters,
)
from sklearn.utils._repr_html.estimator import _VisualBlock as VisualBlock
from sklearn.utils._user_interface import _print_elapsed_time as print_elapsed_time
from sklearn.utils.metadata_routing import _routing_enabled as routing_enabled
from sklearn.utils.metaestimators import _BaseComposition as BaseComposition
from sklearn.utils.parallel import (
    _threadpool_controller_decorator as threadpool_controller_decorator,
)
from sklearn.utils.validation import (
    _check_feature_names as check_feature_names,
)
from sklearn.utils.validation import (
    _check_method_params as check_method_params,
)
from sklearn.utils.validation import (
    _check_n_features as check_n_features,
)
from sklearn.utils.validation import _check_sample_weight
from sklearn.utils.validation import (
    _num_samples as num_samples,
)

__all__ = [
    "BaseComposition",
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
    "VisualBlock",
    "check_feature_names",
    "check_method_params",
    "check_n_features",
    "check_parameters",
    "check_sample_weight",
    "fit_context",
    "get_column_indices",
    "get_scorer_arguments",
    "import_extra",
    "is_instance",
    "is_subclass",
    "num_samples",
    "print_elapsed_time",
    "routing_enabled",
    "safe_indexing",
    "threadpool_controller_decorator",
]

#: Losses and priors are weighted means, which a negative weight makes meaningless.
check_sample_weight = partial(_check_sample_weight, ensure_non_negative=True)


def get_scorer_arguments(scorer):
    """Get what a scorer passes to its metric; None if it is not a scorer.

    Parameters
    ----------
    scorer : object
        What may be a scorer of scikit-learn's.

    Returns
    -------
    dict or None
        Keyword arguments of the metric.
    """
    return scorer._kwargs if isinstance(scorer, _BaseScorer) else None


def import_extra(module, extra):
    """Import a module that an extra of the package brings.

    Parameters
    ----------
    module : str
        Its name.
    extra : str
        Name of the extra.

    Raises
    ------
    ImportError
        With the line that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{module} is not installed: pip install 'sklearn_mm[{extra}]'"
        ) from error
    except RuntimeError as error:  # a torchvision built for another torch, say
        raise ImportError(f"{module} cannot be imported here: {error}") from error


def is_instance(obj, package, *names):
    """Whether ``obj`` is of a class of an optional package, without importing it."""
    return is_subclass(type(obj), package, *names)


def is_subclass(kind, package, *names):
    """Whether a type is of an optional package, without importing it."""
    module = sys.modules.get(package)
    return module is not None and any(
        issubclass(kind, getattr(module, name)) for name in names
    )
