"""Disturbances of an audio signal: noise."""

import numpy as np

from ._loader import AudioLoader

#: Reads up to an hour.
_LOADER = AudioLoader(max_seconds=3600)


def add_noise(cell, strength, generator):
    """Add white Gaussian noise to a signal.

    Parameters
    ----------
    cell : bytes-like, tuple of (array, sampling_rate) or ndarray
        The audio.
    strength : float
        Signal-to-noise ratio, in dB.
    generator : Generator
        Draws the noise.

    Returns
    -------
    tuple of (ndarray, sampling_rate) or ndarray
        The signal, with its sampling rate unless the cell is an array without one. The
        noise has exactly this power; a silent signal stays silent.
    """
    signal, rate = _LOADER.read_original(cell)
    if signal is None:
        return cell
    noise = generator.normal(size=signal.shape)
    power = np.mean(np.square(signal, dtype=float)) / 10 ** (strength / 10)
    noise *= np.sqrt(power / np.mean(noise**2))
    noisy = (signal + noise).astype(signal.dtype)
    return noisy if isinstance(cell, np.ndarray) else (noisy, rate)


#: By name, each with its default strengths.
DISTURBANCES = {"noise": (add_noise, (20, 10, 0))}
