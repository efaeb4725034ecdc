"""A grid search over what comes behind an encoder: cached, and in other ways.

python -m benchmarks.bench_grid_search

5 folds x 8 candidates; the encoder itself is not tuned, and all ways give the same
scores. Limit: features that are computed once, by hand, outside of the search.
"""

import shutil
import tempfile
from itertools import count
from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

from benchmarks.bench_loading import write_photos, write_sounds
from benchmarks.harness import compare
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


def compare_searches(title, encoder, paths, folder):
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
    compare(title, ways, 1, repeats=3)


def main():
    with tempfile.TemporaryDirectory() as folder:
        photos = write_photos(folder, 480, 640, 200)
        encoder = make_pipeline(ImageLoader((28, 28)), HOGEncoder())
        title = "200 photographs of 640x480, HOG, 5 x 8 fits (ms in all)"
        compare_searches(title, encoder, photos, folder)
        sounds = write_sounds(folder, 0.5, 8000, 1000)
        encoder = make_pipeline(AudioLoader(8000), AudioStatistics(8000))
        title = "1,000 sounds of 0.5 s at 8 kHz, statistics, 5 x 8 fits (ms in all)"
        compare_searches(title, encoder, sounds, folder)


if __name__ == "__main__":
    main()
