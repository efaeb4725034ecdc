"""Statistics over time of loaded audio."""

from numbers import Integral

import numpy as np

from .._columns.base import BaseArrayEncoder
from .._utils.imports import Interval, threadpool_controller_decorator
from ._describe import frame_feature_names, summarise_signals
from ._signal import check_signals
from ._spectrum import FRAMES, check_bands, choose_frame_sizes, iter_signals

_COUNT = Interval(Integral, 1, None, closed="left")


class AudioStatistics(BaseArrayEncoder):
    """Means and standard deviations over time of features of loaded audio.

    The features of each frame are mel-frequency cepstral coefficients (MFCC) and their
    slopes over nine frames (deltas), spectral centroid, bandwidth, roll-off (85 %) and
    flatness, zero-crossing rate, and root mean square, all as defined by librosa. The
    transformer is stateless.

    Parameters
    ----------
    sampling_rate : int, default=16000
        Sampling rate of the audio, in Hz.
    n_mfcc : int, default=20
        Number of cepstral coefficients, at most ``n_mels``.
    n_mels : int, default=64
        Number of mel bands that the coefficients are computed from.
    n_segments : int, default=1
        Number of equal consecutive parts of a recording, each with its own statistics.
        With one part, all information about order is lost.
    n_fft : int or None, default=None
        Number of samples per frame. By default the power of two that covers 32 ms.
    hop_length : int or None, default=None
        Number of samples from one frame to the next. By default 10 ms.

    Attributes
    ----------
    sample_shape_ : tuple of int
        Shape of the signals seen in ``fit``.

    See Also
    --------
    LogMelSpectrogram : The spectrogram itself, for networks.

    Notes
    -----
    For recordings of fewer than nine frames, which librosa refuses, slopes are taken
    over the frames available; a single frame has slope zero.

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
        **FRAMES,
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
        return check_signals(array, type(self).__name__, self.sampling_rate)

    def _validate_params(self):
        super()._validate_params()
        self._make_filters()

    def _make_filters(self):
        """Return the mel filters, and the frame and hop length in samples."""
        owner = type(self).__name__
        if self.n_mfcc > self.n_mels:
            raise ValueError(
                f"{owner}: n_mfcc={self.n_mfcc} exceeds n_mels={self.n_mels}, the "
                "number of bands that the coefficients are computed from."
            )
        n_fft, hop_length = choose_frame_sizes(
            self.sampling_rate, self.n_fft, self.hop_length
        )
        bank = check_bands(owner, self.sampling_rate, n_fft, self.n_mels)
        return bank, n_fft, hop_length

    @threadpool_controller_decorator(limits=1, user_api="blas")
    def _encode(self, array):
        bank, n_fft, hop_length = self._make_filters()
        return np.concatenate(
            [
                summarise_signals(
                    signals,
                    self.sampling_rate,
                    n_fft,
                    hop_length,
                    bank=bank,
                    n_mfcc=self.n_mfcc,
                    n_segments=self.n_segments,
                )
                for _, signals in iter_signals(array, hop_length)
            ]
        )

    def _feature_names(self, sample_shape):
        names = frame_feature_names(self.n_mfcc)
        return [
            f"{name}_{part}" if self.n_segments == 1 else f"{name}_{part}_{segment}"
            for segment in range(self.n_segments)
            for part in ("mean", "std")
            for name in names
        ]
