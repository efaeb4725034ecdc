"""A picture of what a search finds."""

import numpy as np

from .._columns.column import as_column
from ._axes import make_axes
from ._thumbnails import draw_cell, find_drawing

_RIGHT, _WRONG, _PLAIN = "#2ca02c", "0.8", "0.6"
#: Of a row of cells: width of the gap behind the query, and gaps between cells.
_GAP, _SPACE = 0.35, 0.1


class RetrievalDisplay:
    """Queries and their best answers in a grid, those that are right framed green.

    Images are drawn, sounds as log-mel spectrograms, texts as text, series as lines.

    Parameters
    ----------
    queries : list of cells
        A row for each.
    answers : list of lists of cells
        The answers to each query, the best first; None where there is none.
    right : array-like of shape (n_queries, n_neighbors), bool, or None, default=None
        Which answers are right, where that is known.
    query_modality, target_modality : {"image", "audio", "video", "sequence", \
            "text"} or None, default=None
        How the cells are drawn; found by looking at them by default. Sounds that are
        arrays without their sampling rate need it said.
    root : str, PathLike or None, default=None
        Folder that paths are relative to.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes that hold the grid.
    axes_ : ndarray of shape (n_queries, 1 + n_neighbors) of matplotlib Axes
        The cells' axes.
    artists_ : ndarray of the same shape
        What was drawn there: AxesImage, Text, or a list of Line2D.
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
        """Search by some queries, and draw what is found.

        Parameters
        ----------
        retriever : CrossModalRetriever
            Fitted.
        queries : column, DataFrame, ndarray or dict of arrays
            A handful of cells of the query's modality, or a table that has them.
        targets : column or None, default=None
            Cells that are drawn for those that were indexed, in their order; by default
            these themselves.
        n_neighbors : int, default=5
            Number of answers.
        relevant : array-like or None, default=None
            Which targets are right: of shape (n_queries, n_targets) booleans, or of
            shape (n_queries,) the number of the one that is.
        query_labels : array-like of shape (n_queries,) or None, default=None
            Labels; right are all targets with the query's.
        target_labels : array-like of shape (n_targets,) or None, default=None
            Labels of the targets.
        query_modality : {"image", "audio", "video", "sequence", "text"} or None, \
                default=None
            How queries are drawn, see above.
        target_modality : {"image", "audio", "video", "sequence", "text"} or None, \
                default=None
            How answers are drawn.
        root : str, PathLike or None, default=None
            Folder that paths are relative to.
        ax : matplotlib Axes or None, default=None
            Axes to draw on.

        Returns
        -------
        RetrievalDisplay
            The display.
        """
        found = retriever.kneighbors(queries, n_neighbors, return_distance=False)
        cells = retriever.aligner_.select_modality(queries, retriever.query)
        targets = retriever.targets_ if targets is None else targets
        targets = as_column(targets, cls.__name__).cells
        display = cls(
            list(as_column(cells, cls.__name__).cells),
            [[targets[i] if i >= 0 else None for i in row] for row in found],
            right=_find_right(found, relevant, query_labels, target_labels),
            query_modality=query_modality,
            target_modality=target_modality,
            root=root,
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw the grid.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; new ones by default, of a figure that grows with the grid.

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
        if ax is None:  # a cell needs its place before it is filled
            self.figure_.draw_without_rendering()
        modalities = self._find_modalities(n_columns)
        self.axes_ = np.empty((n_rows, n_columns), dtype=object)
        self.artists_ = np.empty((n_rows, n_columns), dtype=object)
        for row, (query, answers) in enumerate(zip(self.queries, self.answers)):
            for column, cell in enumerate([query, *answers]):
                inner = self._place(row, column)
                self.axes_[row, column] = inner
                self.artists_[row, column] = draw_cell(
                    inner, cell, modalities[column], self.root
                )
                self._frame(inner, row, column, cell)
        for column in range(n_columns):
            title = str(column) if column else "query"
            self.axes_[0, column].set_title(title, fontsize=9, color="0.3", pad=4)
        return self

    def _find_modalities(self, n_columns):
        answers = [cell for row in self.answers for cell in row]
        query = find_drawing(self.queries, self.query_modality, self.root)
        target = find_drawing(answers, self.target_modality, self.root)
        return [query] + [target] * (n_columns - 1)

    def _place(self, row, column):
        """Make a cell's axes within the grid's."""
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

    def _frame(self, inner, row, column, cell):
        color, width = _PLAIN, 0.8
        if column and self.right is not None and cell is not None:
            is_right = self.right[row][column - 1]
            color, width = (_RIGHT, 2.5) if is_right else (_WRONG, 1.0)
        for spine in inner.spines.values():
            spine.set(edgecolor=color, linewidth=width)


def _find_right(found, relevant, query_labels, target_labels):
    """Say which of the targets found are right; None if that is not known."""
    if query_labels is not None and target_labels is not None:
        own, theirs = np.asarray(query_labels), np.asarray(target_labels)
        return (own[:, None] == theirs[found]) & (found >= 0)
    if relevant is None:
        return None
    relevant = np.asarray(relevant)
    if relevant.ndim == 1:
        return found == relevant[:, None]
    return np.take_along_axis(relevant, found, axis=1) & (found >= 0)
