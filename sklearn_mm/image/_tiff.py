"""Read the layout of a TIFF, and decode the layouts that OpenCV gets wrong."""

import struct
from typing import NamedTuple

import numpy as np

from ._formats import camera_raw

#: A tile may be larger than a small image, up to this many pixels.
_MAX_TILE = 2**22
#: Bytes of the number types of entries, and struct formats of those that are read.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_SIZES |= {13: 4, 16: 8, 17: 8, 18: 8}
_FORMATS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 16: "Q"}
#: The entries that are read, by tag.
_TAGS = {
    254: "subfile",
    256: "width",
    257: "height",
    258: "bits",
    262: "photometric",
    277: "n_samples",
    284: "planes",
    322: "tile_width",
    323: "tile_height",
    330: "subimages",
    338: "extra",
    339: "kind",
    50706: "dng",
}
#: Tags that hold one value.
_SCALARS = {*range(254, 258), 259, *range(262, 267), 274, 277, 278, 282, 283, 284}
_SCALARS |= {296, 317, 322, 323}
_MAX_ENTRIES = 4096
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
_ASSOCIATED, _UNASSOCIATED = 1, 2
_KINDS = {1: "unsigned", 2: "signed", 3: "float", 4: "void", 5: "complex", 6: "complex"}


class TiffLayout(NamedTuple):
    """How the pixels of the first image of a TIFF are stored."""

    height: int
    width: int
    bits: int  # per sample; 0 if the samples differ
    kind: int
    photometric: int
    n_samples: int  # per pixel
    separate: bool  # whether each channel is stored by itself
    alpha: int  # 1 if associated, that is, colours are multiplied by it; 2 if not
    is_sound: bool  # whether all values of the header are within the file

    def __str__(self):
        """Describe the layout for an error."""
        numbers = f"{self.bits}-bit {_KINDS.get(self.kind, 'unknown')} samples"
        planes = ", channels stored separately" if self.separate else ""
        alpha = " with alpha" if self.alpha else ""
        return (
            f"{numbers}, {self.n_samples} per pixel{alpha}, photometric "
            f"interpretation {self.photometric}{planes}"
        )


def read_tiff_layout(data):
    """Read how the first image of a TIFF is stored.

    Pillow takes 13 % of the time of a decode, shows the last of two sizes only, and
    refuses layouts that OpenCV decodes.
    """
    tags, is_sound = _read_tags(data)
    height, width = tags["height"][0], tags["width"][0]
    tile = tags.get("tile_height", [0])[0] * tags.get("tile_width", [0])[0]
    if tile > max(height * width, _MAX_TILE):
        raise IndexError
    photometric = tags.get("photometric", [_BLACK_IS_ZERO])[0]
    if photometric in (32803, 34892):
        raise camera_raw("the values of its sensor")
    if "dng" in tags:
        raise camera_raw("DNG")
    if "subimages" in tags and tags.get("subfile", [0])[0] & 1:
        raise camera_raw("its first image is a thumbnail")
    bits, kinds = tags.get("bits", [1]), tags.get("kind", [_UNSIGNED])
    extra = [code for code in tags.get("extra", []) if code]
    n_samples = tags.get("n_samples", [1])[0]
    return TiffLayout(
        height,
        width,
        bits[0] if len(set(bits)) == 1 else 0,
        kinds[0] if len(set(kinds)) == 1 else 0,
        photometric,
        n_samples,
        n_samples > 1 and tags.get("planes", [1])[0] == 2,
        extra[0] if extra else 0,
        is_sound,
    )


def _read_tags(data):
    """Return the values of the entries of the first image, as lists by name.

    Return as well whether all entries are sound. Pillow warns of those that are not.
    """
    order = "<" if data[0] == 0x49 else ">"
    big = struct.unpack_from(order + "H", data, 2)[0] == 43  # BigTIFF
    offset = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    count_format, entry_size = ("Q", 20) if big else ("H", 12)
    n_entries = struct.unpack_from(order + count_format, data, offset)[0]
    offset += struct.calcsize(count_format)
    tags, is_sound = {}, n_entries <= _MAX_ENTRIES
    for i in range(min(n_entries, _MAX_ENTRIES)):
        entry = offset + i * entry_size
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        count, place = _locate_values(data, entry, order, _SIZES.get(kind, 1), big)
        end = place + count * _SIZES.get(kind, 1)
        is_sound &= kind in _SIZES and end <= len(data)
        is_sound &= count == 1 or tag not in _SCALARS
        if tag not in _TAGS:
            continue
        name, values = _TAGS[tag], [1]  # what is only looked for
        if kind in _FORMATS or name in ("width", "height"):
            values = f"{order}{min(max(1, count), 16)}{_FORMATS[kind]}"
            values = list(struct.unpack_from(values, data, place))
        if name in ("width", "height", "tile_width", "tile_height"):
            # Decoders differ in which of two entries they use.
            values = [max(values[0], *tags.get(name, [0]))]
        tags[name] = values
    return tags, is_sound


