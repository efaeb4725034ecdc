"""A picture of which modalities say the same."""

import numpy as np
import pandas as pd
from sklearn.base import is_regressor
from sklearn.pipeline import Pipeline

from .._members.columns import annotate, select_columns
from .._members.rows import predict_present
from ._axes import find_last, make_axes


class ModalityAgreementDisplay:
    """How often each two modalities, and what was made of them, agree.

    Modalities that always agree add little to one another; one that agrees with none is
    wrong, or knows what the others do not.

    Parameters
    ----------
    agreement : array-like of shape (n_names, n_names)
        Shares of rows or correlations; NaN where no row has both answers.
    names : list of str
        What the rows and columns are.
    measure : {"agreement", "correlation"}, default="agreement"
        What the numbers are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes.
    figure_ : matplotlib Figure
        Figure.
    image_ : matplotlib AxesImage
        The matrix.
    text_ : ndarray of shape (n_names, n_names) of matplotlib Text
        The numbers in it.

    Examples
    --------
    >>> from sklearn_mm.inspection import ModalityAgreementDisplay
    >>> display = ModalityAgreementDisplay.from_predictions(
    ...     {"audio": ["yes", "no", None], "image": ["yes", "yes", "no"]}
    ... )
    >>> display.agreement
    array([[1. , 0.5],
           [0.5, 1. ]])
    """

    def __init__(self, agreement, names, *, measure="agreement"):
        self.agreement = agreement
        self.names = names
        self.measure = measure

    @classmethod
    def from_estimator(cls, estimator, X, y=None, *, ax=None):
        """Ask each modality's model and all fused, and draw how far they agree.

        Parameters
        ----------
        estimator : estimator
            A fitted fusion estimator (voting or stacking), or a pipeline or search
            that ends in one.
        X : DataFrame, ndarray or SliceDict with n_samples rows
            The table; rows that were not fitted on tell most.
        y : array-like of shape (n_samples,) or None, default=None
            The target, to be compared as "true".
        ax : matplotlib Axes or None, default=None
            Axes to draw on.

        Returns
        -------
        ModalityAgreementDisplay
            The display.
        """
        predictions = _ask_modalities(estimator, X)
        predictions["fused"] = estimator.predict(X)
        if y is not None:
            predictions["true"] = np.asarray(y)
        measure = "correlation" if is_regressor(estimator) else "agreement"
        return cls.from_predictions(predictions, measure=measure, ax=ax)

    @classmethod
    def from_predictions(cls, predictions, *, measure="agreement", ax=None):
        """Compare predictions, and draw how far they agree.

        Parameters
        ----------
        predictions : dict of str to array-like of shape (n_samples,)
            Predictions by name; None or NaN where there is none.
        measure : {"agreement", "correlation"}, default="agreement"
            Share of rows on which two say the same, or Pearson's correlation, both of
            rows that both answer.
        ax : matplotlib Axes or None, default=None
            Axes to draw on.

        Returns
        -------
        ModalityAgreementDisplay
            The display.
        """
        if measure not in ("agreement", "correlation"):
            raise ValueError(
                f"measure must be 'agreement' or 'correlation', got {measure!r}."
            )
        answers = [_as_answers(name, told) for name, told in predictions.items()]
        if len({len(told) for told in answers}) > 1:
            lengths = {name: len(told) for name, told in predictions.items()}
            raise ValueError(f"predictions must be of the same rows, got {lengths}.")
        compare = _correlate if measure == "correlation" else _find_agreement
        agreement = np.array([[compare(a, b) for b in answers] for a in answers])
        return cls(agreement, list(predictions), measure=measure).plot(ax)

    def plot(self, ax=None, *, cmap=None, colorbar=True):
        """Draw the matrix.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; new ones by default.
        cmap : str, matplotlib Colormap or None, default=None
            Colours; "Blues", of correlations "RdBu".
        colorbar : bool, default=True
            Whether to draw the scale of colours.

        Returns
        -------
        ModalityAgreementDisplay
            The display.
        """
        values = np.asarray(self.agreement, dtype=float)
        n_names = len(values)
        side = 2.2 + 0.62 * max(3, n_names)
        self.ax_ = make_axes(ax, (side + 0.6, side - 0.2))
        self.figure_ = self.ax_.figure
        signed = self.measure == "correlation"
        self.image_ = self.ax_.imshow(
            values,
            cmap=cmap or ("RdBu" if signed else "Blues"),
            vmin=-1 if signed else 0,
            vmax=1,
        )
        self.text_ = np.empty(values.shape, dtype=object)
        for (row, column), value in np.ndenumerate(values):
            self.text_[row, column] = self._annotate(row, column, value)
        self.ax_.set_xticks(
            range(n_names), self.names, rotation=35, ha="right", rotation_mode="anchor"
        )
        self.ax_.set_yticks(range(n_names), self.names)
        self.ax_.tick_params(length=0)
        if colorbar:
            label = "Correlation" if signed else "Share of rows with the same answer"
            self.figure_.colorbar(self.image_, ax=self.ax_, label=label, fraction=0.046)
        return self

    def _annotate(self, row, column, value):
        if np.isnan(value):
            text, color = "none", "0.4"
        else:
            red, green, blue, _ = self.image_.cmap(self.image_.norm(value))
            dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.5
            text, color = f"{value:.2f}", "white" if dark else "black"
        return self.ax_.text(column, row, text, color=color, ha="center", va="center")


def _ask_modalities(estimator, X):
    """Give each modality's predictions by name; None where it abstains."""
    estimator = getattr(estimator, "best_estimator_", estimator)
    if isinstance(estimator, Pipeline):
        X = estimator[:-1].transform(X) if len(estimator) > 1 else X
    fusion = find_last(estimator)
    if not hasattr(fusion, "named_estimators_"):
        raise TypeError(
            f"{type(fusion).__name__} has no model for each modality. Give a fitted "
            "voting or stacking estimator, or use from_predictions."
        )
    predictions = {}
    for name, _, columns in fusion.estimators:
        model = fusion.named_estimators_[name]
        if isinstance(model, str):  # "drop"
            continue
        columns = columns(X) if callable(columns) else columns
        with annotate(name, columns):
            rows, told = predict_present(model, select_columns(X, columns), "predict")
        predictions[name] = np.full(len(X), None, dtype=object)
        if len(rows):
            predictions[name][rows] = np.asarray(told)
    return predictions


def _as_answers(name, told):
    answers = np.asarray(told, dtype=object)
    if answers.ndim == 2 and answers.shape[1] == 1:
        answers = answers[:, 0]
    if answers.ndim != 1:
        raise ValueError(
            f"predictions of {name!r} must be one for each row, got an array of shape "
            f"{answers.shape}. Compare one output at a time."
        )
    return answers


def _both_answer(a, b):
    both = ~(pd.isna(a) | pd.isna(b))
    return a[both], b[both]


def _find_agreement(a, b):
    a, b = _both_answer(a, b)
    return np.mean(a == b) if len(a) else np.nan


def _correlate(a, b):
    a, b = (told.astype(float) for told in _both_answer(a, b))
    if len(a) < 2 or a.std() == 0 or b.std() == 0:
        return np.nan
    return np.corrcoef(a, b)[0, 1]
