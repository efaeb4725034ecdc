"""The size of an encoded image, read from its header before anything is decoded."""

import struct
from collections import namedtuple

ImageHeader = namedtuple("ImageHeader", ["format", "height", "width"])

#: JPEG markers that start a frame and hold its size (C4, C8 and CC are other tables).
_JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: Those among them of progressive files, and the most scans that one may have: each
#: scan costs a pass over all pixels, however few bytes it has.
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_MAX_SCANS = 100
#: A TIFF's tile may be larger than a small image, but not by more than this, in pixels.
_MAX_TILE = 2**22
#: Sizes in bytes of the TIFF number types that can hold a width or height.
_TIFF_FORMATS = {1: "B", 3: "H", 4: "I", 16: "Q"}


def read_image_header(data):
    """Read format and size of an encoded image.

    Parameters
    ----------
    data : bytes-like
        A JPEG, PNG, WebP, BMP, GIF or TIFF file.

    Returns
    -------
    ImageHeader
        ``format`` (lower case), ``height`` and ``width`` in pixels as stored, that is
        before an EXIF rotation.

    Raises
    ------
    ValueError
        If the header is none of these, or damaged.
    """
    data = memoryview(data)
    start = bytes(data[:12])
    for name, magic, read in _READERS:
        if start.startswith(magic) and (name != "webp" or start[8:] == b"WEBP"):
            try:
                height, width = read(data)
            except (struct.error, IndexError, KeyError, OverflowError):
                raise ValueError(f"its {name.upper()} header is damaged") from None
            if height < 1 or width < 1:
                raise ValueError(f"its {name.upper()} header says {width}x{height}")
            return ImageHeader(name, height, width)
    raise ValueError("it is not a JPEG, PNG, WebP, BMP, GIF or TIFF image")


def _read_jpeg(data):
    position = 2
    while True:
        while data[position] != 0xFF:  # garbage between segments: decoders skip it too
            position += 1
        while data[position] == 0xFF:
            position += 1
        marker = data[position]
        position += 1
        if marker == 0x00:  # a byte of garbage, not a marker: decoders go on here
            continue
        if marker in _PROGRESSIVE:
            _check_scans(data)
        if marker in _JPEG_FRAMES:
            return struct.unpack_from(">HH", data, position + 3)
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a segment
            continue
        if marker in (0xD9, 0xDA):  # end, or pixels before any frame
            raise IndexError
        position += struct.unpack_from(">H", data, position)[0]


def _check_scans(data):
    n_scans = bytes(data).count(b"\xff\xda")
    if n_scans > _MAX_SCANS:
        raise ValueError(f"its {n_scans:,} scans exceed the {_MAX_SCANS} of any camera")


def _read_png(data):
    width, height = struct.unpack_from(">II", data, 16)
    if data[12:16] != b"IHDR":
        raise IndexError
    _check_chunks(data)
    return height, width


def _check_chunks(data):
    """Follow a PNG's chunks: decoders allocate what a chunk says before they read."""
    position, kind = 8, b""
    while kind != b"IEND":
        size, kind = struct.unpack_from(">I4s", data, position)
        position += 12 + size
        if position > len(data):
            raise ValueError("the PNG file is damaged or cut off")


def _read_gif(data):
    width, height = struct.unpack_from("<HH", data, 6)
    return height, width


def _read_bmp(data):
    if struct.unpack_from("<I", data, 14)[0] == 12:  # the oldest header, OS/2's
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return abs(height), width  # a negative height stores rows from the top


def _read_webp(data):
    kind = bytes(data[12:16])
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return height & 0x3FFF, width & 0x3FFF
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
    if kind == b"VP8X":
        low = struct.unpack_from("<HBHB", data, 24)
        return low[2] + (low[3] << 16) + 1, low[0] + (low[1] << 16) + 1
    raise IndexError


def _read_tiff(data):
    order = "<" if data[0] == 0x49 else ">"
    big = struct.unpack_from(order + "H", data, 2)[0] == 43  # BigTIFF
    offset = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    count_format, entry_size = ("Q", 20) if big else ("H", 12)
    count = struct.unpack_from(order + count_format, data, offset)[0]
    offset += struct.calcsize(count_format)
    size = {256: 0, 257: 0, 322: 0, 323: 0}  # width and height, of a tile as well
    for i in range(min(count, 4096)):
        entry = offset + i * entry_size
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        if tag in size:
            value = order + _TIFF_FORMATS[kind]
            value = struct.unpack_from(value, data, entry + (12 if big else 8))[0]
            size[tag] = max(size[tag], value)  # decoders differ in which one counts
    if size[322] * size[323] > max(size[256] * size[257], _MAX_TILE):
        raise IndexError
    return size[257], size[256]


_READERS = [
    ("jpeg", b"\xff\xd8\xff", _read_jpeg),
    ("png", b"\x89PNG\r\n\x1a\n", _read_png),
    ("gif", (b"GIF87a", b"GIF89a"), _read_gif),
    ("bmp", b"BM", _read_bmp),
    ("webp", b"RIFF", _read_webp),
    ("tiff", (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _read_tiff),
]
