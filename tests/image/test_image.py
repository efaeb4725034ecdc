"""Images: decoding, sizes, colours and descriptors against OpenCV and Pillow."""

from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps
from skimage.feature import hog
from sklearn.base import clone

from sklearn_mm import (
    ColorHistogramEncoder,
    HOGEncoder,
    ImageLoader,
    LoadError,
    VideoLoader,
)
from sklearn_mm.image._header import read_image_header

from ..conftest import encode_image, make_photo

CONTAINERS = {
    "JPEG": {"quality": 95},
    "PNG": {},
    "WEBP": {"lossless": True},
    "BMP": {},
    "GIF": {},
    "TIFF": {},
}


def psnr(a, b):
    return -10 * np.log10(np.mean((a - b) ** 2) + 1e-12)


def average_areas(pixels, height, width):
    """Exact mean of the rectangle that each new pixel covers, by cumulative sums."""

    def shrink(array, size):  # along the first axis
        edges = np.linspace(0, len(array), size + 1)
        total = np.concatenate([np.zeros((1, *array.shape[1:])), np.cumsum(array, 0)])
        low = np.floor(edges).astype(int).clip(max=len(array) - 1)
        part = (edges - low).reshape(-1, *[1] * (array.ndim - 1))
        at = total[low] + part * array[low]
        return np.diff(at, axis=0) * (size / len(array))

    rows = shrink(pixels.astype(float), height)
    return np.moveaxis(shrink(np.moveaxis(rows, 1, 0), width), 0, 1) / 255


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_is_read(container):
    photo = make_photo()
    image = ImageLoader((120, 160), "rgb").transform(
        [encode_image(photo, container, **CONTAINERS[container])]
    )[0]
    exact = container not in ("JPEG", "GIF")  # those two lose colours
    assert psnr(image, photo / 255) > (90 if exact else 25)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("share", [0.2, 0.6, 0.97])
def test_files_that_are_cut_off_are_refused(container, share, capfd):
    data = encode_image(make_photo(), container, **CONTAINERS[container])
    with pytest.raises(LoadError):
        ImageLoader().transform([data[: int(share * len(data))]])
    assert "imdecode_" not in capfd.readouterr().err  # OpenCV's log would repeat it


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("size", [(1, 1), (7, 300), (129, 64)])
def test_headers_give_the_size_that_pillow_gives(container, size):
    options = [CONTAINERS[container]]
    if container == "JPEG":
        options += [{"progressive": True}, {"exif": Image.Exif().tobytes()}]
    if container == "WEBP":
        options += [{"quality": 50}, {"lossless": True, "exif": b"Exif\0\0II*\0"}]
    for option in options:
        data = encode_image(make_photo(*size), container, **option)
        header = read_image_header(data)
        assert header == (container.lower(), *size)
        for end in range(0, min(len(data), 40)):
            if end < 10:
                with pytest.raises(ValueError, match="header|not a"):
                    read_image_header(data[:end])


@pytest.mark.parametrize(
    ("photo", "size"),
    [((480, 640), (28, 28)), ((480, 640), (64, 64)), ((1000, 1500), (224, 224))],
)
@pytest.mark.parametrize("color", ["gray", "rgb"])
def test_shrinking_averages_areas(photo, size, color):
    rng = np.random.default_rng(0)
    pixels = make_photo(*photo).astype(int) + rng.integers(-20, 20, (*photo, 3))
    pixels = pixels.clip(0, 255).astype(np.uint8)
    data = encode_image(pixels, "JPEG", quality=90)
    full = np.asarray(Image.open(BytesIO(data)))
    exact = average_areas(full, *size)
    if color == "gray":
        exact = exact @ [0.299, 0.587, 0.114]
    fast = ImageLoader(size, color).transform([data])[0]
    slow = ImageLoader(size, color, decode="exact").transform([data])[0]
    assert psnr(fast, exact) > 40
    assert psnr(slow, exact) > 55


