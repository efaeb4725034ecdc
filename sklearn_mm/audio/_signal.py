"""One audio signal: decode a file from memory, mix to mono, resample."""

import io
import struct

import numpy as np

from .._utils.interrupts import defer_interrupts

#: Data sizes that streaming programs write because they do not know the length.
_UNKNOWN_SIZES = {0, 0x7FFFFFFF, 0xFFFFFFFF}
#: Higher than that of any recorder: a header that states more is wrong (Hz).
_MAX_RATE = 400_000
_MAX_CHANNELS = 256
#: Number of values that are decoded at a time, before channels are averaged.
_BLOCK = 2**22
#: Largest sample whose power over a frame fits into float32.
_LOUDEST = 1e12


def decode_audio(data, *, duration=None, max_seconds=None):
    """Decode an audio file from memory.

    Parameters
    ----------
    data : bytes-like
        A WAV, FLAC, OGG or MP3 file, or another format that libsndfile reads.
    duration : float or None
        Seconds to read from the start. By default everything.
    max_seconds : float or None
        Maximum length, checked in the header before decoding.

    Returns
    -------
    ndarray of shape (n_samples,), float32
        Mono signal, mean of the channels.
    int
        Sampling rate in Hz.
    """
    wav = _find_wav_samples(data)
    if wav is not None:
        channels, rate, samples = wav
        _check_channels(channels)
        n_frames = _count_frames(len(samples) // channels, rate, duration, max_seconds)
        samples = samples[: n_frames * channels].reshape(-1, channels)
        signal = np.multiply(samples, np.float32(1 / 32768), dtype=np.float32)
        return as_mono(signal), rate
    return _read_soundfile(data, duration, max_seconds)


def _find_wav_samples(data):
    """Find the samples of a plain 16-bit WAV; return None for any other file.

    This is several times as fast as libsndfile.
    """
    if bytes(data[:4]) != b"RIFF" or bytes(data[8:12]) != b"WAVE":
        return None
    position, layout = 12, None
    try:
        while True:
            kind, size = struct.unpack_from("<4sI", data, position)
            position += 8
            if kind == b"fmt ":
                layout = struct.unpack_from("<HHIIHH", data, position)
            if kind == b"data":
                break
            position += size + size % 2  # chunks start at even positions
    except struct.error:
        raise ValueError("its WAV header is damaged or cut off") from None
    available = len(data) - position
    if size not in _UNKNOWN_SIZES and size > available:
        raise ValueError(f"it is cut off: {available:,} of {size:,} bytes are there")
    if layout is None:
        raise ValueError("its WAV header does not describe the samples")
    encoding, channels, rate, _, _, bits = layout
    if encoding != 1 or bits != 16 or channels < 1 or size in _UNKNOWN_SIZES:
        return None
    return channels, rate, np.frombuffer(data, "<i2", size // 2, position)


def _read_soundfile(data, duration, max_seconds):
    import soundfile

    try:
        with defer_interrupts(), soundfile.SoundFile(io.BytesIO(data)) as file:
            rate = file.samplerate
            _check_channels(file.channels)
            n_frames = _count_frames(file.frames, rate, duration, max_seconds)
            signal = _read_mono(file, n_frames)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"no audio could be decoded: {error.error_string}") from None
    if len(signal) < n_frames:
        raise ValueError(f"it is cut off after {len(signal):,} of {n_frames:,} frames")
    return signal, rate


def _read_mono(file, n_frames):
    """Read and average block by block, to bound the memory of many channels."""
    signal = np.empty(n_frames, dtype=np.float32)
    step, n_read = max(1, _BLOCK // file.channels), 0
    while n_read < n_frames:
        n_wanted = min(step, n_frames - n_read)
        block = file.read(n_wanted, dtype="float32", always_2d=True)
        signal[n_read : n_read + len(block)] = as_mono(block)
        n_read += len(block)
        if len(block) < n_wanted:
            break
    return signal[:n_read]


def _check_channels(channels):
    if not 1 <= channels <= _MAX_CHANNELS:
        raise ValueError(
            f"its header says {channels} channels, not 1 to {_MAX_CHANNELS}"
        )


def _count_frames(n_frames, rate, duration, max_seconds):
    if n_frames < 1:
        raise ValueError("it holds no samples")
    if not 1 <= rate <= _MAX_RATE:
        raise ValueError(f"its header says a sampling rate of {rate} Hz")
    if duration is not None:
        n_frames = min(n_frames, max(1, int(duration * rate)))
    check_seconds(n_frames, rate, max_seconds)
    return n_frames


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


def check_signals(array, owner):
    """Return an array of signals, or raise if it is not one."""
    if array.ndim != 2:
        raise ValueError(
            f"{owner}: expected signals (n_samples, length), got {array.shape}. Put an "
            "AudioLoader before it."
        )
    check_loudness(array, f"{owner}: the signals'")
    return array
