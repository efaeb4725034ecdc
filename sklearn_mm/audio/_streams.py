"""Split an audio file into streams whose headers state their true length."""

import struct

import numpy as np

from ._flac import split_flac
from ._formats import name_format
from ._mpeg import Stream, split_mpeg
from ._ogg import split_ogg
from ._sizes import complete_header, find_wav_samples
from ._tags import skip_tags

_WAVE = (b"RIFF", b"RIFX", b"RF64")
#: WAV files whose samples are an MPEG stream.
_MPEG_CODECS = (0x50, 0x55)


def split_streams(data):
    """Split an audio file into streams whose headers state their true length.

    Parameters
    ----------
    data : bytes-like
        The file.

    Returns
    -------
    list of Stream
        More than one if several were concatenated, as MP3 and Ogg allow.

    Raises
    ------
    ValueError
        If the file is damaged, cut off, or in a format that libsndfile does not decode.
    """
    start = skip_tags(data, 0, len(data))
    head = bytes(data[start : start + 64])
    name = name_format(head)
    if name is not None:
        raise ValueError(
            f"its format is {name}, which is not supported. Convert it, for example by "
            "ffmpeg -i input output.wav"
        )
    if head[:4] == b"OggS":
        return [Stream(part) for link in split_ogg(data) for part in _split_link(link)]
    if head[:4] == b"fLaC":
        return [Stream(part) for part in split_flac(data)]
    if head[:4] in _WAVE and head[8:12] == b"WAVE":
        return _split_wav(data)
    completed = complete_header(data)
    is_mpeg = start > 0 or (head[:1] == b"\xff" and head[1:2] >= b"\xe0")
    if is_mpeg and completed is data:
        return split_mpeg(data)
    return [Stream(completed)]


def _split_link(link):
    """Return the streams of a link of an Ogg chain, which may be FLAC."""
    return split_flac(link) if link[:4] == b"fLaC" else [link]


def _split_wav(data):
    completed = complete_header(data)
    samples, layout = find_wav_samples(completed)
    if layout is None:
        raise ValueError("its WAV header does not describe the samples")
    (code,) = struct.unpack_from("<H", completed, layout)
    if code in _MPEG_CODECS:
        return split_mpeg(completed[samples.start : samples.start + samples.size])
    return [Stream(completed)]


def find_pcm16(data):
    """Return channels, sampling rate and samples of a plain 16-bit WAV file.

    numpy reads it several times as fast as libsndfile. None for any other file.
    """
    if bytes(data[:4]) != b"RIFF" or bytes(data[8:12]) != b"WAVE":
        return None
    samples, layout = find_wav_samples(data)
    if layout is None:
        raise ValueError("its WAV header does not describe the samples")
    try:
        code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, layout)
    except struct.error:
        raise ValueError("its WAV header is damaged or cut off") from None
    if code != 1 or bits != 16 or channels < 1:
        return None
    return channels, rate, np.frombuffer(data, "<i2", samples.size // 2, samples.start)
