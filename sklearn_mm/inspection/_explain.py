"""The prediction for one row: by each modality alone, with weights, and fused."""

from html import escape

import numpy as np
import pandas as pd
from sklearn.base import is_classifier

from ..modalities import read_cells
from ..tables import n_rows, read_table
from ._cells import blank_cells, name_columns, take_column
from ._declared import find_column_modalities, find_declared, find_files
from ._html import render_cell
from ._modalities import find_core, find_modalities, list_others
from ._predictions import find_present, ignore_abstention

#: Number of classes that are printed, the most probable ones.
_N_SHOWN = 5


class Explanation:
    """Predictions for one row, by each modality alone and fused.

    Returned by :func:`explain`. It prints as a table; notebooks show the cells as well,
    as pictures if matplotlib is installed.

    Parameters
    ----------
    probabilities : DataFrame of shape (n_modalities + 1, n_classes)
        Class probabilities by each modality alone, NaN where it is missing, and a last
        row "fused". A model without probabilities has 1 for the predicted class and 0
        for the others; a regressor has one column "prediction", or one for each output.
    weights : Series of shape (n_modalities,) or None
        Weights of the modalities in a vote. Those of the modalities that do not abstain
        sum to one.
    prediction : object
        The fused prediction.
    cells : dict of str to list
        Tuples (column name, modality of the cell, cell) by modality; a missing cell is
        None.
    files : dict of str to dict
        ``root`` and ``filesystem`` by modality, see ``Modality.open_cell``.

    Attributes
    ----------
    modalities : list of str
        Names of the modalities.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_mm.inspection import Explanation
    >>> proba = pd.DataFrame({"no": [0.3, 0.2], "yes": [0.7, 0.8]}, ["image", "fused"])
    >>> Explanation(proba, None, "yes", {"image": []}, {})
    prediction: yes
           yes   no
    image  0.7  0.3
    fused  0.8  0.2
    """

    def __init__(self, probabilities, weights, prediction, cells, files):
        self.probabilities = probabilities
        self.weights = weights
        self.prediction = prediction
        self.modalities = list(cells)
        self._cells = cells
        self._files = files

    def __repr__(self):
        """Return the table of the most probable classes."""
        table = self._shorten()
        if self.weights is not None:
            table = table.assign(weight=self.weights)
        shown = table.round(3).to_string(na_rep="")
        return f"prediction: {self.prediction}\n{shown}"

    def _repr_html_(self):
        """Return the table with the cells."""
        table = self._shorten()
        head = ["", "cells", *table.columns]
        head += [] if self.weights is None else ["weight"]
        lines = ["".join(f"<th>{escape(str(name))}</th>" for name in head)]
        for name, row in table.iterrows():
            numbers = list(row)
            if self.weights is not None:
                numbers.append(self.weights.get(name, np.nan))
            values = ["" if np.isnan(number) else f"{number:.3g}" for number in numbers]
            cells = [f"<b>{escape(str(name))}</b>", self._render(name), *values]
            lines.append("".join(f"<td>{cell}</td>" for cell in cells))
        rows = "".join(f"<tr>{line}</tr>" for line in lines)
        prediction = escape(str(self.prediction))
        return f"<table>{rows}</table><p>prediction: <b>{prediction}</b></p>"

    def _shorten(self):
        """Return the columns of the classes that are most probable after fusion."""
        columns = self.probabilities.columns
        if not self.modalities or list(columns) == ["prediction"]:
            return self.probabilities
        fused = self.probabilities.loc["fused"].to_numpy()
        return self.probabilities.iloc[:, np.argsort(-fused, kind="stable")[:_N_SHOWN]]

    def _render(self, name):
        rendered = []
        cells = self._cells.get(name, [])
        files = self._files.get(name, {})
        for column, modality, cell in cells:
            label = f"{escape(str(column))}: " if len(cells) > 1 else ""
            value = "missing" if cell is None else render_cell(cell, modality, files)
            rendered.append(f"{label}{value}")
        return "<br>".join(rendered)


