"""Sound: load files, bytes and arrays into one array, and describe it by hand."""

from numbers import Integral, Real

import numpy as np

from .._columns.base import BaseLoader
from .._columns.column import as_column
from .._columns.padding import pad_samples
from .._utils.imports import Interval
from ._signal import as_signal, check_loudness, check_seconds, decode_audio, resample

_POSITIVE = Interval(Real, 0, None, closed="neither")
_COUNT = Interval(Integral, 1, None, closed="left")


class AudioLoader(BaseLoader):
    """Load a column of sounds into one array at one sampling rate.

    A cell is a path, encoded bytes (WAV, FLAC, OGG, MP3, and what else libsndfile
    reads), a 1-D array that is already at ``sampling_rate``, or a tuple ``(array,
    sampling_rate)``. Channels are averaged, then the signal is resampled (soxr, HQ), as
    ``librosa.load`` does. The transformer is stateless.

    Parameters
    ----------
    sampling_rate : int, default=16000
        Sampling rate of the result, in Hz.
    duration : float or None, default=None
        Length of the result in seconds: longer sounds are cut, shorter ones padded. By
        default nothing is cut, and the result is as long as the longest sound.
    root : str, PathLike or None, default=None
        Folder that paths are relative to. If given, absolute paths, ``..`` and symbolic
        links that lead out of it are refused.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that cannot be read: raise :class:`LoadError` once all
        have been tried, or treat them as missing with or without a warning.
    max_seconds : float or None, default=600
        Bound on the length that is read of one sound, checked before it is decoded.
    max_bytes : int or None, default=2**28
        Bound on the size of one file, in bytes.
    filesystem : fsspec filesystem or None, default=None
        Opens the paths instead of the operating system, remote ones included.
    n_jobs : int or None, default=None
        Number of threads.

    See Also
    --------
    LogMelSpectrogram : Spectrograms of the loaded sounds.
    AudioStatistics : A vector of statistics of each loaded sound.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm import AudioLoader
    >>> tone = np.sin(np.arange(4000) / 5)
    >>> AudioLoader(sampling_rate=8000).fit_transform([tone, (tone, 16000), None]).shape
    (3, 4000)
    """

    _parameter_constraints: dict = {
        **BaseLoader._parameter_constraints,
        "sampling_rate": [_COUNT],
        "duration": [_POSITIVE, None],
        "max_seconds": [_POSITIVE, None],
    }

    def __init__(
        self,
        sampling_rate=16000,
        duration=None,
        *,
        root=None,
        on_error="raise",
        max_seconds=600,
        max_bytes=2**28,
        filesystem=None,
        n_jobs=None,
    ):
        self.sampling_rate = sampling_rate
        self.duration = duration
        self.root = root
        self.on_error = on_error
        self.max_seconds = max_seconds
        self.max_bytes = max_bytes
        self.filesystem = filesystem
        self.n_jobs = n_jobs

    def transform(self, X):
        """Load every sound.

        Parameters
        ----------
        X : column of sounds
            Paths, bytes, arrays or tuples ``(array, sampling_rate)``, or an array
            ``(n_samples, length)``.

        Returns
        -------
        ndarray of shape (n_samples, length), float32
            Signals, padded with NaN at their end; all NaN where a sound is missing.

        Raises
        ------
        LoadError
            If a sound cannot be read and ``on_error="raise"``.
        """
        column = as_column(X, type(self).__name__)
        signals = [None] * len(column)

        def load(row, cell):
            signals[row] = self.read(cell)

        self._load_cells(column, load)
        length = None
        if self.duration is not None:
            length = max(1, round(self.duration * self.sampling_rate))
        return pad_samples(signals, length=length)

    def read(self, cell):
        """Load one sound.

        Parameters
        ----------
        cell : str, PathLike, bytes, ndarray or tuple of (ndarray, int)
            The sound.

        Returns
        -------
        ndarray of shape (length,), float32, or None
            The signal at ``sampling_rate``; None if it is a missing one.
        """
        data = self._read_bytes(cell)
        if data is not None:
            signal, rate = decode_audio(
                data, duration=self.duration, max_seconds=self.max_seconds
            )
        else:
            cell, rate = _split_rate(cell, self.sampling_rate)
            signal = as_signal(cell)
            if signal is None:
                return None
            check_seconds(len(signal), rate, self.max_seconds)
        if not np.isfinite(signal).all():
            raise ValueError("some of its samples are NaN or infinite")
        check_loudness(signal, "its")
        return resample(signal, rate, self.sampling_rate)


def _split_rate(cell, sampling_rate):
    if not isinstance(cell, tuple):
        return cell, sampling_rate
    if len(cell) != 2 or not isinstance(cell[1], Real) or not cell[1] > 0:
        raise TypeError("a tuple must be (array, sampling_rate)")
    return cell
