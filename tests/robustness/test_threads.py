"""One fitted model in many threads, and in children made by fork and by spawn."""

import multiprocessing
import sys
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    CachedEncoder,
    HOGEncoder,
    ImageLoader,
    LogMelSpectrogram,
    MultimodalNetClassifier,
    MultimodalStackingClassifier,
    MultimodalVotingClassifier,
    TextTokenizer,
    TextVectorizer,
)
from sklearn_mm.nets import AudioCNN, ImageCNN, TextCNN

from ..conftest import encode_audio, encode_image, make_photo, make_tone
from .processes import PATIENCE, run

N_THREADS = 8
LABELS = np.arange(24) % 2
TABLE = pd.DataFrame(
    {
        "image": [encode_image(make_photo(32, 32, seed)) for seed in range(24)],
        "audio": [encode_audio(make_tone(1600, seed), "FLAC") for seed in range(24)],
        "text": [f"row {row} is {'odd' if row % 2 else 'even'}" for row in range(24)],
    }
)
TABLE.loc[3, "image"] = TABLE.loc[5, "audio"] = None
MEMBERS = [
    ("image", make_pipeline(ImageLoader(), HOGEncoder(), LogisticRegression())),
    ("audio", make_pipeline(AudioLoader(), AudioStatistics(), LogisticRegression())),
    ("text", make_pipeline(TextVectorizer(), LogisticRegression())),
]
MEMBERS = [(name, model, name) for name, model in MEMBERS]
BRANCHES = [
    ("image", ImageLoader((16, 16)), "image"),
    ("audio", make_pipeline(AudioLoader(8000), LogMelSpectrogram(8000)), "audio"),
    ("text", TextTokenizer(), "text"),
]
BACKBONES = {"image": ImageCNN, "audio": AudioCNN, "text": TextCNN}
MODELS = {
    "voting": MultimodalVotingClassifier(MEMBERS),
    "stacking": MultimodalStackingClassifier(MEMBERS, cv=2),
    "joint": MultimodalNetClassifier(
        BRANCHES, backbones=BACKBONES, max_epochs=2, random_state=0
    ),
}
ENCODERS = {
    "images": (make_pipeline(ImageLoader(n_jobs=2), HOGEncoder()), "image"),
    "sounds": (make_pipeline(AudioLoader(8000), AudioStatistics(8000)), "audio"),
    "spectrograms": (
        make_pipeline(AudioLoader(8000), LogMelSpectrogram(8000)),
        "audio",
    ),
}

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:sklearn_mm")


def call_at_once(act, inputs):
    """Call for each input in threads that begin together; give the results."""
    with ThreadPoolExecutor(N_THREADS) as pool:
        return list(pool.map(act, inputs))


@pytest.mark.parametrize("name", MODELS)
def test_predictions_in_threads_are_those_of_one(name):
    model = MODELS[name].fit(TABLE, LABELS)
    parts = [TABLE.iloc[start : start + 12] for start in range(8)] * 4
    expected = [model.predict_proba(part) for part in parts]
    for found, one in zip(call_at_once(model.predict_proba, parts), expected):
        np.testing.assert_array_equal(found, one)


def test_a_prediction_that_fails_disturbs_no_other():
    model = MODELS["joint"].fit(TABLE, LABELS)
    bad = TABLE.assign(image=b"no image")
    expected = model.predict_proba(TABLE)

    def predict(table):
        try:
            return model.predict_proba(table)
        except ValueError:
            return None

    results = call_at_once(predict, [TABLE, bad] * 20)
    assert all(found is None for found in results[1::2])
    for found in results[::2]:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("where", ["no cache", "in memory", "in a folder"])
@pytest.mark.parametrize("name", ENCODERS)
def test_encoding_in_threads_is_that_of_one(name, where, tmp_path):
    plain, column = ENCODERS[name]
    cells = TABLE[column]
    parts = [cells.iloc[start : start + 15] for start in range(8)] * 3
    expected = [plain.fit(cells).transform(part) for part in parts]
    encoder = plain
    if where != "no cache":
        location = tmp_path if where == "in a folder" else None
        encoder = CachedEncoder(plain, location, batch_size=4)
        encoder.clear()
        encoder.fit(cells.iloc[:4])
    for found, one in zip(call_at_once(encoder.transform, parts), expected):
        np.testing.assert_array_equal(found, one)


def test_a_grid_search_in_threads_is_that_of_one():
    grid = {"image__logisticregression__C": [0.1, 1, 10]}
    searches = [GridSearchCV(MODELS["voting"], grid, cv=2, n_jobs=n) for n in (1, 4)]
    expected = searches[0].fit(TABLE, LABELS).cv_results_["mean_test_score"]
    with joblib.parallel_config(backend="threading"):
        found = searches[1].fit(TABLE, LABELS).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(found, expected)


CHILDREN = """
import multiprocessing, os, sys
import numpy as np

def predict(model, table, queue):
    queue.put(model.predict_proba(table))

def main(kind):
    import torch
    from tests.robustness.test_threads import LABELS, MODELS, TABLE
    torch.set_num_threads(2)
    torch.nn.Conv2d(3, 32, 3)(torch.randn(32, 3, 64, 64))  # threads are there
    context = multiprocessing.get_context(kind)
    for name in ("voting", "joint"):
        model = MODELS[name].fit(TABLE, LABELS)
        expected = model.predict_proba(TABLE)
        queue = context.Queue()
        child = context.Process(target=predict, args=(model, TABLE, queue), daemon=True)
        child.start()
        np.testing.assert_allclose(queue.get(timeout=60), expected, rtol=1e-5)
        child.join(30)
        assert child.exitcode == 0, child.exitcode

if __name__ == "__main__":
    main(sys.argv[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["fork", "spawn"])
def test_a_child_predicts_after_its_parent_used_torch_and_opencv(kind, tmp_path):
    if kind not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {kind} on {sys.platform}")
    script = tmp_path / "children.py"  # spawn imports the main module from its file
    script.write_text(CHILDREN)
    code = "import subprocess, sys; subprocess.run(sys.argv, check=True)"
    code = code.replace("sys.argv", f"[sys.executable, {str(script)!r}, {kind!r}]")
    run(code, env={"OMP_NUM_THREADS": "2"}, patience=PATIENCE)
