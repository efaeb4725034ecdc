"""Draw numbers into axes."""

import numpy as np

#: Points of a line beyond which some are skipped.
_N_POINTS = 2000


def draw_lines(cell, ax):
    """Draw an array as lines, one for each channel.

    Parameters
    ----------
    cell : array-like of shape (length,) or (length, n_channels)
        The numbers; gaps are NaN.
    ax : matplotlib Axes
        The axes.

    Returns
    -------
    list of matplotlib Line2D
        The lines.
    """
    values = np.asarray(cell, dtype=float)
    if values.ndim == 0:
        raise ValueError("it is a single number, not an array")
    step = -(-len(values) // _N_POINTS) or 1
    ax.margins(0.05, 0.1)
    return ax.plot(values[::step], linewidth=0.8)
