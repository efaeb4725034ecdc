"""Read a column of texts."""

from .column import as_column
from .loading import load_cells, report_failures


def read_texts(X, owner, on_error=None):
    """Read the texts of a column.

    Parameters
    ----------
    X : column of str
        Texts, some of which may be missing.
    owner : str
        Name of the estimator or parameter, for errors.
    on_error : {"raise", "warn", "missing"} or None
        What to do about cells that are not texts. If None, always raise.

    Returns
    -------
    list of (str or None)
        One text per row; None where the cell is missing or not a text.

    Raises
    ------
    LoadError
        If a cell is not a text and ``on_error`` is "raise" or None.
    """
    column = as_column(X, owner)
    texts = [None] * len(column)

    def load(row, cell):
        texts[row] = check_text(cell)

    failures = load_cells(column, load)
    report_failures(failures, column, owner, on_error)
    return texts


def check_text(cell):
    """Return a cell as ``str``, or raise if it is not a text."""
    if not isinstance(cell, str):
        raise TypeError(f"expected a text (str), got {type(cell).__name__}")
    return str(cell)  # a subclass such as numpy.str_ becomes a plain string
