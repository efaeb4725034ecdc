"""Read the size of an encoded image from its header, before decoding anything."""

import struct
from collections import namedtuple
from functools import lru_cache, partial
from importlib import import_module
from io import BytesIO

from ._avif import read_frame_size
from ._formats import N_BYTES, identify
from ._tiff import read_tiff_layout

ImageHeader = namedtuple("ImageHeader", ["format", "height", "width"])

#: Maximum number of scans of a progressive JPEG: each costs a pass over all pixels,
#: however few bytes it has.
_MAX_SCANS = 100
#: Parts of Pillow that may be left out when it is built, by format.
_FEATURES = {"AVIF": "avif", "JPEG 2000": "jpg_2000"}


def read_image_header(data):
    """Read the format and size of an encoded image.

    Parameters
    ----------
    data : bytes-like
        A file of one of the formats in ``_formats``.

    Returns
    -------
    ImageHeader
        ``format`` (lower case), ``height`` and ``width`` in pixels as stored, that is
        before an EXIF rotation.

    Raises
    ------
    ValueError
        If the file is of none of these formats or of one that nothing decodes, if its
        header is damaged, or if decoding it would cost more than its size suggests
        (scans, chunks, tiles).
    """
    kind = identify(data[:N_BYTES])
    if kind is None:
        raise ValueError(
            "it is not a JPEG, PNG, WebP, BMP, GIF, TIFF or other known image file; "
            "videos need a VideoLoader"
        )
    name = kind.name.lower()
    read = _READERS.get(name, partial(_read_by_pillow, kind))
    try:
        height, width = read(memoryview(data))
    except (struct.error, IndexError, KeyError, OverflowError):
        raise ValueError(f"its {kind.name} header is damaged") from None
    if height < 1 or width < 1:
        raise ValueError(f"its {kind.name} header says {width}x{height}")
    return ImageHeader(name, height, width)


def _read_by_pillow(kind, data):
    with open_by_pillow(kind, data) as image:
        width, height = image.size
        n_passes = image.info.get("progressive", 0)
    if n_passes:
        _check_scans(data)
    if kind.name == "AVIF":
        frame_height, frame_width = read_frame_size(data)
        if frame_height * frame_width > height * width:
            return frame_height, frame_width
    return height, width


def open_by_pillow(kind, data):
    """Read the header of an image with Pillow, which decodes nothing yet.

    Parameters
    ----------
    kind : Format
        Format of the file.
    data : bytes-like
        The file.

    Returns
    -------
    PIL image
        Not yet loaded.
    """
    reader = _import_reader(kind)
    try:
        return reader(BytesIO(data))
    except Exception:  # hostile files make Pillow raise almost anything
        raise ValueError(f"its {kind.name} header is damaged") from None


@lru_cache
def _import_reader(kind):
    """Import Pillow's reader of a format, or raise if nothing decodes the format.

    ``PIL.Image.open`` would check its own bound on pixels first, which is global.
    """
    from PIL import features

    name = kind.name.title()
    module, reader = kind.reader or (f"PIL.{name}ImagePlugin", f"{name}ImageFile")
    try:
        if kind.remedy and not kind.reader:
            raise ImportError
        reader = getattr(import_module(module), reader)
        if not features.check(_FEATURES.get(kind.name, "pil")):
            raise ImportError
    except ImportError:
        raise ValueError(
            f"it is a file of the format {kind.name}, which cannot be read here; "
            f"{kind.remedy}"
        ) from None
    if kind.name != "JPEG":
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
        if position + 12 > len(data):
            raise ValueError("the PNG file is cut off: it ends before its IEND chunk")
        size, kind = struct.unpack_from(">I4s", data, position)
        position += 12 + size


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
    layout = read_tiff_layout(data)
    return layout.height, layout.width


#: Readers of the formats for which Pillow would not do.
_READERS = {"png": _read_png, "webp": _read_webp, "tiff": _read_tiff}
