"""An estimator's modalities and their columns, found through its wrappers."""

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from ..tables import column_names, label_columns, list_names, read_table
from ._cells import name_columns


def find_core(estimator):
    """Find the estimator that is fitted on the table, inside its wrappers.

    Parameters
    ----------
    estimator : estimator
        Wrappers are pipelines whose other steps do nothing, searches, frozen
        estimators, and :class:`~sklearn_mm.CoTrainingClassifier`.

    Returns
    -------
    estimator
        The inner estimator; ``estimator`` itself if it is not a wrapper.
    str
        Prefix of its parameters among those of ``estimator``.
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
    """List the columns of the modalities that an estimator's own specs name.

    Parameters
    ----------
    core : estimator
        May have a parameter ``estimators`` of triples (name, estimator, columns).

    Returns
    -------
    dict of str to columns
        Without dropped modalities; empty if there are no such specs.
    """
    params = core.get_params(deep=False) if hasattr(core, "get_params") else {}
    specs = params.get("estimators")
    if not isinstance(specs, list | tuple) or any(
        not isinstance(spec, list | tuple) or len(spec) != 3 for spec in specs
    ):
        return {}
    return {
        name: columns
        for name, estimator, columns in specs
        if not (isinstance(estimator, str) and estimator == "drop")
    }


def find_modalities(estimator, X, modalities=None):
    """Find the modalities of a table and their columns.

    Parameters
    ----------
    estimator : estimator
        Its specs name the modalities. If it has none, or they share columns or select
        them with a callable, each column is a modality.
    X : DataFrame, ndarray or dict of arrays
        The table.
    modalities : dict of str to columns or None
        Modalities given by the user, in place of those of the estimator.

    Returns
    -------
    dict of str to list
        Positions of the columns, in a dict their names, by modality.
    """
    X = read_table(X)
    if modalities is not None:
        return _check_modalities(modalities, X)
    specs = list_specs(find_core(estimator)[0])
    if specs and not any(callable(columns) for columns in specs.values()):
        found = {name: find_keys(X, columns) for name, columns in specs.items()}
        if not _find_shared(found):
            return found
    names = name_columns(X)
    labels = label_columns(names.values())
    return {labels[name]: [key] for key, name in names.items()}


def _check_modalities(modalities, X):
    if not isinstance(modalities, dict) or not modalities:
        raise ValueError(
            "modalities must be a non-empty dict that maps names to columns, got "
            f"{modalities!r}."
        )
    found = {str(name): find_keys(X, columns) for name, columns in modalities.items()}
    shared = _find_shared(found)
    if shared:
        raise ValueError(f"modalities must not share columns, but share {shared}.")
    return found


def find_keys(X, columns):
    """Return the positions of columns, in a dict their names."""
    columns = columns(X) if callable(columns) else columns
    names = list_names(X, columns)
    if isinstance(X, dict):
        return names
    positions = {name: i for i, name in enumerate(column_names(X))}
    return [positions[name] for name in names]


def _find_shared(found):
    keys = [key for own in found.values() for key in own]
    return sorted({key for key in keys if keys.count(key) > 1})


def list_others(modalities, *names):
    """Return the columns of all modalities except some."""
    return [
        key for name, keys in modalities.items() if name not in names for key in keys
    ]
