"""A map of embeddings whose points are the cells themselves."""

import textwrap

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from ..modalities import read_cells
from ._axes import N_COLORS, make_axes, pick_colors
from ._cells import list_items
from ._drawing import (
    UNREADABLE,
    check_modality,
    describe_cell,
    has_picture,
    is_missing,
    make_picture,
)

#: Characters of a text that are written, and their size in points.
_N_CHARACTERS, _FONT_SIZE = 18, 7
_GRAY = (0.5, 0.5, 0.5, 1.0)


class EmbeddingDisplay:
    """A map of embeddings, on which similar samples are close together.

    Cells are drawn at their positions, for example images as thumbnails, audio as
    spectrograms and texts as words, as many as fit without overlapping. The other
    samples, or all samples if there are no cells, are dots.

    Parameters
    ----------
    embedding : array-like of shape (n_samples, 2)
        Positions on the map; rows with NaN are left out.
    cells : column or None, default=None
        The cells to draw.
    labels : array-like of shape (n_samples,) or None, default=None
        Labels that determine the colours: classes, or a continuous scale if there are
        more than 20 distinct floats. Missing labels (None, NaN) are grey.
    modality : str, Modality or None, default=None
        Modality of the cells, such as "image"; None detects it.
    root : str, PathLike or None, default=None
        Folder that paths are relative to.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes.
    figure_ : matplotlib Figure
        Figure.
    points_ : matplotlib PathCollection
        The dots of the samples whose cells are not drawn.
    thumbnails_ : list of matplotlib AnnotationBbox
        The cells that are drawn.
    shown_ : ndarray of int
        Rows of the cells that are drawn.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_mm.inspection import EmbeddingDisplay
    >>> pixels, y = load_digits(return_X_y=True)
    >>> images = pixels.reshape(-1, 8, 8)
    >>> display = EmbeddingDisplay.from_embeddings(
    ...     pixels, cells=images, modality="image", labels=y
    ... )
    >>> len(display.shown_) == len(display.thumbnails_) > 20
    True
    """

    def __init__(self, embedding, *, cells=None, labels=None, modality=None, root=None):
        self.embedding = embedding
        self.cells = cells
        self.labels = labels
        self.modality = modality
        self.root = root

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        cells=None,
        labels=None,
        transformer=None,
        modality=None,
        root=None,
        ax=None,
    ):
        """Embed samples and plot the map.

        Parameters
        ----------
        estimator : transformer
            A fitted encoder, or a pipeline that ends in one.
        X : column, DataFrame or ndarray
            The samples to transform.
        cells : column or None, default=None
            The cells to draw; often ``X`` itself.
        labels : array-like of shape (n_samples,) or None, default=None
            Labels that determine the colours.
        transformer : transformer or None, default=None
            Reduces the vectors to two dimensions, see ``from_embeddings``.
        modality : str, Modality or None, default=None
            Modality of the cells; None detects it.
        root : str, PathLike or None, default=None
            Folder that paths are relative to.
        ax : matplotlib Axes or None, default=None
            Axes to plot on; None for new ones.

        Returns
        -------
        EmbeddingDisplay
            The display.
        """
        return cls.from_embeddings(
            estimator.transform(X),
            cells=cells,
            labels=labels,
            transformer=transformer,
            modality=modality,
            root=root,
            ax=ax,
        )

    @classmethod
    def from_embeddings(
        cls,
        vectors,
        *,
        cells=None,
        labels=None,
        transformer=None,
        modality=None,
        root=None,
        ax=None,
    ):
        """Reduce vectors to two dimensions and plot the map.

        Parameters
        ----------
        vectors : array-like or sparse matrix of shape (n_samples, n_features)
            Embeddings; rows with NaN are left out.
        cells : column or None, default=None
            The cells to draw.
        labels : array-like of shape (n_samples,) or None, default=None
            Labels that determine the colours.
        transformer : transformer or None, default=None
            Reduces the vectors to two dimensions. If it is not fitted, a clone of it
            is. By default, :class:`~sklearn.decomposition.PCA`, or nothing if there are
            two dimensions already. :class:`~sklearn.manifold.TSNE` preserves
            neighbourhoods better.
        modality : str, Modality or None, default=None
            Modality of the cells; None detects it.
        root : str, PathLike or None, default=None
            Folder that paths are relative to.
        ax : matplotlib Axes or None, default=None
            Axes to plot on; None for new ones.

        Returns
        -------
        EmbeddingDisplay
            The display.
        """
        vectors = vectors if issparse(vectors) else np.asarray(vectors, dtype=float)
        # A sum is NaN where any value is.
        present = ~np.isnan(np.asarray(vectors.sum(axis=1)).ravel())
        embedding = np.full((vectors.shape[0], 2), np.nan)
        if transformer is None and vectors.shape[1] == 2 and not issparse(vectors):
            embedding[present] = vectors[present]
        else:
            embedding[present] = _reduce(transformer, vectors[present])
        display = cls(
            embedding, cells=cells, labels=labels, modality=modality, root=root
        )
        return display.plot(ax)

    def plot(self, ax=None, *, size=26):
        """Plot the map.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to plot on; None for new ones.
        size : float, default=26
            Longer side of a thumbnail, in points (1/72 inch).

        Returns
        -------
        EmbeddingDisplay
            The display.
        """
        self.ax_ = make_axes(ax, (7.6, 5.8))
        self.figure_ = self.ax_.figure
        embedding = np.asarray(self.embedding, dtype=float)
        present = np.flatnonzero(~np.isnan(embedding).any(axis=1))
        colors = self._pick_colors(len(embedding))
        self._set_limits(embedding[present], size if self.cells is not None else 0)
        self.thumbnails_, self.shown_ = [], np.array([], dtype=int)
        if self.cells is not None:
            self._draw_cells(embedding, present, colors, size)
        dots = np.setdiff1d(present, self.shown_)
        self.points_ = self.ax_.scatter(
            *embedding[dots].T,
            s=18 if self.cells is None else 6,
            color=colors[dots],
            linewidth=0,
            alpha=0.8 if self.cells is None else 0.5,
            zorder=1,
        )
        return self

    def _pick_colors(self, n_samples):
        """Return the colours, (n_samples, 4), and add their legend or colour bar."""
        if self.labels is None:
            plain = "tab:blue" if self.cells is None else "0.5"
            from matplotlib.colors import to_rgba

            return np.tile(to_rgba(plain), (n_samples, 1))
        labels = pd.Series(list(self.labels))
        check_consistent_length(self.embedding, labels)
        codes, classes = _encode(labels)
        if labels.dtype.kind == "f" and len(classes) > N_COLORS:
            return self._color_numbers(labels.to_numpy())
        palette = np.vstack([pick_colors(len(classes)), _GRAY])  # the last if missing
        if len(classes) <= N_COLORS:
            names = [*classes, *(["missing"] if (codes < 0).any() else [])]
            self._add_legend(names, [*palette[: len(classes)], _GRAY])
        return palette[codes]

    def _color_numbers(self, numbers):
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        norm = Normalize(np.nanmin(numbers), np.nanmax(numbers))
        scale = ScalarMappable(norm, "viridis")
        self.figure_.colorbar(scale, ax=self.ax_)
        colors = scale.to_rgba(numbers)
        colors[np.isnan(numbers)] = _GRAY
        return colors

    def _add_legend(self, classes, palette):
        from matplotlib.patches import Patch

        self.ax_.legend(
            handles=[Patch(color=c, label=str(n)) for n, c in zip(classes, palette)],
            loc="center left",
            bbox_to_anchor=(1.0, 0.5),
            frameon=False,
            handlelength=1,
            handleheight=1,
        )

    def _set_limits(self, positions, size):
        """Set limits that leave room for the thumbnails at the edge."""
        ax = self.ax_
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_color("0.8")
        ax.update_datalim(positions)
        ax.set_aspect("equal", adjustable="datalim")
        self.figure_.draw_without_rendering()  # the layout sizes the axes
        box = ax.get_window_extent()
        room = (size + 8) * self.figure_.dpi / 72
        ax.margins(
            0.04 + room / 2 / max(1, box.width - room),
            0.04 + room / 2 / max(1, box.height - room),
        )
        ax.autoscale_view()
        self.figure_.draw_without_rendering()

    def _draw_cells(self, embedding, present, colors, size):
        cells = read_cells(self.cells).values
        modality = check_modality(self.modality, cells, self.root)
        half_sizes, shown = [], []
        centers = self.ax_.transData.transform(embedding)
        # In the order of the rows, the first class could take all the space.
        for row in np.random.default_rng(0).permutation(present):
            if is_missing(cells[row]):
                continue
            half = _measure(cells[row], modality, size) * self.figure_.dpi / 144
            if _overlap(centers[row], half, centers[shown], half_sizes):
                continue
            try:
                content = _make_content(cells[row], modality, size, self.root)
            except UNREADABLE:
                continue
            self._add_thumbnail(content, embedding[row], colors[row])
            shown.append(row)
            half_sizes.append(half)
        self.shown_ = np.array(shown, dtype=int)

    def _add_thumbnail(self, content, position, color):
        from matplotlib.offsetbox import AnnotationBbox

        frame = {"edgecolor": color, "linewidth": 1.4, "boxstyle": "square,pad=0.08"}
        box = AnnotationBbox(content, position, pad=0, bboxprops=frame, zorder=2)
        self.thumbnails_.append(self.ax_.add_artist(box))


