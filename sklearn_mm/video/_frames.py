"""Frames of a video file, through the FFmpeg that OpenCV carries."""

import os
from contextlib import contextmanager

import numpy as np

from ._mp4 import check_boxes

#: Frames apart from which looking for a frame is cheaper than decoding up to it.
_FAR = 64
#: Share of the announced frames that must be there: some containers only estimate.
_WHOLE = 0.9
#: Above what anything plays; a header that says more would make any length short (Hz).
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
    """Name the video container that a file's first bytes are of, or give None.

    Nothing else is opened: FFmpeg would also follow playlists, to other files and URLs.
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
    """Choose the numbers of frames, all of them where there are too few.

    Parameters
    ----------
    n_available, n_frames : int
        How many there are, and how many are wanted.
    sampling : {"uniform", "middle"}
        The middles of equal parts, or what is in the middle without a gap.

    Returns
    -------
    ndarray of int
        Ascending.
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
        An absolute path, so that FFmpeg takes it for no protocol.
    n_frames, sampling : int, {"uniform", "middle"}
        As :func:`choose_frames` has them.
    max_seconds : float or None
        Bound on the duration, checked by the header.
    max_pixels : int or None
        Bound on a frame's height times width, checked by the header.

    Returns
    -------
    list of ndarray of shape (H, W, 3), uint8
        At most ``n_frames``; colours in the order blue, green, red.
    """
    with open(path, "rb") as file:
        container = detect_container(file.read(256))
        if container is None:
            raise ValueError("it is no video file that is known here")
        check_boxes(file, os.path.getsize(path))
    announced, most = _read_header(path, container, max_seconds, max_pixels)
    if not announced:
        announced = _count_frames(path, most)
    frames = _grab_frames(path, choose_frames(announced, n_frames, sampling))
    if frames is None:
        n_there = _count_frames(path, most)
        if n_there < _WHOLE * announced:
            raise ValueError(
                f"the {container} file is damaged or cut off: {n_there} of {announced} "
                "frames can be decoded"
            )
        frames = _grab_frames(path, choose_frames(n_there, n_frames, sampling))
    if not frames:
        raise ValueError(f"no frame of the {container} file can be decoded")
    return frames


def _read_header(path, container, max_seconds, max_pixels):
    """Give the number of frames, 0 if it is not known, and the most that may be."""
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
    most = np.inf if max_seconds is None else max_seconds * rate
    return max(0, int(n_frames)), most


def _count_frames(path, most):
    n_frames = 0
    with _open(path) as capture:
        while capture.grab():
            n_frames += 1
            if n_frames > most:
                raise ValueError(f"its more than {most:.0f} frames exceed max_seconds")
    return n_frames


def _grab_frames(path, positions):
    """Decode the frames at ascending positions; None if one of them is not there."""
    import cv2

    frames, position = [], 0
    with _open(path) as capture:
        for wanted in positions.tolist():
            if wanted - position > _FAR:
                capture.set(cv2.CAP_PROP_POS_FRAMES, wanted)
                position = wanted
            while position < wanted and capture.grab():
                position += 1
            there, frame = capture.read() if position == wanted else (False, None)
            if not there:
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
    """Keep FFmpeg from printing what our errors say; it asks when it first opens."""
    name = "OPENCV_FFMPEG_LOGLEVEL"
    if name in os.environ:
        yield
        return
    os.environ[name] = "-8"
    try:
        yield
    finally:
        os.environ.pop(name, None)
