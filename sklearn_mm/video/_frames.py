"""Decode frames of a video file with the FFmpeg that OpenCV includes."""

import os
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from ..image._formats import N_BYTES, identify, is_image
from ._avi import count_avi_frames
from ._codecs import describe_failure
from ._mp4 import read_video_track

#: Number of frames from which on seeking is cheaper than decoding up to a frame.
_FAR = 64
#: Share of the announced frames that must exist: some containers only estimate.
_COMPLETE = 0.9
#: Higher than any real frame rate: a header that states more would make any video
#: short (Hz).
_MAX_RATE = 1000
_BEGINNINGS = {
    b"\x1aE\xdf\xa3": "Matroska",
    b"\x00\x00\x01\xba": "MPEG",
    b"\x00\x00\x01\xb3": "MPEG",
    b"OggS": "Ogg",
    b"FLV\x01": "FLV",
    b"0&\xb2u\x8ef\xcf\x11": "ASF",
    b"GIF8": "GIF",
}


def detect_container(data):
    """Return the name of the video container that a file starts with, or None.

    Only these containers are opened: FFmpeg would also follow playlists to other files
    and URLs.
    """
    head = bytes(data[:12])
    if head[:4] == b"RIFF" and head[8:] == b"AVI ":
        return "AVI"
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return None if is_image(data[:N_BYTES]) else "MP4"
    if head[:1] == b"G" and len(data) > 188 and bytes(data[188:189]) == b"G":
        return "MPEG-TS"
    return next((n for begin, n in _BEGINNINGS.items() if head.startswith(begin)), None)


def choose_frames(n_available, n_frames, sampling):
    """Choose which frames to load; all of them if there are too few.

    Parameters
    ----------
    n_available, n_frames : int
        Number of frames of the video, and number of frames to load.
    sampling : {"uniform", "middle"}
        The middle frame of each of ``n_frames`` equal parts, or consecutive frames
        around the middle.

    Returns
    -------
    ndarray of int
        Positions of the frames, ascending.
    """
    if n_available <= n_frames:
        return np.arange(n_available)
    if sampling == "middle":
        return (n_available - n_frames) // 2 + np.arange(n_frames)
    return ((np.arange(n_frames) + 0.5) * n_available / n_frames).astype(int)


def read_frames(path, n_frames, sampling, *, max_seconds=None, max_pixels=None):
    """Decode some of the frames of a video file.

    Parameters
    ----------
    path : str
        An absolute path, which FFmpeg cannot mistake for a protocol.
    n_frames, sampling : int, {"uniform", "middle"}
        See :func:`choose_frames`.
    max_seconds : float or None
        Maximum duration, checked in the header before decoding.
    max_pixels : int or None
        Maximum height times width of a frame, checked in the header before decoding.

    Returns
    -------
    list of ndarray of shape (H, W, 3), uint8
        At most ``n_frames``; channels in BGR order.
    """
    header = _read_header(path)
    _check_bounds(header, max_seconds, max_pixels)
    maximum = np.inf if max_seconds is None else max_seconds * header.rate
    n_frames_available = header.n_frames
    if not n_frames_available or header.hides_frames:
        n_frames_available, _ = _count_frames(path, maximum)
        _check_complete(path, header, n_frames_available, n_frames_available)
    frames = None
    chosen = choose_frames(n_frames_available, n_frames, sampling)
    if not header.hides_frames:
        frames = _grab_frames(path, chosen, _FAR)
    if frames is None:  # seeking is not exact in each file
        frames = _grab_frames(path, chosen, np.inf)
    if frames is None:
        n_decoded, n_spanned = _count_frames(path, maximum)
        _check_complete(path, header, n_decoded, n_spanned)
        chosen = choose_frames(n_decoded, n_frames, sampling)
        frames = _grab_frames(path, chosen, np.inf)
    if not frames:
        raise ValueError(describe_failure(path, header.container, header.codec))
    return frames


class _Header(NamedTuple):
    """What a file says about its video; unknown numbers are 0."""

    container: str
    codec: str
    height: float
    width: float
    n_frames: int  # those that are shown
    rate: float  # frames per second
    n_edits: int
    hides_frames: bool
    is_estimate: bool  # whether n_frames is duration times rate


