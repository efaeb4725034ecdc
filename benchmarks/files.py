"""Files that benchmarks read: made photographs and sounds, the same each time."""

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import soundfile

from sklearn_mm.datasets import load_av_digits


def write_photos(folder, height, width, n):
    """Smooth colours, edges and sensor noise, as JPEG of quality 90."""
    rng = np.random.default_rng(0)
    paths = []
    for i in range(n):
        small = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        photo = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
        for _ in range(20):
            corner = rng.integers(0, [width, height])
            cv2.circle(photo, corner.tolist(), 30, rng.integers(0, 256, 3).tolist(), -1)
        noisy = photo + rng.normal(0, 6, photo.shape)
        paths.append(str(Path(folder) / f"{height}_{i}.jpg"))
        options = [cv2.IMWRITE_JPEG_QUALITY, 90]
        cv2.imwrite(paths[-1], noisy.clip(0, 255).astype(np.uint8), options)
    return paths


def write_sounds(folder, seconds, rate, n):
    rng = np.random.default_rng(0)
    paths = []
    for i in range(n):
        tone = np.sin(np.arange(int(seconds * rate)) * rng.uniform(0.05, 0.5))
        paths.append(str(Path(folder) / f"{rate}_{i}.wav"))
        soundfile.write(paths[-1], 0.5 * tone + rng.normal(0, 0.05, len(tone)), rate)
    return paths


def write_digits(folder):
    """Write the package's handwritten and spoken digits; give their table and ``y``."""
    X, y = load_av_digits(return_X_y=True)
    X = X.drop(columns="speaker")
    paths = [str(Path(folder) / str(row)) for row in range(len(X))]
    for path, image, audio in zip(paths, X["image"], X["audio"]):
        cv2.imwrite(f"{path}.png", cv2.resize(image, (28, 28)))
        soundfile.write(f"{path}.wav", *soundfile.read(BytesIO(audio)))
    X["image"] = [f"{path}.png" for path in paths]
    X["audio"] = [f"{path}.wav" for path in paths]
    return X, y.to_numpy()
