"""Names of columns: as labels of features, and for scikit-learn's checks."""

import numpy as np
import pandas as pd

from .table import column_names, frame_columns


def label_columns(names):
    """Return a string for each column's name, no two of them the same.

    Parameters
    ----------
    names : iterable of hashable
        Names of columns, all different.

    Returns
    -------
    dict of hashable to str
        A name that is a string is its own label, without lone surrogates, which pandas
        does not take. Others are converted; where that is another column's label, as
        of 1 and "1", their type is appended.

    Examples
    --------
    >>> from sklearn_mm.tables import label_columns
    >>> label_columns(["1", 1, ("a", 2)])
    {'1': '1', 1: '1 (int)', ('a', 2): "('a', 2)"}
    """
    names = list(names)
    labels = {name: name for name in names if name == _write(name)}
    taken = set(labels)
    for name in names:
        if name not in labels:
            label = _write(name)
            while label in taken:
                label = f"{label} ({type(name).__name__})"
            labels[name] = label
            taken.add(label)
    return {name: labels[name] for name in names}


def _write(name):
    return str(name).encode(errors="backslashreplace").decode()


def tell_apart(names):
    """Append a number to names that occur more than once, until all are different."""
    taken, seen, told = set(names), set(), []
    for name in names:
        count, new = 1, name
        while new in seen or (new != name and new in taken):
            count, new = count + 1, f"{name}_{count + 1}"
        seen.add(new)
        told.append(new)
    return told


def make_header(X):
    """Make a stand-in of a table for scikit-learn's checks of names and number.

    Parameters
    ----------
    X : DataFrame, Columns or ndarray of shape (n_samples, n_columns)
        The table.

    Returns
    -------
    DataFrame or ndarray
        A frame without rows, or an array if not all names are strings.
    """
    if isinstance(X, np.ndarray):
        return X
    names = column_names(X)
    if not all(isinstance(name, str) for name in names):
        return np.empty((1, len(names)))
    return frame_columns([pd.Series(dtype=float)] * len(names), names)
