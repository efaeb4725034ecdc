"""Read the size of an encoded image from its header, before decoding anything."""

import struct
from collections import namedtuple
from functools import lru_cache
from importlib import import_module
from io import BytesIO

ImageHeader = namedtuple("ImageHeader", ["format", "height", "width"])

#: Maximum number of scans of a progressive JPEG: each costs a pass over all pixels,
#: however few bytes it has.
_MAX_SCANS = 100
#: A tile of a TIFF may be larger than a small image, up to this many pixels.
_MAX_TILE = 2**22
#: struct formats of the TIFF number types that can hold a width or height.
_TIFF_FORMATS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_MAGIC = {
    "jpeg": b"\xff\xd8\xff",
    "png": b"\x89PNG\r\n\x1a\n",
    "gif": (b"GIF87a", b"GIF89a"),
    "bmp": b"BM",
    "webp": b"RIFF",
    "tiff": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
}


def read_image_header(data):
    """Read the format and size of an encoded image.

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
        If the file is none of these, if its header is damaged, or if decoding it would
        cost more than its size suggests (scans, chunks, tiles).
    """
    start = bytes(data[:12])
    for name, magic in _MAGIC.items():
        if start.startswith(magic) and (name != "webp" or start[8:] == b"WEBP"):
            break
    else:
        raise ValueError("it is not a JPEG, PNG, WebP, BMP, GIF or TIFF image")
    if name in _READERS:
        try:
            height, width = _READERS[name](memoryview(data))
        except (struct.error, IndexError, KeyError, OverflowError):
            raise ValueError(f"its {name.upper()} header is damaged") from None
    else:
        height, width = _read_by_pillow(name, data)
    if height < 1 or width < 1:
        raise ValueError(f"its {name.upper()} header says {width}x{height}")
    return ImageHeader(name, height, width)


def _read_by_pillow(name, data):
    reader = _import_reader(name)
    try:
        with reader(BytesIO(data)) as image:
            width, height = image.size
            n_passes = image.info.get("progressive", 0)
    except Exception:  # hostile files make Pillow raise almost anything
        raise ValueError(f"its {name.upper()} header is damaged") from None
    if n_passes:
        _check_scans(data)
    return height, width


@lru_cache
def _import_reader(name):
    """Import Pillow's reader of a format.

    ``PIL.Image.open`` would check its own bound on pixels first, which is global.
    """
    module = import_module(f"PIL.{name.title()}ImagePlugin")
    reader = getattr(module, f"{name.title()}ImageFile")
    if name != "jpeg":
        return reader
    # Finding the resolution would parse the EXIF data, and warn where it is damaged.
    return type("JpegSize", (reader,), {"_read_dpi_from_exif": lambda self: None})


def _check_scans(data):
    n_scans = bytes(data).count(b"\xff\xda")
    if n_scans > _MAX_SCANS:
        raise ValueError(f"its {n_scans:,} scans exceed the {_MAX_SCANS} of any camera")


def _read_png(data):
    # Pillow would also read, and bound, the texts and profiles before the pixels.
    width, height = struct.unpack_from(">II", data, 16)
    if data[12:16] != b"IHDR":
        raise IndexError
    _check_chunks(data)
    return height, width


def _check_chunks(data):
    """Walk a PNG's chunks: decoders allocate the stated size before they read one."""
    position, kind = 8, b""
    while kind != b"IEND":
        size, kind = struct.unpack_from(">I4s", data, position)
        position += 12 + size
        if position > len(data):
            raise ValueError("the PNG file is damaged or cut off")


def _read_webp(data):
    # Pillow would allocate the whole canvas, and apply its own bound on pixels first.
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
    # Pillow takes 13 % of the time of a decode, shows the last of two sizes only, and
    # refuses layouts that OpenCV decodes.
    order = "<" if data[0] == 0x49 else ">"
    big = struct.unpack_from(order + "H", data, 2)[0] == 43  # BigTIFF
    offset = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    count_format, entry_size = ("Q", 20) if big else ("H", 12)
    count = struct.unpack_from(order + count_format, data, offset)[0]
    offset += struct.calcsize(count_format)
    size = {256: 0, 257: 0, 322: 0, 323: 0}  # width and height, of the image and tiles
    for i in range(min(count, 4096)):
        entry = offset + i * entry_size
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        if tag in size:
            value = order + _TIFF_FORMATS[kind]
            value = struct.unpack_from(value, data, entry + (12 if big else 8))[0]
            size[tag] = max(size[tag], value)  # decoders differ in which one they use
    if size[322] * size[323] > max(size[256] * size[257], _MAX_TILE):
        raise IndexError
    return size[257], size[256]


#: Readers of the formats for which Pillow would not do.
_READERS = {"png": _read_png, "webp": _read_webp, "tiff": _read_tiff}
