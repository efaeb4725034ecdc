"""FLAC streams of unknown length: count their samples, and state them in the header."""

import struct
from functools import lru_cache
from itertools import pairwise

#: A STREAMINFO block, whether or not it is the last block of metadata.
_STARTS = (b"fLaC\0\0\0\x22", b"fLaC\x80\0\0\x22")
#: Largest distance of the start of the last frame from the end of the stream.
_LONGEST = 2**24
#: Block sizes of the codes of a frame's header; 6 and 7 are followed by the size.
_BLOCKS = {1: 192, **{i: 576 << (i - 2) for i in range(2, 6)}}
_BLOCKS |= {i: 256 << (i - 8) for i in range(8, 16)}


def split_flac(data):
    """Split FLAC streams that were concatenated, each with its length in its header.

    Parameters
    ----------
    data : bytes-like
        One or more FLAC streams.

    Returns
    -------
    list of bytes-like
        The streams.

    Raises
    ------
    ValueError
        If a stream whose length is not stated is cut off.
    """
    data = bytes(data)
    starts = [i for mark in _STARTS for i in _find_all(data, mark)]
    if not starts:
        raise ValueError("its FLAC header is damaged or cut off")
    bounds = [*sorted(starts), len(data)]
    parts = [data[a:b] for a, b in pairwise(bounds)]
    return [_state_length(part) for part in parts]


def _find_all(data, mark):
    position = data.find(mark)
    while position >= 0:
        yield position
        position = data.find(mark, position + len(mark))


def _state_length(stream):
    """Write the number of samples into the header of a stream if it is not there."""
    rate_to_length = int.from_bytes(stream[18:26], "big")
    if len(stream) < 42 or rate_to_length & (2**36 - 1):
        return stream
    n_samples = _count_samples(stream)
    header = (rate_to_length | n_samples).to_bytes(8, "big")
    return stream[:18] + header + stream[26:]


def _count_samples(stream):
    """Compute the number of samples from the header of the last frame."""
    block_size = int.from_bytes(stream[8:10], "big")
    end = len(stream)
    if stream[-128:-125] == b"TAG":
        end -= 128
    position, first = end, max(42, end - _LONGEST)
    while (position := stream.rfind(b"\xff", first, position)) >= 0:
        header = _read_frame_header(stream, position)
        if header and _crc16(stream[position : end - 2]) == stream[end - 2 : end]:
            number, n_samples, is_variable = header
            return (number if is_variable else number * block_size) + n_samples
    raise ValueError("it is cut off in its last frame")


def _read_frame_header(stream, position):
    """Return number, length and kind of the frame at a position, or None."""
    head = stream[position : position + 16]
    if len(head) < 6 or head[1] & 0xFE != 0xF8 or head[3] & 1:
        return None
    n_bytes = 8 - (head[4] ^ 0xFF).bit_length()  # leading ones, as in UTF-8
    number = head[4] & (0x7F >> n_bytes)
    n_more = max(0, n_bytes - 1)
    for byte in head[5 : 5 + n_more]:
        number = number << 6 | byte & 0x3F
    place, code = 5 + n_more, head[2] >> 4
    n_samples = _BLOCKS.get(code, 0)
    if code in (6, 7):
        n_samples = int.from_bytes(head[place : place + code - 5], "big") + 1
        place += code - 5
    place += {12: 1, 13: 2, 14: 2}.get(head[2] & 15, 0)
    if not n_samples or place >= len(head) or _crc8(head[:place]) != head[place]:
        return None
    return number, n_samples, bool(head[1] & 1)


def _crc8(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (0x107 if crc & 0x80 else 0)) & 0x1FF
    return crc


def _crc16(data):
    table, crc = _crc16_table(), 0
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ table[crc >> 8 ^ byte]
    return struct.pack(">H", crc)


@lru_cache(maxsize=1)
def _crc16_table():
    table = []
    for crc in range(0, 0x10000, 0x100):
        for _ in range(8):
            crc = (crc << 1 ^ (0x18005 if crc & 0x8000 else 0)) & 0x1FFFF
        table.append(crc)
    return table
