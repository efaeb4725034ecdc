"""Draw one cell: into axes, or as a picture of its own."""

import textwrap
from numbers import Number

import numpy as np

from ..modalities import MODALITIES, Modality, detect_modality, read_cells
from ._cells import list_items

#: Errors of cells that cannot be read or drawn.
UNREADABLE = (ValueError, TypeError, OSError, RuntimeError)
#: Resolution of pictures, and the longest side whose own pixels are kept.
_DPI, _MAX_SIDE = 200, 640
#: Characters beyond which a text fills the axes in any font size.
_MAX_CHARACTERS = 1000
_FONT_SIZES = (9, 8, 7, 6, 5)


def check_modality(modality, cells, root=None):
    """Return the modality of cells, as given by the user or else detected.

    Parameters
    ----------
    modality : str, Modality or None
        The modality or its name; None detects it.
    cells : column
        The cells.
    root : str, PathLike or None
        Folder that paths are relative to.

    Returns
    -------
    Modality or None
        None if all cells are missing.
    """
    if modality is None:
        return detect_modality(cells, root=root)[0]
    if isinstance(modality, Modality):
        return modality
    by_name = {known.name: known for known in MODALITIES}
    if modality not in by_name:
        raise ValueError(
            f"cells can be drawn as one of {list(by_name)} or as a Modality, got "
            f"{modality!r}."
        )
    return by_name[modality]


def has_picture(modality):
    """Whether cells of a modality are drawn, and not written as text."""
    return modality is not None and modality.draw is not None


def describe_cell(cell, max_characters):
    """Return a cell as a text, or its type and size if it is bytes or an array."""
    if isinstance(cell, Number):
        text = f"{cell:.4g}"
    elif isinstance(cell, np.ndarray):
        text = f"array of shape {cell.shape}, {cell.dtype}"
    elif isinstance(cell, list | tuple):
        text = f"{type(cell).__name__} of {len(cell)}"
    elif isinstance(cell, bytes | bytearray | memoryview):
        text = f"{len(cell)} bytes"
    else:
        text = str(cell)
    return text if len(text) <= max_characters else f"{text[:max_characters]}..."


def is_missing(cell):
    """Whether a cell is missing."""
    if isinstance(cell, np.ndarray) and cell.dtype.kind == "f":
        return bool(read_cells(cell[None]).missing[0])
    return bool(read_cells([cell]).missing[0])


def draw_cell(ax, cell, modality, root=None):
    """Draw a cell into axes.

    Parameters
    ----------
    ax : matplotlib Axes
        The axes, which lose their ticks.
    cell : object
        The cell. For a cell that is missing or cannot be read, "missing" or "not
        readable" is written.
    modality : Modality or None
        Its modality.
    root : str, PathLike or None
        Folder that paths are relative to.

    Returns
    -------
    object
        A matplotlib Text, or what the modality's ``draw`` returned.
    """
    drawn = _draw(ax, cell, modality, root)
    ax.set(xticks=[], yticks=[])  # also those that `draw` set
    return drawn


def _draw(ax, cell, modality, root):
    if is_missing(cell):
        return _write(ax, "missing", color="0.5", style="italic")
    if not has_picture(modality):
        return _write(ax, describe_cell(cell, _MAX_CHARACTERS))
    try:
        return modality.draw(modality.open_cell(list_items(cell)[0], root=root), ax)
    except UNREADABLE:
        return _write(ax, "not readable", color="0.5", style="italic")


def make_picture(cell, modality, files, size=(2.0, 0.75)):
    """Draw a cell as a picture.

    Parameters
    ----------
    cell : object
        The cell, which is not missing.
    modality : Modality
        Its modality, which can draw.
    files : dict
        Arguments of ``Modality.open_cell``.
    size : tuple of (float, float)
        Width and height in inches. An image that fills the axes keeps its own pixels.

    Returns
    -------
    ndarray of shape (height, width, 4)
        Red, green, blue and alpha: floats in [0, 1], or uint8.
    str
        The description that ``draw`` set as the label of the axes, or "".

    Raises
    ------
    UNREADABLE
        If the cell cannot be read or drawn.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(size, _DPI, facecolor="none")
    canvas = FigureCanvasAgg(figure)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_axis_off()
    empty = set(ax.get_children())
    modality.draw(modality.open_cell(cell, **files), ax)
    drawn = [artist for artist in ax.get_children() if artist not in empty]
    pixels = _get_pixels(drawn, ax)
    if pixels is None:
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())
    return pixels, ax.get_label()


def _get_pixels(artists, ax):
    """Return the pixels of a single undistorted image, None if there is more to see."""
    from matplotlib.image import AxesImage

    if len(artists) != 1 or not isinstance(artists[0], AxesImage):
        return None
    image = artists[0]
    if ax.get_aspect() != 1 or max(image.get_size()) > _MAX_SIDE:
        return None
    pixels = image.to_rgba(image.get_array())
    return pixels if image.origin == "upper" else pixels[::-1]


def _write(ax, text, **style):
    """Write text in the largest font size in which it fits into the axes."""
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
