"""A picture of what a score loses as cells of a modality go missing."""

from ._axes import hide_frame, make_axes, name_score


class MissingModalityDisplay:
    """The score against the share of rows that a modality is missing from.

    Parameters
    ----------
    report : DataFrame
        What :func:`robustness_report` returns: columns ``modality``, ``disturbance``,
        ``strength`` and ``score``. Rows of other disturbances than "missing" are left
        out; several scores of one modality and share are averaged.
    scoring : str, callable or None, default=None
        What is scored; names the axis.

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
        """Take cells away, score the estimator, and draw the scores.

        Parameters
        ----------
        estimator : estimator
            Fitted.
        X : DataFrame, ndarray or dict of arrays
            The table.
        y : array-like of shape (n_samples, ...)
            Target.
        modalities : dict or None, default=None
            The modalities' columns, where the estimator does not tell.
        scoring : str, callable or None, default=None
            What is scored.
        shares : sequence of float, default=(0, 0.1, 0.3, 0.5, 0.7)
            Shares of rows.
        random_state : int, RandomState or None, default=None
            Seed.
        ax : matplotlib Axes or None, default=None
            Axes to draw on.

        Returns
        -------
        MissingModalityDisplay
            The display.
        """
        from ._disturb_table import DISTURBANCES
        from ._robustness import robustness_report

        report = robustness_report(
            estimator,
            X,
            y,
            modalities=modalities,
            scoring=scoring,
            shares=shares,
            # Noise and the like would be computed to be left out.
            strengths={
                kind: dict.fromkeys(own, ()) for kind, own in DISTURBANCES.items()
            },
            random_state=random_state,
        )
        return cls(report, scoring=scoring).plot(ax)

    def plot(self, ax=None):
        """Draw the lines.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; new ones by default.

        Returns
        -------
        MissingModalityDisplay
            The display.

        Raises
        ------
        ValueError
            If the report has no row of missing cells.
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
        self._label()
        return self

    def _label(self):
        from matplotlib.ticker import PercentFormatter

        score = name_score(self.scoring)
        self.ax_.set_xlabel("Rows where the modality is missing")
        self.ax_.set_ylabel(f"{score[0].upper()}{score[1:]}")
        self.ax_.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        self.ax_.grid(axis="y", color="0.9")
        self.ax_.set_axisbelow(True)
        hide_frame(self.ax_)
        self.ax_.legend(title="Missing", frameon=False)
