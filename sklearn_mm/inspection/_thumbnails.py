"""Draw one cell: a picture, a sound's spectrogram, a text in lines, a series."""

import textwrap
from numbers import Number

import numpy as np

from .._columns.column import as_column, find_missing
from .._columns.files import names_file, read_source
from .._modalities.detect import detect_modality
from ..audio import LogMelSpectrogram
from ..audio._signal import as_signal, decode_audio
from ..image._pixels import (
    as_pixels,
    convert_color,
    decode_image,
    one_thread,
    pixel_maximum,
    resize,
)
from ..video import VideoLoader

#: Pixels of the longer side of a picture: enough for an inch and a half.
_SIDE = 160
#: Bounds on what a cell may cost.
_MAX_PIXELS, _MAX_BYTES, _MAX_SECONDS = 2**26, 2**28, 600
#: Sampling rate of sounds that come without one, as AudioLoader has it (Hz).
_SAMPLING_RATE = 16_000
_PICTURES = ("image", "audio", "video")
_FONT_SIZES = (9, 8, 7, 6, 5)


def find_drawing(cells, modality=None, root=None):
    """Say how cells are to be drawn.

    Parameters
    ----------
    cells : column
        The cells.
    modality : {"image", "audio", "video", "sequence", "text"} or None
        What they are; found by looking at them if None.
    root : str, PathLike or None
        Folder that paths are relative to.

    Returns
    -------
    str
        One of these modalities.
    """
    known = (*_PICTURES, "sequence", "text")
    if modality is None:
        modality, _ = detect_modality(as_column(cells, "display"), root)
        modality = "sequence" if modality == "vector" else modality
        return modality if modality in known else "text"
    if modality not in known:
        raise ValueError(f"cells can be drawn as one of {known}, got {modality!r}.")
    return modality


def is_picture(modality):
    """Whether cells of a modality become pictures of pixels."""
    return modality in _PICTURES


def is_missing(cell):
    """Whether a cell is missing."""
    cells = np.empty(1, dtype=object)
    cells[0] = cell
    if isinstance(cell, np.ndarray) and cell.dtype.kind == "f":
        cells = cell[None]
    return bool(find_missing(cells)[0])


def make_picture(cell, modality, root=None):
    """Make a picture of an image, a sound or a video.

    Parameters
    ----------
    cell : object
        The cell.
    modality : {"image", "audio", "video"}
        What it is.
    root : str, PathLike or None
        Folder that paths are relative to.

    Returns
    -------
    ndarray of shape (height, width, 3), float32
        Red, green and blue from 0 to 1: the image; the log-mel spectrogram, time from
        left to right and low frequencies below; the frame in the middle.

    Raises
    ------
    ValueError
        If the cell cannot be read.
    """
    make = {"image": _read_image, "audio": _draw_spectrogram, "video": _read_frame}
    with one_thread():
        return make[modality](cell, root)


def draw_cell(ax, cell, modality, root=None):
    """Fill axes with a cell.

    Parameters
    ----------
    ax : matplotlib Axes
        The axes, which lose their ticks.
    cell : object
        The cell; "missing" or "not readable" is written where it is.
    modality : {"image", "audio", "video", "sequence", "text"}
        What it is.
    root : str, PathLike or None
        Folder that paths are relative to.

    Returns
    -------
    matplotlib AxesImage, Text, or list of Line2D
        What was drawn.
    """
    ax.set_xticks([])
    ax.set_yticks([])
    if is_missing(cell):
        return _write(ax, "missing", color="0.5", style="italic")
    try:
        if is_picture(modality):
            aspect = "auto" if modality == "audio" else "equal"
            picture = make_picture(cell, modality, root)
            return ax.imshow(picture, aspect=aspect, interpolation="nearest")
        if modality == "sequence":
            return _draw_lines(ax, cell)
    except (ValueError, TypeError, OSError):
        return _write(ax, "not readable", color="0.5", style="italic")
    return _write(ax, str(cell))


def _read_image(cell, root):
    if names_file(cell):
        data = read_source(cell, root=root, max_bytes=_MAX_BYTES)
        cover = (_SIDE, _SIDE)
        pixels, _ = decode_image(data, "rgb", max_pixels=_MAX_PIXELS, cover=cover)
        order = "bgr"
    else:
        pixels, order = as_pixels(cell, max_pixels=_MAX_PIXELS), "rgb"
    maximum = pixel_maximum(pixels.dtype)
    picture = np.nan_to_num(convert_color(pixels, order, "rgb").astype(np.float32))
    picture /= max(maximum, picture.max()) or 1  # floats need not end at 1
    return _shrink(picture.clip(0, 1))


def _read_frame(cell, root):
    loader = VideoLoader(1, (_SIDE, _SIDE), "rgb", "middle", root=root)
    return loader.transform([cell])[0, 0]


def _draw_spectrogram(cell, root):
    import matplotlib

    if names_file(cell):
        data = read_source(cell, root=root, max_bytes=_MAX_BYTES)
        signal, rate = decode_audio(data, max_seconds=_MAX_SECONDS)
    elif isinstance(cell, tuple) and len(cell) == 2 and isinstance(cell[1], Number):
        signal, rate = as_signal(cell[0]), int(cell[1])
    else:
        signal, rate = as_signal(cell), _SAMPLING_RATE
    decibel = LogMelSpectrogram(rate, n_mels=40).transform([signal])[0]
    floor = np.percentile(decibel, 5)  # the noise, which would take half the colours
    level = (decibel - floor) / max(decibel.max() - floor, 1)  # (n_frames, n_mels)
    colors = matplotlib.colormaps["magma"](level.T[::-1].clip(0, 1))[..., :3]
    return resize(colors.astype(np.float32), _SIDE * 5 // 8, _SIDE).clip(0, 1)


def _shrink(picture):
    ratio = _SIDE / max(picture.shape[:2])
    if ratio >= 1:
        return picture
    height, width = (max(1, round(side * ratio)) for side in picture.shape[:2])
    return resize(picture, height, width)


def _draw_lines(ax, cell):
    values = np.asarray(cell, dtype=float)
    lines = ax.plot(values, linewidth=0.8)
    ax.margins(0.05, 0.1)
    return lines


def _write(ax, text, **style):
    """Write a text in the largest font in which its lines fit into the axes."""
    box = ax.get_window_extent()
    points = 72 / ax.figure.dpi
    width, height = 0.94 * box.width * points, 0.94 * box.height * points
    for size in _FONT_SIZES:
        n_columns = max(4, int(width / (0.6 * size)))
        n_lines = max(1, int(height / (1.25 * size)))
        lines = textwrap.wrap(text, n_columns, break_long_words=False) or [""]
        fits = max(map(len, lines)) <= n_columns
        if len(lines) <= n_lines and fits:
            break
    else:
        lines = textwrap.wrap(text, n_columns, max_lines=n_lines, placeholder=" …")
    return ax.text(
        0.5,
        0.5,
        "\n".join(lines),
        transform=ax.transAxes,
        ha="center",
        va="center",
        fontsize=size,
        linespacing=1.15,
        parse_math=False,
        clip_on=True,
        **style,
    )
