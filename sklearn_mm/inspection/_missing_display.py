"""A plot of the score against the share of missing cells."""

from ._axes import hide_frame, make_axes, name_score


class MissingModalityDisplay:
    """The score against the share of rows where a modality is missing.

    Parameters
    ----------
    report : DataFrame
        Result of :func:`robustness_report`, with columns ``modality``, ``disturbance``,
        ``strength`` and ``score``. Disturbances other than "missing" are ignored;
        several scores of the same modality and share are averaged.
    scoring : str, callable or None, default=None
        The scorer's name, for the label of the axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes.
    figure_ : matplotlib Figure
        Figure.
    lines_ : dict of str to matplotlib Line2D
        The line of each modality.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_mm.inspection import MissingModalityDisplay
    >>> report = pd.DataFrame(
    ...     {
    ...         "modality": ["audio", "audio", "image", "image"],
    ...         "disturbance": "missing",
    ...         "strength": [0.0, 0.5, 0.0, 0.5],
    ...         "score": [0.94, 0.78, 0.94, 0.89],
    ...     }
    ... )
    >>> display = MissingModalityDisplay(report, scoring="accuracy").plot()
    >>> display.lines_["audio"].get_ydata()
    array([0.94, 0.78])
    """

    def __init__(self, report, *, scoring=None):
        self.report = report
        self.scoring = scoring

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        modalities=None,
        scoring=None,
        shares=(0, 0.1, 0.3, 0.5, 0.7),
        random_state=None,
        ax=None,
    ):
        """Score an estimator with missing cells and plot the scores.

        Parameters
        ----------
        estimator : estimator
            A fitted estimator, see :func:`robustness_report`.
        X : DataFrame, ndarray or dict of arrays
            The table.
        y : array-like of shape (n_samples, ...)
            Target.
        modalities : dict or None, default=None
            Columns of each modality, by default those of the estimator's specs.
        scoring : str, callable or None, default=None
            A scorer or its name. By default, the estimator's ``score``.
        shares : sequence of float, default=(0, 0.1, 0.3, 0.5, 0.7)
            Shares of the rows.
        random_state : int, RandomState or None, default=None
            Seed.
        ax : matplotlib Axes or None, default=None
            Axes to plot on; None for new ones.

        Returns
        -------
        MissingModalityDisplay
            The display.
        """
        from ._disturb import list_strengths
        from ._robustness import robustness_report

        report = robustness_report(
            estimator,
            X,
            y,
            modalities=modalities,
            scoring=scoring,
            shares=shares,
            # Other disturbances would not be plotted.
            strengths={
                name: dict.fromkeys(own, ())
                for name, own in list_strengths(estimator).items()
            },
            random_state=random_state,
        )
        return cls(report, scoring=scoring).plot(ax)

    def plot(self, ax=None):
        """Plot the lines.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to plot on; None for new ones.

        Returns
        -------
        MissingModalityDisplay
            The display.

        Raises
        ------
        ValueError
            If the report has no disturbance "missing".
        """
        report = self.report
        missing = report[report["disturbance"] == "missing"]
        if missing.empty:
            raise ValueError(
                "the report has no disturbance 'missing', only "
                f"{sorted(set(report['disturbance']))}."
            )
        self.ax_ = make_axes(ax, (6.4, 4.2))
        self.figure_ = self.ax_.figure
        self.lines_ = {}
        for name in dict.fromkeys(missing["modality"]):
            own = missing[missing["modality"] == name]
            scores = own.groupby("strength")["score"].mean()
            (self.lines_[name],) = self.ax_.plot(
                scores.index.to_numpy(dtype=float),
                scores.to_numpy(dtype=float),
                marker="o",
                markersize=5,
                label=str(name),
            )
        self._add_labels()
        return self

    def _add_labels(self):
        from matplotlib.ticker import PercentFormatter

        score = name_score(self.scoring)
        self.ax_.set_xlabel("Rows where the modality is missing")
        self.ax_.set_ylabel(f"{score[0].upper()}{score[1:]}")
        self.ax_.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        self.ax_.grid(axis="y", color="0.9")
        self.ax_.set_axisbelow(True)
        hide_frame(self.ax_)
        self.ax_.legend(title="Missing", frameon=False)
