"""Stack sequences of different lengths."""

from numbers import Integral

from .._columns.arrays import stack_cells
from .._columns.base import ArrayTransformer
from .._columns.column import as_column
from .._columns.padding import pad_samples
from .._utils.imports import Interval, StrOptions, fit_context


class SequencePadder(ArrayTransformer):
    """Stack sequences of different lengths into one array, padded with NaN.

    A cell is an array ``(time,)`` or ``(time, channels)``. The transformer is
    stateless; ``fit`` only remembers the number of channels.

    Parameters
    ----------
    max_length : int or None, default=None
        Number of steps of the result: longer sequences are cut at their end, shorter
        ones padded. By default nothing is cut.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that are no sequences of numbers, are empty, or have
        another number of channels.

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
        self.sample_shape_ = self._stack(X, None).shape[2:]
        return self

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
        array = self._stack(X, getattr(self, "sample_shape_", None))
        if self.max_length is None or array.shape[1] == self.max_length:
            return array
        return pad_samples(array, length=self.max_length, sample_shape=array.shape[2:])

    def _stack(self, X, shape):
        owner = type(self).__name__
        return stack_cells(
            as_column(X, owner),
            owner=owner,
            on_error=self.on_error,
            ragged=True,
            shape=shape,
        )
