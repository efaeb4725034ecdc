"""A bar plot of the weights of a vote."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._axes import draw_bars, find_last, make_axes, size_for_bars

_MEANING = {"learned": "Learned weight", "confidence": "Reliability"}


class FusionWeightsDisplay:
    """Bars of the weights that modalities are fused with.

    Parameters
    ----------
    weights : array-like of shape (n_modalities,) or (n_estimators, n_modalities)
        Weights of one estimator, or of several, such as one for each fold. For several,
        bars are means, error bars are standard deviations, and points are weights.
    modalities : list of str
        Names of the modalities.
    meaning : str, default="Weight"
        What the weights mean, for the label of the axis.
    guarded : str or None, default=None
        The modality, or "equal weights", that the guard chose because fusion did not
        improve on it.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes.
    figure_ : matplotlib Figure
        Figure.
    bars_ : matplotlib BarContainer
        Bars in the order of ``modalities``.
    points_ : matplotlib PathCollection or None
        The weights of several estimators, estimator by estimator.

    Examples
    --------
    >>> from sklearn_mm.inspection import FusionWeightsDisplay
    >>> folds = [[0.7, 0.3], [0.6, 0.4]]
    >>> display = FusionWeightsDisplay(folds, ["audio", "image"]).plot()
    >>> [round(float(bar.get_width()), 2) for bar in display.bars_]
    [0.65, 0.35]
    """

    def __init__(self, weights, modalities, *, meaning="Weight", guarded=None):
        self.weights = weights
        self.modalities = modalities
        self.meaning = meaning
        self.guarded = guarded

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Plot the weights of a fitted voting estimator, or of several.

        Parameters
        ----------
        estimator : estimator, or list of estimators
            Fitted voting estimators, or pipelines or searches that end in one, for
            example those that :func:`~sklearn.model_selection.cross_validate` returns
            with ``return_estimator=True``.
        ax : matplotlib Axes or None, default=None
            Axes to plot on; None for new ones.

        Returns
        -------
        FusionWeightsDisplay
            The display. A modality that an estimator lacks has weight 0 there.
        """
        several = isinstance(estimator, (list, tuple, np.ndarray))
        votes = [find_last(each) for each in (estimator if several else [estimator])]
        own = [_find_weights(vote) for vote in votes]
        names = list(dict.fromkeys(name for each in own for name in each))
        weights = np.array([[each.get(name, 0.0) for name in names] for each in own])
        strategy = votes[0].weights
        display = cls(
            weights if several else weights[0],
            names,
            meaning=_MEANING.get(
                strategy if isinstance(strategy, str) else None, "Weight"
            ),
            guarded=None if several else getattr(votes[0], "guarded_", None),
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Plot the bars.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to plot on; None for new ones.

        Returns
        -------
        FusionWeightsDisplay
            The display.
        """
        self.ax_ = make_axes(ax, size_for_bars(len(self.modalities)))
        self.figure_ = self.ax_.figure
        weights = np.atleast_2d(np.asarray(self.weights, dtype=float))
        several = len(weights) > 1
        errors = weights.std(axis=0, ddof=1) if several else None
        self.bars_, positions = draw_bars(
            self.ax_, self.modalities, weights.mean(axis=0), errors
        )
        self.points_ = None
        if several:
            self.points_ = self.ax_.scatter(
                weights.ravel(),
                np.tile(positions, len(weights)) + 0.2,
                s=22,
                color="0.2",
                edgecolor="white",
                linewidth=0.6,
                zorder=3,
            )
        self.ax_.set_xlim(left=0)
        self.ax_.set_xlabel(self.meaning)
        if self.guarded is not None:
            title = f"Guarded: {self.guarded}"
            if self.guarded != "equal weights":
                title += " decides where it answers"
            self.ax_.set_title(title, loc="left", fontsize="medium")
        return self


def _find_weights(vote):
    """Return the weights by modality."""
    check_is_fitted(vote)
    if not hasattr(vote, "weights_"):
        raise TypeError(
            f"{type(vote).__name__} has no weights_. Use a fitted voting estimator."
        )
    members = vote.named_estimators_.items()
    names = [name for name, model in members if not isinstance(model, str)]
    return dict(zip(names, np.asarray(vote.weights_, dtype=float)))
