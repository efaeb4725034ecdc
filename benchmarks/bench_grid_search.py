"""A grid search over what comes behind an encoder: cached, and in other ways.

python -m benchmarks.bench_grid_search [--quick]

5 folds x 8 candidates; the encoder itself is not tuned, and all ways give the same
scores. Limit: features that are computed once, by hand, outside of the search.
"""

import os
import shutil
import tempfile
from itertools import count
from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

from benchmarks import harness
from benchmarks.files import write_photos, write_sounds
from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    CachedEncoder,
    HOGEncoder,
    ImageLoader,
    cache,
)

GRID = {"ridge__alpha": np.logspace(1, 8, 8)}


def search(encoder, paths, y, memory=None, n_jobs=None):
    """Search over what comes behind an encoder, None if it has been applied."""
    steps = [("encode", encoder)] if encoder is not None else []
    model = Pipeline([*steps, ("ridge", RidgeClassifier())], memory=memory)
    return GridSearchCV(model, GRID, cv=5, n_jobs=n_jobs, refit=False).fit(paths, y)


def compare_searches(work, encoder, paths, folder, repeats):
    """Compare the ways, after seeing that they give the same scores."""
    y = np.arange(len(paths)) % 2
    paths = np.array(paths, dtype=object)
    numbers = count()

    def new():
        return Path(folder) / f"cache{next(numbers)}"

    def cached(location, n_jobs=None):
        cache._open_store.cache_clear()  # as a process begins
        return search(CachedEncoder(encoder, location), paths, y, n_jobs=n_jobs)

    def remembered():
        location = new()
        found = search(encoder, paths, y, memory=str(location))
        shutil.rmtree(location)
        return found

    warm = new()
    features = encoder.fit_transform(list(paths))
    ways = {
        "no cache": lambda: search(encoder, paths, y),
        "Pipeline(memory=...), cold": remembered,
        "CachedEncoder, cold": lambda: cached(new()),
        "CachedEncoder, cold, n_jobs=2": lambda: cached(new(), n_jobs=2),
        "CachedEncoder, warm": lambda: cached(warm),
        "features by hand, once": lambda: search(
            None, encoder.fit_transform(list(paths)), y
        ),
        "features given": lambda: search(None, features, y),
    }
    scores = [way().cv_results_["mean_test_score"] for way in ways.values()]
    assert np.ptp(scores, axis=0).max() < 1e-12
    found = harness.compare(f"{work}, 5 x 8 fits (ms in all)", ways, 1, repeats)
    ms, ratio = found["CachedEncoder, cold"]
    by_hand = found["features by hand, once"][1]
    memory = found["Pipeline(memory=...), cold"][1]
    work = f"grid search, {work}, CachedEncoder, cold"
    harness.record(work, "no cache", ratio, at_least=12, ms=ms)
    harness.record(work, "features by hand, once", ratio / by_hand, at_least=0.85)
    harness.record(work, "Pipeline(memory=...), cold", ratio / memory)


def compare_lookups(folder, n_rows, repeats):
    """Look rows up that the cache holds, their keys included."""
    photos = write_photos(folder, 120, 160, 20)
    paths = [str(Path(folder) / f"link{row}.jpg") for row in range(n_rows)]
    for row, path in enumerate(paths):
        os.link(photos[row % len(photos)], path)
    cached = CachedEncoder(make_pipeline(ImageLoader((28, 28)), HOGEncoder()))
    cached.fit(paths)
    ways = {
        "os.stat alone": lambda: [os.stat(path) for path in paths],
        "CachedEncoder.transform": lambda: cached.transform(paths),
    }
    work = f"a cache hit with its key, {n_rows:,} paths"
    ms, _ = harness.compare(work, ways, n_rows, repeats)["CachedEncoder.transform"]
    harness.record(work, "a row", 1000 * ms, "us", at_most=6)


def main(quick=False):
    with tempfile.TemporaryDirectory() as folder:
        photos = write_photos(folder, 480, 640, 100 if quick else 300)
        encoder = make_pipeline(ImageLoader((28, 28)), HOGEncoder())
        work = f"{len(photos)} photographs, HOG"
        compare_searches(work, encoder, photos, folder, 2 if quick else 5)
        sounds = write_sounds(folder, 0.5, 8000, 300 if quick else 1000)
        encoder = make_pipeline(AudioLoader(8000), AudioStatistics(8000))
        work = f"{len(sounds)} sounds, statistics"
        compare_searches(work, encoder, sounds, folder, 2 if quick else 5)
    with tempfile.TemporaryDirectory() as folder:
        compare_lookups(folder, 10_000, 5 if quick else 15)


if __name__ == "__main__":
    harness.run(main)
