"""Cells that hold vectors, for those who want a number in a cell."""

import numpy as np
import pandas as pd


def stack_vectors(column):
    """Stack a column of vectors; a missing one becomes NaN."""
    width = next(len(cell) for cell in column if cell is not None)
    empty = np.full(width, np.nan)
    return np.stack([empty if cell is None else cell for cell in column])


def spread_vectors(X):
    """Turn columns of vectors into columns of numbers."""
    parts = []
    for name in X:
        if isinstance(X[name].iloc[0], np.ndarray):
            numbers = pd.DataFrame(stack_vectors(X[name]), X.index)
            parts.append(numbers.add_prefix(f"{name}_"))
        else:
            parts.append(X[[name]])
    return pd.concat(parts, axis=1)
