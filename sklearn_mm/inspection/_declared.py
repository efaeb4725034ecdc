"""What an estimator knows about columns: their modalities, and where files are."""

from ..modalities import Modality, detect_modality, get_modality
from ._cells import name_columns, take_column
from ._modalities import find_core

#: Attributes that hold fitted estimators, of searches, co-training and fusion.
_FITTED = ("best_estimator_", "fusion_", "named_estimators_")


def find_files(estimator, name):
    """Find where a modality's loader looks for files.

    Parameters
    ----------
    estimator : estimator
        Parameters of the modality's model begin with the modality's name, if it has a
        model of its own.
    name : str
        The modality.

    Returns
    -------
    dict
        ``root`` and ``filesystem``, the arguments of ``Modality.open_cell``.
    """
    core, _ = find_core(estimator)
    params = core.get_params() if hasattr(core, "get_params") else {}
    own = {key: value for key, value in params.items() if key.startswith(f"{name}__")}
    return {
        option: next(
            (
                value
                for key, value in (own or params).items()
                if key.split("__")[-1] == option and value is not None
            ),
            None,
        )
        for option in ("root", "filesystem")
    }


def find_declared(estimator):
    """Find the modalities of columns that parts of an estimator declare or detected.

    Parameters
    ----------
    estimator : estimator
        Any estimator with parts, such as pipelines, searches or fusion members.
        Parameters called ``columns`` that are dicts declare modalities; fitted
        attributes ``modalities_`` are those that ``fit`` detected.

    Returns
    -------
    dict of hashable to Modality
        By column name. Declared modalities take precedence over detected ones.
    """
    declared, detected = {}, {}
    for part in _iter_parts(estimator, set()):
        columns = part.get_params(deep=False).get("columns")
        declared |= _get_modalities(columns)
        detected |= _get_modalities(getattr(part, "modalities_", None))
    return detected | declared


def _iter_parts(estimator, seen):
    """Yield an estimator and all that are nested in it, as parameters or fitted."""
    is_estimator = hasattr(estimator, "get_params") and not isinstance(estimator, type)
    if not is_estimator or id(estimator) in seen:
        return
    seen.add(id(estimator))
    yield estimator
    children = list(estimator.get_params(deep=True).values())
    for attribute in _FITTED:
        fitted = getattr(estimator, attribute, None)
        children.extend(fitted.values() if isinstance(fitted, dict) else [fitted])
    for child in children:
        yield from _iter_parts(child, seen)


def _get_modalities(columns):
    """Return the modality objects of a dict of columns; "drop" is none."""
    if not isinstance(columns, dict):
        return {}
    found = {}
    for column, modality in columns.items():
        try:
            is_object = isinstance(modality, Modality)
            found[column] = modality if is_object else get_modality(modality)
        except (ValueError, TypeError):
            continue
    return found


def find_column_modalities(X, keys, declared, files):
    """Find the modality of each column, as declared or else by its cells.

    Parameters
    ----------
    X : DataFrame, ndarray or dict of arrays
        The table.
    keys : list
        The columns.
    declared : dict of hashable to Modality
        Modalities by column name, as returned by :func:`find_declared`.
    files : dict
        ``root`` and ``filesystem``, as returned by :func:`find_files`.

    Returns
    -------
    dict of key to Modality or None
        None where all cells are missing.
    """
    root = None if files["filesystem"] is not None else files["root"]
    names = name_columns(X)
    return {
        key: declared.get(names[key])
        or detect_modality(take_column(X, key), root=root)[0]
        for key in keys
    }
