"""One cell as HTML: a thumbnail, a waveform, escaped text, a number."""

import base64
from html import escape
from numbers import Number

import numpy as np

from .._columns.column import describe_cell
from ..image._pixels import as_pixels, convert_color, one_thread, pixel_maximum
from ._disturb_table import read_image, read_signal

_SIDE = 96  # of a thumbnail, in pixels
_WIDTH, _HEIGHT = 200, 48  # of a curve
_MOST_CHARACTERS = 300
_MOST_ITEMS = 4


def render_cell(cell, kind, files):
    """Show a cell.

    Parameters
    ----------
    cell : object
        The cell.
    kind : str
        What it is, as :mod:`sklearn_mm._modalities.detect` names it.
    files : dict
        Arguments of ``read_source``.

    Returns
    -------
    str
        HTML in which all that came from the cell is escaped.
    """
    if isinstance(cell, list) and kind in ("image", "audio"):
        shown = [render_cell(item, kind, files) for item in cell[:_MOST_ITEMS]]
        return " ".join(shown)
    draw = {"image": _draw_image, "audio": _draw_audio, "sequence": _draw_sequence}
    if kind not in draw:
        return _write(cell)
    try:
        return draw[kind](cell, files)
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        return f"{_write(cell)} <em>cannot be shown: {escape(str(error))}</em>"


def _draw_image(cell, files):
    import cv2

    pixels = as_pixels(read_image(cell, files))
    white = pixel_maximum(pixels.dtype)
    white = max(white, pixels.max()) if pixels.dtype.kind == "f" else white
    pixels = np.clip(pixels * (255 / white), 0, 255).astype(np.uint8)
    height, width = pixels.shape[:2]
    ratio = _SIDE / max(height, width)
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    how = cv2.INTER_AREA if ratio < 1 else cv2.INTER_NEAREST
    with one_thread():
        pixels = cv2.resize(
            convert_color(pixels, "rgb", "rgb"), size, interpolation=how
        )
        _, data = cv2.imencode(".png", pixels[..., ::-1])
    code = base64.b64encode(data.tobytes()).decode()
    return f'<img alt="{width} x {height} pixels" src="data:image/png;base64,{code}">'


def _draw_audio(cell, files):
    signal, rate = read_signal(cell, files)
    if signal is None:
        return "nothing but padding"
    parts = np.array_split(signal, min(_WIDTH, len(signal)))
    ends = [(part.min(), part.max()) for part in parts]
    length = f"{len(signal)} samples" if rate is None else f"{len(signal) / rate:.2f} s"
    return f"{_draw_curves([np.ravel(ends)])} {length}"


def _draw_sequence(cell, files):
    values = np.asarray(cell, dtype=float)
    channels = values.reshape(len(values), -1).T
    step = -(-len(values) // _WIDTH)
    return f"{_draw_curves(channels[:, ::step])} {len(values)} steps"


def _draw_curves(curves):
    low, high = np.nanmin(curves), np.nanmax(curves)
    lines = []
    for values in curves:
        x = np.linspace(0, _WIDTH, len(values))
        y = _HEIGHT * (1 - (values - low) / ((high - low) or 1))
        there = ~np.isnan(y)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x[there], y[there]))
        lines.append(f'<polyline fill="none" stroke="currentColor" points="{points}"/>')
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    return f"<svg {size}>{''.join(lines)}</svg>"


def _write(cell):
    if isinstance(cell, Number):
        return escape(f"{cell:.4g}")
    if isinstance(cell, np.ndarray | list | tuple):
        return escape(describe_cell(cell))
    text = describe_cell(cell) if isinstance(cell, bytes) else str(cell)
    if len(text) > _MOST_CHARACTERS:
        text = f"{text[:_MOST_CHARACTERS]}..."
    return escape(text)
