"""Load audio files, bytes and arrays into one array."""

from numbers import Integral, Real

import numpy as np

from .._columns.base import BaseLoader
from .._columns.column import as_column
from .._columns.padding import pad_samples
from .._utils.imports import Interval
from ._decode import decode_audio
from ._signal import as_signal, check_loudness, check_seconds, resample

_POSITIVE = Interval(Real, 0, None, closed="neither")
_COUNT = Interval(Integral, 1, None, closed="left")


class AudioLoader(BaseLoader):
    """Load a column of audio into one array at one sampling rate.

    A cell is a path, encoded bytes (WAV, FLAC, OGG, MP3, or another format that
    libsndfile reads), a 1-D array that is already at ``sampling_rate``, or a tuple
    ``(array, sampling_rate)``. Channels are averaged, then the signal is resampled
    (soxr, HQ), as ``librosa.load`` does. The transformer is stateless.

    Floats are expected in -1 to 1. Integers are scaled: int8 and int16 by the range of
    their type, and uint8 about its centre of 128. In lists and wider types the values
    decide: samples that fit into 16 bits are 16-bit samples, samples that need more
    than 24 bits are 32-bit samples, and all others are refused, as they may be either.

    Parameters
    ----------
    sampling_rate : int, default=16000
        Sampling rate of the output, in Hz.
    duration : float or None, default=None
        Length of the output in seconds: longer recordings are cut, shorter ones padded.
        By default nothing is cut, and the output is as long as the longest recording.
    root : str, PathLike or None, default=None
        Folder that paths are relative to. If given, absolute paths, ``..`` and symbolic
        links that leave it are refused.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that cannot be read: raise :class:`LoadError` after all
        cells have been tried, or treat them as missing, with or without a warning.
    max_seconds : float or None, default=600
        Maximum length that is read of one recording, checked before it is decoded.
    max_bytes : int or None, default=2**28
        Maximum size of one file, in bytes.
    filesystem : fsspec filesystem or None, default=None
        Opens the paths instead of the operating system, including remote ones.
    n_jobs : int or None, default=None
        Number of threads.

    Notes
    -----
    A file is read to its end, or refused if it is cut off. That includes files whose
    length is not in their header, as pipes leave them, and MP3, FLAC and Ogg streams
    that were concatenated. A header-less MP3 stream that ends between two frames, and
    an Ogg stream that ends between two pages, count as complete.

    See Also
    --------
    LogMelSpectrogram : Spectrograms of the loaded audio.
    AudioStatistics : A vector of statistics of each recording.

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
        """Load every recording.

        Parameters
        ----------
        X : column of audio
            Paths, bytes, arrays or tuples ``(array, sampling_rate)``, or an array
            ``(n_samples, length)``.

        Returns
        -------
        ndarray of shape (n_samples, length), float32
            Signals, padded with NaN at the end; all NaN where a cell is missing. The
            array knows its sampling rate, and encoders refuse another one. If it
            would be large and mostly padding, it is padded only where it is used.

        Raises
        ------
        LoadError
            If a cell cannot be read and ``on_error="raise"``.
        """
        column = as_column(X, type(self).__name__)
        signals = [None] * len(column)
        self._read_into(signals, column)
        return pad_samples(
            signals, length=self._get_length(), sampling_rate=self.sampling_rate
        )

    def read(self, cell):
        """Load one recording.

        Parameters
        ----------
        cell : str, PathLike, bytes, ndarray or tuple of (ndarray, float)
            The recording.

        Returns
        -------
        ndarray of shape (length,), float32, or None
            The signal at ``sampling_rate``, as ``transform`` returns it but without
            padding; None if the cell is an array of padding (NaN) only.
        """
        signal, rate = self.read_original(cell)
        if signal is None:
            return None
        return resample(signal, rate, self.sampling_rate)[: self._get_length()]

    def read_original(self, cell):
        """Read one recording at its original sampling rate.

        Parameters
        ----------
        cell : str, PathLike, bytes, ndarray or tuple of (ndarray, float)
            The recording.

        Returns
        -------
        signal : ndarray of shape (length,), float32, or None
            The mean of the channels; of a file the first ``duration`` seconds. None if
            the cell is an array of padding (NaN) only.
        sampling_rate : float
            Sampling rate in Hz: that of the file or tuple, or the loader's own
            ``sampling_rate`` if the cell is an array.
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
                return None, rate
            check_seconds(len(signal), rate, self.max_seconds)
        if not np.isfinite(signal).all():
            raise ValueError("some of its samples are NaN or infinite")
        check_loudness(signal, "its")
        return signal, rate

    def _get_length(self):
        """Return the number of samples of ``duration``, or None."""
        if self.duration is None:
            return None
        return max(1, round(self.duration * self.sampling_rate))


def _split_rate(cell, sampling_rate):
    if not isinstance(cell, tuple):
        rate = getattr(cell, "sampling_rate", None)  # of another loader
        return cell, sampling_rate if rate is None else rate
    if len(cell) != 2 or not isinstance(cell[1], Real) or not cell[1] > 0:
        kinds = ", ".join(type(part).__name__ for part in cell)
        raise TypeError(f"a tuple must be (array, sampling_rate), not ({kinds})")
    return cell
