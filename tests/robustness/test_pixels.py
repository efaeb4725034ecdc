"""Pixels of any type and PIL images of any mode: in order, scaled, or refused.

SKLEARN_MM_FUZZ multiplies the number of examples.
"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from sklearn_mm import CachedEncoder, ImageLoader, LoadError

from .hostile import examples

TYPES = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", ">i4"]
LIMITS = [1, 2, 127, 128, 255, 256, 32767, 65535, 65536, 10**6]
#: Of PIL images of one channel, whose numbers ``np.asarray`` returns.
GRAY = ["1", "L", "I", "F", "I;16", "I;16B"]
COLORED = ["RGB", "RGBA", "RGBX", "P", "PA", "LA", "CMYK", "YCbCr", "HSV", "RGBa", "La"]


@st.composite
def pixels(draw):
    """Pixels (H, W) of any type, of the sizes at which a rule might turn."""
    kind = np.dtype(draw(st.sampled_from(TYPES)))
    shape = draw(array_shapes(min_dims=2, max_dims=2, max_side=6))
    most = draw(st.sampled_from(LIMITS))
    least = draw(st.sampled_from([0, 0, 0, -1]))
    if kind.kind == "f":
        elements = st.floats(0, 1, width=16) | st.sampled_from([-0.5, np.nan, np.inf])
        elements = draw(st.sampled_from([st.floats(0, 1, width=16), elements]))
        return draw(arrays(kind, shape, elements=elements))
    if kind.kind == "b":
        return draw(arrays(kind, shape))
    limits = np.iinfo(kind)
    elements = st.integers(max(least, limits.min), min(most, limits.max))
    return draw(arrays(kind, shape, elements=elements))


def load(cell, shape, color="gray"):
    try:
        return ImageLoader(shape, color).transform([cell])[0]
    except LoadError as error:
        (reason,) = (reason for _, _, reason in error.failures)
        assert any(word in str(reason) for word in ("span", "NaN", "values"))
        return None


@examples(150)
@given(pixels())
def test_loaded_pixels_are_in_the_order_of_the_stored_ones(array):
    loaded = load(array, array.shape)
    if loaded is None:
        bad = array.astype(float)
        assert not (
            bad.min() >= 0 and bad.max() <= (1 if array.dtype.kind == "f" else 65535)
        )
        return
    assert loaded.min() >= 0
    assert loaded.max() <= 1.001
    ratio = array.astype(float)[loaded > 0] / loaded[loaded > 0]
    np.testing.assert_allclose(ratio, ratio[:1].repeat(len(ratio)), rtol=1e-6)
    np.testing.assert_array_equal(loaded > 0, array > 0)
    colored = load(array, array.shape, "rgb")
    np.testing.assert_array_equal(colored, np.stack([loaded] * 3, axis=2))


@examples(150)
@given(pixels(), st.sampled_from(GRAY))
def test_a_pil_image_is_loaded_as_the_array_of_its_pixels(array, mode):
    kind = {"1": "?", "L": "u1", "I": "i4", "F": "f4", "I;16": "<u2", "I;16B": ">u2"}
    stored = np.nan_to_num(array.astype(float), posinf=1).clip(-(2**31), 2**31 - 1)
    if mode not in "IF":
        stored = stored.clip(0, np.iinfo("u1" if mode in "1L" else "u2").max)
    stored = stored.astype(kind[mode])
    raw = (stored * np.uint8(255) if mode == "1" else stored).tobytes()
    image = Image.frombytes("L" if mode == "1" else mode, stored.shape[::-1], raw)
    image = image.convert("1") if mode == "1" else image
    expected, loaded = (load(cell, array.shape) for cell in (stored, image))
    assert (expected is None) == (loaded is None)
    if loaded is not None:
        np.testing.assert_array_equal(loaded, expected)


@examples(60)
@given(
    arrays(np.uint8, (3, 4, 4), elements=st.integers(8, 255)),
    st.sampled_from(COLORED),
    st.sampled_from(range(1, 9)),
)
def test_a_pil_image_of_any_mode_is_loaded_and_cached_as_it_is_shown(
    array, mode, orientation
):
    image = Image.fromarray(array, "RGBA")
    via = {"La": "LA", "P": "RGB", "CMYK": "RGB", "YCbCr": "RGB", "HSV": "RGB"}
    image = image.convert(via.get(mode, "RGBA" if mode != "RGB" else "RGB"))
    image = image.convert(mode) if image.mode != mode else image
    expected = image.convert("LA" if mode == "La" else "RGBA").convert("RGB")
    loader = ImageLoader((3, 4), "rgb")
    loaded = loader.transform([image])[0]
    np.testing.assert_allclose(loaded, np.asarray(expected) / 255, atol=1e-6)
    turned = image.copy()
    turned.getexif()[274] = orientation
    cells = [image, turned, image]
    np.testing.assert_array_equal(
        CachedEncoder(loader).fit_transform(cells), loader.transform(cells)
    )
