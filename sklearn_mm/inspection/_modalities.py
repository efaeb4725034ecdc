"""An estimator's modalities, their columns, and the fusion within its wrappers."""

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from .._modalities.table import list_columns
from .._utils.imports import get_column_indices


def find_core(estimator):
    """Find the estimator that sees the table, within searches, pipelines and others.

    Parameters
    ----------
    estimator : estimator
        Perhaps a pipeline whose earlier steps do nothing, a search, a frozen
        estimator, or a :class:`~sklearn_mm.CoTrainingClassifier`.

    Returns
    -------
    estimator
        The one within; ``estimator`` itself if it is none of these.
    str
        Prefix of its parameters in those of ``estimator``.
    """
    prefix = ""
    while True:
        if isinstance(estimator, Pipeline):
            *steps, (name, last) = estimator.steps
            if any(step not in (None, "passthrough") for _, step in steps):
                return estimator, prefix
            estimator, prefix = last, f"{prefix}{name}__"
        elif isinstance(estimator, FrozenEstimator):
            estimator, prefix = estimator.estimator, f"{prefix}estimator__"
        elif hasattr(estimator, "best_estimator_"):
            estimator, prefix = estimator.best_estimator_, f"{prefix}estimator__"
        elif hasattr(estimator, "fusion_"):
            estimator, prefix = estimator.fusion_, f"{prefix}fusion__"
        elif list_specs(getattr(estimator, "fusion", None)):  # not fitted yet
            estimator, prefix = estimator.fusion, f"{prefix}fusion__"
        else:
            return estimator, prefix


def list_specs(core):
    """Give the columns of the modalities that an estimator's own specs name.

    Parameters
    ----------
    core : estimator
        With triples ``estimators``, or quadruples ``branches``, or neither.

    Returns
    -------
    dict of str to columns
        Those not dropped; empty if there are no such specs.
    """
    params = core.get_params(deep=False) if hasattr(core, "get_params") else {}
    for parameter, length in (("estimators", 3), ("branches", 4)):
        specs = params.get(parameter)
        if isinstance(specs, list | tuple) and all(
            isinstance(spec, list | tuple) and len(spec) == length for spec in specs
        ):
            return {
                spec[0]: spec[-1]
                for spec in specs
                if not (isinstance(spec[1], str) and spec[1] == "drop")
            }
    return {}


def find_modalities(estimator, X, modalities=None):
    """Find the modalities of a table, as an estimator sees them.

    Parameters
    ----------
    estimator : estimator
        Its specs name the modalities. If it has none, or they choose columns by a
        callable or share columns, each column is a modality.
    X : DataFrame, ndarray or dict of arrays
        The table.
    modalities : dict of str to columns or None
        The user's own.

    Returns
    -------
    dict of str to list
        Positions of the columns, of a dict their names, by modality.
    """
    if modalities is not None:
        return _check_modalities(modalities, X)
    specs = list_specs(find_core(estimator)[0])
    if specs and not any(callable(columns) for columns in specs.values()):
        found = {name: _find_keys(X, columns) for name, columns in specs.items()}
        if not _find_shared(found):
            return found
    keys = list(X) if isinstance(X, dict) else range(len(list_columns(X)))
    return {str(name): [key] for name, key in zip(list_columns(X), keys)}


def _check_modalities(modalities, X):
    if not isinstance(modalities, dict) or not modalities:
        raise ValueError(
            "modalities must be a dict of names to columns that is not empty, got "
            f"{modalities!r}."
        )
    found = {str(name): _find_keys(X, columns) for name, columns in modalities.items()}
    shared = _find_shared(found)
    if shared:
        raise ValueError(f"modalities must not share columns, but do: {shared}.")
    return found


def _find_keys(X, columns):
    if isinstance(X, dict):
        keys = [columns] if isinstance(columns, str) else list(columns)
        lacking = [key for key in keys if key not in X]
        if lacking:
            raise ValueError(f"X has no column {lacking}, only {list(X)}.")
        return keys
    columns = columns(X) if callable(columns) else columns
    if isinstance(columns, tuple):
        columns = list(columns)
    return np.atleast_1d(get_column_indices(X, columns)).tolist()


def _find_shared(found):
    keys = [key for own in found.values() for key in own]
    return sorted({key for key in keys if keys.count(key) > 1})


def list_others(modalities, *names):
    """Give the columns of all modalities but some."""
    return [
        key for name, keys in modalities.items() if name not in names for key in keys
    ]
