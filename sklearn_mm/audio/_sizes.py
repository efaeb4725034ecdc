"""State the true length in headers of uncompressed audio that was written by a pipe.

A program that writes into a pipe does not know the length in advance, and leaves a
placeholder. libsndfile understands some placeholders, and reads a file whose stated
length exceeds its bytes as far as it goes, without an error.
"""

import struct
from typing import NamedTuple

#: What programs write because they do not know a size: ranges of the lowest and the
#: highest value. SoX rounds its placeholders down to whole frames.
_PLACEHOLDERS = (
    (0x7F000000, 0x7F00FFFF),
    (0x7FFF0000, 0x8000FFFF),
    (0xFFFF0000, 0xFFFFFFFF),
    (2**63 - 2**16, 2**64 - 1),
)
_DAMAGED = "its header is damaged or cut off"


class Samples(NamedTuple):
    """Where the samples of a file are."""

    start: int  # offset of the first byte
    size: int  # number of bytes
    fields: tuple  # sizes in the header: (offset, format, true value)


def complete_header(data):
    """Return a file with the true sizes in its header.

    Parameters
    ----------
    data : bytes-like
        A WAV, RF64, W64, AIFF, AU or CAF file, or any other.

    Returns
    -------
    bytes-like
        The same object if its header is complete.

    Raises
    ------
    ValueError
        If the header is damaged, or states more bytes than there are.
    """
    find = _FINDERS.get(bytes(data[:4]))
    if find is None:
        return data
    try:
        samples = find(data)
    except struct.error:
        raise ValueError(_DAMAGED) from None
    return write_sizes(data, samples)


def write_sizes(data, samples):
    """Return a file with the sizes that :class:`Samples` states."""
    wrong = [
        (offset, kind, value)
        for offset, kind, value in samples.fields
        if struct.unpack_from(kind, data, offset)[0] != value
    ]
    if not wrong:
        return data
    header = bytearray(data[: samples.start])
    for offset, kind, value in wrong:
        struct.pack_into(kind, header, offset, value)
    return bytes(header) + bytes(data[samples.start : samples.start + samples.size])


def find_wav_samples(data):
    """Return the :class:`Samples` of a WAV or RF64 file, and the offset of its format.

    Parameters
    ----------
    data : bytes-like
        The file.

    Returns
    -------
    Samples
        The samples, up to the end of the file if their size is not stated.
    int or None
        Offset of the content of the ``fmt`` chunk.
    """
    order = ">" if data[:4] == b"RIFX" else "<"
    layout = long_size = None
    for kind, size, start in _iter_chunks(data, 12, f"{order}4sI"):
        if kind == b"fmt ":
            layout = start
        elif kind == b"ds64":
            _, long_size = struct.unpack_from("<QQ", data, start)
        elif kind == b"data":
            is_long = size == 0xFFFFFFFF and long_size is not None
            stated = long_size if is_long else size
            break
    else:
        raise ValueError("its WAV header is damaged or cut off")
    is_open = stated == 0 and not _ends_with_chunks(data, start, f"{order}4sI")
    actual = _measure(stated, len(data) - start, is_open)
    end = start + actual + actual % 2
    if bytes(data[end : end + 4]) == b"RIFF":
        raise ValueError("it is several WAV files in one")
    if long_size is None:
        fields = [(start - 4, f"{order}I", actual)]
    else:
        at = _find_long_sizes(data)
        fields = [(at, "<Q", start + actual - 8), (at + 8, "<Q", actual)]
        fields = fields if actual != stated else []
    return Samples(start, actual, tuple(fields)), layout


def _find_wav(data):
    return find_wav_samples(data)[0]


def _find_long_sizes(data):
    """Return the offset of the content of the ``ds64`` chunk."""
    chunks = _iter_chunks(data, 12, "<4sI")
    return next(start for kind, _, start in chunks if kind == b"ds64")


def _find_w64(data):
    for kind, size, start in _iter_chunks(data, 40, "<16sQ", step=8, header=True):
        if kind[:4] == b"data":
            # An overflowing size is a placeholder too.
            stated = size - 24 if size >= 24 else 0
            is_open = stated == 0 and start < len(data)
            actual = _measure(stated, len(data) - start, is_open)
            fields = (16, "<Q", start + actual), (start - 8, "<Q", actual + 24)
            fields = fields if actual != stated else ()
            return Samples(start, actual, fields)
    raise ValueError(_DAMAGED)


