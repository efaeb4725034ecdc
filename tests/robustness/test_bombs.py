"""Small files that would cost much: refused by name, by their headers."""

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile

from benchmarks.memory import measure_peak
from sklearn_mm import AudioLoader, ImageLoader, LoadError, VideoLoader

from ..conftest import (
    encode_audio,
    encode_image,
    encode_video,
    make_clip,
    make_photo,
    make_tone,
)

LINUX = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="needs /proc/self/clear_refs"
)


def write_png(height, width, first=b""):
    """A black PNG of one bit a pixel; ``first`` is put before its pixels."""

    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    rows = zlib.compress(bytes(1 + (width + 7) // 8) * height)
    size = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", size), (b"IDAT", rows), (b"IEND", b"")]
    head, *rest = [chunk(*c) for c in chunks]
    return b"\x89PNG\r\n\x1a\n" + head + first + b"".join(rest)


def write_gif(n_frames, side=1):
    screen = struct.pack("<HHBBB", side, side, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    delay = b"!\xf9\4\0\1\0\0\0"
    pixels = b"," + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\2\2\x44\1\0"
    return b"GIF89a" + screen + (delay + pixels) * n_frames + b";"


def write_tiff(tags):
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags]
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + b"".join(entries) + bytes(64)


def write_avi(frames, height, width, rate=25):
    """A Motion JPEG of frames that are encoded already."""

    def chunk(kind, data):
        return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)

    n = len(frames)
    main = (1000000 // rate, 0, 0, 16, n, 0, 1, 0, width, height, 0, 0, 0, 0)
    stream = b"vidsMJPG" + struct.pack(
        "<10I4H", 0, 0, 0, 1, rate, 0, n, 0, 2**32 - 1, 0, 0, 0, width, height
    )
    kind = struct.pack("<IiiHH4s5I", 40, width, height, 1, 24, b"MJPG", *5 * [0])
    streams = chunk(b"LIST", b"strl" + chunk(b"strh", stream) + chunk(b"strf", kind))
    head = chunk(
        b"LIST", b"hdrl" + chunk(b"avih", struct.pack("<14I", *main)) + streams
    )
    movie = b"".join(chunk(b"00dc", frame) for frame in frames)
    return chunk(b"RIFF", b"AVI " + head + chunk(b"LIST", b"movi" + movie))


def write(data, offset, kind, *values):
    data = bytearray(data)
    struct.pack_into(kind, data, offset, *values)
    return bytes(data)


def hide_jpeg():
    """A large JPEG that says a small size where decoders do not look."""
    data = encode_image(np.zeros((9000, 9000), np.uint8), "JPEG")
    small = encode_image(np.zeros((8, 8), np.uint8), "JPEG")
    frame = small[small.find(b"\xff\xc0") :][:13]
    comment = b"\xff\xfe" + struct.pack(">H", 2 + len(frame)) + frame
    scan = data.find(b"\xff\xda")
    garbage = b"\xff\0" + struct.pack(">H", scan + 4)  # to within the comment
    return data[:2] + garbage + data[2:scan] + comment + data[scan:]


def scan_jpeg():
    data = encode_image(make_photo(16, 16), "JPEG", progressive=True)
    return data[:-2] + data[data.rfind(b"\xff\xda") : -2] * 1000 + data[-2:]


def say_hours():
    data = encode_audio(make_tone(), "MP3")
    place = max(data.find(b"Info"), data.find(b"Xing"))
    return write(data, place + 8, ">I", 10**6)


def write_wav(channels, encoding=1):
    data = encode_audio(make_tone(8 * channels), subtype="PCM_16")
    return write(write(data, 20, "<HH", encoding, channels), 32, "<H", 2)


def encode_silence(seconds, rate=8000, channels=1):
    file = io.BytesIO()
    options = {"format": "FLAC", "subtype": "PCM_16"}
    with soundfile.SoundFile(file, "w", rate, channels, **options) as sound:
        for _ in range(seconds):
            sound.write(np.zeros((rate, channels), np.int16))
    return file.getvalue()


def count_samples():
    """An MP4 whose samples all have one size, and so no table that would end."""
    data = encode_video(make_clip(12), "mp4")
    for box, place, values in (("stsz", 8, (1, 2**25)), ("stsc", 16, (2**25,))):
        place += data.find(box.encode())
        data = write(data, place, f">{len(values)}I", *values)
    return data


def photo(container, **options):
    return encode_image(make_photo(8, 8), container, **options)


IMAGES = {
    "100 megapixels in a PNG": (lambda: write_png(10**4, 10**4), "max_pixels"),
    "a JPEG's size behind garbage": (hide_jpeg, "9000x9000 pixels exceed max_pixels"),
    "a thousand scans of a JPEG": (scan_jpeg, "scans exceed"),
    "a GIF's screen": (lambda: write_gif(1, 60000), "max_pixels"),
    "a BMP's size": (lambda: write(photo("BMP"), 18, "<ii", 9000, -9000), "max_pixels"),
    "a WebP's canvas": (
        lambda: write(photo("WEBP", exif=b"Exif\0\0II*\0"), 24, "<6B", *6 * [255]),
        "max_pixels",
    ),
    "a TIFF's size": (lambda: write_tiff([(256, 9000), (257, 9000)]), "max_pixels"),
    "a TIFF's second size": (
        lambda: write_tiff([(256, 9000), (256, 8), (257, 9000), (257, 8)]),
        "max_pixels",
    ),
    "a TIFF's tile": (
        lambda: write_tiff([(256, 8), (257, 8), (322, 2**15), (323, 2**15)]),
        "TIFF header is damaged",
    ),
    "a PNG's chunk": (
        lambda: write_png(8, 8, struct.pack(">I4s", 2**31 - 1, b"tEXt")),
        "cut off: it ends before its IEND",
    ),
}
SOUNDS = {
    "an hour of silence": (lambda: encode_silence(3600), "max_seconds"),
    "an MP3 that says hours": (say_hours, "max_seconds|cut off"),
    "a WAV of one sample a second": (
        lambda: write(encode_audio(make_tone()), 24, "<I", 1),
        "max_seconds",
    ),
    "thousands of channels": (lambda: write_wav(4000), "4000 channels"),
    "thousands of channels of another encoding": (
        lambda: write_wav(4000, encoding=6),
        "channels",
    ),
    "no channel": (lambda: write(write_wav(1), 22, "<H", 0), "channels|decoded"),
}
GIANT = encode_image(np.zeros((9000, 9000, 3), np.uint8), "JPEG")
VIDEOS = {
    "a GIF of 100,000 frames": (lambda: write_gif(10**5), "max_seconds"),
    "50,000 frames": (lambda: write_avi([photo("JPEG")] * 50000, 8, 8), "max_seconds"),
    "50,000 frames in a second": (
        lambda: write_avi([photo("JPEG")] * 50000, 8, 8, 50000),
        "max_seconds",
    ),
    "millions of samples": (count_samples, "samples of 1 bytes"),
    "giant frames": (lambda: write_avi([GIANT], 9000, 9000), "max_pixels"),
    "giant frames that the header denies": (
        lambda: write_avi([GIANT], 8, 8),
        "max_pixels",
    ),
}


@LINUX
@pytest.mark.parametrize(
    ("loader", "make", "reason"),
    [
        pytest.param(loader, *case, id=name)
        for loader, cases in (
            (ImageLoader(), IMAGES),
            (AudioLoader(8000), SOUNDS),
            (VideoLoader(), VIDEOS),
        )
        for name, case in cases.items()
    ],
)
def test_a_bomb_is_refused_by_its_header_in_little_memory(
    loader, make, reason, monkeypatch
):
    monkeypatch.setattr(cv2, "imdecode", None)
    monkeypatch.setattr("sklearn_mm.video._frames._grab_frames", None)
    monkeypatch.setattr("sklearn_mm.audio._decode._read_into", None)
    cell = make()

    def load():
        with pytest.raises(LoadError, match=reason) as caught:
            loader.transform([cell])
        return caught.value.failures

    failures, grown = measure_peak(load)
    assert [row for row, _, _ in failures] == [0]
    assert grown < 2 * len(cell) + 32 * 2**20


@LINUX
def test_a_gif_of_a_million_frames_costs_its_first():
    loader = ImageLoader()
    first = loader.transform([write_gif(1)])
    data = write_gif(10**6)
    images, grown = measure_peak(lambda: loader.transform([data]))
    np.testing.assert_array_equal(images, first)
    assert grown < 32 * 2**20


@LINUX
@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
def test_an_image_costs_at_most_twelve_bytes_a_pixel(container):
    side = 2000
    data = encode_image(np.zeros((side, side, 3), np.uint8), container)
    for color in ("gray", "rgb"):
        loader = ImageLoader(color=color, decode="exact")
        loader.transform([photo(container)])
        _, grown = measure_peak(lambda loader=loader: loader.transform([data]))
        assert grown < 1.5 * 12 * side**2


@LINUX
def test_channels_are_averaged_as_they_are_read():
    seconds, rate = 100, 48000
    data = encode_silence(seconds, rate, 8)
    loader = AudioLoader(rate)
    loader.transform([encode_audio(make_tone(), "FLAC")])
    signals, grown = measure_peak(lambda: loader.transform([data]))
    assert signals.shape == (1, seconds * rate)
    # The signal, the column of it, what is checked of it, and a block.
    assert grown < 1.5 * (2.25 * signals.nbytes + 4 * 2**22)


def test_sounds_that_are_read_in_blocks_are_the_same(monkeypatch):
    sound = np.stack([make_tone(30000, seed) for seed in range(3)], axis=1)
    for container in ("FLAC", "OGG", "AIFF"):
        data = encode_audio(sound, container)
        whole = AudioLoader(8000).transform([data])
        with monkeypatch.context() as patch:
            patch.setattr("sklearn_mm.audio._decode._BLOCK", 3 * 1001)
            np.testing.assert_array_equal(AudioLoader(8000).transform([data]), whole)


def test_pixels_of_a_file_that_are_no_numbers_are_refused():
    pixels = np.full((9, 9), 0.5, np.float32)
    for bad, reason in ((np.nan, "NaN or infinite"), (np.inf, "NaN"), (7, "not .0, 1")):
        pixels[4, 4] = bad
        data = cv2.imencode(".tiff", pixels)[1].tobytes()
        with pytest.raises(LoadError, match=reason):
            ImageLoader().transform([data])
    assert ImageLoader((9, 9), scale=False).transform([data]).max() == 7
