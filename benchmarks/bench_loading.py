"""Loaders against the loops that users write.

python -m benchmarks.bench_loading
"""

import tempfile
from functools import partial
from pathlib import Path

import cv2
import librosa
import numpy as np
import soundfile
import soxr

from benchmarks.harness import compare
from sklearn_mm import AudioLoader, AudioStatistics, ImageLoader, LogMelSpectrogram


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


def load_images_by_hand(paths, size, color):
    images = []
    for path in paths:
        image = cv2.imread(path)
        code = cv2.COLOR_BGR2GRAY if color == "gray" else cv2.COLOR_BGR2RGB
        images.append(cv2.resize(cv2.cvtColor(image, code), size[::-1]) / 255)
    return np.array(images)


def load_images_at_the_floor(paths, size, color):
    """Reduced decode and area resize into one array: no checks, no errors, no EXIF."""
    flag = choose_flag(paths[0], size, color)
    channels = () if color == "gray" else (3,)
    out = np.empty((len(paths), *size, *channels), dtype=np.float32)
    for row, path in enumerate(paths):
        image = cv2.imdecode(np.fromfile(path, dtype=np.uint8), flag)
        image = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
        image = image if color == "gray" else image[..., ::-1]
        np.multiply(image, 1 / 255, out=out[row], casting="unsafe")
    return out


def decode_images(paths, size, color):
    """Decode at the scale of the floor, and do nothing else: the limit."""
    flag = choose_flag(paths[0], size, color)
    for path in paths:
        cv2.imdecode(np.fromfile(path, dtype=np.uint8), flag)


def choose_flag(path, size, color):
    height, width = cv2.imread(path).shape[:2]
    scale = max(k for k in (1, 2, 4, 8) if min(height, width) >= k * max(size))
    name = "GRAYSCALE" if color == "gray" else "COLOR"
    name = f"IMREAD_REDUCED_{name}_{scale}" if scale > 1 else f"IMREAD_{name}"
    return getattr(cv2, name)


def average_areas(paths, size, color):
    """Average areas of the full decode, which results are compared to."""
    images = []
    for path in paths:
        image = cv2.imread(path) / np.float32(255)
        code = cv2.COLOR_BGR2GRAY if color == "gray" else cv2.COLOR_BGR2RGB
        image = cv2.cvtColor(image, code)
        images.append(cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA))
    return np.array(images)


def decode_sounds(paths, rate):
    """Read and resample, and do nothing else: the limit."""
    for path in paths:
        signal, own = soundfile.read(path, dtype="float32")
        if own != rate:
            soxr.resample(signal, own, rate, quality="HQ")


def write_sounds(folder, seconds, rate, n):
    rng = np.random.default_rng(0)
    paths = []
    for i in range(n):
        tone = np.sin(np.arange(int(seconds * rate)) * rng.uniform(0.05, 0.5))
        paths.append(str(Path(folder) / f"{rate}_{i}.wav"))
        soundfile.write(paths[-1], 0.5 * tone + rng.normal(0, 0.05, len(tone)), rate)
    return paths


def spectrograms_by_hand(paths, rate, frame):
    spectrograms = []
    for path in paths:
        y = librosa.load(path, sr=rate)[0]
        mel = librosa.feature.melspectrogram(y=y, sr=rate, n_mels=64, **frame)
        spectrograms.append(librosa.power_to_db(mel).T)
    return np.array(spectrograms)


def statistics_by_hand(paths, rate, frame):
    wave = {"frame_length": frame["n_fft"], "hop_length": frame["hop_length"]}
    statistics = []
    for path in paths:
        y = librosa.load(path, sr=rate)[0]
        mfcc = librosa.feature.mfcc(y=y, sr=rate, n_mfcc=20, n_mels=64, **frame)
        rows = [
            mfcc,
            librosa.feature.delta(mfcc),
            librosa.feature.spectral_centroid(y=y, sr=rate, **frame),
            librosa.feature.spectral_bandwidth(y=y, sr=rate, **frame),
            librosa.feature.spectral_rolloff(y=y, sr=rate, **frame),
            librosa.feature.spectral_flatness(y=y, **frame),
            librosa.feature.zero_crossing_rate(y, **wave),
            librosa.feature.rms(y=y, **wave),
        ]
        rows = np.vstack(rows)
        statistics.append(np.concatenate([rows.mean(axis=1), rows.std(axis=1)]))
    return np.array(statistics)


def compare_images(paths, height, width, size, color):
    by_hand = partial(load_images_by_hand, paths, size, color)
    floor = partial(load_images_at_the_floor, paths, size, color)
    ways = {"imread, cvtColor, resize, /255": by_hand, "the floor": floor}
    for n_jobs in (None, 2):
        loader = ImageLoader(size, color, n_jobs=n_jobs)
        ways[f"ImageLoader(n_jobs={n_jobs})"] = partial(loader.transform, paths)
    ways["decode alone (limit)"] = partial(decode_images, paths, size, color)
    compare(f"{width}x{height} JPEG to {size[0]} {color}", ways, len(paths))
    exact = average_areas(paths[:20], size, color)
    for decode in ("fast", "exact"):
        own = ImageLoader(size, color, decode=decode).transform(paths[:20])
        psnr = -10 * np.log10(((own - exact) ** 2).mean())
        print(f"decode={decode!r}: PSNR to exact areas {psnr:.1f} dB")


def compare_sounds(paths, title, rate, frame, by_hand, encoder):
    loader = AudioLoader(rate)
    ways = {
        "librosa, file by file": partial(by_hand, paths, rate, frame),
        "AudioLoader, then encoder": lambda: encoder.transform(loader.transform(paths)),
    }
    ways["read and resample alone (limit)"] = partial(decode_sounds, paths, rate)
    name = type(encoder).__name__
    compare(f"{title} to {rate} Hz, {name}", ways, len(paths), repeats=3)
    own, theirs = ways["AudioLoader, then encoder"](), by_hand(paths, rate, frame)
    error = np.abs(own - theirs) / np.maximum(1, np.abs(theirs))
    print(
        f"largest difference: {np.abs(own - theirs).max():.2g}, {error.max():.2g} of 1"
    )


def main():
    with tempfile.TemporaryDirectory() as folder:
        for height, width, n in ((480, 640, 200), (1500, 2000, 40)):
            paths = write_photos(folder, height, width, n)
            for size, color in ((28, "gray"), (64, "rgb"), (224, "rgb")):
                compare_images(paths, height, width, (size, size), color)
        for seconds, rate, target, n_fft, n in (
            (0.5, 8000, 8000, 256, 3000),
            (5, 44100, 16000, 512, 300),
        ):
            paths = write_sounds(folder, seconds, rate, n)
            frame = {"n_fft": n_fft, "hop_length": target // 100}
            for by_hand, encoder in (
                (spectrograms_by_hand, LogMelSpectrogram(target)),
                (statistics_by_hand, AudioStatistics(target)),
            ):
                title = f"{n} sounds of {seconds} s at {rate} Hz"
                compare_sounds(paths, title, target, frame, by_hand, encoder)


if __name__ == "__main__":
    main()
