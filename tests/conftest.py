"""Small real files and cells that the tests share."""

import io
import os
import tempfile
from pathlib import Path

# One thread each: tests run side by side, and threads that wait spin.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Pictures open no windows.
os.environ.setdefault("MPLBACKEND", "Agg")

import cv2
import numpy as np
import pytest
import soundfile
from PIL import Image

ROOT = Path(__file__).parents[1]
#: Real data, where there are some: a data home, or a folder beside the checkout.
DATA = Path(os.environ.get("SKLEARN_MM_DATA") or ROOT.parent / "shared" / "data")


def forget_samples():
    """Begin as another process would: with the files of caches alone."""
    from sklearn_mm.cache import _store, clear_memory

    _store.open_store.cache_clear()
    clear_memory()


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


def make_clip(n_frames=20, height=48, width=64, seed=0):
    """A photo that brightens, with each frame's number in its top row of blocks."""
    photo = make_photo(height, width, seed) // 2
    clip = np.stack([photo + i * 100 // n_frames for i in range(n_frames)])
    for i in range(n_frames):
        for bit in range(8):
            clip[i, :8, bit * 8 : bit * 8 + 8] = 255 * (i >> bit & 1)
    return clip.astype(np.uint8)


#: Codec that OpenCV writes into a container.
CODECS = {"avi": "MJPG", "mp4": "mp4v", "mkv": "MJPG", "mov": "mp4v", "webm": "VP80"}


def encode_video(clip, container="avi", rate=25):
    """Encode frames (time, H, W, 3) in RGB order by OpenCV's writer."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"clip.{container}")
        code = cv2.VideoWriter_fourcc(*CODECS[container])
        writer = cv2.VideoWriter(path, code, rate, clip.shape[2:0:-1])
        for frame in clip:
            writer.write(frame[..., ::-1])
        writer.release()
        return Path(path).read_bytes()


class LetterCounts:
    """A model of texts that anybody could have trained."""

    def encode(self, texts):
        return np.array([[len(text), text.count("e"), 1] for text in texts])


class Progress:
    """A callback of scikit-learn's protocol that notes the tasks."""

    def __init__(self):
        self.tasks = []

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.tasks.append(context.task_name)

    def on_fit_task_end(self, estimator, context):
        self.tasks.append(f"{context.task_name} done")

    def teardown(self, estimator, context):
        pass


@pytest.fixture
def data_home():
    """The folder of real data; the test is skipped where there is none."""
    if not DATA.is_dir():
        pytest.skip(f"no real data in {DATA}; set SKLEARN_MM_DATA")
    return DATA
