"""Resample sequences to the same number of steps."""

from numbers import Integral

import numpy as np

from .._columns.base import BaseArrayEncoder
from .._utils.imports import Interval, StrOptions
from ._blocks import check_sequences, iter_blocks


class SequenceResampler(BaseArrayEncoder):
    """Resample sequences to the same number of steps, by linear interpolation.

    The steps are equally spaced from the first to the last of each sequence, so that
    sequences of any length become vectors of one width. The transformer is stateless.

    Parameters
    ----------
    n_steps : int, default=16
        Number of steps of the output.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that are not sequences of numbers: raise
        :class:`LoadError` after all cells have been tried, or treat them as missing,
        with or without a warning.

    Attributes
    ----------
    sample_shape_ : tuple of int
        Shape of the sequences seen in ``fit``, ``(time,)`` or ``(time, channels)``.

    See Also
    --------
    SequenceStatistics : Features that do not depend on when something happens.
    SequenceQuantiles : Quantiles over intervals of time, which are many more features.

    Notes
    -----
    Gaps (NaN between values) are filled by linear interpolation.

    Examples
    --------
    >>> from sklearn_mm import SequenceResampler
    >>> SequenceResampler(n_steps=3).fit_transform([[0, 1, 2, 3, 4], [5, 6]])
    array([[0. , 2. , 4. ],
           [5. , 5.5, 6. ]], dtype=float32)
    """

    _parameter_constraints: dict = {
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "on_error": [StrOptions({"raise", "warn", "missing"})],
    }

    def __init__(self, n_steps=16, *, on_error="raise"):
        self.n_steps = n_steps
        self.on_error = on_error

    def _check_array(self, array):
        return check_sequences(array, type(self).__name__)

    def _encode(self, array):
        array = array if array.ndim == 3 else array[..., None]
        shape = (len(array), self.n_steps, array.shape[2])
        values = np.empty(shape, dtype=np.float32)
        for rows, block in iter_blocks(array):
            times = np.linspace(0, block.shape[1] - 1, self.n_steps)
            before = np.floor(times).astype(int)
            after = np.minimum(before + 1, block.shape[1] - 1)
            weight = (times - before)[:, None]
            values[rows] = block[:, before] * (1 - weight) + block[:, after] * weight
        return values.reshape(len(array), -1)

    def _feature_names(self, sample_shape):
        n_channels = sample_shape[1] if len(sample_shape) == 2 else 1
        steps = range(self.n_steps)
        return [f"step{t}_channel{c}" for t in steps for c in range(n_channels)]
