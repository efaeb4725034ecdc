"""Histograms of the gradients and colours of loaded images."""

from numbers import Integral

import numpy as np

from .._columns.base import BaseArrayEncoder
from .._utils.constraints import PairOfCounts
from .._utils.imports import Interval, StrOptions
from ._descriptors import count_gradients, count_values, normalize_blocks


class HOGEncoder(BaseArrayEncoder):
    """Histograms of oriented gradients of loaded images.

    Gradient directions, modulo 180 degrees, are counted within cells, weighted by
    magnitude; blocks of cells are normalised together ("L2-Hys"). In a colour image
    each pixel uses the channel with the largest gradient. The transformer is stateless.

    Parameters
    ----------
    orientations : int, default=9
        Number of directions.
    cell_size : tuple of (int, int), default=(7, 7)
        Height and width of a cell in pixels. Pixels beyond the last complete cell are
        ignored.
    block_size : tuple of (int, int), default=(2, 2)
        Rows and columns of cells that are normalised together.

    Attributes
    ----------
    sample_shape_ : tuple of int
        Shape of the images seen in ``fit``.

    References
    ----------
    N. Dalal and B. Triggs (2005), "Histograms of oriented gradients for human
    detection", CVPR.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm import HOGEncoder
    >>> images = np.random.default_rng(0).random((3, 28, 28))
    >>> HOGEncoder().fit_transform(images).shape
    (3, 324)
    """

    _ragged = False
    _gaps = False
    _parameter_constraints: dict = {
        "orientations": [Interval(Integral, 1, None, closed="left")],
        "cell_size": [PairOfCounts("height, width")],
        "block_size": [PairOfCounts("rows, columns")],
    }

    def __init__(self, orientations=9, cell_size=(7, 7), block_size=(2, 2)):
        self.orientations = orientations
        self.cell_size = cell_size
        self.block_size = block_size

    def _check_array(self, array):
        return _check_images(array, type(self).__name__)

    def _encode(self, array):
        cells = self._grid(array.shape[1:])
        step = max(1, 2**20 // array[0].size)  # images per batch, to bound the memory
        return np.concatenate(
            [
                normalize_blocks(
                    count_gradients(
                        array[i : i + step], self.orientations, self.cell_size, cells
                    ),
                    self.block_size,
                )
                for i in range(0, len(array), step)
            ]
        )

    def _grid(self, sample_shape):
        height, width = sample_shape[:2]
        cells = height // self.cell_size[0], width // self.cell_size[1]
        if cells[0] < self.block_size[0] or cells[1] < self.block_size[1]:
            raise ValueError(
                f"HOGEncoder: images of {height}x{width} pixels are smaller than one "
                f"block of block_size={self.block_size} cells of "
                f"cell_size={self.cell_size} pixels. Load larger images or use smaller "
                "cells."
            )
        return cells

    def _feature_names(self, sample_shape):
        cells = self._grid(sample_shape)
        blocks = (n - b + 1 for n, b in zip(cells, self.block_size))
        shape = (*blocks, *self.block_size, self.orientations)
        return [
            f"hog_block{a}_{b}_cell{c}_{d}_direction{e}"
            for a, b, c, d, e in np.ndindex(shape)
        ]


class ColorHistogramEncoder(BaseArrayEncoder):
    """Histograms of the values of loaded images, one per channel.

    Each histogram sums to one. The transformer is stateless.

    Parameters
    ----------
    bins : int, default=8
        Number of equal bins over the range of a channel.
    color_space : {"hsv", "rgb"}, default="hsv"
        Colour space of the channels (hue, saturation and value, or red, green and
        blue). Gray images have one channel, their intensity.
    grid : tuple of (int, int), default=(1, 1)
        Rows and columns of equal parts of the image, each with its own histograms.

    Attributes
    ----------
    sample_shape_ : tuple of int
        Shape of the images seen in ``fit``.

    References
    ----------
    M. J. Swain and D. H. Ballard (1991), "Color indexing", International Journal of
    Computer Vision 7.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm import ColorHistogramEncoder
    >>> images = np.random.default_rng(0).random((3, 28, 28, 3))
    >>> ColorHistogramEncoder(bins=4).fit_transform(images).shape
    (3, 12)
    """

    _ragged = False
    _gaps = False
    _parameter_constraints: dict = {
        "bins": [Interval(Integral, 1, None, closed="left")],
        "color_space": [StrOptions({"hsv", "rgb"})],
        "grid": [PairOfCounts("rows, columns")],
    }

    def __init__(self, bins=8, color_space="hsv", grid=(1, 1)):
        self.bins = bins
        self.color_space = color_space
        self.grid = grid

    def _check_array(self, array):
        array = _check_images(array, type(self).__name__)
        height, width = array.shape[1:3]
        if self.grid[0] > height or self.grid[1] > width:
            raise ValueError(
                f"ColorHistogramEncoder: images of {height}x{width} pixels have fewer "
                f"rows or columns than grid={self.grid}. Load larger images or use a "
                "smaller grid."
            )
        # Comparisons with NaN, that is with missing images, are False.
        if (array > 1.001).any() or (array < 0).any():
            raise ValueError(
                "ColorHistogramEncoder: expected values in [0, 1]. Load the images "
                "with scale=True."
            )
        return array

    def _encode(self, array):
        return count_values(self._convert(array), self.bins, self.grid)

    def _convert(self, array):
        if array.ndim == 3:
            return array[..., None]
        if self.color_space == "rgb":
            return array
        import cv2

        flat = np.ascontiguousarray(array).reshape(-1, array.shape[2], 3)
        hsv = cv2.cvtColor(flat, cv2.COLOR_RGB2HSV) / np.float32([360, 1, 1])
        return hsv.reshape(array.shape)

    def _feature_names(self, sample_shape):
        channels = self.color_space if len(sample_shape) == 3 else ["gray"]
        shape = (*self.grid, len(channels), self.bins)
        return [f"{channels[c]}_part{a}_{b}_bin{d}" for a, b, c, d in np.ndindex(shape)]


def _check_images(array, owner):
    if array.ndim == 3 or (array.ndim == 4 and array.shape[3] == 3):
        return array
    raise ValueError(
        f"{owner}: expected images (n_samples, H, W) or (n_samples, H, W, 3), got "
        f"{array.shape}. Put an ImageLoader before it."
    )
