"""Draw an audio signal into axes, as a spectrogram."""

import numpy as np

from ._loader import AudioLoader
from ._spectrogram import LogMelSpectrogram
from ._spectrum import choose_frame_sizes

#: Most frames that are computed, so that long audio costs no more.
_N_FRAMES = 1000
_N_MELS = 40


def draw(cell, ax):
    """Draw the log-mel spectrogram, with low frequencies at the bottom.

    Parameters
    ----------
    cell : bytes-like, tuple of (array, sampling_rate) or ndarray
        The audio; an array without a sampling rate is assumed to have 16 kHz.
    ax : matplotlib Axes
        The axes.

    Returns
    -------
    matplotlib AxesImage
        The spectrogram, of shape (n_mels, n_frames).
    """
    signal, rate = AudioLoader(max_seconds=3600).read_original(cell)
    if signal is None:
        raise ValueError("it is nothing but padding")
    n_samples, rate = len(signal), int(rate)
    is_rated = not isinstance(cell, np.ndarray)
    ax.set_label(f"{n_samples / rate:.2f} s" if is_rated else f"{n_samples} samples")
    hop_length = max(1, round(rate / 100), n_samples // _N_FRAMES)
    n_fft = max(256, choose_frame_sizes(rate)[0])  # enough for the bands
    spectrogram = LogMelSpectrogram(rate, _N_MELS, n_fft, hop_length)
    decibel = spectrogram.transform([signal])[0]  # (n_frames, n_mels)
    # The noise floor would take half of the colours.
    low, high = np.percentile(decibel, 5), decibel.max()
    return ax.imshow(
        decibel.T[::-1],
        cmap="magma",
        vmin=low,
        vmax=max(high, low + 1),
        aspect="auto",
        interpolation="antialiased",
    )
