"""Images loaded, against the loops that users write.

python -m benchmarks.bench_loading [--quick]

The user's loop is `imread`, `cvtColor`, `resize`, `/255`; the floor is a bare loop of
reduced decode and area resize into an array that is there already.
"""

import tempfile
from functools import partial

import cv2
import numpy as np

from benchmarks import harness
from benchmarks.files import write_photos
from sklearn_mm import ImageLoader

#: Height, width, photographs, of them where it must be quick; size, colours and how
#: many times as fast as the user's loop one thread and two should be.
SHAPES = (
    (
        480,
        640,
        200,
        60,
        ((28, "gray", 1.8, 3), (64, "rgb", 1.4, 1.6), (224, "rgb", 2.3, 3.5)),
    ),
    (
        1500,
        2000,
        40,
        10,
        ((28, "gray", 1.8, None), (64, "rgb", 1.8, None), (224, "rgb", 1.5, None)),
    ),
)


def load_images_by_hand(paths, size, color):
    images = []
    for path in paths:
        image = cv2.imread(path)
        code = cv2.COLOR_BGR2GRAY if color == "gray" else cv2.COLOR_BGR2RGB
        images.append(cv2.resize(cv2.cvtColor(image, code), size[::-1]) / 255)
    return np.array(images)


def load_images_at_the_floor(paths, out, color):
    """Reduced decode and area resize into one array: no checks, no errors, no EXIF."""
    size = out.shape[1:3]
    flag = choose_flag(paths[0], size, color)
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


def compare_ways(paths, height, width, size, color, targets, repeats):
    """Load by hand, at the floor, and by ``ImageLoader`` on one thread and on two."""
    shape, one, two = (size, size), *targets
    by_hand = partial(load_images_by_hand, paths, shape, color)
    channels = () if color == "gray" else (3,)
    out = np.empty((len(paths), *shape, *channels), dtype=np.float32)
    floor = partial(load_images_at_the_floor, paths, out, color)
    ours = [
        partial(ImageLoader(shape, color, n_jobs=n).transform, paths) for n in (1, 2)
    ]
    ways = {"imread, cvtColor, resize, /255": by_hand, "the floor": floor}
    ways |= {"ImageLoader": ours[0], "ImageLoader, two threads": ours[1]}
    ways["decode alone (limit)"] = partial(decode_images, paths, shape, color)
    work = f"{width}x{height} JPEG to {size} {color}"
    found = harness.compare(work, ways, len(paths), repeats)
    (ms, ratio), (_, limit) = found["ImageLoader"], found["the floor"]
    harness.record(work, "the user's loop", ratio, at_least=one, ms=ms)
    ms, fast = found["ImageLoader, two threads"]
    harness.record(f"{work}, two threads", "the same", fast, at_least=two, ms=ms)
    harness.record(work, "the floor's time", limit / ratio, at_most=1.1)


def compare_pixels(paths, width, height, size, color):
    """Set what is loaded beside the exact average of areas."""
    exact = average_areas(paths[:20], (size, size), color)
    for decode, least in (("fast", 40), ("exact", 55)):
        loader = ImageLoader((size, size), color, decode=decode)
        error = ((loader.transform(paths[:20]) - exact) ** 2).mean()
        work = f"{width}x{height} to {size} {color}, decode={decode!r}"
        psnr = -10 * np.log10(error)
        harness.record(work, "exact areas (PSNR)", psnr, "dB", at_least=least)


def main(quick=False):
    for height, width, n_all, n_few, sizes in SHAPES:
        with tempfile.TemporaryDirectory() as folder:
            paths = write_photos(folder, height, width, n_few if quick else n_all)
            for size, color, *targets in sizes:
                repeats = 3 if quick else 9
                compare_ways(paths, height, width, size, color, targets, repeats)
                compare_pixels(paths, width, height, size, color)


if __name__ == "__main__":
    harness.run(main)
