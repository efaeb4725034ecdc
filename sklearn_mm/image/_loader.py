"""Load image files, bytes and arrays into one array."""

from numbers import Integral

import numpy as np

from .._columns.base import BaseLoader
from .._columns.column import as_column
from .._utils.constraints import PairOfCounts
from .._utils.imports import Interval, StrOptions
from ._decoding import decode_image
from ._pixels import (
    as_pixels,
    check_range,
    check_size,
    convert_color,
    crop_to,
    one_thread,
    pad_to,
    pixel_maximum,
    resize,
)


class ImageLoader(BaseLoader):
    """Load a column of images into one array of one size.

    A cell is a path, encoded bytes (JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF, JPEG 2000,
    PNM, PSD, QOI, and HEIF where ``pillow-heif`` is installed), an array ``(H, W)`` or
    ``(H, W, C)`` in RGB order, or a PIL image. Sizes and kinds may differ from row to
    row. EXIF orientation is applied, the alpha channel is dropped, and only the first
    frame of an animation is read. Colours of more than 8 bits are reduced to 8 bits,
    except in PNG and TIFF. The transformer is stateless.

    Parameters
    ----------
    size : tuple of (int, int), default=(28, 28)
        Height and width of the output, in pixels.
    color : {"gray", "rgb"}, default="gray"
        Gray images have no channel axis.
    aspect : {"stretch", "crop", "pad"}, default="stretch"
        How an image of a different aspect ratio is fitted: stretched, cropped around
        its centre, or padded with black.
    scale : bool, default=True
        Scale the values to [0, 1]: uint8 by 255 and uint16 by 65,535, whatever their
        maximum. bool is 0 and 1, and floats must already be in [0, 1]. Integers of
        other types (int64, or a PIL image of mode "I") do not say what white is, so
        their maximum decides, image by image: up to 1 they are a mask of 0 and 1, up to
        255 they are 8-bit, up to 65,535 they are 16-bit; others are refused. Convert
        them to uint8 or uint16 where that is not what they are. If False, values are
        kept as stored.
    root : str, PathLike or None, default=None
        Folder that paths are relative to. If given, absolute paths, ``..`` and symbolic
        links that leave it are refused.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that cannot be read: raise :class:`LoadError` after all
        cells have been tried, or treat them as missing, with or without a warning.
    max_pixels : int or None, default=2**26
        Maximum height times width of one image, checked before it is decoded.
    max_bytes : int or None, default=2**28
        Maximum size of one file, in bytes.
    decode : {"fast", "exact"}, default="fast"
        "fast" decodes a JPEG at the smallest of the scales 1/1, 1/2, 1/4, 1/8 that
        still covers ``size``, then averages areas, or interpolates if little is left to
        shrink; "exact" decodes at full size. "fast" is twice as fast on photographs and
        within about 40 dB (PSNR) of "exact", or less on very fine textures.
    filesystem : fsspec filesystem or None, default=None
        Opens the paths instead of the operating system, including remote ones.
    n_jobs : int or None, default=None
        Number of threads.

    See Also
    --------
    HOGEncoder : Histograms of oriented gradients of the loaded images.
    ColorHistogramEncoder : Colour histograms of the loaded images.
    VectorStacker : Applied after a loader, flattens images into vectors of pixels.

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
        "size": [PairOfCounts("height, width")],
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
        shape = check_size(self.size) + ((3,) if self.color == "rgb" else ())
        images = np.full((len(column), *shape), np.nan, np.float32)
        with one_thread():
            self._read_into(images, column, self._read)
        return images

    def read(self, cell):
        """Load one image.

        Parameters
        ----------
        cell : str, PathLike, bytes, ndarray or PIL image
            The image.

        Returns
        -------
        ndarray of shape (height, width[, 3]), float32
            What ``transform`` returns for this cell.
        """
        with one_thread():
            return self._read(cell)

    def _read(self, cell):
        height, width = check_size(self.size)
        cover = (height, width) if self.decode == "fast" else None
        pixels, order, averaged = self._decode(cell, self.color, cover)
        if self.scale:
            check_range(pixels)
        white = pixel_maximum(pixels.dtype)
        pixels = self._fit_to_size(pixels, height, width, averaged)
        pixels = convert_color(pixels, order, self.color).astype(np.float32)
        if self.scale:
            pixels /= white
        return pixels

    def read_original(self, cell):
        """Read one image at its original size, without converting its values.

        ``size``, ``color``, ``aspect``, ``scale`` and ``decode`` have no effect.

        Parameters
        ----------
        cell : str, PathLike, bytes, ndarray or PIL image
            The image.

        Returns
        -------
        ndarray of shape (H, W) or (H, W, 3)
            uint8, uint16 or float32 pixels in RGB order. Files always have three
            channels; gray arrays have no channel axis.
        """
        with one_thread():
            pixels, order, _ = self._decode(cell, "rgb")
            return pixels if pixels.ndim == 2 else convert_color(pixels, order, "rgb")

    def _decode(self, cell, color, cover=None):
        """Return pixels, the order of their channels, and whether they are means."""
        data = self._read_bytes(cell)
        if data is None:
            return as_pixels(cell, max_pixels=self.max_pixels), "rgb", False
        pixels, averaged = decode_image(
            data, color, max_pixels=self.max_pixels, cover=cover
        )
        return pixels, "bgr", averaged

    def _fit_to_size(self, pixels, height, width, averaged):
        if self.aspect == "crop":
            pixels = crop_to(pixels, height, width)
        if self.aspect == "pad":
            return pad_to(pixels, height, width)
        return resize(pixels, height, width, averaged=averaged)
