"""Images: load files, bytes and arrays into one array, and describe them by hand."""

from numbers import Integral

import numpy as np

from ._column import as_column
from ._descriptors import count_gradients, count_values, normalize_blocks
from ._encoder import BaseArrayEncoder, BaseLoader
from ._imports import Interval, StrOptions
from ._pixels import (
    as_pixels,
    check_range,
    check_size,
    convert_color,
    crop_to,
    decode_image,
    one_thread,
    pad_to,
    pixel_maximum,
    resize,
)


class ImageLoader(BaseLoader):
    """Load a column of images into one array of one size.

    A cell is a path, encoded bytes (JPEG, PNG, WebP, BMP, GIF, TIFF), an array
    ``(H, W)`` or ``(H, W, C)`` in RGB order, or a PIL image. Sizes and kinds may differ
    from row to row. EXIF orientation is honoured, transparency is dropped, of an
    animation the first frame is read. The transformer is stateless.

    Parameters
    ----------
    size : tuple of (int, int), default=(28, 28)
        Height and width of the result, in pixels.
    color : {"gray", "rgb"}, default="gray"
        Gray images have no channel axis.
    aspect : {"stretch", "crop", "pad"}, default="stretch"
        How an image of another aspect ratio is fitted: stretched, its centre cropped,
        or padded with black.
    scale : bool, default=True
        Scale the values to [0, 1] (8-bit images by 255, 16-bit by 65535). Float arrays
        are expected in [0, 1] then. If False, values are as stored.
    root : str, PathLike or None, default=None
        Folder that paths are relative to. If given, absolute paths, ``..`` and symbolic
        links that lead out of it are refused.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that cannot be read: raise :class:`LoadError` once all
        have been tried, or treat them as missing with or without a warning.
    max_pixels : int or None, default=2**26
        Bound on height times width of one image, checked before it is decoded.
    max_bytes : int or None, default=2**28
        Bound on the size of one file, in bytes.
    decode : {"fast", "exact"}, default="fast"
        "fast" decodes a JPEG at the smallest of the scales 1/1, 1/2, 1/4, 1/8 that
        still covers ``size``, then averages areas, or interpolates where little is left
        to shrink; "exact" decodes all of it. "fast" is twice as fast on photographs and
        about 40 dB (PSNR) from "exact", less on the finest textures.
    filesystem : fsspec filesystem or None, default=None
        Opens the paths instead of the operating system, remote ones included.
    n_jobs : int or None, default=None
        Number of threads.

    See Also
    --------
    HOGEncoder : Histograms of oriented gradients of the loaded images.
    ColorHistogramEncoder : Colour histograms of the loaded images.
    VectorStacker : Behind a loader, flattens images into vectors of pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm import ImageLoader
    >>> photo = np.zeros((480, 640, 3), dtype=np.uint8)
    >>> ImageLoader(size=(64, 64), color="rgb").fit_transform([photo, None]).shape
    (2, 64, 64, 3)
    """

    _parameter_constraints: dict = {
        **BaseLoader._parameter_constraints,
        "size": [tuple, list],
        "color": [StrOptions({"gray", "rgb"})],
        "aspect": [StrOptions({"stretch", "crop", "pad"})],
        "scale": ["boolean"],
        "max_pixels": [Interval(Integral, 1, None, closed="left"), None],
        "decode": [StrOptions({"fast", "exact"})],
    }

    def __init__(
        self,
        size=(28, 28),
        color="gray",
        aspect="stretch",
        *,
        scale=True,
        root=None,
        on_error="raise",
        max_pixels=2**26,
        max_bytes=2**28,
        decode="fast",
        filesystem=None,
        n_jobs=None,
    ):
        self.size = size
        self.color = color
        self.aspect = aspect
        self.scale = scale
        self.root = root
        self.on_error = on_error
        self.max_pixels = max_pixels
        self.max_bytes = max_bytes
        self.decode = decode
        self.filesystem = filesystem
        self.n_jobs = n_jobs

    def transform(self, X):
        """Load every image.

        Parameters
        ----------
        X : column of images
            Paths, bytes, arrays or PIL images, or an array ``(n_samples, H, W[, C])``.

        Returns
        -------
        ndarray of shape (n_samples, height, width[, 3]), float32
            All NaN where an image is missing.

        Raises
        ------
        LoadError
            If an image cannot be read and ``on_error="raise"``.
        """
        column = as_column(X, type(self).__name__)
        height, width = check_size(self.size)
        channels = (3,) if self.color == "rgb" else ()
        images = np.full((len(column), height, width, *channels), np.nan, np.float32)

        def load(row, cell):
            pixels, order, maximum, averaged = self._read(cell)
            pixels = self._fit_to_size(pixels, height, width, averaged)
            pixels = convert_color(pixels, order, self.color)
            images[row] = pixels
            if self.scale:
                images[row] /= maximum

        with one_thread():
            self._load_cells(column, load)
        return images

    def _read(self, cell):
        """Give pixels, the order of channels, the maximum, and if they are means."""
        data = self._read_bytes(cell)
        if data is not None:
            size = self.size if self.decode == "fast" else None
            pixels, averaged = decode_image(
                data, self.color, max_pixels=self.max_pixels, cover=size
            )
            order = "bgr"
        else:
            pixels, order = as_pixels(cell, max_pixels=self.max_pixels), "rgb"
            averaged = False
        if self.scale:
            check_range(pixels)
        return pixels, order, pixel_maximum(pixels.dtype), averaged

    def _fit_to_size(self, pixels, height, width, averaged):
        if self.aspect == "crop":
            pixels = crop_to(pixels, height, width)
        if self.aspect == "pad":
            return pad_to(pixels, height, width)
        return resize(pixels, height, width, averaged=averaged)


