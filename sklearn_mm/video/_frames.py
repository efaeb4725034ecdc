"""Decode frames of a video file with the FFmpeg that OpenCV includes."""

import os
from contextlib import contextmanager

import numpy as np

from ._mp4 import check_boxes

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
        return "MP4"
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
    with open(path, "rb") as file:
        container = detect_container(file.read(256))
        if container is None:
            raise ValueError("it is not a video file of a supported container")
        check_boxes(file, os.path.getsize(path))
    announced, maximum = _read_header(path, container, max_seconds, max_pixels)
    if not announced:
        announced = _count_frames(path, maximum)
    frames = _grab_frames(path, choose_frames(announced, n_frames, sampling))
    if frames is None:
        n_decoded = _count_frames(path, maximum)
        if n_decoded < _COMPLETE * announced:
            raise ValueError(
                f"the {container} file is damaged or cut off: {n_decoded} of "
                f"{announced} frames can be decoded"
            )
        frames = _grab_frames(path, choose_frames(n_decoded, n_frames, sampling))
    if not frames:
        raise ValueError(f"no frame of the {container} file can be decoded")
    return frames


def _read_header(path, container, max_seconds, max_pixels):
    """Return the number of frames (0 if unknown) and the maximum number allowed."""
    import cv2

    with _open(path) as capture:
        if not capture.isOpened():
            raise ValueError(f"the {container} file is damaged or cut off")
        height, width, n_frames, rate = (
            capture.get(field)
            for field in (
                cv2.CAP_PROP_FRAME_HEIGHT,
                cv2.CAP_PROP_FRAME_WIDTH,
                cv2.CAP_PROP_FRAME_COUNT,
                cv2.CAP_PROP_FPS,
            )
        )
    if max_pixels is not None and height * width > max_pixels:
        raise ValueError(
            f"its {width:.0f}x{height:.0f} pixels exceed max_pixels={max_pixels:,}"
        )
    rate = rate if 0 < rate <= _MAX_RATE else 25.0
    if max_seconds is not None and n_frames / rate > max_seconds:
        raise ValueError(
            f"its {n_frames / rate:.1f} s exceed max_seconds={max_seconds}"
        )
    maximum = np.inf if max_seconds is None else max_seconds * rate
    return max(0, int(n_frames)), maximum


def _count_frames(path, maximum):
    n_frames = 0
    with _open(path) as capture:
        while capture.grab():
            n_frames += 1
            if n_frames > maximum:
                raise ValueError(
                    f"its more than {maximum:.0f} frames exceed max_seconds"
                )
    return n_frames


def _grab_frames(path, positions):
    """Decode the frames at ascending positions; None if one of them is missing."""
    import cv2

    frames, position = [], 0
    with _open(path) as capture:
        for wanted in positions.tolist():
            if wanted - position > _FAR:
                capture.set(cv2.CAP_PROP_POS_FRAMES, wanted)
                position = wanted
            while position < wanted and capture.grab():
                position += 1
            success, frame = capture.read() if position == wanted else (False, None)
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
