"""Read the size that the AV1 data of an AVIF decode to, whatever its container says.

libavif decodes frames of any size and scales them to the size of the container.
"""

import struct

#: Boxes that contain boxes, with the number of bytes before the first one.
_HOLDERS = {
    **dict.fromkeys((b"moov", b"trak", b"mdia", b"minf", b"stbl"), 0),
    b"meta": 4,
}
_SEQUENCE_HEADER = 1
_MAX_BOXES = 2**16


def read_frame_size(data):
    """Return the largest height and width that the AV1 data of an AVIF state.

    Parameters
    ----------
    data : memoryview
        The file.

    Returns
    -------
    tuple of (int, int)
        Height and width.

    Raises
    ------
    IndexError
        If no AV1 data are found.
    """
    sizes = [size for stream in _iter_streams(data) for size in _iter_sizes(stream)]
    if not sizes:
        raise IndexError
    return max(sizes, key=lambda size: size[0] * size[1])


def _iter_boxes(data):
    """Yield the kind, the start and the end of the content of each box."""
    pending, n_boxes = [(0, len(data))], 0
    while pending:
        position, end = pending.pop()
        while position + 8 <= end:
            size, kind = struct.unpack_from(">I4s", data, position)
            start = position + 8
            if size == 1:
                size, start = struct.unpack_from(">Q", data, start)[0], start + 8
            size = size or end - position
            n_boxes += 1
            if position + size < start or n_boxes > _MAX_BOXES:
                raise IndexError
            if kind in _HOLDERS:
                pending.append((start + _HOLDERS[kind], min(position + size, end)))
            yield kind, start, min(position + size, end)
            position += size


def _iter_streams(data):
    """Yield the data of each item, and the first sample of each track."""
    boxes = list(_iter_boxes(data))
    places = {kind: start for kind, start, _ in boxes}
    yield from _iter_items(data, places[b"iloc"], places.get(b"idat", 0))
    sizes = [start for kind, start, _ in boxes if kind == b"stsz"]
    offsets = [box for box in boxes if box[0] in (b"stco", b"co64")]
    if len(sizes) != len(offsets):
        raise IndexError
    for place, (kind, start, _) in zip(sizes, offsets):
        size, _, first = struct.unpack_from(">III", data, place + 4)
        number = ">I" if kind == b"stco" else ">Q"
        (offset,) = struct.unpack_from(number, data, start + 8)
        yield data[offset : offset + (size or first)]


def _iter_items(data, position, first):
    """Yield the data of each item of the box "iloc"; ``first`` is where "idat" is."""
    numbers = {0: "", 4: "I", 8: "Q"}
    version, sizes = data[position], struct.unpack_from(">H", data, position + 4)[0]
    of_offset, of_length, of_base, of_index = (
        numbers[sizes >> shift & 15] for shift in (12, 8, 4, 0)
    )
    of_index = of_index if version else ""
    wide = "I" if version == 2 else "H"
    (count,) = struct.unpack_from(f">{wide}", data, position + 6)
    position += 6 + struct.calcsize(f">{wide}")
    head = f">{wide}{'H' if version else ''}H{of_base}H"
    n_bytes = 0
    for _ in range(min(count, _MAX_BOXES)):
        values = struct.unpack_from(head, data, position)
        position += struct.calcsize(head)
        base = values[-2] if of_base else 0
        start = base + (first if version and values[1] & 15 == 1 else 0)
        stream = b""
        for _ in range(values[-1]):
            extent = struct.unpack_from(
                f">{of_index}{of_offset}{of_length}", data, position
            )
            position += struct.calcsize(f">{of_index}{of_offset}{of_length}")
            length = extent[-1] if of_length else len(data)
            offset = start + (extent[bool(of_index)] if of_offset else 0)
            n_bytes += length or len(data)
            if n_bytes > 2 * len(data):  # items do not share their data
                raise IndexError
            stream += bytes(data[offset : offset + (length or len(data))])
        yield stream


def _iter_sizes(stream):
    """Yield the height and width of each sequence header of AV1 data."""
    position = 0
    while position < len(stream):
        head, position = stream[position], position + 1 + (stream[position] >> 2 & 1)
        size = len(stream) - position
        if head & 2:
            size, position = _read_leb128(stream, position)
        if head >> 3 & 15 == _SEQUENCE_HEADER:
            yield _read_sequence_header(stream[position : position + min(size, 256)])
        position += size


def _read_leb128(stream, position):
    value = 0
    for i in range(8):
        byte = stream[position + i]
        value |= (byte & 127) << 7 * i
        if byte < 128:
            break
    return value, position + i + 1


def _read_sequence_header(data):
    """Return the largest height and width; see section 5.5 of the AV1 specification."""
    bits = "".join(f"{byte:08b}" for byte in bytes(data))
    position = 0

    def read(n):
        nonlocal position
        position += n
        if position > len(bits):
            raise IndexError
        return int(bits[position - n : position] or "0", 2)

    read(4)  # profile, still picture
    if read(1):  # a reduced header
        read(5)
    else:
        _skip_operating_points(read)
    width_bits, height_bits = read(4) + 1, read(4) + 1
    width = read(width_bits) + 1
    return read(height_bits) + 1, width


def _skip_operating_points(read):
    delay_bits = 0
    if read(1):  # timing
        read(64)
        if read(1):
            n_zeros = 0
            while not read(1):
                n_zeros += 1
            read(n_zeros)
        if read(1):  # a model of the decoder
            delay_bits = read(5) + 1
            read(42)
    has_display_delay = read(1)
    for _ in range(read(5) + 1):
        read(12)
        if read(5) > 7:
            read(1)
        if delay_bits and read(1):
            read(2 * delay_bits + 1)
        if has_display_delay and read(1):
            read(4)
