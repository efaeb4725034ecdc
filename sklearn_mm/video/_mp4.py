"""Read what an MP4 says about its tracks, before FFmpeg builds an index of samples."""

import struct
from collections import defaultdict
from typing import NamedTuple

import numpy as np

#: Boxes that contain boxes.
_HOLDERS = {
    *(b"moov", b"trak", b"mdia", b"minf", b"stbl", b"udta", b"edts", b"mvex"),
    *(b"moof", b"traf"),
}
#: Boxes that state the number of samples: the offset of that number in bytes after the
#: box's header, and the offset of the size that all samples share, if there is one.
_COUNTS = {b"stsz": (8, 4), b"stz2": (8, None), b"trun": (4, None)}
#: Boxes whose content is kept: scales of time, the kind and codec of a track, times of
#: its samples, and its edit list.
_KEPT = {b"mvhd", b"mdhd", b"hdlr", b"stsd", b"stts", b"ctts", b"elst"}
_MAX_BOXES = 2**20
#: Bounds on the size of a box that is kept (bytes), and on the samples of a track whose
#: times are computed.
_MAX_KEPT = 2**24
_MAX_SAMPLES = 2**22


class VideoTrack(NamedTuple):
    """The video track of an MP4 or MOV."""

    codec: str  # four characters
    n_samples: int  # 0 if unknown
    n_shown: int  # those that its edit list shows
    n_edits: int


def read_video_track(file, n_bytes):
    """Read the header of the first video track of an MP4 or MOV.

    Parameters
    ----------
    file : binary file
        The video.
    n_bytes : int
        Size of the file.

    Returns
    -------
    VideoTrack or None
        None if the file states no track at all.

    Raises
    ------
    ValueError
        If the file has tracks but no video, or announces more samples than it has
        bytes: FFmpeg allocates at least 24 bytes for each, whether it exists or not.
    """
    tracks = defaultdict(dict)
    for kind, track, start, end in _iter_boxes(file, n_bytes):
        file.seek(start)
        if kind in _COUNTS:
            _check_count(kind, file.read(12), n_bytes)
        if kind == b"cmov":
            raise ValueError("its header is compressed, which is not supported")
        if kind in _KEPT and end - start <= _MAX_KEPT:
            tracks[track].setdefault(kind, file.read(end - start))
    movie = tracks.pop(None, {})
    kinds = [boxes[b"hdlr"][8:12] for boxes in tracks.values() if b"hdlr" in boxes]
    if kinds and b"vide" not in kinds:
        raise ValueError("it has no video track")
    for boxes in tracks.values():
        if boxes.get(b"hdlr", b"")[8:12] == b"vide":
            return _read_track(boxes, movie)
    return None


def _iter_boxes(file, n_bytes):
    """Yield kind, track, start and end of the content of all boxes; children last."""
    pending, n_boxes = [(0, n_bytes, None)], 0
    while pending:
        position, end, track = pending.pop()
        while position + 8 <= end:
            n_boxes += 1
            file.seek(position)
            kind, start, size = _read_head(file.read(16), end - position)
            if size < start or n_boxes > _MAX_BOXES:
                break
            inside = position + start, min(position + size, end)
            if kind in _HOLDERS:
                pending.append((*inside, position if kind == b"trak" else track))
            yield kind, track, *inside
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


def _read_track(boxes, movie):
    codec = boxes.get(b"stsd", b"")[12:16].decode("latin-1")
    try:
        times = _compute_times(boxes)
        edits = _read_edits(boxes, movie)
    except (struct.error, ArithmeticError, ValueError, KeyError):
        return VideoTrack(codec, 0, 0, 0)
    n_shown = len(times)
    if edits:
        shown = (np.count_nonzero((a <= times) & (times < b)) for a, b in edits)
        n_shown = int(sum(shown))
    return VideoTrack(codec, len(times), n_shown, len(edits))


def _compute_times(boxes):
    """Return the time at which each sample is shown, in units of the track."""
    durations = _repeat(boxes[b"stts"], _MAX_SAMPLES)
    times = np.cumsum(durations) - durations
    if b"ctts" in boxes:
        offsets = _repeat(boxes[b"ctts"], len(times))
        times[: len(offsets)] += offsets
    return times


def _repeat(box, most):
    """Return the values of a box of (number of samples, value), one per sample."""
    (n_entries,) = struct.unpack_from(">I", box, 4)
    pairs = np.frombuffer(box, ">i4", offset=8)
    counts, values = pairs[: 2 * n_entries].reshape(-1, 2).T.astype(np.int64)
    if (counts < 0).any() or counts.sum() > most:
        raise ValueError
    return np.repeat(values, counts)


def _read_edits(boxes, movie):
    """Return the start and end of each part that is shown, in units of the track."""
    if b"elst" not in boxes:
        return []
    box = boxes[b"elst"]
    scales = []
    for header in (boxes[b"mdhd"], movie[b"mvhd"]):
        scales.append(struct.unpack_from(">I", header, 20 if header[0] else 12)[0])
    (n_entries,) = struct.unpack_from(">I", box, 4)
    kind = ">QqI" if box[0] else ">IiI"
    edits = []
    for i in range(min(n_entries, 4096)):
        duration, start, _ = struct.unpack_from(
            kind, box, 8 + i * struct.calcsize(kind)
        )
        length = round(duration * scales[0] / scales[1]) if duration else np.inf
        if start >= 0:  # otherwise a pause
            edits.append((start, start + length))
    return edits
