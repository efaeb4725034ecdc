"""Memory stays flat over many calls in one process."""

import sys

import pytest

from .processes import FUZZ, PATIENCE, run

SOAK = """
import gc, sys, warnings
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn_mm import CachedEncoder, HOGEncoder, ImageLoader
from sklearn_mm import MultimodalVotingClassifier, NetClassifier, TextVectorizer
from sklearn_mm.nets import TabularMLP

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
y = np.arange(40) % 2
table = pd.DataFrame({
    "image": list(rng.integers(0, 256, (40, 32, 32), np.uint8)),
    "text": [f"row {n} is {n % 2}" for n in range(40)],
})
numbers = rng.normal(size=(40, 8)).astype(np.float32)

def make():
    image = make_pipeline(CachedEncoder(make_pipeline(ImageLoader(), HOGEncoder())),
                          LogisticRegression())
    text = make_pipeline(TextVectorizer(), LogisticRegression())
    voting = MultimodalVotingClassifier([("image", image, "image"),
                                         ("text", text, "text")])
    return voting.fit(table, y), NetClassifier(TabularMLP, max_epochs=3).fit(numbers, y)

def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6

n_predicts, n_fits = int(sys.argv[1]), int(sys.argv[2])

def work(n_predicts, n_fits):
    for fit in range(n_fits):
        voting, net = make()
        for call in range(n_predicts // n_fits // 2):
            voting.predict(table[call % 30 : call % 30 + 2])
            net.predict(numbers[call % 30 : call % 30 + 2])

work(max(n_predicts // 10, 200), max(n_fits // 10, 2))
before = resident()
work(n_predicts, n_fits)
print(before, resident())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_memory_is_flat_over_predictions_and_fits():
    n_predicts, n_fits = (100_000, 100) if FUZZ else (2_000, 10)
    output = run(SOAK, n_predicts, n_fits, patience=7200 if FUZZ else PATIENCE)
    before, after = map(float, output.split())
    print(f"{before:.0f} MB after the warm-up, {after:.0f} MB at the end")
    assert after < 1.05 * before
