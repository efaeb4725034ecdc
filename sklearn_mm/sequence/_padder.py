"""Stack sequences of different lengths."""

from numbers import Integral

from .._columns.arrays import as_numbers, stack_cells
from .._columns.base import ArrayTransformer
from .._columns.column import as_column
from .._columns.padding import pad_samples, unpad
from .._utils.imports import Interval, StrOptions, fit_context


class SequencePadder(ArrayTransformer):
    """Stack sequences of different lengths into one array, padded with NaN.

    A cell is an array ``(time,)`` or ``(time, channels)``. The transformer is
    stateless; ``fit`` only remembers the number of channels.

    Parameters
    ----------
    max_length : int or None, default=None
        Number of steps of the output: longer sequences are cut at the end, shorter
        ones padded. By default nothing is cut.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that are not sequences of numbers, are empty, or have a
        different number of channels: raise :class:`LoadError` after all cells have been
        tried, or treat them as missing, with or without a warning.

    Attributes
    ----------
    sample_shape_ : tuple of int
        ``(channels,)``, or ``()`` for sequences ``(time,)``.

    Examples
    --------
    >>> from sklearn_mm import SequencePadder
    >>> SequencePadder().fit_transform([[1, 2, 3], [4], None])
    array([[ 1.,  2.,  3.],
           [ 4., nan, nan],
           [nan, nan, nan]], dtype=float32)
    """

    _parameter_constraints: dict = {
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "on_error": [StrOptions({"raise", "warn", "missing"})],
    }

    def __init__(self, max_length=None, *, on_error="raise"):
        self.max_length = max_length
        self.on_error = on_error

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters and remember the number of channels.

        Parameters
        ----------
        X : column of sequences
            Arrays ``(time,)`` or ``(time, channels)``.
        y : None
            Ignored.

        Returns
        -------
        self
            The transformer.
        """
        self.fit_transform(X)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        """Remember the number of channels, and stack the sequences.

        Parameters
        ----------
        X : column of sequences
            Arrays ``(time,)`` or ``(time, channels)``, or one array of them.
        y : None
            Ignored.

        Returns
        -------
        ndarray of shape (n_samples, time) or (n_samples, time, channels), float32
            Padded with NaN at the end; all NaN where a sequence is missing.
        """
        array = self._stack(X, None)
        self.sample_shape_ = array.shape[2:]
        return array

    def transform(self, X):
        """Stack the sequences.

        Parameters
        ----------
        X : column of sequences
            Arrays ``(time,)`` or ``(time, channels)``, or one array of them.

        Returns
        -------
        ndarray of shape (n_samples, time) or (n_samples, time, channels), float32
            Padded with NaN at the end; all NaN where a sequence is missing.
        """
        return self._stack(X, getattr(self, "sample_shape_", None))

    def read(self, cell):
        """Read one sequence.

        Parameters
        ----------
        cell : array-like of shape (time,) or (time, channels)
            The sequence.

        Returns
        -------
        ndarray of shape (time,) or (time, channels), float32
            At most ``max_length`` steps, without padding.
        """
        sequence = as_numbers(cell, ndim=1)
        if sequence.ndim > 2:
            raise ValueError(
                f"its shape {sequence.shape} is not (time,) or (time, channels)"
            )
        return sequence[: self.max_length]

    def _stack(self, X, shape):
        owner = type(self).__name__
        array = stack_cells(
            as_column(X, owner),
            self.read,
            owner=owner,
            on_error=self.on_error,
            ragged=True,
            shape=shape,
        )
        if self.max_length is None or array.shape[1] == self.max_length:
            return array
        samples, shape = unpad(array), array.shape[2:]
        return pad_samples(samples, length=self.max_length, sample_shape=shape)
