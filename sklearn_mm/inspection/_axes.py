"""Axes, bars and colours that the displays share."""

import numpy as np
from sklearn.pipeline import Pipeline

from .._utils.imports import import_extra

#: Classes that a legend can tell apart.
N_COLORS = 20


def make_axes(ax=None, size=None):
    """Give axes to draw on: those given, or the only ones of a new figure.

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
    """Give a figure's size in which bars are neither fat nor thin."""
    return 6.4, 1.4 + 0.45 * max(2, n_bars)


def draw_bars(ax, names, values, errors=None):
    """Draw horizontal bars, the largest on top.

    Parameters
    ----------
    ax : matplotlib Axes
        Where.
    names : list of str
        What each is of.
    values, errors : array-like of shape (n_bars,), or None
        Lengths, and half the length of the error bars.

    Returns
    -------
    matplotlib BarContainer
        The bars in the order given.
    ndarray of shape (n_bars,)
        Their places on the axis.
    """
    values = np.asarray(values, dtype=float)
    places = np.empty(len(values))
    places[np.argsort(-values, kind="stable")] = np.arange(len(values))
    bars = ax.barh(
        places,
        values,
        xerr=errors,
        height=0.65,
        color="tab:blue",
        error_kw={"ecolor": "0.25", "capsize": 3, "elinewidth": 1.2},
    )
    ax.set_yticks(places, [str(name) for name in names])
    ax.set_ylim(len(values) - 0.4, -0.6)
    ax.axvline(0, color="0.6", linewidth=0.8, zorder=0)
    hide_frame(ax)
    return bars, places


def hide_frame(ax):
    """Leave the two sides of the frame that carry the scales."""
    ax.spines[["top", "right"]].set_visible(False)


def pick_colors(n_colors):
    """Give as many colours, told apart as well as they can be: (n_colors, 4)."""
    import matplotlib

    if n_colors <= 10:
        return matplotlib.colormaps["tab10"](np.arange(n_colors))
    if n_colors <= N_COLORS:
        # The strong half of the map first.
        order = np.argsort(np.arange(N_COLORS) % 2, kind="stable")
        return matplotlib.colormaps["tab20"](order[:n_colors])
    return matplotlib.colormaps["gist_rainbow"](np.linspace(0, 1, n_colors))


def find_last(estimator):
    """Give the estimator that decides: a search's best, a pipeline's last step."""
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, Pipeline):
            estimator = estimator[-1]
        else:
            return estimator


def name_score(scoring):
    """Name what a score measures, in words."""
    if isinstance(scoring, str):
        return scoring.removeprefix("neg_").replace("_", " ")
    return "score"
