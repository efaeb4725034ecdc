"""Count the frames that an AVI stores: its header may state another number."""

import struct

#: Bound on the chunks that are looked at.
_MAX_CHUNKS = 2**20


def count_avi_frames(file, n_bytes):
    """Count the chunks of frames of an AVI.

    Parameters
    ----------
    file : binary file
        The video.
    n_bytes : int
        Size of the file.

    Returns
    -------
    int
        0 if the file is cut off or has more chunks than are looked at.
    """
    pending, n_frames, n_chunks = [(0, n_bytes)], 0, 0
    while pending:
        position, end = pending.pop()
        while position + 8 <= end:
            file.seek(position)
            kind, size = struct.unpack("<4sI", file.read(8))
            n_chunks += 1
            if position + 8 + size > end or n_chunks > _MAX_CHUNKS:
                return 0
            if kind in (b"RIFF", b"LIST"):
                pending.append((position + 12, position + 8 + size))
            n_frames += size > 0 and kind[:2].isdigit() and kind[2:] in (b"dc", b"db")
            position += 8 + size + size % 2
    return n_frames
