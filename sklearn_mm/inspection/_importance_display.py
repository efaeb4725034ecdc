"""A picture of how much each modality matters."""

import numpy as np

from ._axes import draw_bars, make_axes, name_score, size_for_bars

_MEANING = {
    "permutation": "Loss in {score} when permuted",
    "drop": "Loss in {score} when left out",
    "shapley": "Shapley value of the {score}",
}


class ModalityImportanceDisplay:
    """Bars of each modality's importance, the most important one on top.

    Parameters
    ----------
    importances_mean : array-like of shape (n_modalities,)
        Importances.
    modalities : list of str
        Names of the modalities.
    standard_errors : array-like of shape (n_modalities,) or None, default=None
        Half the length of the error bars.
    method : {"permutation", "shapley", "drop"} or None, default=None
        What the importances are; names the axis.
    scoring : str, callable or None, default=None
        What is scored.
    scores : dict of str to float or None, default=None
        The score with "all" modalities and with "none", if known; noted on top.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes.
    figure_ : matplotlib Figure
        Figure.
    bars_ : matplotlib BarContainer
        Bars in the order of ``modalities``.

    Examples
    --------
    >>> from sklearn_mm.inspection import ModalityImportanceDisplay
    >>> display = ModalityImportanceDisplay(
    ...     [0.31, 0.12],
    ...     ["audio", "image"],
    ...     standard_errors=[0.02, 0.01],
    ...     method="permutation",
    ...     scoring="accuracy",
    ...     scores={"all": 0.94},
    ... )
    >>> [float(bar.get_width()) for bar in display.plot().bars_]
    [0.31, 0.12]
    """

    def __init__(
        self,
        importances_mean,
        modalities,
        *,
        standard_errors=None,
        method=None,
        scoring=None,
        scores=None,
    ):
        self.importances_mean = importances_mean
        self.modalities = modalities
        self.standard_errors = standard_errors
        self.method = method
        self.scoring = scoring
        self.scores = scores

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        method="permutation",
        modalities=None,
        scoring=None,
        n_repeats=5,
        cv=5,
        n_jobs=None,
        random_state=None,
        ax=None,
    ):
        """Find the importances, and draw them.

        Parameters
        ----------
        estimator : estimator
            What :func:`modality_importance` takes.
        X : DataFrame, ndarray or dict of arrays
            The table.
        y : array-like of shape (n_samples, ...)
            Target.
        method : {"permutation", "shapley", "drop"}, default="permutation"
            How importances are found.
        modalities : dict or None, default=None
            The modalities' columns, where the estimator does not tell.
        scoring : str, callable or None, default=None
            What is scored.
        n_repeats : int, default=5
            Number of times that it is done.
        cv : int, splitter or iterable, default=5
            Folds, for methods that fit.
        n_jobs : int or None, default=None
            Number of processes.
        random_state : int, RandomState or None, default=None
            Seed.
        ax : matplotlib Axes or None, default=None
            Axes to draw on.

        Returns
        -------
        ModalityImportanceDisplay
            The display.
        """
        from ._importance import modality_importance

        result = modality_importance(
            estimator,
            X,
            y,
            method=method,
            modalities=modalities,
            scoring=scoring,
            n_repeats=n_repeats,
            cv=cv,
            n_jobs=n_jobs,
            random_state=random_state,
        )
        return cls.from_importances(result, ax=ax)

    @classmethod
    def from_importances(cls, importances, *, ax=None):
        """Draw what :func:`modality_importance` returned.

        Parameters
        ----------
        importances : Bunch
            Its result.
        ax : matplotlib Axes or None, default=None
            Axes to draw on.

        Returns
        -------
        ModalityImportanceDisplay
            The display.
        """
        display = cls(
            importances["importances_mean"],
            importances["modalities"],
            standard_errors=importances.get("standard_errors"),
            method=importances.get("method"),
            scoring=importances.get("scoring"),
            scores=importances.get("scores"),
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; new ones by default.

        Returns
        -------
        ModalityImportanceDisplay
            The display.
        """
        self.ax_ = make_axes(ax, size_for_bars(len(self.modalities)))
        self.figure_ = self.ax_.figure
        self.bars_, _ = draw_bars(
            self.ax_, self.modalities, self.importances_mean, self.standard_errors
        )
        score = name_score(self.scoring)
        meaning = _MEANING.get(self.method, "Importance")
        self.ax_.set_xlabel(meaning.format(score=score))
        noted = [
            f"{value:.3f} with {which}"
            for which, value in (self.scores or {}).items()
            if which in ("all", "none") and np.isfinite(value)
        ]
        if noted:
            title = f"{score[0].upper()}{score[1:]}: {', '.join(noted)}"
            self.ax_.set_title(title, loc="left", fontsize="medium")
        return self
