"""Load frames of video files, bytes and arrays into one array."""

from numbers import Integral, Real

import numpy as np

from .._columns.base import BaseLoader
from .._columns.column import as_column
from .._columns.files import as_file, names_file
from .._utils.constraints import PairOfCounts
from .._utils.imports import Interval, StrOptions, is_instance
from ..image._pixels import (
    as_depth,
    as_pixels,
    check_range,
    check_size,
    convert_color,
    one_thread,
    pixel_maximum,
    resize,
)
from ._frames import choose_frames, read_frames

_COUNT = Interval(Integral, 1, None, closed="left")


def _is_pil(cell):
    return is_instance(cell, "PIL.Image", "Image")


class VideoLoader(BaseLoader):
    """Load a column of videos into one array of frames.

    A cell is a path, encoded bytes (AVI, MP4, MOV, Matroska, WebM, MPEG, or another
    format that OpenCV's FFmpeg decodes), or an array ``(time, H, W)`` or ``(time, H, W,
    3)`` in RGB order. The audio track is not read: keep audio in a column of its own.
    The transformer is stateless.

    Parameters
    ----------
    n_frames : int, default=8
        Number of frames of the output. Shorter videos are padded with NaN.
    size : tuple of (int, int), default=(64, 64)
        Height and width of a frame, in pixels.
    color : {"gray", "rgb"}, default="gray"
        Gray frames have no channel axis.
    sampling : {"uniform", "middle"}, default="uniform"
        Which frames to load: the middle one of each of ``n_frames`` equal parts, or
        ``n_frames`` consecutive ones from the middle of the video.
    scale : bool, default=True
        Scale the values to [0, 1].
    root : str, PathLike or None, default=None
        Folder that paths are relative to. If given, absolute paths, ``..`` and symbolic
        links that leave it are refused.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that cannot be read: raise :class:`LoadError` after all
        cells have been tried, or treat them as missing, with or without a warning.
    max_seconds : float or None, default=600
        Maximum duration of one video, checked before it is decoded.
    max_pixels : int or None, default=2**26
        Maximum height times width of a frame, checked before it is decoded.
    max_bytes : int or None, default=2**30
        Maximum size of one file, in bytes.
    filesystem : fsspec filesystem or None, default=None
        Opens the paths instead of the operating system, including remote ones.
    n_jobs : int or None, default=None
        Number of threads.

    See Also
    --------
    PooledEncoder : With ``split_arrays=True``, encodes the frames and pools them.
    NetClassifier : Trains networks on the frames.

    Notes
    -----
    Of a video that was cut without encoding, only the frames that are shown are read. A
    video counts as damaged if fewer than nine tenths of the frames that its header
    announces can be decoded.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm import VideoLoader
    >>> clip = np.zeros((40, 48, 64, 3), dtype=np.uint8)
    >>> VideoLoader(n_frames=5).fit_transform([clip, clip[:2], None]).shape
    (3, 5, 64, 64)
    """

    _parameter_constraints: dict = {
        **BaseLoader._parameter_constraints,
        "n_frames": [_COUNT],
        "size": [PairOfCounts("height, width")],
        "color": [StrOptions({"gray", "rgb"})],
        "sampling": [StrOptions({"uniform", "middle"})],
        "scale": ["boolean"],
        "max_seconds": [Interval(Real, 0, None, closed="neither"), None],
        "max_pixels": [_COUNT, None],
    }

    def __init__(
        self,
        n_frames=8,
        size=(64, 64),
        color="gray",
        sampling="uniform",
        *,
        scale=True,
        root=None,
        on_error="raise",
        max_seconds=600,
        max_pixels=2**26,
        max_bytes=2**30,
        filesystem=None,
        n_jobs=None,
    ):
        self.n_frames = n_frames
        self.size = size
        self.color = color
        self.sampling = sampling
        self.scale = scale
        self.root = root
        self.on_error = on_error
        self.max_seconds = max_seconds
        self.max_pixels = max_pixels
        self.max_bytes = max_bytes
        self.filesystem = filesystem
        self.n_jobs = n_jobs

    def transform(self, X):
        """Load every video.

        Parameters
        ----------
        X : column of videos
            Paths, bytes or arrays, or an array ``(n_samples, time, H, W[, 3])``.

        Returns
        -------
        ndarray of shape (n_samples, n_frames, height, width[, 3]), float32
            Padded with NaN at the end; all NaN where a video is missing.

        Raises
        ------
        LoadError
            If a video cannot be read and ``on_error="raise"``.
        """
        column = as_column(X, type(self).__name__)
        videos = np.full((len(column), *self._get_shape()), np.nan, dtype=np.float32)
        with one_thread():
            self._read_into(videos, column)
        return videos

    def read(self, cell):
        """Load one video.

        Parameters
        ----------
        cell : str, PathLike, bytes or ndarray
            The video.

        Returns
        -------
        ndarray of shape (n_frames, height, width[, 3]), float32
            What ``transform`` returns for this cell, padded with NaN at the end.
        """
        video = np.full(self._get_shape(), np.nan, dtype=np.float32)
        height, width = check_size(self.size)
        with one_thread():
            frames, order = self._decode(cell)
            for place, frame in zip(video, frames):
                pixels = convert_color(resize(frame, height, width), order, self.color)
                factor = 1 / pixel_maximum(frame.dtype) if self.scale else 1
                np.multiply(pixels, factor, out=place, casting="unsafe")
        return video

    def _get_shape(self):
        channels = (3,) if self.color == "rgb" else ()
        return self.n_frames, *check_size(self.size), *channels

    @staticmethod
    def _as_clip(cell):
        """Return an array (time, H, W[, C]) whose frames agree in what white is."""
        if isinstance(cell, (list, tuple)) and any(map(_is_pil, cell)):
            cell = np.stack([as_pixels(frame) for frame in cell])
        clip = np.asarray(cell)
        if clip.ndim not in (3, 4) or _is_pil(cell):
            raise TypeError(
                "expected a path, bytes, or an array (time, H, W) or (time, H, W, 3), "
                f"got {type(cell).__name__} of shape {clip.shape}"
            )
        if clip.size == 0:
            raise ValueError(f"its shape {clip.shape} holds no frames")
        return as_depth(clip) if clip.dtype.kind in "iu" else clip

    def _decode(self, cell):
        """Return at most ``n_frames`` frames, and the order of their channels."""
        if names_file(cell):
            source = {"root": self.root, "filesystem": self.filesystem}
            with as_file(cell, max_bytes=self.max_bytes, **source) as path:
                frames = read_frames(
                    path,
                    self.n_frames,
                    self.sampling,
                    max_seconds=self.max_seconds,
                    max_pixels=self.max_pixels,
                )
            return frames, "bgr"
        cell = self._as_clip(cell)
        chosen = choose_frames(len(cell), self.n_frames, self.sampling)
        frames = [as_pixels(cell[i], max_pixels=self.max_pixels) for i in chosen]
        if self.scale:
            for frame in frames:
                check_range(frame)
        return frames, "rgb"
