"""Stack precomputed vectors."""

import numpy as np

from .._columns.arrays import as_numbers
from .._columns.base import BaseArrayEncoder
from .._utils.imports import StrOptions


class VectorStacker(BaseArrayEncoder):
    """Stack cells that are arrays of one shape into rows of a table.

    For precomputed embeddings, and for pixels after an :class:`ImageLoader`: arrays
    with more than one axis are flattened. The transformer is stateless; ``fit`` only
    remembers the shape of a cell.

    Parameters
    ----------
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that are not arrays of numbers, or that differ in shape:
        raise :class:`LoadError` after all cells have been tried, or treat them as
        missing, with or without a warning.

    Attributes
    ----------
    sample_shape_ : tuple of int
        Shape of a cell.

    Examples
    --------
    >>> from sklearn_mm import VectorStacker
    >>> VectorStacker().fit_transform([[1, 2], None, [5, 6]])
    array([[ 1.,  2.],
           [nan, nan],
           [ 5.,  6.]], dtype=float32)
    """

    _ragged = False
    _parameter_constraints: dict = {
        "on_error": [StrOptions({"raise", "warn", "missing"})]
    }

    def __init__(self, *, on_error="raise"):
        self.on_error = on_error

    def read(self, cell):
        """Read one vector.

        Parameters
        ----------
        cell : array-like
            The vector, or an array to flatten.

        Returns
        -------
        ndarray of shape (n_features,), float32
            What ``transform`` returns for this cell.
        """
        return as_numbers(cell, ndim=0).ravel()

    def _encode(self, array):
        return array.reshape(len(array), -1)

    def _check_array(self, array):
        return array

    def _feature_names(self, sample_shape):
        return [f"value{i}" for i in range(int(np.prod(sample_shape)))]
