"""Ogg files: split chained streams, and find damaged or missing pages."""

import zlib
from functools import lru_cache
from typing import NamedTuple

_HEAD = 27
#: Flag of the first page of a stream.
_FIRST = 2


class _Page(NamedTuple):
    start: int
    end: int
    flags: int
    serial: bytes
    lacing: bytes  # sizes of the segments; one below 255 ends a packet
    body: int  # offset of the first segment


def split_ogg(data):
    """Split chained Ogg streams into one file each.

    Parameters
    ----------
    data : bytes-like
        One or more Ogg streams, one after another.

    Returns
    -------
    list of bytes
        The streams; FLAC in Ogg becomes native FLAC.

    Raises
    ------
    ValueError
        If a page is damaged, or a stream ends within a page or a packet.
    """
    data = bytes(data)
    links = []
    for page in _iter_pages(data):
        is_first = bool(page.flags & _FIRST)
        if not links or (is_first and not links[-1][-1].flags & _FIRST):
            links.append([])
        links[-1].append(page)
    if not links:
        raise ValueError("it holds no Ogg page")
    return [_extract(data, link) for link in links]


def _iter_pages(data):
    position = 0
    while position < len(data):
        n_segments = data[position + _HEAD - 1 : position + _HEAD]
        body = position + _HEAD + (n_segments[0] if n_segments else 0)
        lacing = data[position + _HEAD : body]
        end = body + sum(lacing)
        if not b"OggS".startswith(data[position : position + 4]):
            if not data[position:].strip(b"\0"):
                return
            raise ValueError(f"it is damaged at byte {position:,}")
        if not n_segments or body > len(data) or end > len(data):
            raise ValueError("it is cut off in its last page")
        head = data[position : position + 22] + bytes(4)
        if _checksum(head + data[position + 26 : end]) != data[position + 22 :][:4]:
            raise ValueError(f"its page at byte {position:,} is damaged")
        serial = data[position + 14 : position + 18]
        yield _Page(position, end, data[position + 5], serial, lacing, body)
        position = end


def _extract(data, link):
    """Return the file of one link of a chain."""
    if link[-1].lacing[-1:] == b"\xff":
        raise ValueError("it is cut off in its last packet")
    first = link[0]
    if data[first.body : first.body + 5] == b"\x7fFLAC" and len(first.lacing) == 1:
        pages = [page for page in link[1:] if page.serial == first.serial]
        bodies = [data[page.body : page.end] for page in pages]
        return b"".join([data[first.body + 9 : first.end], *bodies])
    return data[first.start : link[-1].end]


def _checksum(page):
    """Compute the checksum of a page: CRC-32 with the bits in the other order."""
    crc = zlib.crc32(page.translate(_mirror_table()), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{crc:032b}"[::-1], 2).to_bytes(4, "little")


@lru_cache(maxsize=1)
def _mirror_table():
    return bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
