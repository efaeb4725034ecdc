"""Audio as pipes and concatenation leave it: (file, signal that is in it)."""

import io
import struct
from typing import NamedTuple

import numpy as np
import soundfile
from hypothesis import strategies as st

from ..conftest import make_tone

RATE = 16000
#: What programs write for a size that they do not know: ffmpeg, mpg123; arecord; SoX,
#: eSpeak; SoX with frames of six bytes; SoX in AIFF; GStreamer.
SIZES = (0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x7FFFF000, 0x7FFFEFFC, 0x7F000008, 0)
#: Samples that LAME and the decoder add before the first one.
DELAY = 1105


class File(NamedTuple):
    """A file, the signal that is in it, and where it can be cut off unnoticed.

    A part of several, or an Ogg page, may end there.
    """

    data: bytes
    signal: np.ndarray
    ends: frozenset | None = frozenset()  # None: nothing states the length

    def __repr__(self):
        return f"File({self.data[:40]}... of {len(self.data)})"


def encode(container, subtype, seconds, channels=1, **options):
    tone = make_tone(round(seconds * RATE), seed=round(seconds * 100))
    file = io.BytesIO()
    signal = np.stack([tone, -0.5 * tone][:channels], axis=1)
    soundfile.write(file, signal, RATE, subtype, format=container, **options)
    return file.getvalue()


def read(data):
    return soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)[0].mean(1)


def patch(data, place, value, kind):
    size = struct.calcsize(kind)
    return data[:place] + struct.pack(kind, value) + data[place + size :]


def chunk(name, body, kind="<I"):
    return name + struct.pack(kind, len(body)) + body + bytes(len(body) % 2)


def make_id3(n_bytes):
    frame = b"TXXX" + n_bytes.to_bytes(4, "big") + bytes(2) + b"\xff" * n_bytes
    size = bytes(len(frame) >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + size + frame


def make_ape(n_bytes):
    def end(flags):
        sizes = struct.pack("<IIII", 2000, n_bytes + 32, 1, flags)
        return b"APETAGEX" + sizes + bytes(8)

    return end(0xA0000000) + b"\xff" * n_bytes + end(0x80000000)


@st.composite
def pcm(draw):
    """WAV, RF64, W64, AIFF, AU and CAF, with sizes that a pipe leaves or true ones."""
    container = draw(
        st.sampled_from(["WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF"])
    )
    subtypes = ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "ULAW"]
    data = encode(
        container,
        draw(st.sampled_from(subtypes)),
        draw(st.sampled_from([0.1, 0.25])),
        draw(st.integers(1, 2)),
    )
    signal = read(data)
    if container in ("WAV", "WAVEX") and draw(st.booleans()):
        data = data[:12] + chunk(b"LIST", bytes(draw(st.integers(0, 9)))) + data[12:]
    if draw(st.booleans()):
        return File(data, signal)
    size, outer = draw(st.sampled_from(SIZES)), draw(st.sampled_from(SIZES))
    long_size = draw(st.sampled_from([0, 2**63 - 1, 2**64 - 1]))
    if container == "RF64":
        data = patch(patch(data, 20, long_size, "<Q"), 28, long_size, "<Q")
    elif container == "W64":
        place = data.index(b"data\xf3\xac")
        data = patch(patch(data, place + 16, long_size, "<Q"), 16, long_size, "<Q")
    elif container == "AIFF":
        place = data.index(b"SSND")
        data = patch(patch(data, place + 4, size, ">I"), 4, outer, ">I")
        data = patch(data, data.index(b"COMM") + 10, 0, ">I")
    elif container == "AU":
        data = patch(data, 8, size, ">I" if data[:1] == b"." else "<I")
    elif container == "CAF":
        data = patch(data, data.index(b"data") + 4, 2**64 - 1, ">Q")
    else:
        place = data.index(b"data")
        data = patch(patch(data, place + 4, size, "<I"), 4, outer, "<I")
    return File(data, signal, ends=None)


def drop_length(data):
    """Clear the number of samples in a FLAC header."""
    rate = int.from_bytes(data[18:26], "big") >> 36 << 36
    return data[:18] + rate.to_bytes(8, "big") + data[26:]


@st.composite
def flac(draw):
    """One to three FLAC streams, some without a length."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        data = encode("FLAC", draw(st.sampled_from(["PCM_16", "PCM_24"])), 0.3)
        parts.append((data, read(data), draw(st.booleans())))
    data = b"".join(drop_length(d) if is_open else d for d, _, is_open in parts)
    ends = np.cumsum([len(d) for d, _, _ in parts])
    return File(data, np.concatenate([s for _, s, _ in parts]), frozenset(ends))


@st.composite
def ogg(draw):
    """One to three Ogg streams."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        subtype = draw(st.sampled_from(["VORBIS", "OPUS"]))
        parts.append(encode("OGG", subtype, draw(st.sampled_from([0.2, 0.5]))))
    data = b"".join(parts)
    ends = frozenset(i for i in range(len(data)) if data[i : i + 4] == b"OggS")
    return File(data, np.concatenate([read(part) for part in parts]), ends)


def drop_header(data, signal):
    """Drop the first frame of an MP3 file, which states the number of the others.

    Samples that only the other frames hold are NaN in the signal.
    """
    n_frames = int.from_bytes(data[21:25], "big")
    longer = np.full(n_frames * 576, np.nan)
    longer[DELAY : DELAY + len(signal)] = signal
    return data[data.index(data[:2], 40) :], longer


@st.composite
def mp3(draw):
    """One to three MP3 streams with tags around them, some without a header."""
    tags = st.sampled_from([b"", make_id3(20), make_id3(5000), make_ape(40)])
    data, signals, ends, is_stated = draw(tags), [], set(), True
    for _ in range(draw(st.integers(1, 3))):
        mode = draw(st.sampled_from(["CONSTANT", "VARIABLE"]))
        part = encode(
            *("MP3", "MPEG_LAYER_III", draw(st.sampled_from([0.3, 1.0]))),
            **{"bitrate_mode": mode, "compression_level": 0.6},
        )
        signal, between = read(part), draw(tags)
        if draw(st.booleans()):
            part, signal = drop_header(part, signal)
            is_stated = False
            data += b"" if data.endswith(b"\xff") else make_id3(20)
        data += part + between
        ends |= set(range(len(data) - len(between), len(data) + 1))
        signals.append(signal)
    data += draw(st.sampled_from([b"", b"TAG" + bytes(125), bytes(100)]))
    ends = frozenset(ends) if is_stated else None
    return File(data, np.concatenate(signals), ends)


FILES = {"pcm": pcm(), "flac": flac(), "ogg": ogg(), "mp3": mp3()}