def _encode(labels):
    """Return the number of each label, -1 if it is missing, and the labels in order."""
    codes, classes = pd.factorize(labels)
    try:
        order = sorted(range(len(classes)), key=classes.__getitem__)
    except TypeError:  # of several types
        order = sorted(range(len(classes)), key=lambda i: str(classes[i]))
    ranks = np.append(np.argsort(order), -1)
    return ranks[codes].astype(int), [classes[i] for i in order]


def _reduce(transformer, vectors):
    if transformer is None:
        return np.asarray(PCA(2, random_state=0).fit_transform(vectors))
    try:
        check_is_fitted(transformer)
    except NotFittedError:
        return np.asarray(clone(transformer).fit_transform(vectors))
    return np.asarray(transformer.transform(vectors))


def _shorten(cell):
    text = describe_cell(cell, 10 * _N_CHARACTERS)
    short = textwrap.shorten(text, _N_CHARACTERS, placeholder="…")
    return short or text[:_N_CHARACTERS]


def _measure(cell, modality, size):
    """Return the width and height of a cell with its frame, in points."""
    if has_picture(modality):
        return np.array([size + 4, size + 4])
    return np.array([0.62 * _FONT_SIZE * len(_shorten(cell)) + 4, 13])


def _overlap(center, half, centers, half_sizes):
    """Whether a box overlaps one of those that are drawn."""
    if not half_sizes:
        return False
    near = np.abs(centers - center) < half + np.array(half_sizes)
    return near.all(axis=1).any()


def _make_content(cell, modality, size, root):
    """Make the matplotlib artist of a thumbnail."""
    from matplotlib.offsetbox import OffsetImage, TextArea

    if not has_picture(modality):
        style = {"fontsize": _FONT_SIZE, "parse_math": False}
        return TextArea(_shorten(cell), textprops=style)
    inches = size / 72
    pixels, _ = make_picture(
        list_items(cell)[0], modality, {"root": root}, (inches, inches)
    )
    return OffsetImage(pixels, zoom=size / max(pixels.shape[:2]))
