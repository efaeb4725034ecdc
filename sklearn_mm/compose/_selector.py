"""Select the columns of a table by their modality."""

from sklearn.base import BaseEstimator

from .._modalities.table import (
    TABLE_NAMES,
    detect_columns,
    is_content,
    list_columns,
    read_declarations,
)
from .._utils.versions import VersionMixin
from ._plan import TABLE


def make_modality_selector(*modalities, columns=None, root=None):
    """Make a callable that selects a table's columns by their modality.

    For ``columns`` in the specs of a fusion estimator or of a
    :class:`~sklearn.compose.ColumnTransformer`, as
    :func:`~sklearn.compose.make_column_selector` is.

    Parameters
    ----------
    *modalities : str
        Names of modalities: "image", "audio", "video", "sequence", "vector", "text",
        "category", "numeric", "datetime", "boolean", those of your own, or "table" for
        numbers, categories, dates and booleans together.
    columns : dict or None, default=None
        What columns are, as in :class:`MultimodalVectorizer`; others are detected.
    root : str, PathLike or None, default=None
        Folder that paths are relative to.

    Returns
    -------
    ModalitySelector
        ``selector(X)`` returns a list of column names, or of positions in an array.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn_mm import make_modality_selector
    >>> table = pd.DataFrame({
    ...     "photo": list(np.zeros((3, 8, 8, 3), dtype=np.uint8)), "price": [1, 2, 3]
    ... })
    >>> make_modality_selector("image")(table)
    ['photo']
    >>> make_modality_selector("table")(table)
    ['price']
    """
    return ModalitySelector(modalities, columns=columns, root=root)


class ModalitySelector(VersionMixin, BaseEstimator):
    """Select a table's columns by their modality, as a callable.

    Parameters
    ----------
    modalities : tuple of str
        Names of modalities, or "table", or "content" for all that is not a table.
    columns : dict or None, default=None
        What columns are; others are detected.
    root : str, PathLike or None, default=None
        Folder that paths are relative to.
    only_beside : str or None, default=None
        Select nothing unless the table also has a column of this modality.
    """

    _trusted = True

    def __init__(self, modalities, *, columns=None, root=None, only_beside=None):
        self.modalities = modalities
        self.columns = columns
        self.root = root
        self.only_beside = only_beside

    def __call__(self, X):
        """Return the names of the columns, or their positions in an array.

        Parameters
        ----------
        X : DataFrame, dict of arrays, or ndarray of shape (n_samples, n_columns)
            The table.

        Returns
        -------
        list
            In the order of ``modalities``, those of one in the order of the table.
        """
        known = list_columns(X)
        declared = read_declarations(self.columns, known)[0]
        owner = type(self).__name__
        types = detect_columns(X, declared, root=self.root, owner=owner)
        if self.only_beside is not None and not _select(types, self.only_beside):
            return []
        chosen = [name for m in self.modalities for name in _select(types, m)]
        if isinstance(X, dict) or hasattr(X, "columns"):
            return chosen
        return [list(known).index(name) for name in chosen]


def _select(types, modality):
    """Return the names of the columns that are of a modality, or of a group."""
    groups = {TABLE: TABLE_NAMES.__contains__, "content": is_content}
    belongs = groups.get(modality, modality.__eq__)
    return [name for name, found in types.items() if belongs(found.modality)]