def _read_header(path):
    import cv2

    with open(path, "rb") as file:
        head, n_bytes = file.read(N_BYTES), os.path.getsize(path)
        container = detect_container(head)
        if container is None:
            kind = identify(head)
            found = f"; it is a {kind.name} file, for an ImageLoader" if kind else ""
            raise ValueError(f"it is not a video file of a supported container{found}")
        track = read_video_track(file, n_bytes) if container == "MP4" else None
        n_stored = count_avi_frames(file, n_bytes) if container == "AVI" else 0
    with _open(path) as capture:
        if not capture.isOpened():
            codec = track.codec if track else ""
            raise ValueError(describe_failure(path, container, codec))
        height, width, n_frames, rate, code = (
            capture.get(field)
            for field in (
                cv2.CAP_PROP_FRAME_HEIGHT,
                cv2.CAP_PROP_FRAME_WIDTH,
                cv2.CAP_PROP_FRAME_COUNT,
                cv2.CAP_PROP_FPS,
                cv2.CAP_PROP_FOURCC,
            )
        )
    codec = int(code).to_bytes(4, "little").decode("latin-1") if code > 0 else ""
    hides = track is not None and track.n_shown < track.n_samples
    return _Header(
        container,
        track.codec if track else codec,
        height,
        width,
        track.n_shown if hides else n_stored or max(0, int(n_frames)),
        rate if 0 < rate <= _MAX_RATE else 25.0,
        track.n_edits if track else 0,
        hides,
        container not in ("MP4", "AVI"),
    )


def _check_bounds(header, max_seconds, max_pixels):
    height, width = header.height, header.width
    if max_pixels is not None and height * width > max_pixels:
        raise ValueError(
            f"its {width:.0f}x{height:.0f} pixels exceed max_pixels={max_pixels:,}"
        )
    seconds = header.n_frames / header.rate
    if max_seconds is not None and seconds > max_seconds:
        raise ValueError(f"its {seconds:.1f} s exceed max_seconds={max_seconds}")


def _check_complete(path, header, n_decoded, n_spanned):
    """Raise if too few of the announced frames can be decoded.

    ``n_spanned`` is the number of frames that the decoded ones would be at a constant
    rate: what a container without a count announces is a number of that kind.
    """
    if not n_decoded:
        raise ValueError(describe_failure(path, header.container, header.codec))
    n_found = max(n_decoded, n_spanned) if header.is_estimate else n_decoded
    if n_found + header.n_edits < _COMPLETE * header.n_frames:
        raise ValueError(
            f"the {header.container} file is damaged or cut off: {n_decoded} of "
            f"{header.n_frames} frames can be decoded"
        )


def _count_frames(path, maximum):
    """Return how many frames can be decoded, and how many would span their time."""
    import cv2

    n_frames, milliseconds = 0, 0.0
    with _open(path) as capture:
        rate = capture.get(cv2.CAP_PROP_FPS)
        while capture.grab():
            n_frames += 1
            milliseconds = capture.get(cv2.CAP_PROP_POS_MSEC)
            if n_frames > maximum:
                raise ValueError(
                    f"its more than {maximum:.0f} frames exceed max_seconds"
                )
    return n_frames, milliseconds * rate / 1000 + 1


def _grab_frames(path, positions, far):
    """Decode the frames at ascending positions; None if one of them is not found.

    From ``far`` frames ahead on, they are sought.
    """
    import cv2

    frames, position = [], 0
    with _open(path) as capture:
        rate = capture.get(cv2.CAP_PROP_FPS)
        for wanted in positions.tolist():
            is_sought = wanted - position > far
            if is_sought:
                capture.set(cv2.CAP_PROP_POS_FRAMES, wanted)
                position = wanted
            while position < wanted and capture.grab():
                position += 1
            success, frame = capture.read() if position == wanted else (False, None)
            if is_sought:  # which ends at another frame where there is no index
                time = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                success = success and abs(time * rate - wanted) < 0.5
            if not success:
                return None
            frames.append(frame)
            position += 1
    return frames


@contextmanager
def _open(path):
    import cv2

    with _quiet():
        capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    try:
        yield capture
    finally:
        capture.release()


@contextmanager
def _quiet():
    """Silence FFmpeg, whose log would repeat our errors, while it opens a file."""
    name = "OPENCV_FFMPEG_LOGLEVEL"
    if name in os.environ:
        yield
        return
    os.environ[name] = "-8"
    try:
        yield
    finally:
        os.environ.pop(name, None)
