"""Draw a sequence into axes."""

from .._columns.drawing import draw_lines


def draw(cell, ax):
    """Draw a sequence as lines, one for each channel.

    Parameters
    ----------
    cell : array-like of shape (time,) or (time, channels)
        The sequence.
    ax : matplotlib Axes
        The axes.

    Returns
    -------
    list of matplotlib Line2D
        The lines.
    """
    ax.set_label(f"{len(cell)} steps")
    return draw_lines(cell, ax)
