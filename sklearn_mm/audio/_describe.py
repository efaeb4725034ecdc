"""Compute statistics over time of the features of audio frames."""

from functools import lru_cache

import numpy as np

from ._spectrum import (
    count_frames,
    filter_spectra,
    iter_power_spectra,
    to_decibel,
)

_SPECTRAL = ["centroid", "bandwidth", "rolloff", "flatness"]
_TEMPORAL = ["zero_crossing_rate", "rms"]


def frame_feature_names(n_mfcc):
    """Return the names of the features of a frame, in order."""
    cepstral = [f"mfcc{i}" for i in range(n_mfcc)]
    deltas = [f"mfcc{i}_delta" for i in range(n_mfcc)]
    return [*cepstral, *deltas, *_SPECTRAL, *_TEMPORAL]


def summarise_signals(
    signals, sampling_rate, n_fft, hop_length, *, bank, n_mfcc, n_segments
):
    """Compute means and standard deviations over the frames of each signal's segments.

    Parameters
    ----------
    signals : list of ndarray of shape (n_samples,), float32
        The signals.
    sampling_rate : int
        Sampling rate, in Hz.
    n_fft, hop_length : int
        Length of a frame, and distance to the next one, in samples.
    bank : sparse array of shape (n_mels, 1 + n_fft // 2)
        The mel filters.
    n_mfcc : int
        Number of cepstral coefficients.
    n_segments : int
        Number of equal parts of a signal.

    Returns
    -------
    ndarray of shape (n_signals, n_segments * 2 * n_features)
        For each segment the means, then the standard deviations, of the features in
        ``frame_feature_names``.
    """
    lengths = np.array([len(signal) for signal in signals])
    counts = count_frames(lengths, n_fft, hop_length)
    starts = np.cumsum(counts) - counts
    n_mels = bank.shape[0]
    frequencies = np.fft.rfftfreq(n_fft, 1 / sampling_rate).astype(np.float32)
    mel = np.empty((counts.sum(), n_mels), dtype=np.float32)
    spectral = np.empty((counts.sum(), len(_SPECTRAL)), dtype=np.float32)
    for place, power in iter_power_spectra(signals, n_fft, hop_length):
        mel[place] = filter_spectra(power, bank)
        spectral[place] = _describe_spectra(power, frequencies)
    mfcc = to_decibel(mel, starts, top_db=80.0) @ _dct_matrix(n_mels, n_mfcc)
    mfcc = mfcc.astype(np.float32)
    temporal = np.concatenate([_describe_waves(s, n_fft, hop_length) for s in signals])
    features = np.hstack([mfcc, _make_deltas(mfcc, starts, counts), spectral, temporal])
    return _mean_and_deviation(features, starts, counts, n_segments)


@lru_cache(maxsize=16)
def _dct_matrix(n_mels, n_mfcc):
    from scipy.fft import dct

    matrix = dct(np.eye(n_mels), type=2, norm="ortho", axis=0)[:n_mfcc]
    return matrix.T  # (n_mels, n_mfcc)


def _describe_spectra(power, frequencies):
    """Compute centroid, bandwidth, roll-off and flatness of each frame.

    ``power`` has shape ``(n_frames, n_bins)``.
    """
    magnitude = np.sqrt(power)
    total = magnitude.sum(axis=1)
    share = magnitude / np.where(total < np.float32(1e-38), 1, total)[:, None]
    # Avoid BLAS, whose float32 sums depend on the position of a frame in its block.
    centroid = np.einsum("ij,j->i", share, frequencies)
    spread = (frequencies - centroid[:, None]) ** 2
    bandwidth = np.sqrt(np.einsum("ij,ij->i", share, spread))
    energy = np.cumsum(magnitude, axis=1)
    rolloff = frequencies[
        np.argmax(energy >= np.float32(0.85) * energy[:, -1:], axis=1)
    ]
    power = np.maximum(power, 1e-10)
    flatness = np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1)
    return np.column_stack([centroid, bandwidth, rolloff, flatness])


