"""Images: load files, bytes and arrays into one array, and describe them by hand."""

from numbers import Integral

import numpy as np

from .._columns.base import BaseLoader
from .._columns.column import as_column
from .._utils.imports import Interval, StrOptions
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