def test_shrinking_an_axis_by_a_whole_number_is_a_mean_of_blocks():
    pixels = make_photo(56, 84)
    image = ImageLoader((28, 28), "rgb").transform([pixels / 255])[0]
    blocks = (pixels / 255).reshape(28, 2, 28, 3, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(image, blocks, atol=1e-5)


def test_an_axis_that_grows_is_interpolated_while_the_other_is_averaged():
    ramp = np.tile(np.linspace(0, 1, 8)[:, None], (1, 64)).astype(np.float32)
    image = ImageLoader((32, 16)).transform([ramp])[0]
    assert (np.diff(image[:, 0]) >= 0).all()
    assert len(np.unique(image[:, 0])) > 8  # not a staircase
    np.testing.assert_allclose(image, image[:, :1].repeat(16, 1), atol=1e-6)


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(60, 40), (30, 120), (8, 8)])
def test_exif_orientation_is_honoured(container, orientation, size):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode_image(
        make_photo(100, 240), container, exif=exif, **CONTAINERS[container]
    )
    turned = ImageOps.exif_transpose(Image.open(BytesIO(data))).convert("RGB")
    expected = ImageLoader(size, "rgb").transform([np.asarray(turned)])[0]
    images = ImageLoader(size, "rgb").transform([data, Image.open(BytesIO(data))])
    assert psnr(images[0], expected) > 33
    np.testing.assert_array_equal(images[1], expected)


def test_a_crop_keeps_the_centre_and_a_pad_keeps_all():
    wide = np.zeros((40, 100), dtype=np.uint8)
    wide[:, 30:70] = 255  # the centred square is white
    crop = ImageLoader((20, 20), aspect="crop").transform([wide])[0]
    np.testing.assert_array_equal(crop, 1)
    pad = ImageLoader((20, 20), aspect="pad").transform([wide])[0]
    np.testing.assert_array_equal(pad[:6], 0)
    np.testing.assert_array_equal(pad[-6:], 0)
    np.testing.assert_allclose(pad[6:14].mean(), 0.4, atol=1e-6)
    stretch = ImageLoader((20, 20)).transform([wide])[0]
    np.testing.assert_allclose(stretch.mean(), 0.4, atol=1e-6)


def test_kinds_of_arrays_agree():
    gray = make_photo()[..., 0]
    cells = [
        gray,
        gray.astype(np.uint16) * 257,
        (gray.astype(np.uint16) * 257).astype(">u2"),
        gray / 255,
        (gray / 255).astype(np.float16),
        gray.astype(np.int64),
        gray[..., None],
        np.stack([gray, gray * 0 + 9], axis=2),
        np.stack([gray] * 3, axis=2),
        np.stack([gray] * 3 + [gray * 0 + 9], axis=2),
        Image.fromarray(gray),
        Image.fromarray(gray).convert("RGBA"),
        Image.fromarray(gray.astype(np.uint16) * 257),
    ]
    for color in ("gray", "rgb"):
        images = ImageLoader((30, 40), color).transform(cells)
        for image in images[1:]:
            np.testing.assert_allclose(image, images[0], atol=0.003)


def test_sixteen_bits_of_a_file_are_kept():
    fine = np.linspace(30000, 30100, 28 * 28).reshape(28, 28).astype(np.uint16)
    for extension in (".png", ".tiff"):
        data = cv2.imencode(extension, fine)[1].tobytes()
        image = ImageLoader().transform([data])[0]
        np.testing.assert_allclose(image, fine / 65535, atol=1e-6)


def test_scale_false_keeps_the_values():
    photo = make_photo(28, 28)
    loader = ImageLoader(color="rgb", scale=False)
    np.testing.assert_array_equal(loader.transform([photo])[0], photo)
    np.testing.assert_array_equal(loader.transform([encode_image(photo)])[0], photo)
    np.testing.assert_allclose(loader.transform([photo * -3.5])[0], photo * -3.5)


def test_an_array_of_all_images_is_a_column():
    photos = np.stack([make_photo(28, 28, seed) for seed in range(3)])
    images = ImageLoader(color="rgb").transform(photos)
    np.testing.assert_allclose(images, photos / 255, atol=1e-6)
    gray = (photos[..., 0] / 255).astype(np.float32)
    gray[1] = np.nan
    np.testing.assert_array_equal(ImageLoader().transform(gray), gray)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (np.ones((4, 4)) * 16, r"span 16 to 16, not \[0, 1\]"),
        (np.array([[0.5, np.nan], [0.1, 0.2]]), "pixels are NaN"),
        (np.ones((4, 4), dtype=complex), "complex"),
        (np.full((4, 4), 65536), "span 65536 to 65536, .* uint8 or uint16"),
        (np.full((4, 4), -1, np.int8), "int8 values span -1 to -1"),
        (np.ones((4, 4, 5)), "1 to 4 channels"),
        (np.ones(4), r"not \(H, W\)"),
        (np.ones((0, 4)), "no pixels"),
        (7, "got int"),
        ({"a": 1}, "got dict"),
    ],
)
def test_what_is_no_image_is_refused_with_a_reason(cell, reason):
    with pytest.raises(LoadError, match=reason):
        ImageLoader().transform([cell])


