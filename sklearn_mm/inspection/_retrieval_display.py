"""A grid of queries and the results of a search."""

import numpy as np
import pandas as pd

from ..modalities import read_cells
from ._axes import make_axes
from ._drawing import check_modality, draw_cell

_RIGHT, _WRONG, _PLAIN = "#2ca02c", "0.8", "0.6"
#: Widths of the gap after the query, and between cells, relative to a cell.
_GAP, _SPACE = 0.35, 0.1


class RetrievalDisplay:
    """A grid of queries and their best results, with relevant results framed in green.

    Each cell is drawn according to its modality: images as they are, audio as
    spectrograms, sequences as lines, and other cells as text.

    Parameters
    ----------
    queries : list of cells
        The queries, one for each row of the grid.
    answers : list of lists of cells
        The results of each query, the best first; None where there is none.
    right : array-like of shape (n_queries, n_neighbors), bool, or None, default=None
        Which results are relevant, if known.
    query_modality, target_modality : str, Modality or None, default=None
        Modalities of the cells, such as "image"; None detects them. Audio arrays
        without a sampling rate are detected as sequences.
    root : str, PathLike or None, default=None
        Folder that paths are relative to.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes that hold the grid.
    axes_ : ndarray of shape (n_queries, 1 + n_neighbors) of matplotlib Axes
        The cells' axes.
    artists_ : ndarray of the same shape
        What was drawn there: Text, or what the modality's ``draw`` returns, such as
        AxesImage or a list of Line2D.
    figure_ : matplotlib Figure
        Figure.

    Examples
    --------
    >>> from sklearn_mm.inspection import RetrievalDisplay
    >>> display = RetrievalDisplay(
    ...     ["a red one", "a green one"],
    ...     [["light red", "dark green"], ["dark green", "light green"]],
    ...     right=[[True, False], [True, True]],
    ... )
    >>> display.plot().axes_.shape
    (2, 3)
    """

    def __init__(
        self,
        queries,
        answers,
        *,
        right=None,
        query_modality=None,
        target_modality=None,
        root=None,
    ):
        self.queries = queries
        self.answers = answers
        self.right = right
        self.query_modality = query_modality
        self.target_modality = target_modality
        self.root = root

    @classmethod
    def from_estimator(
        cls,
        retriever,
        queries,
        targets=None,
        *,
        n_neighbors=5,
        relevant=None,
        query_labels=None,
        target_labels=None,
        query_modality=None,
        target_modality=None,
        root=None,
        ax=None,
    ):
        """Search for some queries and plot the results.

        Parameters
        ----------
        retriever : CrossModalRetriever
            A fitted retriever.
        queries : column, DataFrame, ndarray or dict of arrays
            A few cells of the query modality, or a table that contains them.
        targets : column or None, default=None
            Cells to draw in place of the indexed ones, in the same order; None draws
            the indexed cells.
        n_neighbors : int, default=5
            Number of results.
        relevant : array-like or None, default=None
            Relevant targets: booleans of shape (n_queries, n_targets), or the index of
            the one relevant target of each query, of shape (n_queries,).
        query_labels : array-like of shape (n_queries,) or None, default=None
            Labels of the queries. Targets with the same label are relevant.
        target_labels : array-like of shape (n_targets,) or None, default=None
            Labels of the targets.
        query_modality : str, Modality or None, default=None
            Modality of the queries; None detects it.
        target_modality : str, Modality or None, default=None
            Modality of the targets; None detects it.
        root : str, PathLike or None, default=None
            Folder that paths are relative to.
        ax : matplotlib Axes or None, default=None
            Axes to plot on; None for new ones.

        Returns
        -------
        RetrievalDisplay
            The display.
        """
        found = retriever.kneighbors(queries, n_neighbors, return_distance=False)
        cells = retriever.aligner_.select_modality(queries, retriever.query)
        targets = retriever.targets_ if targets is None else targets
        targets = read_cells(targets).values
        display = cls(
            list(read_cells(cells).values),
            [[targets[i] if i >= 0 else None for i in row] for row in found],
            right=_find_relevant(found, relevant, query_labels, target_labels),
            query_modality=query_modality,
            target_modality=target_modality,
            root=root,
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Plot the grid.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to plot on; None for new ones, whose size depends on the grid.

        Returns
        -------
        RetrievalDisplay
            The display.
        """
        n_rows, n_columns = len(self.queries), 1 + len(self.answers[0])
        size = 1.15 * (n_columns + _GAP), 1.15 * n_rows + 0.3
        self.ax_ = make_axes(ax, size)
        self.figure_ = self.ax_.figure
        self.ax_.set_axis_off()
        if ax is None:  # the size of a cell determines the font size
            self.figure_.draw_without_rendering()
        modalities = self._find_modalities(n_columns)
        self.axes_ = np.empty((n_rows, n_columns), dtype=object)
        self.artists_ = np.empty((n_rows, n_columns), dtype=object)
        for row, (query, answers) in enumerate(zip(self.queries, self.answers)):
            for column, cell in enumerate([query, *answers]):
                inner = self._add_axes(row, column)
                self.axes_[row, column] = inner
                self.artists_[row, column] = draw_cell(
                    inner, cell, modalities[column], self.root
                )
                self._set_frame(inner, row, column, cell)
        for column in range(n_columns):
            title = str(column) if column else "query"
            self.axes_[0, column].set_title(title, fontsize=9, color="0.3", pad=4)
        return self

    def _find_modalities(self, n_columns):
        answers = [cell for row in self.answers for cell in row]
        query = check_modality(self.query_modality, self.queries, self.root)
        target = check_modality(self.target_modality, answers, self.root)
        return [query] + [target] * (n_columns - 1)

    def _add_axes(self, row, column):
        """Add the inner axes of a cell."""
        n_rows, n_columns = self.axes_.shape
        width, top = 1 / (n_columns + _GAP), 0.97
        height = top / n_rows
        left = (column + (_GAP if column else 0)) * width
        bottom = top - (row + 1) * height
        margin_x, margin_y = _SPACE / 2 * width, _SPACE / 2 * height
        return self.ax_.inset_axes(
            [
                left + margin_x,
                bottom + margin_y,
                width - 2 * margin_x,
                height - 2 * margin_y,
            ]
        )

    def _set_frame(self, inner, row, column, cell):
        color, width = _PLAIN, 0.8
        if column and self.right is not None and cell is not None:
            is_right = self.right[row][column - 1]
            color, width = (_RIGHT, 2.5) if is_right else (_WRONG, 1.0)
        for spine in inner.spines.values():
            spine.set(edgecolor=color, linewidth=width)


def _find_relevant(found, relevant, query_labels, target_labels):
    """Return which results are relevant, (n_queries, n_neighbors); None if unknown."""
    if query_labels is not None and target_labels is not None:
        queries, targets = (
            pd.Series(list(labels), dtype=object).to_numpy()
            for labels in (query_labels, target_labels)
        )
        known = ~pd.isna(queries)[:, None]  # a missing label equals no other
        return (queries[:, None] == targets[found]) & known & (found >= 0)
    if relevant is None:
        return None
    relevant = np.asarray(relevant)
    if relevant.ndim == 1:
        return found == relevant[:, None]
    return np.take_along_axis(relevant, found, axis=1) & (found >= 0)
