"""A matrix of how often modalities agree."""

import numpy as np
import pandas as pd
from sklearn.base import is_regressor
from sklearn.pipeline import Pipeline

from ..tables import n_rows, read_table, select_columns, select_rows
from ._axes import find_last, make_axes
from ._modalities import find_keys
from ._predictions import find_present


class ModalityAgreementDisplay:
    """How often the predictions of two modalities, or their fusion, agree.

    Modalities that always agree add little to each other. A modality that rarely agrees
    with the others is either wrong or has information that they lack.

    Parameters
    ----------
    agreement : array-like of shape (n_names, n_names)
        Shares of rows or correlations; NaN where no row has both predictions.
    names : list of str
        Names of the rows and columns.
    measure : {"agreement", "correlation"}, default="agreement"
        What the values are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes.
    figure_ : matplotlib Figure
        Figure.
    image_ : matplotlib AxesImage
        The matrix.
    text_ : ndarray of shape (n_names, n_names) of matplotlib Text
        The values in the matrix.

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
        """Compare the predictions of each modality and of their fusion.

        Parameters
        ----------
        estimator : estimator
            A fitted fusion estimator (voting or stacking), or a pipeline or search
            that ends in one.
        X : DataFrame, ndarray or SliceDict with n_samples rows
            The table, preferably of held-out rows.
        y : array-like of shape (n_samples,) or None, default=None
            The target, which is compared as "true".
        ax : matplotlib Axes or None, default=None
            Axes to plot on; None for new ones.

        Returns
        -------
        ModalityAgreementDisplay
            The display.
        """
        predictions = _predict_by_modality(estimator, X)
        predictions["fused"] = estimator.predict(X)
        if y is not None:
            predictions["true"] = np.asarray(y)
        measure = "correlation" if is_regressor(estimator) else "agreement"
        return cls.from_predictions(predictions, measure=measure, ax=ax)

    @classmethod
    def from_predictions(cls, predictions, *, measure="agreement", ax=None):
        """Compare predictions and plot their agreement.

        Parameters
        ----------
        predictions : dict of str to array-like of shape (n_samples,)
            Predictions by name; None or NaN where there is none.
        measure : {"agreement", "correlation"}, default="agreement"
            Share of rows with equal predictions, or Pearson's correlation, on rows
            where both predictions exist.
        ax : matplotlib Axes or None, default=None
            Axes to plot on; None for new ones.

        Returns
        -------
        ModalityAgreementDisplay
            The display.
        """
        if measure not in ("agreement", "correlation"):
            raise ValueError(
                f"measure must be 'agreement' or 'correlation', got {measure!r}."
            )
        columns = [_check_1d(name, column) for name, column in predictions.items()]
        if len({len(column) for column in columns}) > 1:
            lengths = {name: len(column) for name, column in predictions.items()}
            raise ValueError(f"predictions must be for the same rows, got {lengths}.")
        compare = _correlate if measure == "correlation" else _compute_agreement
        agreement = np.array([[compare(a, b) for b in columns] for a in columns])
        return cls(agreement, list(predictions), measure=measure).plot(ax)

    def plot(self, ax=None, *, cmap=None, colorbar=True):
        """Plot the matrix.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to plot on; None for new ones.
        cmap : str, matplotlib Colormap or None, default=None
            Colour map. By default, "Blues", or "RdBu" for correlations.
        colorbar : bool, default=True
            Whether to add a colour bar.

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
            label = "Correlation" if signed else "Share of rows with equal predictions"
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


def _predict_by_modality(estimator, X):
    """Return the predictions of each modality by name; None where it abstains."""
    estimator = getattr(estimator, "best_estimator_", estimator)
    if isinstance(estimator, Pipeline):
        X = estimator[:-1].transform(X) if len(estimator) > 1 else X
    fusion = find_last(estimator)
    if not hasattr(fusion, "named_estimators_"):
        raise TypeError(
            f"{type(fusion).__name__} has no model for each modality. Use a fitted "
            "voting or stacking estimator, or from_predictions."
        )
    X = read_table(X)
    members = fusion.named_estimators_
    columns = {
        name: selected(X) if callable(selected) else selected
        for name, _, selected in fusion.estimators
        if not isinstance(members[name], str)  # "drop"
    }
    keys = {name: find_keys(X, selected) for name, selected in columns.items()}
    predictions = {}
    for name, present in find_present(fusion, X, keys).items():
        rows = np.flatnonzero(present)
        predictions[name] = np.full(n_rows(X), None, dtype=object)
        if len(rows):
            own = select_rows(select_columns(X, columns[name]), rows)
            predictions[name][rows] = _predict_labels(fusion, name, own)
    return predictions


def _predict_labels(fusion, name, X):
    """Predict by one modality's model; a classifier's classes stand for labels."""
    model = fusion.named_estimators_[name]
    predicted = np.asarray(model.predict(X))
    if not hasattr(fusion, "member_classes_"):
        return predicted
    return fusion.member_classes_[name][np.searchsorted(model.classes_, predicted)]


def _check_1d(name, predictions):
    predictions = np.asarray(predictions, dtype=object)
    if predictions.ndim == 2 and predictions.shape[1] == 1:
        predictions = predictions[:, 0]
    if predictions.ndim != 1:
        raise ValueError(
            f"predictions of {name!r} must be one for each row, got an array of shape "
            f"{predictions.shape}. Compare one output at a time."
        )
    return predictions


def _select_common(a, b):
    """Return both predictions on the rows where both exist."""
    both = ~(pd.isna(a) | pd.isna(b))
    return a[both], b[both]


def _compute_agreement(a, b):
    a, b = _select_common(a, b)
    return np.mean(a == b) if len(a) else np.nan


def _correlate(a, b):
    a, b = (column.astype(float) for column in _select_common(a, b))
    if len(a) < 2 or a.std() == 0 or b.std() == 0:
        return np.nan
    return np.corrcoef(a, b)[0, 1]
