"""Axes, bars and colours shared by the displays."""

import numpy as np
from sklearn.pipeline import Pipeline

from .._utils.imports import import_extra

#: Largest number of classes in a legend.
N_COLORS = 20


def make_axes(ax=None, size=None):
    """Return axes to plot on: the given ones, or those of a new figure.

    Parameters
    ----------
    ax : matplotlib Axes or None
        Axes.
    size : tuple of (float, float) or None
        Width and height of a new figure, in inches.

    Returns
    -------
    matplotlib Axes
        Axes.
    """
    import_extra("matplotlib", "plot")
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="compressed")[1]


def size_for_bars(n_bars):
    """Return the size in inches of a figure with horizontal bars."""
    return 6.4, 1.4 + 0.45 * max(2, n_bars)


def draw_bars(ax, names, values, errors=None):
    """Draw horizontal bars, the largest on top.

    Parameters
    ----------
    ax : matplotlib Axes
        The axes.
    names : list of str
        Names of the bars.
    values, errors : array-like of shape (n_bars,), or None
        Lengths of the bars, and half the lengths of their error bars.

    Returns
    -------
    matplotlib BarContainer
        The bars in the order given.
    ndarray of shape (n_bars,)
        Their positions on the vertical axis.
    """
    values = np.asarray(values, dtype=float)
    positions = np.empty(len(values))
    positions[np.argsort(-values, kind="stable")] = np.arange(len(values))
    bars = ax.barh(
        positions,
        values,
        xerr=errors,
        height=0.65,
        color="tab:blue",
        error_kw={"ecolor": "0.25", "capsize": 3, "elinewidth": 1.2},
    )
    ax.set_yticks(positions, [str(name) for name in names])
    ax.set_ylim(len(values) - 0.4, -0.6)
    ax.axvline(0, color="0.6", linewidth=0.8, zorder=0)
    hide_frame(ax)
    return bars, positions


def hide_frame(ax):
    """Hide the sides of the frame that have no scale."""
    ax.spines[["top", "right"]].set_visible(False)


def pick_colors(n_colors):
    """Return distinct colours, (n_colors, 4)."""
    import matplotlib

    if n_colors <= 10:
        return matplotlib.colormaps["tab10"](np.arange(n_colors))
    if n_colors <= N_COLORS:
        # The saturated half of the colour map first.
        order = np.argsort(np.arange(N_COLORS) % 2, kind="stable")
        return matplotlib.colormaps["tab20"](order[:n_colors])
    return matplotlib.colormaps["gist_rainbow"](np.linspace(0, 1, n_colors))


def find_last(estimator):
    """Return the final estimator of nested searches and pipelines."""
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, Pipeline):
            estimator = estimator[-1]
        else:
            return estimator


def name_score(scoring):
    """Return the name of a scorer in words."""
    if isinstance(scoring, str):
        return scoring.removeprefix("neg_").replace("_", " ")
    return "score"
