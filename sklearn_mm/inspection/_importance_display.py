"""A bar plot of the importance of each modality."""

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
        The method of :func:`modality_importance`, for the label of the axis.
    scoring : str, callable or None, default=None
        The scorer's name, for the label of the axis.
    scores : dict of str to float or None, default=None
        The scores with "all" modalities and with "none", for the title.

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
        """Compute the importances and plot them.

        Parameters
        ----------
        estimator : estimator
            An estimator, see :func:`modality_importance`.
        X : DataFrame, ndarray or dict of arrays
            The table.
        y : array-like of shape (n_samples, ...)
            Target.
        method : {"permutation", "shapley", "drop"}, default="permutation"
            How importances are computed.
        modalities : dict or None, default=None
            Columns of each modality, by default those of the estimator's specs.
        scoring : str, callable or None, default=None
            A scorer or its name. By default, the estimator's ``score``.
        n_repeats : int, default=5
            Number of repeats of "permutation".
        cv : int, splitter or iterable, default=5
            Cross-validation folds for "drop".
        n_jobs : int or None, default=None
            Number of parallel jobs.
        random_state : int, RandomState or None, default=None
            Seed.
        ax : matplotlib Axes or None, default=None
            Axes to plot on; None for new ones.

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
        """Plot the result of :func:`modality_importance`.

        Parameters
        ----------
        importances : Bunch
            The result.
        ax : matplotlib Axes or None, default=None
            Axes to plot on; None for new ones.

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
        """Plot the bars.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to plot on; None for new ones.

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
        notes = [
            f"{value:.3f} with {which}"
            for which, value in (self.scores or {}).items()
            if which in ("all", "none") and np.isfinite(value)
        ]
        if notes:
            title = f"{score[0].upper()}{score[1:]}: {', '.join(notes)}"
            self.ax_.set_title(title, loc="left", fontsize="medium")
        return self
