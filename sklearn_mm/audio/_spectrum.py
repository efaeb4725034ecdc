"""Compute the spectra of many signals in blocks of frames that fit into the cache.

Frames are centred (signals are padded with zeros at both ends), so that a signal has
``1 + n_samples // hop_length`` frames if ``n_fft`` is even, as in librosa. The frames
of all signals are concatenated in one flat array ``(total n_frames, ...)``.
"""

from functools import lru_cache
from numbers import Integral

import numpy as np

from .._columns.padding import unpad
from .._utils.imports import Interval

_COUNT = Interval(Integral, 1, None, closed="left")
#: Constraints of the parameters that spectrograms and statistics share.
FRAMES = {
    "sampling_rate": [_COUNT],
    "n_mels": [_COUNT],
    "n_fft": [Interval(Integral, 2, None, closed="left"), None],
    "hop_length": [_COUNT, None],
}
#: Samples per block of frames: 1 MB of float64. Smaller blocks need more calls.
_BLOCK = 2**17
#: Number of frames whose features are in memory at once: 1 MB for 64 bands.
_GROUP = 2**12


def choose_frame_sizes(sampling_rate, n_fft=None, hop_length=None):
    """Return frame and hop length in samples, by default about 32 and 10 ms."""
    if n_fft is None:
        n_fft = 2 ** max(1, int(np.ceil(np.log2(0.032 * sampling_rate))))
    if hop_length is None:
        hop_length = max(1, round(0.01 * sampling_rate))
    return n_fft, hop_length


def check_bands(owner, sampling_rate, n_fft, n_mels, fmin=0.0, fmax=None):
    """Return the mel filters, or raise if one of them would be empty.

    Parameters
    ----------
    owner : str
        Name of the estimator, for errors.
    sampling_rate, n_fft, n_mels, fmin, fmax
        As for :func:`mel_filterbank`; ``fmax`` is by default half the sampling rate.

    Returns
    -------
    sparse array of shape (n_mels, 1 + n_fft // 2), float32
        The filters.
    """
    nyquist = sampling_rate / 2
    fmax = nyquist if fmax is None else fmax
    if fmax > nyquist:
        raise ValueError(
            f"{owner}: fmax={fmax:g} exceeds half the sampling rate, {nyquist:g} Hz."
        )
    if fmin >= fmax:
        raise ValueError(f"{owner}: fmin={fmin:g} must be less than fmax={fmax:g} Hz.")
    bank = mel_filterbank(sampling_rate, n_fft, n_mels, fmin, fmax)
    n_empty = n_mels - np.count_nonzero(bank.sum(axis=1))
    if n_empty:
        raise ValueError(
            f"{owner}: n_mels={n_mels} is too many for n_fft={n_fft}: {n_empty} of "
            f"them, from {fmin:g} to {fmax:g} Hz, would hold no frequency. Use fewer "
            "bands or a larger n_fft."
        )
    return bank


def count_frames(lengths, n_fft, hop_length):
    """Count the frames of signals.

    Parameters
    ----------
    lengths : int or ndarray of int
        Number of samples of each signal.
    n_fft : int
        Number of samples per frame.
    hop_length : int
        Number of samples from one frame to the next.

    Returns
    -------
    int or ndarray of int
        Number of frames of each signal.
    """
    return 1 + (lengths - n_fft % 2) // hop_length  # an odd frame pads one sample less


def iter_signals(padded, hop_length):
    """Yield present signals in groups small enough for flat arrays of their frames.

    Parameters
    ----------
    padded : ndarray or PaddedArray of shape (n_samples, length)
        Signals, padded with NaN at the end.
    hop_length : int
        Number of samples from one frame to the next.

    Yields
    ------
    list of int
        Rows of the signals.
    list of ndarray
        The signals, without padding.
    """
    rows, signals, n_frames = [], [], 0
    for row, signal in enumerate(unpad(padded)):
        if signal is None:
            continue
        rows.append(row)
        signals.append(signal)
        n_frames += 1 + len(signal) // hop_length
        if n_frames >= _GROUP:
            yield rows, signals
            rows, signals, n_frames = [], [], 0
    if rows:
        yield rows, signals


