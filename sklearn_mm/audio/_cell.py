"""One audio signal at its own rate: what disturbances and drawings start from."""

from .._columns.files import names_file
from ._signal import as_signal, decode_audio

#: Bound on the length in seconds, checked before decoding.
_MAX_SECONDS = 3600


def read_signal(cell):
    """Decode audio without resampling it.

    Parameters
    ----------
    cell : bytes-like, tuple of (array, sampling_rate) or ndarray
        The audio.

    Returns
    -------
    ndarray of shape (n_samples,) or None
        The mono signal; None if all of it is padding.
    float or None
        Sampling rate in Hz, None if it is not known.
    """
    if names_file(cell):
        return decode_audio(cell, max_seconds=_MAX_SECONDS)
    if isinstance(cell, tuple):
        array, rate = cell
        return as_signal(array), rate
    return as_signal(cell), None
