"""Values of sequences at equally spaced moments."""

from numbers import Integral

import numpy as np

from .._columns.base import BaseArrayEncoder
from .._utils.imports import Interval
from ._blocks import check_sequences, iter_blocks


class SequenceResampler(BaseArrayEncoder):
    """Values of sequences at equally spaced moments, from their first to their last.

    Makes vectors of one width of sequences of any length, by linear interpolation. The
    transformer is stateless.

    Parameters
    ----------
    n_steps : int, default=16
        Number of moments.

    Attributes
    ----------
    sample_shape_ : tuple of int
        Shape of the sequences that it was fitted on, ``(time,)`` or ``(time,
        channels)``.

    See Also
    --------
    SequenceStatistics : What does not depend on when something happens.

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
        "n_steps": [Interval(Integral, 1, None, closed="left")]
    }

    def __init__(self, n_steps=16):
        self.n_steps = n_steps

    def _check_array(self, array):
        return check_sequences(array, type(self).__name__)

    def _encode(self, array):
        array = array if array.ndim == 3 else array[..., None]
        shape = (len(array), self.n_steps, array.shape[2])
        values = np.empty(shape, dtype=np.float32)
        for rows, block in iter_blocks(array):
            moments = np.linspace(0, block.shape[1] - 1, self.n_steps)
            before = np.floor(moments).astype(int)
            after = np.minimum(before + 1, block.shape[1] - 1)
            share = (moments - before)[:, None]
            values[rows] = block[:, before] * (1 - share) + block[:, after] * share
        return values.reshape(len(array), -1)

    def _feature_names(self, sample_shape):
        n_channels = sample_shape[1] if len(sample_shape) == 2 else 1
        steps = range(self.n_steps)
        return [f"step{t}_channel{c}" for t in steps for c in range(n_channels)]
