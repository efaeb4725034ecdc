"""Compute histograms of the oriented gradients and of the values of images."""

import numpy as np


def count_gradients(images, orientations, cell_size, cells):
    """Count gradient directions within cells, weighted by magnitude.

    Parameters
    ----------
    images : ndarray of shape (n_samples, H, W) or (n_samples, H, W, 3)
        Pixels.
    orientations : int
        Number of directions within 180 degrees.
    cell_size : tuple of (int, int)
        Height and width of a cell in pixels.
    cells : tuple of (int, int)
        Rows and columns of cells.

    Returns
    -------
    ndarray of shape (n_samples, rows, columns, orientations)
        Mean magnitude per pixel for each direction.
    """
    down, right = _make_gradients(images)  # (n_samples, H, W) each
    rows, columns = (n * size for n, size in zip(cells, cell_size))
    down, right = down[:, :rows, :columns], right[:, :rows, :columns]
    angle = np.rad2deg(np.arctan2(down, right)) % 180
    direction = (angle * (orientations / 180)).astype(np.intp)
    direction = np.minimum(direction, orientations - 1)  # 180 - eps rounds up
    cell_row = np.arange(rows) // cell_size[0] * cells[1]
    cell = cell_row[:, None] + np.arange(columns) // cell_size[1]  # (rows, columns)
    n_cells = cells[0] * cells[1]
    first = np.arange(len(images))[:, None, None] * n_cells
    counts = np.bincount(
        ((first + cell) * orientations + direction).ravel(),
        weights=np.hypot(down, right).ravel(),
        minlength=len(images) * n_cells * orientations,
    )
    counts /= cell_size[0] * cell_size[1]
    return counts.reshape(len(images), *cells, orientations)


def _make_gradients(images):
    """Compute central differences down and right of the steepest channel of each pixel.

    They are 0 at the border.
    """
    down = np.zeros_like(images)
    right = np.zeros_like(images)
    down[:, 1:-1] = images[:, 2:] - images[:, :-2]
    right[:, :, 1:-1] = images[:, :, 2:] - images[:, :, :-2]
    if images.ndim == 4:
        steepest = np.argmax(np.hypot(down, right), axis=3)[..., None]
        down = np.take_along_axis(down, steepest, axis=3)[..., 0]
        right = np.take_along_axis(right, steepest, axis=3)[..., 0]
    return down, right


def normalize_blocks(histograms, block_size):
    """Normalise blocks of cells to length one, clip at 0.2, and normalise again.

    Parameters
    ----------
    histograms : ndarray of shape (n_samples, rows, columns, orientations)
        Counts of each cell.
    block_size : tuple of (int, int)
        Rows and columns of cells per block; blocks overlap.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        Concatenated blocks.
    """
    blocks = np.lib.stride_tricks.sliding_window_view(
        histograms, tuple(block_size), axis=(1, 2)
    )  # (n_samples, block rows, block columns, orientations, rows, columns)
    blocks = np.moveaxis(blocks, 3, -1)
    blocks = blocks.reshape(*blocks.shape[:3], -1)
    blocks = np.minimum(blocks / _length(blocks), 0.2)
    return (blocks / _length(blocks)).reshape(len(histograms), -1)


def _length(blocks):
    return np.sqrt((blocks**2).sum(axis=-1, keepdims=True) + 1e-10)


def count_values(values, bins, grid):
    """Count the values of each channel within the parts of a grid.

    Parameters
    ----------
    values : ndarray of shape (n_samples, H, W, n_channels)
        Values in [0, 1].
    bins : int
        Number of equal bins.
    grid : tuple of (int, int)
        Rows and columns of equal parts of the image.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        Relative frequencies by part, channel and bin; each histogram sums to one.
    """
    n_samples, height, width, n_channels = values.shape
    part_row = np.arange(height) * grid[0] // height * grid[1]
    part = part_row[:, None] + np.arange(width) * grid[1] // width  # (H, W)
    n_parts = grid[0] * grid[1]
    bin_ = np.minimum((values * bins).astype(np.intp), bins - 1)
    histogram = np.arange(n_samples)[:, None, None] * n_parts + part
    index = histogram[..., None] * n_channels + np.arange(n_channels)
    counts = np.bincount(
        (index * bins + bin_).ravel(), minlength=n_samples * n_parts * n_channels * bins
    ).reshape(n_samples, n_parts, n_channels, bins)
    return (counts / counts.sum(axis=-1, keepdims=True)).reshape(n_samples, -1)
