"""Good files of every container, and what can be done to them, by seed."""

import struct

import numpy as np

from ..conftest import (
    encode_audio,
    encode_image,
    encode_video,
    make_clip,
    make_photo,
    make_tone,
)


def _make_transparent():
    photo = make_photo(60, 80)
    return np.concatenate([photo, photo[..., :1]], axis=2)


CONTAINERS = {
    "image": {
        "jpeg": lambda: encode_image(make_photo(60, 80), "JPEG", quality=90),
        "progressive": lambda: encode_image(make_photo(60, 80), "JPEG", progressive=1),
        "png": lambda: encode_image(make_photo(60, 80)),
        "png16": lambda: encode_image(make_photo(60, 80)[..., 0].astype("u2") * 257),
        "webp": lambda: encode_image(make_photo(60, 80), "WEBP"),
        "lossless": lambda: encode_image(make_photo(60, 80), "WEBP", lossless=True),
        "bmp": lambda: encode_image(make_photo(60, 80), "BMP"),
        "gif": lambda: encode_image(make_photo(60, 80), "GIF"),
        "tiff": lambda: encode_image(make_photo(60, 80), "TIFF"),
        "tiff-lzw": lambda: encode_image(
            make_photo(60, 80), "TIFF", compression="tiff_lzw"
        ),
        "tiff-alpha": lambda: encode_image(_make_transparent(), "TIFF"),
        "avif": lambda: encode_image(make_photo(60, 80), "AVIF"),
        "jp2": lambda: encode_image(make_photo(60, 80), "JPEG2000"),
        "pnm": lambda: encode_image(make_photo(60, 80), "PPM"),
        "qoi": lambda: encode_image(make_photo(60, 80), "QOI"),
    },
    "audio": {
        "wav": lambda: encode_audio(make_tone(2000)),
        "wav-float": lambda: encode_audio(make_tone(2000), subtype="FLOAT"),
        "flac": lambda: encode_audio(make_tone(2000), "FLAC"),
        "ogg": lambda: encode_audio(make_tone(2000), "OGG"),
        "mp3": lambda: encode_audio(make_tone(2000), "MP3"),
    },
    "video": {
        "avi": lambda: encode_video(make_clip(12), "avi"),
        "mp4": lambda: encode_video(make_clip(12), "mp4"),
        "mkv": lambda: encode_video(make_clip(12), "mkv"),
    },
}