def _locate_values(data, entry, order, size, big):
    """Return the number of values of an entry, and where they begin."""
    number, place, room = ("Q", entry + 12, 8) if big else ("I", entry + 8, 4)
    count = struct.unpack_from(order + number, data, entry + 4)[0]
    if count * size > room:
        place = struct.unpack_from(order + number, data, place)[0]
    return count, place


def choose_tiff_decoder(layout):
    """Return which decoder gets a layout right, or raise.

    OpenCV lets libtiff convert samples of at most 8 bits to colours, which multiplies
    them by alpha; it reads wider samples as they are stored, without regard to what
    they mean.

    Returns
    -------
    {"opencv", "pillow", "samples"}
        "samples": OpenCV, followed by :func:`interpret_samples`.
    """
    is_inverted = layout.photometric == _WHITE_IS_ZERO
    if layout.bits > 8 or layout.kind != _UNSIGNED:
        if _has_plain_samples(layout):
            return "samples"
    elif layout.alpha and layout.photometric <= _RGB:
        if layout.photometric == _RGB and layout.alpha == _ASSOCIATED:
            return "samples"
        if layout.photometric == _RGB or not (layout.separate or is_inverted):
            return "pillow"
    elif layout.bits and not (layout.separate and layout.photometric < _RGB):
        return "opencv"
    raise ValueError(
        f"this layout of a TIFF is not supported: {layout}. Save it as 8-bit, 16-bit "
        "or float32 gray or RGB, or pass its pixels as an array"
    )


def _has_plain_samples(layout):
    """Whether OpenCV reads samples of more than 8 bits, or signed, as stored."""
    if layout.n_samples not in ((3, 4) if layout.photometric == _RGB else (1,)):
        return False
    if layout.photometric > _RGB:
        return False
    needs_white = layout.photometric == _WHITE_IS_ZERO or layout.alpha == _ASSOCIATED
    has_white = layout.kind == _FLOAT or (layout.kind == _UNSIGNED and layout.bits < 32)
    if needs_white and not has_white:
        return False
    if layout.bits == 8:
        return layout.kind == _SIGNED and layout.n_samples != 4
    if layout.separate or (layout.bits == 16 and layout.kind == _FLOAT):
        return False
    bits = (10, 12, 14, 16, 32, 64) if layout.kind == _UNSIGNED else (16, 32, 64)
    return layout.bits in bits and layout.kind in (_UNSIGNED, _SIGNED, _FLOAT)


def interpret_samples(samples, layout):
    """Convert the stored samples of a TIFF to colours, black at zero, without alpha.

    Parameters
    ----------
    samples : ndarray of shape (H, W) or (H, W, C)
        As OpenCV reads them unchanged: BGR order.
    layout : TiffLayout
        How they are stored.
    """
    if layout.photometric == _WHITE_IS_ZERO:
        white = 1 if samples.dtype.kind == "f" else np.iinfo(samples.dtype).max
        return white - samples
    if samples.ndim == 2:
        return samples
    colors = samples[..., :3]
    if layout.alpha == _ASSOCIATED and samples.shape[2] == 4:
        colors = _divide_by_alpha(colors, samples[..., 3:])
    return np.ascontiguousarray(colors)


def _divide_by_alpha(colors, alpha):
    white = 1 if colors.dtype.kind == "f" else np.iinfo(colors.dtype).max
    divided = np.zeros(colors.shape, np.float32)
    np.divide(colors, alpha / np.float32(white), out=divided, where=alpha > 0)
    if colors.dtype.kind == "f":
        return divided
    return np.rint(divided).clip(0, white).astype(colors.dtype)