class HOGEncoder(BaseArrayEncoder):
    """Histograms of oriented gradients of loaded images.

    The gradient's direction, modulo 180 degrees, is counted by magnitude within square
    cells; blocks of cells are normalised together ("L2-Hys"). Of a colour image each
    pixel counts the channel with the largest gradient. The transformer is stateless.

    Parameters
    ----------
    orientations : int, default=9
        Number of directions.
    cell_size : tuple of (int, int), default=(7, 7)
        Height and width of a cell in pixels. Pixels beyond the last whole cell do not
        count.
    block_size : tuple of (int, int), default=(2, 2)
        Rows and columns of cells that are normalised together.

    Attributes
    ----------
    sample_shape_ : tuple of int
        Shape of the images that it was fitted on.

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
        "cell_size": [tuple, list],
        "block_size": [tuple, list],
    }

    def __init__(self, orientations=9, cell_size=(7, 7), block_size=(2, 2)):
        self.orientations = orientations
        self.cell_size = cell_size
        self.block_size = block_size

    def _check_array(self, array):
        return _check_images(array, type(self).__name__)

    def _encode(self, array):
        cells = self._grid(array.shape[1:])
        step = max(1, 2**20 // array[0].size)  # images at a time: bounds the memory
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
                f"HOGEncoder: images of {height}x{width} pixels do not hold one block "
                f"of {self.block_size} cells of {self.cell_size} pixels. Load larger "
                "images or use smaller cells."
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
    """Histograms of the values of loaded images, channel by channel.

    Each histogram sums to one. The transformer is stateless.

    Parameters
    ----------
    bins : int, default=8
        Number of equal bins over a channel's range.
    color_space : {"hsv", "rgb"}, default="hsv"
        Colour space of the channels (hue, saturation and value, or red, green and
        blue). Gray images have one channel, their intensity.
    grid : tuple of (int, int), default=(1, 1)
        Rows and columns of equal parts of the image, each with its histograms.

    Attributes
    ----------
    sample_shape_ : tuple of int
        Shape of the images that it was fitted on.

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
        "grid": [tuple, list],
    }

    def __init__(self, bins=8, color_space="hsv", grid=(1, 1)):
        self.bins = bins
        self.color_space = color_space
        self.grid = grid

    def _check_array(self, array):
        array = _check_images(array, type(self).__name__)
        # NaN, a missing image, compares as False.
        if (array > 1.001).any() or (array < 0).any():
            raise ValueError(
                "ColorHistogramEncoder: expected values in [0, 1]; load the images "
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
        f"{array.shape}. Put an ImageLoader in front of it."
    )
