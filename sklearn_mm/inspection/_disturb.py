"""Disturb a modality's columns, each by the disturbances of its cells' modality."""

from contextlib import suppress

import numpy as np

from .._utils.notices import warn_user
from ..modalities import MODALITIES, TABLE_KINDS, read_cells
from ..tables import n_rows
from ._cells import move_cells, put_cells, replace_columns, take_column
from ._declared import find_declared

#: Disturbances of whole rows of any modality; their strength is the share of the rows.
MOVES = ("missing", "swapped")
#: Errors of cells that cannot be read or disturbed.
_UNREADABLE = (ValueError, TypeError, AttributeError, OSError, RuntimeError)


def list_strengths(estimator):
    """List the disturbances of all modalities, with their default strengths.

    Parameters
    ----------
    estimator : estimator
        May declare modalities of its own for columns.

    Returns
    -------
    dict of str to dict of str to tuple
        Strengths by the name of the modality and of the disturbance.
    """
    modalities = [*MODALITIES, *TABLE_KINDS, *find_declared(estimator).values()]
    listed = {modality.name: modality.list_disturbances() for modality in modalities}
    return {
        name: {key: disturbance.strengths for key, disturbance in own.items()}
        for name, own in listed.items()
        if own
    }


def list_disturbances(modality):
    """Return the disturbances of a modality by name; those of None are none."""
    return {} if modality is None else modality.list_disturbances()


def disturb_columns(X, modalities, name, strength, seed, files):
    """Return a copy of a table with some columns disturbed.

    Parameters
    ----------
    X : DataFrame, ndarray or dict of arrays
        The table, which is not modified.
    modalities : dict of key to Modality or None
        The columns with the modalities of their cells. Columns whose modality has no
        disturbance of this name are not disturbed.
    name : str
        One of ``MOVES``, or the name of a modality's disturbance.
    strength : float
        Strength of the disturbance.
    seed : int
        Determines rows and noise, independently of the strength.
    files : dict
        ``root`` and ``filesystem``, the arguments of ``Modality.open_cell``.

    Returns
    -------
    same as ``X``
        The copy. Missing and unreadable cells are the same as in ``X``.
    """
    if name in MOVES:
        order = _draw_order(n_rows(X), name, strength, seed)
        return move_cells(X, list(modalities), order)
    disturbed = {}
    for key, modality in modalities.items():
        if name in list_disturbances(modality):
            column = take_column(X, key)
            disturbed[key] = _disturb_column(
                column, modality, name, strength, seed, files
            )
    return replace_columns(X, disturbed)


def _draw_order(n_samples, name, share, seed):
    """Draw the row that each row gets its cells from, -1 for missing cells.

    The rows of a larger share include those of a smaller one.
    """
    order = np.arange(n_samples)
    shuffled = np.random.default_rng(seed).permutation(n_samples)
    n_chosen = round(share * n_samples)
    chosen = shuffled[:n_chosen]
    if name == "missing":
        order[chosen] = -1
    else:  # a cycle, so that no row keeps its own cells
        order[chosen] = np.roll(shuffled[: max(n_chosen, 2)], 1)[:n_chosen]
    return order


def _disturb_column(column, modality, name, strength, seed, files):
    values, missing, are_lists = read_cells(column)
    disturbance = modality.list_disturbances()[name]
    if disturbance.relative:
        strength = strength * _compute_deviation(values[~missing], disturbance)
    cells, errors, n_items = list(values), [], 0
    for row in np.flatnonzero(~missing):
        generator = np.random.default_rng([seed, row])
        items = list(cells[row]) if are_lists else [cells[row]]
        n_items += len(items)
        for i, item in enumerate(items):
            try:
                opened = modality.open_cell(item, **files)
                items[i] = disturbance.function(opened, strength, generator)
            except _UNREADABLE as error:
                errors.append(error)
        cells[row] = items if are_lists else items[0]
    if errors and len(errors) == n_items:
        warn_user(
            f"no cell of a column of modality {modality.name!r} could be disturbed by "
            f"{name!r}: {errors[0]}",
        )
    return put_cells(column, cells)


def _compute_deviation(cells, disturbance):
    """Compute the standard deviation of numbers, or of each component of vectors."""
    numbers, generator = [], np.random.default_rng(0)
    for cell in cells:
        with suppress(*_UNREADABLE):
            numbers.append(disturbance.function(cell, 0.0, generator))  # as numbers
    return np.nanstd(numbers, axis=0)