_JPEG = [("\xff{}", 2, ">H"), ("\xff{}", 5, ">H"), ("\xff{}", 7, ">H"), ("\xff{}", 9)]
_WAV = [
    *(("RIFF", 4, "<I"), ("fmt ", 4, "<I"), ("fmt ", 8, "<H"), ("fmt ", 10, "<H")),
    *(("fmt ", 12, "<I"), ("fmt ", 16, "<I"), ("fmt ", 20, "<H"), ("fmt ", 22, "<H")),
    ("data", 4, "<I"),
]
_TIFF = [  # number and value of each entry, by its tag
    (f"{chr(tag & 255)}\1{kind}\0", place, "<I")
    for tag in (0, 1, 2, 3, 6, 17, 21, 22, 23, 28, 61)
    for kind in "\3\4"
    for place in (4, 8)
]
#: What headers say of sizes, lengths and rates: (marker, offset from it, format).
FIELDS = {
    "jpeg": [(m.format("\xc0"), *rest) for m, *rest in _JPEG],
    "progressive": [(m.format("\xc2"), *rest) for m, *rest in _JPEG],
    "png": [
        *(("IHDR", -4, ">I"), ("IHDR", 4, ">I"), ("IHDR", 8, ">I"), ("IHDR", 12)),
        *(("IHDR", 13), ("IHDR", 16), ("IDAT", -4, ">I")),
    ],
    "webp": [
        *(("RIFF", 4, "<I"), ("VP8 ", 4, "<I"), ("VP8 ", 14, "<H"), ("VP8 ", 16, "<H")),
        ("VP8 ", 8, "<I"),
    ],
    "lossless": [("RIFF", 4, "<I"), ("VP8L", 4, "<I"), ("VP8L", 9, "<I")],
    "bmp": [("BM", place, "<I") for place in (2, 10, 14, 18, 22, 30, 34, 46, 50)]
    + [("BM", 26, "<H"), ("BM", 28, "<H")],
    "gif": [
        *(("GIF8", 6, "<H"), ("GIF8", 8, "<H"), ("GIF8", 10), ("GIF8", 11)),
        *((",\0\0\0\0", place, "<H") for place in (1, 3, 5, 7)),
    ],
    "tiff": [("II*\0", 4, "<I"), *_TIFF],
    "wav": _WAV,
    "flac": [("fLaC", place, ">I") for place in (4, 8, 10, 14, 18, 20, 21, 22)],
    "ogg": [
        *(("\1vorbis", 7, "<I"), ("\1vorbis", 11), ("\1vorbis", 12, "<I")),
        *(("\1vorbis", 28), ("OggS", 6, "<q"), ("OggS", 18, "<I"), ("OggS", 26)),
        *(("\3vorbis", 7, "<I"), ("\5vorbis", 7, "<I")),
    ],
    "mp3": [
        *(("\xff", 1), ("\xff", 2), ("\xff", 3)),
        *((tag, place, ">I") for tag in ("Xing", "Info") for place in (4, 8, 12)),
    ],
    "avi": [
        *(("avih", place, "<I") for place in (4, 8, 16, 24, 32, 36, 40, 44)),
        *(("strh", place, "<I") for place in (4, 28, 32, 36, 40, 44, 52)),
        *(("strf", place, "<I") for place in (4, 8, 12, 16)),
        *(("\xff\xc0", 5, ">H"), ("\xff\xc0", 7, ">H"), ("idx1", 4, "<I")),
    ],
    "mp4": [
        *((box, -4, ">I") for box in ("moov", "mdat", "trak", "stbl", "stsd", "stsz")),
        *(("mvhd", place, ">I") for place in (16, 20)),
        *(("mdhd", place, ">I") for place in (16, 20)),
        *(("tkhd", place, ">I") for place in (24, 80, 84)),
        *(("stts", place, ">I") for place in (8, 12, 16)),
        *(("stsz", place, ">I") for place in (8, 12, 16)),
        *((box, 8, ">I") for box in ("stsc", "stco", "stss")),
        *(("mp4v", 28, ">H"), ("mp4v", 30, ">H")),
    ],
    "mkv": [
        *(("\xb0\x81", 2), ("\xba\x81", 2), ("\xb0\x82", 2, ">H")),
        *(("\x23\xe3\x83", 4, ">I"), ("\x44\x89", 3, ">q"), ("\x2a\xd7\xb1", 4, ">H")),
        *(("\x1f\x43\xb6\x75", 4, ">q"), ("\x18\x53\x80\x67", 4, ">q")),
        *(("\xff\xc0", 5, ">H"), ("\xff\xc0", 7, ">H")),
    ],
}
FIELDS |= {
    "png16": FIELDS["png"],
    "tiff-lzw": FIELDS["tiff"],
    "tiff-alpha": FIELDS["tiff"],
    "avif": [
        *((box, -4, ">I") for box in ("meta", "iloc", "iinf", "iprp", "ispe", "mdat")),
        *(("ispe", place, ">I") for place in (8, 12)),
        *(("av1C", place) for place in (5, 6)),
    ],
    "jp2": [
        *(("ihdr", place, ">I") for place in (-4, 4, 8)),
        *(("\xff\x51", place, ">I") for place in (6, 10, 14, 18, 22, 26, 30, 34)),
        *(("\xff\x52", place) for place in (5, 9, 10, 11)),
    ],
    "pnm": [("60", 0), ("80", 0), ("255", 0)],
    "qoi": [("qoif", place, ">I") for place in (4, 8)],
    "wav-float": _WAV,
}
_MAGICS = {
    *(b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0"),
    *(b"MM\0*", b"II+\0", b"fLaC", b"OggS", b"ID3\3", b"\xff\xfb", b"\x1aE\xdf\xa3"),
    *(b"RIFF\0\1\0\0WEBPVP8 ", b"RIFF\0\1\0\0WAVEfmt ", b"RIFF\0\1\0\0AVI LIST"),
    *(b"\0\0\0\x18ftypisom", b"FORM\0\1\0\0AIFFCOMM", b".snd", b"FLV\1", b"caff"),
}


def find_fields(container, data):
    """Find the numbers in a header: (offset, format)."""
    found = []
    for marker, place, *kind in FIELDS[container]:
        at = data.find(marker.encode("latin-1"))
        kind = kind[0] if kind else "B"
        if at >= 0 and 0 <= at + place <= len(data) - struct.calcsize(kind):
            found.append((at + place, kind))
    return found


def cut(data, rng, container):
    """Truncate at any byte."""
    return data[: rng.integers(len(data))]


def flip(data, rng, container):
    """Flip bits, half of the time in the first hundred bytes only."""
    bad = bytearray(data)
    end = len(bad) if rng.integers(2) else min(100, len(bad))
    for place in rng.integers(0, end, rng.integers(1, 20)):
        bad[place] ^= 1 << rng.integers(8)
    return bytes(bad)


def swap(data, rng, container):
    """Swap two chunks."""
    a, b, c, d = np.sort(rng.integers(0, len(data), 4))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def rename(data, rng, container):
    """Begin as another container begins."""
    magics = sorted(_MAGICS)
    magic = magics[rng.integers(len(magics))]
    return magic + data[len(magic) :]


def empty(data, rng, container):
    """Leave nothing, or only the beginning."""
    return data[: rng.choice([0, 1, 2, 4, 12, 16])]


def scramble(data, rng, container):
    """Write random bytes over a part, or over all but the beginning."""
    start, end = np.sort(rng.integers(0, len(data), 2))
    start, end = (start, end) if rng.integers(2) else (start % 40, len(data))
    return data[:start] + rng.bytes(end - start) + data[end:]


def lie(data, rng, container):
    """Write huge, zero and negative numbers over one to three of a header's fields."""
    bad, fields = bytearray(data), find_fields(container, data)
    n_lies = rng.integers(1, 4) if fields else 0
    for which in rng.integers(0, max(1, len(fields)), n_lies):
        offset, kind = fields[which]
        size = struct.calcsize(kind)
        most = 256**size - 1
        values = [0, 1, 2, most, most // 2, most // 2 + 1, 60000, 1 << 24, 1 << 30]
        value = int(values[rng.integers(len(values))]) & most
        bad[offset : offset + size] = value.to_bytes(
            size, "big" if kind[0] == ">" else "little"
        )
    return bytes(bad)


MUTATIONS = (cut, flip, swap, rename, empty, scramble, lie, lie)


def mutate(data, container, seed):
    """Damage a file in one way or in two."""
    rng = np.random.default_rng(seed)
    for _ in range(1 + rng.integers(4) // 3):
        mutation = MUTATIONS[rng.integers(len(MUTATIONS))]
        data = mutation(data, rng, container) if data else data
    return data
