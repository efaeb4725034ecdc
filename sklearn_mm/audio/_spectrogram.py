"""Log-mel spectrograms of loaded audio."""

from numbers import Real

import numpy as np

from .._columns.arrays import as_array
from .._columns.base import ArrayTransformer
from .._columns.padding import pad_samples
from .._utils.imports import Interval, threadpool_controller_decorator
from ._signal import check_signals
from ._spectrum import (
    FRAMES,
    check_bands,
    choose_frame_sizes,
    count_frames,
    filter_spectra,
    iter_power_spectra,
    iter_signals,
    to_decibel,
)

_POSITIVE = Interval(Real, 0, None, closed="neither")


class LogMelSpectrogram(ArrayTransformer):
    """Log-mel spectrograms of loaded audio.

    The values equal those of ``librosa.feature.melspectrogram`` followed by
    ``librosa.power_to_db``, and depend neither on padding nor on other recordings. The
    transformer is stateless.

    Parameters
    ----------
    sampling_rate : int, default=16000
        Sampling rate of the audio, in Hz.
    n_mels : int, default=64
        Number of mel bands.
    n_fft : int or None, default=None
        Number of samples per frame, which gets a Hann window. By default the power of
        two that covers 32 ms.
    hop_length : int or None, default=None
        Number of samples from one frame to the next. By default 10 ms.
    fmin : float, default=0.0
        Lowest frequency, in Hz.
    fmax : float or None, default=None
        Highest frequency, in Hz. By default half the sampling rate.
    top_db : float or None, default=80.0
        Dynamic range in dB: values are clipped at this far below the maximum of the
        recording.

    See Also
    --------
    AudioStatistics : A vector of statistics of each recording.

    Notes
    -----
    Decibels are relative to a power of 1, and powers are clipped at 1e-10.

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
        **FRAMES,
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
            Signals, padded with NaN at the end.

        Returns
        -------
        ndarray of shape (n_samples, n_frames, n_mels), float32
            Decibels, padded with NaN at the end; all NaN where a signal is missing.
        """
        owner = type(self).__name__
        array = as_array(X, owner, ragged=True, gaps=False)
        array = check_signals(array, owner, self.sampling_rate)
        bank, n_fft, hop_length = self._make_filters()
        spectrograms = [None] * len(array)
        for rows, signals in iter_signals(array, hop_length):
            counts = [count_frames(len(s), n_fft, hop_length) for s in signals]
            starts = np.cumsum([0, *counts])
            flat = np.empty((starts[-1], self.n_mels), dtype=np.float32)
            for place, power in iter_power_spectra(signals, n_fft, hop_length):
                flat[place] = filter_spectra(power, bank)
            to_decibel(flat, starts[:-1], self.top_db)
            for row, start, count in zip(rows, starts, counts):
                spectrograms[row] = flat[start : start + count]
        n_frames = count_frames(array.shape[1], n_fft, hop_length)
        return pad_samples(spectrograms, length=n_frames, sample_shape=(self.n_mels,))

    def _make_filters(self):
        """Return the mel filters, and the frame and hop length in samples."""
        n_fft, hop_length = choose_frame_sizes(
            self.sampling_rate, self.n_fft, self.hop_length
        )
        bank = check_bands(
            *(type(self).__name__, self.sampling_rate, n_fft),
            *(self.n_mels, self.fmin, self.fmax),
        )
        return bank, n_fft, hop_length

    def _validate_params(self):
        super()._validate_params()
        self._make_filters()
