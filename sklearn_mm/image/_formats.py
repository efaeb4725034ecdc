"""Identify the format of an image file by its first bytes."""

import re
from typing import NamedTuple


class Format(NamedTuple):
    """A format of image files: how it is recognised, and what reads it.

    ``reader`` is the module and the class of the Pillow plugin that decodes it, None
    for the formats that OpenCV decodes and for those that nothing here decodes.
    ``remedy`` completes the error about a file that cannot be decoded.
    """

    name: str
    pattern: bytes  # a regular expression that the first bytes match
    reader: tuple | None = None
    remedy: str = ""


_CONVERT = "convert it to PNG or JPEG"
_UPGRADE = f"install a Pillow that decodes it (11.3 or later), or {_CONVERT}"
_HEIF = f"pip install pillow-heif, or {_CONVERT}"
_RAW = "develop it to TIFF, PNG or JPEG, for example with rawpy"
_BOX = rb"....ftyp"
#: An MP4-like file whose major brand is generic is HEIF, unless it lists "avif".
_GENERIC = _BOX + rb"(?:mif1|mif2|msf1|miaf|1pic)"
_SIGNATURES = (
    Format("JPEG", rb"\xff\xd8\xff"),
    Format("PNG", rb"\x89PNG\r\n\x1a\n"),
    Format("GIF", rb"GIF8[79]a"),
    Format("BMP", rb"BM.{12}(?:[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0|\Z)"),
    Format("WebP", rb"RIFF....WEBP"),
    Format("CR2", rb"II\*\0....CR", remedy=_RAW),
    Format("TIFF", rb"II[*+]\0|MM\0[*+]"),
    Format(
        "AVIF",
        _BOX + rb"(?:avif|avis)|" + _GENERIC + rb".{4}(?:[^\0]{4})*?avi[fs]",
        ("PIL.AvifImagePlugin", "AvifImageFile"),
        _UPGRADE,
    ),
    Format(
        "HEIF",
        _GENERIC + rb"|" + _BOX + rb"(?:he[iv][cxms]|avc[is]|j2ki|vvic)",
        ("pillow_heif", "HeifImageFile"),
        _HEIF,
    ),
    Format(
        "JPEG 2000",
        rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51",
        ("PIL.Jpeg2KImagePlugin", "Jpeg2KImageFile"),
        _CONVERT,
    ),
    Format(
        "PNM",
        rb"P[1-6f](?:\s|#[^\n]*\n)+[0-9]",
        ("PIL.PpmImagePlugin", "PpmImageFile"),
        _CONVERT,
    ),
    Format("PSD", rb"8BPS", ("PIL.PsdImagePlugin", "PsdImageFile"), _CONVERT),
    Format("QOI", rb"qoif", ("PIL.QoiImagePlugin", "QoiImageFile"), _CONVERT),
    Format("JPEG XL", rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n", remedy=_CONVERT),
    Format("JPEG XR", rb"II\xbc[\0\x01]", remedy=_CONVERT),
    Format(
        "OpenEXR",
        rb"v/1\x01",
        remedy="pass its pixels as a float array in [0, 1]",
    ),
    Format(
        "Radiance HDR",
        rb"#\?R(?:ADIANCE|GBE)",
        remedy="pass its pixels as a float array in [0, 1]",
    ),
    Format(
        "DICOM",
        rb".{128}DICM",
        remedy="read it with pydicom, and pass its pixels as an array",
    ),
    Format("FITS", rb"SIMPLE  =", remedy="pass its pixels as an array"),
    Format(
        "SVG",
        rb"(?:\xef\xbb\xbf)?\s*(?:<(?:\?xml|!--|!DOCTYPE)[^>]*>\s*)*<svg[\s>]",
        remedy="render it to PNG, for example with cairosvg",
    ),
    Format("GIMP", rb"gimp xcf", remedy=_CONVERT),
    Format("camera raw", _BOX + rb"crx ", remedy=_RAW),
    Format("camera raw", rb"FUJIFILMCCD-RAW|IIR[OS]|MMOR|IIU\0|FOVb", remedy=_RAW),
)
#: Files that are no images, but found where images are expected.
_DOCUMENTS = (
    Format("PDF", rb"%PDF-", remedy="render its pages to PNG, such as with pypdfium2"),
    Format("PostScript", rb"%!PS", remedy="render its pages to PNG"),
)
_COMPILED = [
    (re.compile(kind.pattern, re.DOTALL), kind) for kind in _SIGNATURES + _DOCUMENTS
]
#: Number of first bytes that identify any format.
N_BYTES = 512


def identify(head):
    """Return the :class:`Format` of a file by its first bytes, or None.

    Documents that are not images are among the formats; see :func:`is_image`.
    """
    head = bytes(head[:N_BYTES])
    return next((kind for pattern, kind in _COMPILED if pattern.match(head)), None)


def is_image(head):
    """Whether a file is an image, by its first bytes, even one that cannot be read."""
    return identify(head) in _SIGNATURES


def camera_raw(why):
    """Return the error about a camera's raw file."""
    return ValueError(f"it is a camera raw file ({why}); {_RAW}")