def iter_power_spectra(signals, n_fft, hop_length):
    """Yield the power spectra of all frames of all signals, block by block.

    Parameters
    ----------
    signals : iterable of ndarray of shape (n_samples,), float32
        The signals.
    n_fft : int
        Number of samples per frame.
    hop_length : int
        Number of samples from one frame to the next.

    Yields
    ------
    slice
        Position of the block in the flat array of frames.
    ndarray of shape (n_frames, 1 + n_fft // 2), float32
        Squared magnitudes of the frames under a Hann window.
    """
    window = hann_window(n_fft)
    # Transform in double precision: in float32, rounding noise would hide everything
    # 80 dB below the peak of a frame. After the transform float32 is enough.
    block = np.empty((max(16, _BLOCK // n_fft), n_fft))
    start = filled = 0
    for signal in signals:
        frames = make_frames(signal, n_fft, hop_length)
        done = 0
        while done < len(frames):
            step = min(len(block) - filled, len(frames) - done)
            np.multiply(
                frames[done : done + step], window, out=block[filled : filled + step]
            )
            done, filled = done + step, filled + step
            if filled == len(block):
                yield slice(start, start + filled), _square(block)
                start, filled = start + filled, 0
    if filled:
        yield slice(start, start + filled), _square(block[:filled])


def make_frames(signal, n_fft, hop_length):
    """View a signal as overlapping centred frames ``(n_frames, n_fft)``."""
    padded = np.zeros(len(signal) + n_fft // 2 * 2, dtype=np.float32)
    padded[n_fft // 2 : n_fft // 2 + len(signal)] = signal
    n_frames = count_frames(len(signal), n_fft, hop_length)
    strides = hop_length * padded.itemsize, padded.itemsize
    frames = np.ndarray((n_frames, n_fft), padded.dtype, padded, strides=strides)
    frames.flags.writeable = False
    return frames


def _square(block):
    from scipy.fft import rfft

    parts = rfft(block).astype(np.complex64).view(np.float32)  # real and imaginary
    np.square(parts, out=parts)
    return parts[:, ::2] + parts[:, 1::2]


@lru_cache(maxsize=16)
def hann_window(n_fft):
    """Return the periodic Hann window."""
    from scipy.signal import get_window

    return get_window("hann", n_fft, fftbins=True)


@lru_cache(maxsize=16)
def mel_filterbank(sampling_rate, n_fft, n_mels, fmin, fmax):
    """Return triangular filters on Slaney's mel scale, each of unit area.

    The mel scale is linear below 1 kHz and logarithmic above. Equal to
    ``librosa.filters.mel``, whose import takes two seconds.

    Parameters
    ----------
    sampling_rate : float
        Sampling rate, in Hz.
    n_fft : int
        Number of samples per frame.
    n_mels : int
        Number of filters.
    fmin, fmax : float
        Lowest and highest frequency, in Hz.

    Returns
    -------
    sparse array of shape (n_mels, 1 + n_fft // 2), float32
        Sparse, as each filter covers few frequencies. See :func:`filter_spectra`.

    References
    ----------
    M. Slaney (1998), "Auditory toolbox", Interval Research technical report 1998-010.
    """
    from scipy.sparse import csr_array

    low, high = _hz_to_mel(np.array([fmin, fmax], dtype=float))
    edges = _mel_to_hz(np.linspace(low, high, n_mels + 2))  # (n_mels + 2,)
    frequencies = np.fft.rfftfreq(n_fft, 1 / sampling_rate)
    rising = (frequencies[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies[:, None]) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling))
    bank = triangles * (2 / (edges[2:] - edges[:-2]))
    return csr_array(bank.T.astype(np.float32))


def filter_spectra(power, bank):
    """Apply filters to spectra ``(n_frames, n_bins)``: ``(n_frames, n_mels)``."""
    return (bank @ power.T).T


def _hz_to_mel(frequency):
    logarithmic = 15 + np.log(np.maximum(frequency, 1e-9) / 1000) / (np.log(6.4) / 27)
    return np.where(frequency < 1000, frequency * 3 / 200, logarithmic)


def _mel_to_hz(mel):
    return np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))


def to_decibel(power, starts, top_db):
    """Convert power to decibels in place, clipped ``top_db`` below each maximum.

    Parameters
    ----------
    power : ndarray of shape (total n_frames, n_bands), float32
        Frames of all signals.
    starts : ndarray of shape (n_signals,)
        First frame of each signal.
    top_db : float or None
        Dynamic range.

    Returns
    -------
    ndarray
        The same array.
    """
    np.maximum(power, 1e-10, out=power)
    np.log(power, out=power)  # three times as fast as log10
    power *= np.float32(10 / np.log(10))
    if top_db is not None:
        floor = np.maximum.reduceat(power.max(axis=1), starts) - np.float32(top_db)
        counts = np.diff(starts, append=len(power))
        np.maximum(power, np.repeat(floor, counts)[:, None], out=power)
    return power
