"""Read a column of texts."""

from .column import as_column
from .loading import load_cells


def as_texts(X, owner):
    """Take the texts out of a column.

    Parameters
    ----------
    X : column of str
        Texts, some of which may be missing.
    owner : str
        Name of the estimator, for errors.

    Returns
    -------
    list of str
        The texts that are there.
    ndarray of bool
        Which cells are missing.
    """
    column = as_column(X, owner)
    load_cells(column, _check_text, owner=owner)
    return list(column.cells[~column.missing]), column.missing


def _check_text(row, cell):
    if not isinstance(cell, str):
        raise TypeError(f"expected a text (str), got {type(cell).__name__}")
