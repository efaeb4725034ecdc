"""Image formats and pixel types against Pillow, tifffile and the stored numbers."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps, features

from sklearn_mm import ImageLoader, LoadError
from sklearn_mm._modalities.detect import sniff

from ..conftest import encode_image, make_photo

SIZE = (24, 28)
WHITE = {"u1": 255, "u2": 65535, "f4": 1, "f8": 1}


def load(cell, color="rgb", size=SIZE):
    return ImageLoader(size, color).transform([cell])[0]


def encode_tiff(samples, **options):
    file = BytesIO()
    tifffile.imwrite(file, samples, metadata=None, **options)
    return file.getvalue()


def make_samples(dtype, alpha, n_channels, seed=0):
    """Random colours of any type, and the same with a channel of alpha behind them."""
    rng = np.random.default_rng(seed)
    colors = rng.integers(0, 256, (*SIZE, n_channels)) / 255
    opacity = rng.integers(128, 256, (*SIZE, 1)) / 255
    stored = colors * opacity if alpha == "assocalpha" else colors
    if alpha:
        stored = np.concatenate([stored, opacity], axis=2)
    stored = stored * WHITE[dtype]
    stored = stored if dtype[0] == "f" else np.rint(stored)
    return colors, stored.astype(dtype).squeeze()


@pytest.mark.parametrize("alpha", [None, "unspecified", "assocalpha", "unassalpha"])
@pytest.mark.parametrize("dtype", WHITE)
def test_alpha_of_a_tiff_is_dropped_and_not_multiplied_with(dtype, alpha):
    colors, stored = make_samples(dtype, alpha, 3)
    options = {"photometric": "rgb", "extrasamples": [alpha] if alpha else None}
    for order in "<>":
        for compression in (None, "zlib"):
            data = encode_tiff(
                stored, byteorder=order, compression=compression, **options
            )
            loaded = load(data)
            # Colours that were multiplied by alpha were rounded.
            tolerance = 0.008 if alpha == "assocalpha" else 1e-6
            np.testing.assert_allclose(loaded, colors, atol=tolerance)
            if dtype == "u1" and alpha != "unspecified":
                seen = np.asarray(Image.open(BytesIO(data)).convert("RGB"))
                np.testing.assert_allclose(loaded, seen / 255, atol=0.008)


@pytest.mark.parametrize("dtype", [*WHITE, "?"])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_white_of_a_gray_tiff_is_white(dtype, photometric):
    rng = np.random.default_rng(0)
    gray = rng.integers(0, 2 if dtype == "?" else 256, SIZE) / (
        1 if dtype == "?" else 255
    )
    shown = 1 - gray if photometric == "miniswhite" else gray
    stored = (shown * WHITE.get(dtype, 1)).astype(dtype)
    expected = stored / WHITE.get(dtype, 1)
    expected = 1 - expected if photometric == "miniswhite" else expected
    np.testing.assert_allclose(
        load(encode_tiff(stored, photometric=photometric), "gray"), expected, atol=1e-6
    )


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "i4", "f2", "f4", "f8"])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite", "rgb"])
@pytest.mark.parametrize("alpha", [None, "assocalpha", "unassalpha"])
def test_no_layout_of_a_tiff_is_read_wrong(dtype, photometric, alpha):
    colors, stored = make_samples("u1", alpha, 3 if photometric == "rgb" else 1)
    white = 1 if dtype[0] == "f" else 65535 if dtype == "u2" else 255
    stored = (stored * (white / 255)).astype(dtype)
    options = {"photometric": photometric, "extrasamples": [alpha] if alpha else None}
    layouts = [{}, {"tile": (16, 16)}]
    if stored.ndim == 3:
        layouts.append({"planarconfig": "separate"})
    for layout in layouts:
        planes = layout.get("planarconfig") and np.moveaxis(stored, 2, 0)
        data = encode_tiff(stored if planes is None else planes, **options, **layout)
        try:
            loaded = load(data)
        except LoadError as error:
            ((_, _, reason),) = error.failures
            if "layout of a TIFF" in str(reason) or "values span" in str(reason):
                continue
            raise
        expected = 1 - colors if photometric == "miniswhite" else colors
        np.testing.assert_allclose(
            loaded, np.broadcast_to(expected, loaded.shape), atol=0.008
        )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("dtype", "alpha"), [("u2", None), ("u1", "unassalpha")])
def test_the_orientation_of_a_tiff_is_applied_to_every_layout(
    dtype, alpha, orientation
):
    colors, stored = make_samples(dtype, alpha, 3)
    extra = [alpha] if alpha else None
    data = encode_tiff(
        stored,
        photometric="rgb",
        extrasamples=extra,
        extratags=[(274, "H", 1, orientation, True)],
    )
    image = Image.fromarray(np.rint(colors * 255).astype(np.uint8))
    image.getexif()[274] = orientation
    turned = np.asarray(ImageOps.exif_transpose(image)) / 255
    np.testing.assert_allclose(load(data, size=turned.shape[:2]), turned, atol=1e-6)


def write_png(colour, samples):
    """A 16-bit PNG of any colour type."""

    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    height, width = samples.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    head = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in chunks)


def test_alpha_of_a_16_bit_png_is_dropped():
    for colour, n_channels in ((4, 1), (6, 3)):
        colors, stored = make_samples("u2", "unassalpha", n_channels)
        loaded = load(write_png(colour, stored))
        np.testing.assert_allclose(
            loaded, np.broadcast_to(colors, loaded.shape), atol=1e-6
        )


FORMATS = {
    "AVIF": {"quality": 100},
    "JPEG2000": {},
    "PPM": {},
    "QOI": {},
}


@pytest.mark.parametrize("name", FORMATS)
def test_what_only_pillow_decodes_is_read_by_pillow(name):
    if name == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    photo = make_photo(40, 60)
    data = encode_image(photo, name, **FORMATS[name])
    assert sniff(data[:512]) == "image"
    expected = np.asarray(Image.open(BytesIO(data)).convert("RGB")) / 255
    np.testing.assert_allclose(load(data, size=(40, 60)), expected, atol=1e-6)
    with pytest.raises(LoadError, match="60x40 pixels exceed max_pixels"):
        ImageLoader(max_pixels=100).transform([data])
    for share in (0.1, 0.6):
        with pytest.raises(LoadError, match="damaged|cut off"):
            load(data[: int(share * len(data))])


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_pixels_of_an_avif_are_those_of_its_frames_whatever_its_container_says():
    black = np.zeros((300, 200, 3), np.uint8)
    still = encode_image(black, "AVIF")
    animation = encode_image(
        black, "AVIF", save_all=True, append_images=[Image.fromarray(black)]
    )
    for data in (still, animation):
        place = data.index(b"ispe") + 8
        data = data[:place] + struct.pack(">II", 8, 8) + data[place + 8 :]
        with pytest.raises(LoadError, match="200x300 pixels exceed max_pixels"):
            ImageLoader(max_pixels=1000).transform([data])


def test_a_pnm_is_scaled_by_the_white_that_it_states():
    assert load(b"P5 3 1 100\n\0\x32\x64", "gray", (1, 3)).round(2).tolist() == [
        [0, 0.5, 1]
    ]
    dark = np.array([0, 100, 200], ">u2")  # of 65,535
    data = b"P5\n# dark\n3 1\n65535\n" + dark.tobytes()
    for cell in (data, Image.open(BytesIO(data))):
        np.testing.assert_allclose(
            load(cell, "gray", (1, 3))[0], dark / 65535, atol=1e-6
        )


BRANDS = [
    b"heic\0\0\0\0mif1heic",
    b"mif1\0\0\0\0mif1heic",
    b"heix\0\0\0\0",
    b"msf1\0\0\0\0hevc",
]
UNREADABLE = {
    **{
        f"HEIF {i}": (b"\0\0\0\x18ftyp" + b, "HEIF.*heif") for i, b in enumerate(BRANDS)
    },
    "JPEG XL": (b"\xff\x0a", "JPEG XL.*PNG"),
    "JPEG XL box": (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL.*PNG"),
    "SVG": (b"<?xml version='1.0'?>\n<!-- a -->\n<svg width='3'/>", "SVG.*render"),
    "DICOM": (bytes(128) + b"DICM", "DICOM.*pydicom"),
    "EXR": (b"v/1\x01\2", "OpenEXR.*float array"),
    "CR2": (b"II*\0\x10\0\0\0CR\2\0", "CR2.*rawpy"),
    "CR3": (b"\0\0\0\x18ftypcrx \0\0\0\1", "camera raw.*rawpy"),
    "RAF": (b"FUJIFILMCCD-RAW 0201", "camera raw.*rawpy"),
    "PDF": (b"%PDF-1.7\n", "PDF.*render"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_format_that_cannot_be_read_is_named_with_the_way_out(name, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    from sklearn_mm.image import _header

    _header._import_reader.cache_clear()
    beginning, match = UNREADABLE[name]
    data = beginning + bytes(100)
    assert sniff(data) == ("image" if name != "PDF" else None)
    with pytest.raises(LoadError, match=match):
        load(data)


def test_a_cameras_raw_file_is_not_taken_for_its_thumbnail():
    dng = [(50706, "B", 4, (1, 4, 0, 0), True)]
    black = np.zeros((*SIZE, 3), np.uint8)
    thumbnail = encode_tiff(
        black, subfiletype=1, extratags=[(50706 + 1, "I", 1, 8, True)]
    )
    thumbnail = thumbnail.replace(struct.pack("<H", 50707), struct.pack("<H", 330))
    for data in (encode_tiff(black, photometric="rgb", extratags=dng), thumbnail):
        with pytest.raises(LoadError, match="camera raw.*rawpy"):
            load(data)


def test_a_png_without_its_end_is_named_as_such():
    data = encode_image(make_photo(*SIZE))
    with pytest.raises(LoadError, match="before its IEND"):
        load(data[:-12])


RAMP = np.arange(24).reshape(4, 6)
INTEGERS = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">i4", ">u2"]


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("most", [1, 2, 127, 255, 256, 4095, 32767, 65535])
def test_white_of_integers_is_that_of_their_type_or_of_their_maximum(dtype, most):
    if most > np.iinfo(dtype).max:
        pytest.skip("the type does not hold it")
    pixels = (RAMP * most // 23).astype(dtype)
    by_type = {1: 255, 2: 65535}.get(np.dtype(dtype).itemsize)
    is_unsigned = np.dtype(dtype).kind == "u"
    by_value = 1 if most == 1 else 255 if most <= 255 else 65535
    white = by_type if is_unsigned and by_type else by_value
    for cell in (pixels, np.asfortranarray(pixels), pixels[..., None]):
        np.testing.assert_allclose(
            load(cell, "gray", (4, 6)), pixels / white, rtol=1e-6
        )


def test_a_mask_of_integers_is_the_mask_of_booleans():
    mask = RAMP % 2
    for dtype in ("i1", "i2", "i4", "i8", "u4", "?"):
        np.testing.assert_array_equal(load(mask.astype(dtype), "gray", (4, 6)), mask)
    assert load(mask.astype(np.uint8), "gray", (4, 6)).max() == np.float32(1 / 255)
    image = Image.fromarray(mask.astype(bool))
    for scale in (True, False):
        loader = ImageLoader((4, 6), scale=scale)
        np.testing.assert_array_equal(loader.transform([image])[0], mask)
