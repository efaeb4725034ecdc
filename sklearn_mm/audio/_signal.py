"""One audio signal: check and scale samples, mix to mono, resample."""

import numpy as np

from .._columns.column import find_missing
from .._columns.padding import iter_padded

#: Largest sample whose power over a frame fits into float32.
_LOUDEST = 1e12


def check_seconds(n_frames, rate, max_seconds):
    """Raise if a signal is longer than ``max_seconds``."""
    if max_seconds is not None and n_frames > max_seconds * rate:
        raise ValueError(
            f"its {n_frames / rate:,.1f} seconds exceed max_seconds={max_seconds:g}"
        )


def check_loudness(signal, whose):
    """Raise if the power of the samples would overflow float32."""
    if np.fmax.reduce(np.abs(signal), axis=None, initial=0) > _LOUDEST:
        raise ValueError(
            f"{whose} samples exceed {_LOUDEST:g}; audio is expected in about -1 to 1"
        )


def as_mono(signal):
    """Average the channels of a signal ``(n_samples, n_channels)``."""
    if signal.shape[1] == 1:
        return signal[:, 0]
    return signal.mean(axis=1)


def as_signal(cell):
    """Convert an array to a mono signal in float32.

    Parameters
    ----------
    cell : array-like of shape (n_samples,) or (n_samples, n_channels)
        Floats, or integers, see :func:`scale_integers`. NaN at the end is padding.

    Returns
    -------
    ndarray of shape (n_samples,), float32 or None
        None if all of it is padding.
    """
    signal = _as_numbers(cell)
    if signal.dtype.kind in "iu":
        signal = scale_integers(signal)
    if signal.ndim == 2 and signal.shape[0] >= signal.shape[1] > 0:
        gaps = np.isnan(signal)
        if (gaps.any(axis=1) != gaps.all(axis=1)).any():
            raise ValueError("some of its channels are longer than others, or NaN")
        signal = as_mono(signal)
    if signal.ndim != 1:
        raise ValueError(
            f"its shape {signal.shape} is not (n_samples,) or (n_samples, n_channels); "
            "transpose it (array.T) if its channels come first"
        )
    if len(signal) == 0:
        raise ValueError("it holds no samples")
    with np.errstate(over="ignore"):  # the caller refuses infinite samples
        signal = signal.astype(np.float32, copy=False)
    return strip_padding(signal)


def _as_numbers(cell):
    """Return the array of integers or floats that a cell holds, or raise."""
    try:
        numbers = np.asarray(cell)
        if numbers.dtype.kind == "O" and numbers.ndim:
            numbers = np.asarray(numbers.tolist())
    except ValueError:  # lists of different lengths
        numbers = np.asarray(None)
    if numbers.dtype.kind in "iuf" and (numbers.ndim or hasattr(cell, "__array__")):
        return numbers
    raise TypeError(
        "expected audio as a path, bytes, an array (n_samples,) of floats or integers, "
        f"or a tuple (array, sampling_rate), got {_describe_type(cell)}"
    )


def scale_integers(samples):
    """Scale integer samples to -1 to 1.

    Samples of int8 and int16 are scaled by the range of their type, and those of uint8
    are centred at 128. In wider types, where lists and arithmetic put samples of any
    width, the values decide: samples that fit into 16 bits are 16-bit samples, and
    those beyond 24 bits are 32-bit samples. Other integers are refused.

    Parameters
    ----------
    samples : ndarray of int
        The samples.

    Returns
    -------
    ndarray of float32
        The scaled samples.
    """
    kind = samples.dtype
    if kind == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if kind.kind == "i" and kind.itemsize <= 2:
        return samples / np.float32(2.0 ** (8 * kind.itemsize - 1))
    low, high = (int(samples.min()), int(samples.max())) if samples.size else (0, 0)
    n_bits = max((-1 - low).bit_length(), high.bit_length()) + 1
    is_byte = low >= 0 and high < 256 and 64 < np.mean(samples, dtype=float) < 192
    remedy = "divide them by their full scale, such as 2**23 for 24 bits"
    if kind.kind == "u":
        reason = "no full scale is defined for this type"
    elif is_byte:
        reason, remedy = "they look like 8-bit samples", "convert them to uint8"
    elif n_bits <= 16:
        return (samples / 2.0**15).astype(np.float32)
    elif 24 < n_bits <= 32:
        return (samples / 2.0**31).astype(np.float32)
    else:
        reason = f"{n_bits} bits are neither 16 nor 32"
    raise ValueError(
        f"its samples are {kind} from {low:,} to {high:,}, and {reason}: {remedy}"
    )


def _describe_type(cell):
    dtype = getattr(cell, "dtype", None)
    name = type(cell).__name__
    return name if dtype is None else f"{name} of {dtype}"


def strip_padding(signal):
    """Cut off NaN at the end; return None if nothing is left."""
    if np.isnan(signal[-1]):
        valid = np.flatnonzero(~np.isnan(signal))
        return signal[: valid[-1] + 1] if len(valid) else None
    return signal


def resample(signal, rate, sampling_rate):
    """Resample with soxr (HQ), to the same length as librosa.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,), float32
        The signal.
    rate, sampling_rate : float
        Current and target sampling rate, in Hz.

    Returns
    -------
    ndarray, float32
        ``ceil(n_samples * sampling_rate / rate)`` samples.
    """
    if rate == sampling_rate:
        return signal
    import soxr

    length = int(np.ceil(len(signal) * (sampling_rate / rate)))
    resampled = soxr.resample(signal, rate, sampling_rate, quality="HQ")[:length]
    return np.pad(resampled, (0, length - len(resampled)))


def check_signals(array, owner, sampling_rate):
    """Return an array of signals, or raise if it is not one at this sampling rate."""
    if array.ndim != 2:
        raise ValueError(
            f"{owner}: expected signals (n_samples, length), got {array.shape}. Put an "
            "AudioLoader before it."
        )
    rate = getattr(array, "sampling_rate", None)
    if rate not in (None, sampling_rate):
        raise ValueError(
            f"{owner}: sampling_rate={sampling_rate:g}, but the signals were loaded at "
            f"{rate:g} Hz. Give {owner} and AudioLoader the same sampling_rate."
        )
    for _, signals in iter_padded(array, np.flatnonzero(~find_missing(array))):
        check_loudness(signals, f"{owner}: the signals'")
    return array
