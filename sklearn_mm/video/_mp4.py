"""Check how many samples an MP4 announces, before FFmpeg builds an index of them."""

import struct

#: Boxes that contain boxes.
_HOLDERS = {
    *(b"moov", b"trak", b"mdia", b"minf", b"stbl", b"udta", b"edts", b"mvex"),
    *(b"moof", b"traf"),
}
#: Boxes that state the number of samples: the offset of that number in bytes after the
#: box's header, and the offset of the size that all samples share, if there is one.
_COUNTS = {b"stsz": (8, 4), b"stz2": (8, None), b"trun": (4, None)}
_MAX_BOXES = 2**20


def check_boxes(file, n_bytes):
    """Raise if an MP4 or MOV announces more samples than it has bytes.

    FFmpeg allocates at least 24 bytes for each, whether it exists or not. Files of
    other containers pass.

    Parameters
    ----------
    file : binary file
        The video.
    n_bytes : int
        Size of the file.
    """
    pending, n_boxes = [(0, n_bytes)], 0
    while pending:
        position, end = pending.pop()
        while position + 8 <= end:
            n_boxes += 1
            file.seek(position)
            kind, start, size = _read_head(file.read(16), end - position)
            if size < start or n_boxes > _MAX_BOXES:
                break
            if kind in _HOLDERS:
                pending.append((position + start, min(position + size, end)))
            if kind in _COUNTS:
                file.seek(position + start)
                _check_count(kind, file.read(12), n_bytes)
            if kind == b"cmov":
                raise ValueError("its header is compressed, which is not supported")
            position += size
    if n_boxes > _MAX_BOXES:
        raise ValueError(f"it has more than {_MAX_BOXES:,} boxes")


def _read_head(head, n_left):
    size, kind = struct.unpack_from(">I4s", head)
    if size == 1 and len(head) == 16:
        return kind, 16, struct.unpack_from(">Q", head, 8)[0]
    return kind, 8, size or n_left


def _check_count(kind, data, n_bytes):
    place, size_place = _COUNTS[kind]
    if len(data) < place + 4:
        return  # the file is cut off, which FFmpeg reports
    (count,) = struct.unpack_from(">I", data, place)
    size = 0 if size_place is None else struct.unpack_from(">I", data, size_place)[0]
    if count * max(1, size) > n_bytes:
        raise ValueError(
            f"its header says {count:,} samples of {size:,} bytes, more than it has"
        )
