"""MP3 streams: count the frames, leave out tags, and split what was concatenated.

libsndfile trusts the number of frames in a Xing, Info or VBRI header, and without one
estimates it from the size of the file and of its first frame, tags included.
"""

from typing import NamedTuple

from ._tags import find_tags_at_end, skip_tags

_RATES = (44100, 48000, 32000)
#: Bit rates in kbit/s by (MPEG 1, layer), without the free format.
_BITRATES = {
    (True, 1): range(32, 480, 32),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_BITRATES[False, 3] = _BITRATES[False, 2]


class Stream(NamedTuple):
    """One stream, which libsndfile reads as a file."""

    data: bytes
    n_frames: int | None = None  # samples per channel, where libsndfile errs


class _Frame(NamedTuple):
    start: int
    end: int
    kind: tuple  # version, layer, rate and channels
    n_samples: int


def split_mpeg(data):
    """Split concatenated MP3 streams, each with its number of frames in its header.

    Parameters
    ----------
    data : bytes-like
        One or more streams, and tags before, between and after them.

    Returns
    -------
    list of Stream
        The streams.

    Raises
    ------
    ValueError
        If a stream is damaged, or cut off.
    """
    data = bytes(data)
    groups, previous = [], None
    for frame in _iter_frames(data):
        is_next = previous is not None and previous.end == frame.start
        is_same = is_next and frame.kind == previous.kind
        if not is_same or _find_count(data, frame) is not None:
            groups.append([])
        groups[-1].append(frame)
        previous = frame
    if not groups:
        raise ValueError("it holds no MP3 frame")
    return [_make_stream(data, frames) for frames in groups]


def _make_stream(data, frames):
    """Return a stream of frames, of which the first may be a header."""
    first = frames[0]
    stated = _find_count(data, first)
    if stated is not None:
        n_frames = len(frames) - 1
        if n_frames < stated - 1:
            raise ValueError(f"it is cut off after {n_frames:,} of {stated:,} frames")
        if n_frames == stated and _has_delay(data, first):
            return Stream(data[first.start : frames[-1].end])
        frames = frames[1:]
    if not frames:
        raise ValueError("it holds no samples")
    sizes = [frame.end - frame.start for frame in frames]
    # The estimate of libsndfile assumes that all frames are as large as the first one:
    # more frames, which are never read, make it large enough.
    n_spare = 3 + (len(frames) * 11 // 10 * sizes[0] - sum(sizes)) // sizes[-1]
    last = data[frames[-1].start : frames[-1].end]
    body = data[frames[0].start : frames[-1].end]
    return Stream(body + last * n_spare, len(frames) * frames[0].n_samples)


def _iter_frames(data):
    """Yield the frames, leaving out tags."""
    end = find_tags_at_end(data)
    position, previous = skip_tags(data, 0, end), None
    while position < end:
        frame = _read_frame(data, position)
        is_frame = frame is not None and (
            (previous is not None and frame.kind == previous.kind)
            or _is_followed(data, frame, end)
        )
        if is_frame:
            if frame.end > end:
                raise ValueError("it is cut off in its last frame")
            yield frame
            previous, position = frame, frame.end
            continue
        after = skip_tags(data, position, end)
        if after == position:
            after = _resync(data, position, end, previous)
        position = after


def _resync(data, position, end, previous):
    """Return where frames begin, or raise if what is in between is not padding."""
    if not data[position:end].strip(b"\0"):
        return end
    if previous is not None:
        raise ValueError(f"it is damaged or cut off at byte {position:,}")
    while (position := data.find(b"\xff", position + 1, end)) >= 0:
        frame = _read_frame(data, position)
        if frame is not None and _is_followed(data, frame, end):
            return position
    raise ValueError("it holds no MP3 frame")


def _is_followed(data, frame, end):
    """Whether another frame of the same kind, or nothing, follows a frame."""
    if frame.end >= end:
        return True
    after = _read_frame(data, skip_tags(data, frame.end, end))
    return after is not None and after.kind == frame.kind


def _read_frame(data, position):
    """Return the frame whose header is at a position, or None."""
    head = data[position : position + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or rate == 3 or not 0 < bitrate < 15:
        return None
    is_first = version == 3  # MPEG 1
    rate = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    bitrate = _BITRATES[is_first, layer][bitrate - 1] * 1000
    padding = head[2] >> 1 & 1
    if layer == 1:
        n_samples, size = 384, (12 * bitrate // rate + padding) * 4
    else:
        n_samples = 1152 if layer == 2 or is_first else 576
        size = n_samples // 8 * bitrate // rate + padding
    kind = version, layer, rate, head[3] >> 6 == 3
    return _Frame(position, position + size, kind, n_samples)


def _find_count(data, frame):
    """Return the number of frames that a header frame states, or None.

    0 if the frame is such a header, but states no number.
    """
    place = _find_header(data, frame)
    if place is None:
        return None
    if data[place : place + 4] == b"VBRI":
        return int.from_bytes(data[place + 14 : place + 18], "big")
    has_count = data[place + 7] & 1
    return int.from_bytes(data[place + 8 : place + 12], "big") * has_count


def _has_delay(data, frame):
    """Whether a header frame states the delay of the encoder, as that of LAME does.

    libsndfile cuts off the delay, and without it the wrong number of samples.
    """
    place = _find_header(data, frame)
    flags = data[place + 7]
    after = place + 8 + 4 * (flags & 1) + 2 * (flags & 2) + 25 * (flags & 4)
    after += flags & 8 and 4
    return data[place : place + 4] != b"VBRI" and any(data[after : after + 4])


def _find_header(data, frame):
    """Return the offset of the content of a header frame, or None."""
    version, layer, _, is_mono = frame.kind
    if layer != 3:
        return None
    side = (17 if is_mono else 32) if version == 3 else (9 if is_mono else 17)
    for offset in (4 + side, 6 + side):  # with a checksum of two bytes
        place = frame.start + offset
        if place + 160 > frame.end:
            continue
        if data[place : place + 4] in (b"Xing", b"Info"):
            return place
    place = frame.start + 36
    return place if data[place : place + 4] == b"VBRI" else None
