"""Disturbances do what they say, by independent measures."""

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import kstest

from sklearn_mm.audio._disturbances import add_noise as add_audio_noise
from sklearn_mm.image._disturbances import add_noise as add_image_noise
from sklearn_mm.image._disturbances import blur, occlude
from sklearn_mm.sequence._disturbances import add_jitter
from sklearn_mm.text._disturbances import drop_words, misspell
from sklearn_mm.vector._disturbances import add_noise as add_number_noise

from ..conftest import make_photo, make_tone

PHOTO = make_photo()
KINDS = {
    "uint8": PHOTO,
    "gray": PHOTO[..., 0],
    "one channel": PHOTO[..., :1],
    "uint16": PHOTO.astype(np.uint16) * 257,
    "float": PHOTO / np.float32(255),
}
TEXT = "The quick brown Fox jumps over 12 lazy dogs, and so on. " * 20


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("disturb", [blur, add_image_noise, occlude])
def test_a_disturbed_image_is_of_the_same_kind_and_another(kind, disturb, rng):
    before = KINDS[kind].copy()
    after = disturb(KINDS[kind], 0.2, rng)
    assert (after.shape, after.dtype) == (before.shape, before.dtype)
    assert (after != before).any()
    np.testing.assert_array_equal(KINDS[kind], before)
    np.testing.assert_array_equal(disturb(before, 0, rng), before)


def test_blur_is_that_of_scipy():
    pixels = PHOTO[..., 0] / np.float32(255)
    sigma = 0.05 * min(pixels.shape)
    expected = gaussian_filter(pixels, sigma, mode="mirror")
    np.testing.assert_allclose(blur(pixels, 0.05), expected, atol=1e-4)


def test_noise_of_pixels_has_the_deviation_asked_for(rng):
    gray = np.full((200, 200), 128, np.uint8)
    noise = (add_image_noise(gray, 0.1, rng) - 128.0) / 255
    assert noise.std() == pytest.approx(0.1, rel=0.02)
    assert abs(noise.mean()) < 0.002


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 1.0])
def test_occlusion_covers_its_share_of_the_area(share, rng):
    pixels = rng.random((120, 160)).astype(np.float32)
    covered = occlude(pixels, share, rng)
    changed = covered != pixels
    assert changed.mean() == pytest.approx(share, abs=0.01)
    rows, columns = np.nonzero(changed)
    box = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    assert box == pytest.approx(changed.sum(), rel=0.01)
    np.testing.assert_allclose(covered[changed], pixels.mean(), rtol=1e-5)
    assert cv2.countNonZero(changed.astype(np.uint8)) == changed.sum()


@pytest.mark.parametrize("snr", [20, 0, -5])
def test_noise_of_sounds_has_the_ratio_asked_for(snr, rng):
    signal = make_tone()
    noise = add_audio_noise(signal, snr, rng).astype(float) - signal
    measured = 10 * np.log10(np.mean(signal**2.0) / np.mean(noise**2))
    assert measured == pytest.approx(snr, abs=0.01)


def test_silence_stays_silent(rng):
    silence = np.zeros(10, np.float32)
    np.testing.assert_array_equal(add_audio_noise(silence, 0, rng), silence)


@pytest.mark.parametrize("share", [0.05, 0.2, 1.0])
def test_typing_errors_change_their_share_of_the_letters_alone(share, rng):
    after = misspell(TEXT, share, rng)
    assert len(after) == len(TEXT)
    letters = [a != b for a, b in zip(after, TEXT) if b.isalpha()]
    assert np.mean(letters) == pytest.approx(share, abs=0.002)
    pairs = list(zip(after, TEXT))
    assert all(a == b for a, b in pairs if not b.isalpha())
    assert all(a.isupper() == b.isupper() for a, b in pairs)


def test_of_short_texts_the_share_is_met_in_the_mean(rng):
    changed = [misspell("abc", 0.1, rng) != "abc" for _ in range(4000)]
    assert np.mean(changed) == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_dropped_words_leave_the_others_in_order(share, rng):
    words = [f"w{i}" for i in range(200)]
    after = drop_words(" ".join(words), share, rng).split()
    assert len(words) - len(after) == pytest.approx(200 * share, abs=1)
    numbers = [int(word[1:]) for word in after]
    assert numbers == sorted(numbers)


def test_jitter_is_in_deviations_of_each_channel_and_keeps_padding(rng):
    series = rng.normal(size=(5000, 2)) * [1, 100]
    series[4000:] = np.nan
    noise = add_jitter(series, 0.3, rng) - series
    np.testing.assert_allclose(np.nanstd(noise, axis=0), [0.3, 30], rtol=0.05)
    np.testing.assert_array_equal(np.isnan(noise), np.isnan(series))
    assert add_jitter(np.arange(9), 0.3, rng).dtype == float


def test_noise_of_numbers_is_normal(rng):
    noise = [add_number_noise(5, 2.0, rng) - 5 for _ in range(2000)]
    assert kstest(noise, "norm", (0, 2)).pvalue > 0.001
    vector = add_number_noise(np.zeros(2), np.array([0.0, 1.0]), rng)
    assert vector[0] == 0 != vector[1]
