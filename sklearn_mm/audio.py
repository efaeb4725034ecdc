"""Sound: load files, bytes and arrays into one array, and describe it by hand."""

from numbers import Integral, Real

import numpy as np

from ._audio_statistics import frame_feature_names, summarise_signals
from ._column import as_column
from ._encoder import ArrayTransformer, BaseArrayEncoder, BaseLoader, as_array
from ._imports import Interval, threadpool_controller_decorator
from ._padding import pad_samples
from ._signal import as_signal, check_loudness, check_seconds, decode_audio, resample
from ._spectrum import (
    choose_frames,
    count_frames,
    filter_spectra,
    iter_power_spectra,
    iter_signals,
    mel_filterbank,
    to_decibel,
)

_POSITIVE = Interval(Real, 0, None, closed="neither")
_COUNT = Interval(Integral, 1, None, closed="left")
_FRAMES = {
    "sampling_rate": [_COUNT],
    "n_mels": [_COUNT],
    "n_fft": [Interval(Integral, 2, None, closed="left"), None],
    "hop_length": [_COUNT, None],
}


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


class LogMelSpectrogram(ArrayTransformer):
    """Log-mel spectrograms of loaded sounds.

    Each sound is treated by itself: neither its neighbours nor padding change its
    values, which equal those of ``librosa.feature.melspectrogram`` followed by
    ``librosa.power_to_db``. The transformer is stateless.

    Parameters
    ----------
    sampling_rate : int, default=16000
        Sampling rate of the sounds, in Hz.
    n_mels : int, default=64
        Number of mel bands.
    n_fft : int or None, default=None
        Samples in a frame, seen through a Hann window. By default the power of two
        that covers 32 ms.
    hop_length : int or None, default=None
        Samples from one frame to the next. By default 10 ms.
    fmin : float, default=0.0
        Lowest frequency, in Hz.
    fmax : float or None, default=None
        Highest frequency, in Hz. Half the sampling rate by default.
    top_db : float or None, default=80.0
        Dynamic range in dB: values are at most this far below a sound's maximum.

    See Also
    --------
    AudioStatistics : A vector of statistics of each sound.

    Notes
    -----
    Decibels are relative to a power of 1, and powers below 1e-10 count as that.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm import AudioLoader, LogMelSpectrogram
    >>> from sklearn.pipeline import make_pipeline
    >>> tone = np.sin(np.arange(8000) / 5)
    >>> pipeline = make_pipeline(AudioLoader(8000), LogMelSpectrogram(8000, n_mels=40))
    >>> pipeline.fit_transform([tone, tone[:2000]]).shape
    (2, 101, 40)
    """

    _parameter_constraints: dict = {
        **_FRAMES,
        "fmin": [Interval(Real, 0, None, closed="left")],
        "fmax": [_POSITIVE, None],
        "top_db": [_POSITIVE, None],
    }

    def __init__(
        self,
        sampling_rate=16000,
        n_mels=64,
        n_fft=None,
        hop_length=None,
        *,
        fmin=0.0,
        fmax=None,
        top_db=80.0,
    ):
        self.sampling_rate = sampling_rate
        self.n_mels = n_mels
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.fmin = fmin
        self.fmax = fmax
        self.top_db = top_db

    @threadpool_controller_decorator(limits=1, user_api="blas")
    def transform(self, X):
        """Compute the spectrograms.

        Parameters
        ----------
        X : ndarray of shape (n_samples, length), or column of 1-D arrays
            Signals, padded with NaN at their end.

        Returns
        -------
        ndarray of shape (n_samples, n_frames, n_mels), float32
            Decibels, padded with NaN at the end; all NaN where a sound is missing.
        """
        owner = type(self).__name__
        array = _check_signals(as_array(X, owner, ragged=True, gaps=False), owner)
        n_fft, hop_length = choose_frames(
            self.sampling_rate, self.n_fft, self.hop_length
        )
        fmax = self.sampling_rate / 2 if self.fmax is None else self.fmax
        bank = mel_filterbank(self.sampling_rate, n_fft, self.n_mels, self.fmin, fmax)
        n_frames = count_frames(array.shape[1], n_fft, hop_length)
        shape = (len(array), n_frames, self.n_mels)
        spectrograms = np.full(shape, np.nan, dtype=np.float32)
        for rows, signals in iter_signals(array, hop_length):
            counts = [count_frames(len(s), n_fft, hop_length) for s in signals]
            starts = np.cumsum([0, *counts])
            flat = np.empty((starts[-1], self.n_mels), dtype=np.float32)
            for place, power in iter_power_spectra(signals, n_fft, hop_length):
                flat[place] = filter_spectra(power, bank)
            to_decibel(flat, starts[:-1], self.top_db)
            for row, start, count in zip(rows, starts, counts):
                spectrograms[row, :count] = flat[start : start + count]
        return spectrograms


