"""A plot of the training history of a network."""

import numpy as np

from ._axes import find_last, hide_frame, make_axes


class TrainingHistoryDisplay:
    """Losses and other metrics by epoch, with the best epoch marked.

    Parameters
    ----------
    history : list of dict
        One dict for each epoch: ``history_`` of a skorch net.
    metrics : list of str or None, default=None
        Metrics to plot; by default ``train_loss`` and ``valid_loss``. Those whose names
        do not end in "loss" have a separate scale on the right.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the losses.
    right_ax_ : matplotlib Axes or None
        Axes of the metrics that are not losses.
    figure_ : matplotlib Figure
        Figure.
    lines_ : dict of str to matplotlib Line2D
        The line of each metric.
    best_epoch_ : int or None
        The epoch with the lowest validation loss; None without validation data.

    Examples
    --------
    >>> from sklearn_mm.inspection import TrainingHistoryDisplay
    >>> history = [
    ...     {"epoch": 1, "train_loss": 2.0, "valid_loss": 1.9},
    ...     {"epoch": 2, "train_loss": 1.2, "valid_loss": 1.4},
    ...     {"epoch": 3, "train_loss": 0.9, "valid_loss": 1.5},
    ... ]
    >>> TrainingHistoryDisplay(history).plot().best_epoch_
    2
    """

    def __init__(self, history, *, metrics=None):
        self.history = history
        self.metrics = metrics

    @classmethod
    def from_estimator(cls, estimator, *, metrics=None, ax=None):
        """Plot the history of a trained net.

        Parameters
        ----------
        estimator : estimator
            A fitted net, or a pipeline or search that ends in one.
        metrics : list of str or None, default=None
            Metrics to plot.
        ax : matplotlib Axes or None, default=None
            Axes to plot on; None for new ones.

        Returns
        -------
        TrainingHistoryDisplay
            The display.
        """
        net = find_last(estimator)
        history = getattr(net, "history_", None)
        if not history:
            raise TypeError(
                f"{type(net).__name__} has no history_ of epochs. Use a fitted net, or "
                "a pipeline that ends in one."
            )
        return cls(history, metrics=metrics).plot(ax)

    def plot(self, ax=None):
        """Plot the lines.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to plot on; None for new ones.

        Returns
        -------
        TrainingHistoryDisplay
            The display.
        """
        history = list(self.history)
        names = self._check_metrics(history)
        self.ax_ = make_axes(ax, (6.4, 4.2))
        self.figure_ = self.ax_.figure
        epochs = [epoch.get("epoch", i) for i, epoch in enumerate(history, start=1)]
        right = [name for name in names if not name.endswith("loss")]
        # Without any loss, one scale is enough.
        both = 0 < len(right) < len(names)
        self.right_ax_ = self.ax_.twinx() if both else None
        self.lines_ = {}
        for number, name in enumerate(names):
            own = self.right_ax_ if both and name in right else self.ax_
            (self.lines_[name],) = own.plot(
                epochs,
                [epoch.get(name, np.nan) for epoch in history],
                color=f"C{number}",
                linestyle="--" if own is self.right_ax_ else "-",
                marker="o" if len(epochs) < 3 else None,
                label=name,
            )
        self._label(right)
        self._mark_best(history, epochs)
        return self

    def _check_metrics(self, history):
        known = [
            name
            for name in dict.fromkeys(name for epoch in history for name in epoch)
            if any(isinstance(e.get(name), (float, np.floating)) for e in history)
        ]
        if self.metrics is None:
            names = [name for name in ("train_loss", "valid_loss") if name in known]
            return names or known
        unknown = [name for name in self.metrics if name not in known]
        if unknown:
            raise ValueError(f"the history has no {unknown}; it has {known}.")
        return list(self.metrics)

    def _label(self, right):
        from matplotlib.ticker import MaxNLocator

        self.ax_.set_xlabel("Epoch")
        self.ax_.xaxis.set_major_locator(MaxNLocator(integer=True))
        self.ax_.grid(axis="y", color="0.92")
        hide_frame(self.ax_)
        if self.right_ax_ is not None:
            self.right_ax_.set_ylabel(", ".join(right))
            self.right_ax_.spines["top"].set_visible(False)
        losses = len(right) < len(self.lines_)
        self.ax_.set_ylabel("Loss" if losses else ", ".join(right))

    def _mark_best(self, history, epochs):
        losses = np.array([epoch.get("valid_loss", np.nan) for epoch in history], float)
        self.best_epoch_ = None
        handles = list(self.lines_.values())
        if not np.isnan(losses).all():
            best = int(np.nanargmin(losses))
            self.best_epoch_ = epochs[best]
            line = self.ax_.axvline(self.best_epoch_, color="0.5", linestyle=":")
            line.set_label(f"best epoch ({self.best_epoch_})")
            handles.append(line)
            if "valid_loss" in self.lines_:
                color = self.lines_["valid_loss"].get_color()
                self.ax_.plot(self.best_epoch_, losses[best], "o", color=color)
        self.ax_.legend(handles=handles, frameon=False)
