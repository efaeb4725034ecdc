"""Memory of cross-validation over many paths, and of training on a large array.

python -m benchmarks.bench_memory [--quick]
"""

import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from benchmarks import harness
from benchmarks.files import write_photos
from benchmarks.memory import measure_peak
from sklearn_mm import CachedEncoder, HOGEncoder, ImageLoader, NetClassifier
from sklearn_mm.nets import ImageCNN


def validate(paths, size=128, batch_size=256):
    """Cross-validate over paths; give the growth in batches of decoded images."""
    images = make_pipeline(
        ImageLoader((size, size), "rgb"), HOGEncoder(cell_size=(size // 4,) * 2)
    )
    encoder = CachedEncoder(images, batch_size=batch_size)
    model = make_pipeline(encoder, LogisticRegression(max_iter=5))
    y = np.arange(len(paths)) % 2
    _, grown = measure_peak(lambda: cross_val_score(model, paths, y, cv=5))
    return grown / (batch_size * size * size * 3 * 4)


def measure_paths(n_paths):
    """Report how much more 10,000 paths take than a batch of them."""
    with tempfile.TemporaryDirectory() as folder:
        photos = write_photos(folder, 120, 160, 20)
        paths = [str(Path(folder) / f"link{row}.jpg") for row in range(n_paths)]
        for row, path in enumerate(paths):
            os.link(photos[row % len(photos)], path)
        validate(paths[:64], size=28)  # imports, thread pools
        grown = validate(paths)
    work = f"cross_val_score over {n_paths:,} image paths"
    harness.record(work, "a batch of 256 images", grown, at_most=2)


def measure_training(n_samples):
    """Report the peak that a fit adds to an array."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, 28, 28), dtype=np.float32)
    y = rng.integers(10, size=n_samples)
    net = NetClassifier(ImageCNN, max_epochs=1, device="cpu").fit(X[:200], y[:200])
    _, grown = measure_peak(lambda: net.fit(X, y))
    work = f"NetClassifier.fit, {n_samples:,} images"
    harness.record(work, "the array's size, more", grown / X.nbytes)


def main(quick=False):
    warnings.simplefilter("ignore")
    measure_paths(2_000 if quick else 10_000)
    measure_training(20_000 if quick else 100_000)


if __name__ == "__main__":
    harness.run(main)