def _find_aiff(data):
    if bytes(data[8:12]) not in (b"AIFF", b"AIFC"):
        return Samples(len(data), 0, ())
    common = None
    for kind, size, start in _iter_chunks(data, 12, ">4sI"):
        if kind == b"COMM":
            common = start
        if kind == b"SSND":
            start += 8  # offset and block size
            is_open = size in (0, 8) and not _ends_with_chunks(
                data, start - 8 + size, ">4sI"
            )
            actual = _measure(max(0, size - 8), len(data) - start, is_open)
            fields = _list_aiff_fields(data, common, start, actual)
            return Samples(start, actual, fields if actual != size - 8 else ())
    raise ValueError(_DAMAGED)


def _list_aiff_fields(data, common, start, size):
    fields = [(4, ">I", start + size - 8), (start - 12, ">I", size + 8)]
    if common is not None:
        channels, _, bits = struct.unpack_from(">HIH", data, common)
        block = max(1, channels * -(-bits // 8))
        fields.append((common + 2, ">I", size // block))
    return tuple(fields)


def _find_au(data):
    order = ">" if data[:4] == b".snd" else "<"
    start, size = struct.unpack_from(f"{order}II", data, 4)
    actual = _measure(size, len(data) - start, size == 0 and start < len(data))
    return Samples(start, actual, ((8, f"{order}I", actual),))


def _find_caf(data):
    for kind, size, start in _iter_chunks(data, 8, ">4sQ", step=1):
        if kind == b"data":
            actual = _measure(size, len(data) - start, False)
            return Samples(start, actual, ((start - 8, ">Q", actual),))
    raise ValueError(_DAMAGED)


def _find_nist(data):
    """Check the size of a NIST SPHERE file, which libsndfile does not look at."""
    lines = bytes(data[:1024]).decode("latin-1").splitlines()
    fields = dict(line.split(maxsplit=1) for line in lines if " -i " in line)
    names = "sample_count", "sample_n_bytes", "channel_count"
    try:
        start = int(lines[1])
        numbers = [int(fields.get(name, "-i 1").split()[1]) for name in names]
    except (ValueError, IndexError):
        raise ValueError(_DAMAGED) from None
    size = numbers[0] * numbers[1] * numbers[2]
    if "sample_count" in fields and start + size > len(data):
        _measure(size, len(data) - start, False)
    return Samples(start, len(data) - start, ())


def _iter_chunks(data, position, layout, *, step=2, header=False):
    """Yield kind, size and offset of the content of each chunk.

    ``step`` is what chunks are aligned to, and ``header`` whether sizes count the
    chunk's header.
    """
    n_head = struct.calcsize(layout)
    while position + n_head <= len(data):
        kind, size = struct.unpack_from(layout, data, position)
        yield kind, size, position + n_head
        position += max(size, n_head) if header else size + n_head
        position += -position % step


def _ends_with_chunks(data, position, layout):
    """Whether nothing but whole chunks follow."""
    for kind, size, start in _iter_chunks(data, position, layout):
        if not kind.isascii() or not kind.decode("ascii").isprintable():
            return False
        position = start + size
    return position in (len(data), len(data) - 1, len(data) + 1)


def _measure(stated, available, is_open):
    """Return the number of bytes of the samples, or raise if some are cut off."""
    if is_open:
        return max(0, available)
    if stated <= available:
        return stated
    if available > 0 and any(low <= stated <= high for low, high in _PLACEHOLDERS):
        return available
    available = max(0, available)
    raise ValueError(f"it is cut off: {available:,} of {stated:,} bytes are there")


_FINDERS = {
    **dict.fromkeys(
        (b"RIFF", b"RIFX", b"RF64"), lambda data: find_wav_samples(data)[0]
    ),
    **dict.fromkeys((b".snd", b"dns."), _find_au),
    b"riff": _find_w64,
    b"FORM": _find_aiff,
    b"caff": _find_caf,
    b"NIST": _find_nist,
}