def explain(estimator, x, *, modalities=None):
    """Explain the prediction for one row by its modalities.

    Parameters
    ----------
    estimator : estimator
        A fitted fusion estimator or joint net, a pipeline or search around one, or
        any estimator of tables that accepts missing cells. Its cells are shown by the
        modalities that its parts declare or detected for their columns.
    x : DataFrame, Series, ndarray or dict of arrays
        One row of the table.
    modalities : dict of str to columns or None, default=None
        Columns of each modality. By default, those of the estimator's specs; if it has
        none, or they overlap or select columns with a callable, each column is a
        modality.

    Returns
    -------
    Explanation
        With ``probabilities`` by each modality alone, all others missing, and fused;
        ``weights`` of a vote, None if there is no vote or its weights depend on the row
        (``weights="confidence"``); ``prediction``; ``modalities``.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_mm import MultimodalVotingClassifier
    >>> from sklearn_mm.inspection import explain
    >>> X, y = load_digits(n_class=3, return_X_y=True)  # halves of digits
    >>> X, model = X / 16, LogisticRegression()
    >>> fusion = MultimodalVotingClassifier(
    ...     [("upper", model, slice(0, 32)), ("lower", model, slice(32, 64))],
    ...     weights=[1, 3],
    ... ).fit(X[:300], y[:300])
    >>> X[400, :32] = float("nan")
    >>> explain(fusion, X[400:401])
    prediction: 1
               1      2      0  weight
    upper                          0.0
    lower  0.491  0.372  0.136     1.0
    fused  0.491  0.372  0.136
    """
    X = _as_row(x)
    columns = find_modalities(estimator, X, modalities)
    present = {
        name: bool(rows[0])
        for name, rows in find_present(estimator, X, columns).items()
    }
    names, fused, prediction = _predict_row(estimator, X)
    proba = {name: np.full(len(fused), np.nan) for name in columns}
    for name in columns:
        if present[name]:
            alone = blank_cells(X, list_others(columns, name))
            proba[name] = _predict_row(estimator, alone)[1]
    proba["fused"] = fused
    probabilities = pd.DataFrame.from_dict(proba, orient="index", columns=names)
    declared = find_declared(estimator)
    files = {name: find_files(estimator, name) for name in columns}
    cells = {
        name: _take_cells(X, keys, declared, files[name])
        for name, keys in columns.items()
    }
    weights = _find_weights(find_core(estimator)[0], present)
    return Explanation(probabilities, weights, prediction, cells, files)


def _as_row(x):
    if isinstance(x, pd.Series):
        x = x.to_frame().T.infer_objects()
    elif isinstance(x, np.ndarray) and x.ndim == 1:
        x = x[None]
    x = read_table(x)
    if n_rows(x) != 1:
        raise ValueError(
            f"explain takes one row, got {n_rows(x)}. X.iloc[[0]] is the first row."
        )
    return x


def _predict_row(estimator, X):
    """Return names of classes or outputs, their numbers, and the prediction."""
    with ignore_abstention():
        prediction = np.asarray(estimator.predict(X))[0]
        if not is_classifier(estimator):
            numbers = np.ravel(prediction)
            names = [f"prediction{i}" for i in range(len(numbers))]
            return names if len(names) > 1 else ["prediction"], numbers, prediction
        classes = estimator.classes_
        if not hasattr(estimator, "predict_proba"):
            return list(classes), (classes == prediction).astype(float), prediction
        proba = estimator.predict_proba(X)
    if isinstance(proba, list):
        names = [f"{i}_{label}" for i, own in enumerate(classes) for label in own]
        return names, np.concatenate([part[0] for part in proba]), prediction
    return list(classes), np.asarray(proba)[0], prediction


def _take_cells(X, keys, declared, files):
    """Return tuples (column name, modality of the cell, cell)."""
    names = name_columns(X)
    modalities = find_column_modalities(X, keys, declared, files)
    taken = []
    for key in keys:
        cells = read_cells(take_column(X, key))
        cell = None if cells.missing[0] else cells.values[0]
        taken.append((names[key], modalities[key], cell))
    return taken


def _find_weights(core, present):
    """Return the weights of the modalities that do not abstain, None without a vote."""
    weights = getattr(core, "weights_", None)
    strategy = getattr(core, "weights", None)
    by_row = isinstance(strategy, str) and strategy == "confidence"
    fitted = getattr(core, "named_estimators_", {})
    names = [n for n, member in fitted.items() if not isinstance(member, str)]
    if weights is None or by_row or set(names) != set(present):
        return None
    weights = pd.Series(np.asarray(weights, dtype=float), names)[list(present)]
    weights *= pd.Series(present)
    guarded = getattr(core, "guarded_", None)
    if guarded == "equal weights" or not weights.any():
        weights = pd.Series(present, dtype=float)
    elif guarded is not None and present[guarded]:
        weights = pd.Series(weights.index == guarded, weights.index, dtype=float)
    return weights / weights.sum() if weights.any() else weights