def _describe_waves(signal, n_fft, hop_length):
    """Compute zero-crossing rate and root mean square of each frame of a signal.

    Both come from cumulative sums, so that overlapping frames cost nothing extra.
    """
    half = n_fft // 2
    first = np.arange(count_frames(len(signal), n_fft, hop_length)) * hop_length
    negative = np.pad(signal < -1e-10, half, mode="edge")
    crossings = np.cumsum(negative[1:] != negative[:-1])
    crossings = np.concatenate([[0], crossings])
    rate = (crossings[first + n_fft - 1] - crossings[first]) / n_fft
    energy = np.cumsum(np.pad(np.square(signal, dtype=float), (half + 1, half)))
    power = (energy[first + n_fft] - energy[first]) / n_fft
    return np.column_stack([rate, np.sqrt(np.maximum(power, 0))])


def _make_deltas(features, starts, counts, width=9):
    """Compute slopes over ``width`` frames, as librosa's deltas (``mode="interp"``).

    The first and last frames of a signal get the slope of the nearest full window.
    Signals shorter than ``width`` use the largest odd number of frames that fits.
    """
    deltas = np.zeros_like(features)
    n_full = counts >= width
    half = width // 2
    if len(features) >= width:
        # Row i is the slope around frame i + half. Windows that span two signals are
        # computed too, but never looked up.
        slopes = _fit_slopes(features, half)
        frame = np.arange(len(features)) - np.repeat(starts, counts)
        count = np.repeat(counts, counts)
        inner = np.clip(frame, half, np.maximum(count - 1 - half, half))
        source = np.repeat(starts, counts) + inner - half
        rows = np.flatnonzero(np.repeat(n_full, counts))
        deltas[rows] = slopes[source[rows]]
    for signal in np.flatnonzero(~n_full & (counts >= 3)):
        rows = slice(starts[signal], starts[signal] + counts[signal])
        odd = int(counts[signal] - 1) | 1  # the largest odd number of frames
        start, count = np.array([0]), counts[[signal]]
        deltas[rows] = _make_deltas(features[rows], start, count, min(odd, width - 2))
    return deltas


def _fit_slopes(features, half):
    """Compute the least-squares slopes of all windows of ``2 * half + 1`` rows."""
    n_windows = len(features) - 2 * half
    slopes = np.zeros((n_windows, features.shape[1]), dtype=features.dtype)
    for k in range(1, half + 1):
        ahead = features[half + k : half + k + n_windows]
        behind = features[half - k : half - k + n_windows]
        slopes += np.float32(k) * (ahead - behind)
    return slopes / np.float32(2 * sum(k * k for k in range(1, half + 1)))


def _mean_and_deviation(features, starts, counts, n_segments):
    """Compute means and standard deviations of each segment of each signal.

    Features are first centred by signal, because the variance as a difference of two
    sums would otherwise lose its digits where the mean is large.
    """
    bounds = np.arange(n_segments + 1) * counts[:, None] // n_segments
    # Each segment has at least one frame, which it may share with the next segment.
    first = np.minimum(bounds[:, :-1], counts[:, None] - 1)
    last = np.maximum(bounds[:, 1:], first + 1)
    centre = np.add.reduceat(features, starts, dtype=float) / counts[:, None]
    centred = features - np.repeat(centre, counts, axis=0)
    sums = _sum_between(centred, starts[:, None] + first, starts[:, None] + last)
    squares = _sum_between(centred**2, starts[:, None] + first, starts[:, None] + last)
    size = (last - first)[..., None]
    mean = sums / size  # (n_signals, n_segments, n_features)
    deviation = np.sqrt(np.maximum(squares / size - mean**2, 0))
    mean += centre[:, None]
    return np.concatenate([mean, deviation], axis=2).reshape(len(starts), -1)


def _sum_between(rows, first, last):
    """Sum ``rows[first:last]`` for arrays of bounds."""
    bounds = np.stack([first, last], axis=-1).ravel()
    # reduceat needs valid indices, and ``last`` may be the number of rows.
    padded = np.concatenate([rows, np.zeros((1, rows.shape[1]))])
    return np.add.reduceat(padded, bounds)[::2].reshape(*first.shape, -1)
