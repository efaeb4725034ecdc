"""The modalities as objects: those of the package, and how a column's is detected."""

from typing import NamedTuple

import numpy as np

from ._columns.column import as_column
from ._columns.modality import Disturbance, Modality
from ._modalities import detect
from ._modalities.known import BY_NAME, MODALITIES, TABLE_KINDS

__all__ = [
    "MODALITIES",
    "TABLE_KINDS",
    "Disturbance",
    "Modality",
    "detect_modality",
    "get_modality",
    "read_cells",
]


def get_modality(name):
    """Return a modality of the package by its name.

    Parameters
    ----------
    name : str
        Name of one of ``MODALITIES`` or ``TABLE_KINDS``.

    Returns
    -------
    Modality
        The modality.

    Examples
    --------
    >>> from sklearn_mm.modalities import get_modality
    >>> sorted(get_modality("image").list_disturbances())
    ['blur', 'noise', 'occlusion']
    """
    if name not in BY_NAME:
        raise ValueError(f"there is no modality {name!r}, only {list(BY_NAME)}.")
    return BY_NAME[name]


def detect_modality(column, *, root=None):
    """Detect the modality of a column by its files and the types of its cells.

    Parameters
    ----------
    column : Series, one-column DataFrame, list or ndarray
        The cells. Of a cell that is a list of files or arrays, the first one counts.
    root : str, PathLike or None, default=None
        Folder that paths are relative to. URLs are never opened.

    Returns
    -------
    Modality or None
        The modality; None if all cells are missing.
    str
        The reason.

    Examples
    --------
    >>> from sklearn_mm.modalities import detect_modality
    >>> modality, reason = detect_modality(["cat.jpg", "dog.jpg", None])
    >>> modality.name, reason
    ('image', "by the files' extensions")
    """
    is_category = detect.holds_categories(column)
    column = as_column(column, "detect_modality")
    name, reason = detect.detect_modality(column, root, is_category)
    return BY_NAME.get(name), reason


class Cells(NamedTuple):
    """The cells of a column.

    ``values`` is a 1-D array of objects, or a numeric array of shape
    ``(n_samples, ...)`` whose items along the first axis are the cells; ``missing``, of
    shape ``(n_samples,)``, marks missing ones. ``are_lists`` is true if each cell is a
    list of files or arrays, such as photographs.
    """

    values: np.ndarray
    missing: np.ndarray
    are_lists: bool


def read_cells(column):
    """Read the cells of a column, from any of the forms that estimators take.

    Parameters
    ----------
    column : pandas or polars Series, one-column DataFrame, list or ndarray
        One cell per sample.

    Returns
    -------
    Cells
        A named tuple of ``values``, ``missing`` and ``are_lists``.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_mm.modalities import read_cells
    >>> read_cells(pd.Series(["a text", None])).missing
    array([False,  True])
    """
    column = as_column(column, "read_cells")
    are_lists = column.cells.dtype.kind == "O" and detect.holds_lists(column)
    return Cells(column.cells, column.missing, are_lists)
