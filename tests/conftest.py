"""Small real files and cells that the tests share."""

import io
import os
from pathlib import Path

# One thread each: tests run side by side, and threads that wait spin.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
import soundfile
from PIL import Image

ROOT = Path(__file__).parents[1]
#: Real data, where there are some: a data home, or a folder beside the checkout.
DATA = Path(os.environ.get("SKLEARN_MM_DATA") or ROOT.parent / "shared" / "data")


def make_photo(height=120, width=160, seed=0):
    """Smooth random colours, which JPEG keeps well: (height, width, 3) uint8."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def encode_image(pixels, container="PNG", **options):
    """Encode by Pillow, which is not what the package decodes by."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, container, **options)
    return file.getvalue()


def make_tone(n_samples=4000, seed=0):
    """A tone in noise at 8 kHz, float32."""
    rng = np.random.default_rng(seed)
    tone = np.sin(np.arange(n_samples) * (0.1 + 0.05 * (seed % 7)))
    return (0.4 * tone + 0.05 * rng.standard_normal(n_samples)).astype(np.float32)


def encode_audio(signal, container="WAV", rate=8000, **options):
    """Encode by libsndfile."""
    file = io.BytesIO()
    soundfile.write(file, signal, rate, format=container, **options)
    return file.getvalue()


@pytest.fixture
def data_home():
    """The folder of real data; the test is skipped where there is none."""
    if not DATA.is_dir():
        pytest.skip(f"no real data in {DATA}; set SKLEARN_MM_DATA")
    return DATA
