"""Decode an audio file from memory."""

import io

import numpy as np

from .._utils.interrupts import defer_interrupts
from ._signal import as_mono, check_seconds
from ._streams import find_pcm16, split_streams

#: Higher than that of any recorder: a header that states more is wrong (Hz).
_MAX_RATE = 400_000
_MAX_CHANNELS = 256
#: Number of values that are decoded at a time, before channels are averaged.
_BLOCK = 2**22


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
    wav = find_pcm16(data)
    if wav is not None:
        channels, rate, samples = wav
        _check_channels(channels)
        n_frames = _limit(len(samples) // channels, rate, duration, max_seconds)
        samples = samples[: n_frames * channels].reshape(-1, channels)
        signal = np.multiply(samples, np.float32(1 / 32768), dtype=np.float32)
        return as_mono(signal), rate
    import soundfile

    try:
        with defer_interrupts():
            return _read_streams(split_streams(data), duration, max_seconds)
    except soundfile.LibsndfileError as error:
        reason = error.error_string.rstrip(".")
        raise ValueError(
            f"no audio could be decoded: {reason}. If other programs play it, convert "
            "it, for example by ffmpeg -i input output.wav"
        ) from None


def _read_streams(streams, duration, max_seconds):
    """Read the streams of a file one after another."""
    if len(streams) == 1:
        with _open(streams[0].data) as file:
            n_frames, rate = _measure(file, streams[0])
            signal = np.empty(_limit(n_frames, rate, duration, max_seconds), np.float32)
            _read_into(signal, file)
        return signal, rate
    counts, rates = [], set()
    for stream in streams:  # only one is open at a time
        with _open(stream.data) as file:
            n_frames, rate = _measure(file, stream)
        counts.append(n_frames)
        rates.add(rate)
    if len(rates) > 1:
        raise ValueError(f"its parts have several sampling rates: {sorted(rates)} Hz")
    n_wanted = _limit(sum(counts), rate, duration, max_seconds)
    signal, n_read = np.empty(n_wanted, np.float32), 0
    for stream, count in zip(streams, counts):
        if n_read < n_wanted:
            with _open(stream.data) as file:
                _read_into(signal[n_read : n_read + count], file)
        n_read += count
    return signal, rate


def _open(data):
    import soundfile

    return soundfile.SoundFile(io.BytesIO(data))


def _measure(file, stream):
    """Return the number of samples per channel, and the sampling rate."""
    _check_channels(file.channels)
    if stream.n_frames is None:
        return file.frames, file.samplerate
    if stream.n_frames > file.frames:
        raise ValueError("its length could not be determined")
    return stream.n_frames, file.samplerate


def _read_into(signal, file):
    """Read and average block by block, to bound the memory of many channels."""
    step, n_read = max(1, _BLOCK // file.channels), 0
    while n_read < len(signal):
        n_wanted = min(step, len(signal) - n_read)
        block = file.read(n_wanted, dtype="float32", always_2d=True)
        signal[n_read : n_read + len(block)] = as_mono(block)
        n_read += len(block)
        if len(block) < n_wanted:
            raise ValueError(
                f"it is cut off after {n_read:,} of {len(signal):,} frames"
            )


def _check_channels(channels):
    if not 1 <= channels <= _MAX_CHANNELS:
        raise ValueError(
            f"its header says {channels} channels, not 1 to {_MAX_CHANNELS}"
        )


def _limit(n_frames, rate, duration, max_seconds):
    if n_frames < 1:
        raise ValueError("it holds no samples")
    if not 1 <= rate <= _MAX_RATE:
        raise ValueError(f"its header says a sampling rate of {rate} Hz")
    if duration is not None:
        n_frames = min(n_frames, max(1, int(duration * rate)))
    check_seconds(n_frames, rate, max_seconds)
    return n_frames