class AudioStatistics(BaseArrayEncoder):
    """Means and standard deviations over time of what describes a sound.

    Of each frame: mel-frequency cepstral coefficients (MFCC) and their slopes over nine
    frames (deltas), spectral centroid, bandwidth, roll-off (85 %) and flatness, rate of
    zero crossings, and root mean square. All are librosa's definitions. The
    transformer is stateless.

    Parameters
    ----------
    sampling_rate : int, default=16000
        Sampling rate of the sounds, in Hz.
    n_mfcc : int, default=20
        Number of cepstral coefficients.
    n_mels : int, default=64
        Number of mel bands that they are computed from.
    n_segments : int, default=1
        Number of equal parts of a sound, one after the other, each with its statistics:
        with one, the order of what is heard is lost.
    n_fft : int or None, default=None
        Samples in a frame. By default the power of two that covers 32 ms.
    hop_length : int or None, default=None
        Samples from one frame to the next. By default 10 ms.

    Attributes
    ----------
    sample_shape_ : tuple of int
        Shape of the signals that it was fitted on.

    See Also
    --------
    LogMelSpectrogram : The spectrogram itself, for networks.

    Notes
    -----
    Sounds of fewer than nine frames have slopes over as many as there are, which is
    where librosa refuses; a single frame has slope zero.

    References
    ----------
    S. Davis and P. Mermelstein (1980), "Comparison of parametric representations for
    monosyllabic word recognition in continuously spoken sentences", IEEE Transactions
    on Acoustics, Speech, and Signal Processing 28.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm import AudioStatistics
    >>> tones = np.sin(np.outer([0.1, 0.2], np.arange(8000)))
    >>> AudioStatistics(sampling_rate=8000).fit_transform(tones).shape
    (2, 92)
    """

    _parameter_constraints: dict = {
        **_FRAMES,
        "n_mfcc": [_COUNT],
        "n_segments": [_COUNT],
    }

    def __init__(
        self,
        sampling_rate=16000,
        n_mfcc=20,
        n_segments=1,
        *,
        n_mels=64,
        n_fft=None,
        hop_length=None,
    ):
        self.sampling_rate = sampling_rate
        self.n_mfcc = n_mfcc
        self.n_segments = n_segments
        self.n_mels = n_mels
        self.n_fft = n_fft
        self.hop_length = hop_length

    _gaps = False

    def _check_array(self, array):
        return _check_signals(array, type(self).__name__)

    @threadpool_controller_decorator(limits=1, user_api="blas")
    def _encode(self, array):
        n_fft, hop_length = choose_frames(
            self.sampling_rate, self.n_fft, self.hop_length
        )
        return np.concatenate(
            [
                summarise_signals(
                    signals,
                    self.sampling_rate,
                    n_fft,
                    hop_length,
                    n_mels=self.n_mels,
                    n_mfcc=self.n_mfcc,
                    n_segments=self.n_segments,
                )
                for _, signals in iter_signals(array, hop_length)
            ]
        )

    def _feature_names(self, sample_shape):
        names = frame_feature_names(min(self.n_mfcc, self.n_mels))
        return [
            f"{name}_{part}" if self.n_segments == 1 else f"{name}_{part}_{segment}"
            for segment in range(self.n_segments)
            for part in ("mean", "std")
            for name in names
        ]


def _check_signals(array, owner):
    if array.ndim != 2:
        raise ValueError(
            f"{owner}: expected signals (n_samples, length), got {array.shape}. Put an "
            "AudioLoader in front of it."
        )
    check_loudness(array, f"{owner}: the signals'")
    return array