def test_pixels_are_bounded_before_decoding():
    bomb = encode_image(np.zeros((9000, 9000), dtype=np.uint8), "PNG")
    assert len(bomb) < 200_000
    with pytest.raises(LoadError, match="9000x9000 pixels exceed max_pixels"):
        ImageLoader().transform([bomb])
    bounded = ImageLoader(max_pixels=100)
    for cell in (make_photo(11, 10), Image.fromarray(make_photo(11, 10))):
        with pytest.raises(LoadError, match="10x11 pixels exceed"):
            bounded.transform([cell])


@pytest.mark.parametrize("pair", [(0, 5), (5, -1), (5,), (5, 5, 5), (5.5, 5), 5, "55"])
@pytest.mark.parametrize(
    ("estimator", "parameter"),
    [
        (ImageLoader(), "size"),
        (VideoLoader(), "size"),
        (HOGEncoder(), "cell_size"),
        (HOGEncoder(), "block_size"),
        (ColorHistogramEncoder(), "grid"),
    ],
)
def test_a_pair_that_is_none_is_refused_by_its_name(estimator, parameter, pair):
    is_video = isinstance(estimator, VideoLoader)
    images = np.zeros((2, 9, 16, 16) if is_video else (2, 16, 16), np.uint8)
    bad = clone(estimator).set_params(**{parameter: pair})
    with pytest.raises(ValueError, match=rf"'{parameter}' parameter .*two integers"):
        bad.fit(images)
    with pytest.raises(ValueError, match=parameter):
        bad.transform(images)


def test_an_image_has_pixels_for_each_part_of_the_grid():
    images = np.random.default_rng(0).random((2, 28, 30, 3)).astype(np.float32)
    for grid in [(50, 1), (1, 31), (29, 30)]:
        with pytest.raises(ValueError, match=r"28x30 pixels .* than grid=\("):
            ColorHistogramEncoder(grid=grid).fit(images)
    histograms = ColorHistogramEncoder(2, "rgb", (28, 30)).fit_transform(images)
    np.testing.assert_array_equal(
        histograms.reshape(2, 28, 30, 3, 2)[..., 1], images >= 0.5
    )


def test_opencvs_threads_are_restored():
    cv2.setNumThreads(2)
    ImageLoader().transform([make_photo()])
    assert cv2.getNumThreads() == 2


@pytest.mark.parametrize("shape", [(28, 28), (31, 45), (40, 33, 3)])
def test_hog_equals_scikit_images(shape):
    images = np.random.default_rng(0).random((4, *shape)).astype(np.float32)
    channel = 2 if len(shape) == 3 else None
    expected = [hog(i, 9, (7, 7), (2, 2), channel_axis=channel) for i in images]
    np.testing.assert_allclose(HOGEncoder().fit_transform(images), expected, atol=1e-6)
    expected = [hog(i, 6, (8, 5), (3, 1), channel_axis=channel) for i in images]
    encoder = HOGEncoder(6, (8, 5), (3, 1))
    np.testing.assert_allclose(encoder.fit_transform(images), expected, atol=1e-6)


def test_hog_needs_room_for_a_block():
    with pytest.raises(ValueError, match="are smaller than one block"):
        HOGEncoder().fit_transform(np.zeros((1, 13, 28)))
    with pytest.raises(ValueError, match="was fitted on samples of shape"):
        HOGEncoder().fit(np.zeros((1, 28, 28))).transform(np.zeros((1, 42, 42)))


@pytest.mark.parametrize("space", ["rgb", "hsv"])
def test_color_histograms_equal_numpys(space):
    images = np.random.default_rng(0).random((3, 10, 12, 3)).astype(np.float32)
    values = images
    if space == "hsv":
        values = np.stack([cv2.cvtColor(i, cv2.COLOR_RGB2HSV) for i in images])
        values = values / [360, 1, 1]
    histograms = ColorHistogramEncoder(5, space, (2, 1)).fit_transform(images)
    expected = [
        np.histogram(part[..., c], 5, (0, 1))[0] / part[..., c].size
        for image in values
        for part in (image[:5], image[5:])
        for c in range(3)
    ]
    np.testing.assert_allclose(
        histograms, np.reshape(expected, (3, -1)).astype(np.float32), atol=1e-6
    )


def test_color_histograms_refuse_unscaled_images():
    images = ImageLoader(color="rgb", scale=False).transform([make_photo()])
    with pytest.raises(ValueError, match="scale=True"):
        ColorHistogramEncoder().fit_transform(images)
