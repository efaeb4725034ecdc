"""Ctrl-C: prompt, and nothing is left behind or taken for finished."""

import os
import signal
import sys
import time

import pytest

from .processes import PATIENCE, list_group, start, wait_until

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.slow,
]
#: Seconds that Ctrl-C may take, on a machine that is busy otherwise.
PROMPT = 20

#: What children share; each defines ``work``, which takes far longer than any test.
COMMON = """
import io, sys, warnings
import numpy as np
import cv2, soundfile
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn_mm import AudioLoader, CachedEncoder, HOGEncoder, ImageLoader, VideoLoader

rng = np.random.default_rng(0)
photo = cv2.imencode(".png", rng.integers(0, 256, (900, 900, 3), np.uint8))[1].tobytes()
sound = io.BytesIO()
soundfile.write(sound, 0.1 * rng.standard_normal(40_000), 8000, format="FLAC")
sound = sound.getvalue()

def tell(word):
    print(word, flush=True)
"""
END = """
try:
    tell("ready")
    work()
except KeyboardInterrupt:
    tell("interrupted")
    raise
tell("finished")
"""

LOADS = {
    "images": "ImageLoader(n_jobs={})",
    "videos": "VideoLoader(n_jobs={})",
    "sounds": "AudioLoader(8000, n_jobs={})",
}
CELLS = {
    "images": "[photo] * 20_000",
    "sounds": "[sound] * 100_000",
    "videos": "[clip] * 3_000",
}
CLIP = """
import os, tempfile
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "clip.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"MJPG"), 25, (96, 96))
    for _ in range(40):
        writer.write(rng.integers(0, 256, (96, 96, 3), np.uint8))
    writer.release()
    with open(path, "rb") as file:
        clip = file.read()
"""
NETS = """
from skorch.callbacks import Callback
from sklearn_mm import MultimodalNetClassifier, NetClassifier
from sklearn_mm.nets import TabularMLP

class Tell(Callback):
    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 3:
            tell("training")

X = rng.standard_normal((500, 8)).astype(np.float32)
y = np.arange(500) % 2
OPTIONS = dict(
    max_epochs=10**6, n_iter_no_change=10**6, callbacks=[Tell()], random_state=0
)
"""


def interrupt(code, tmp_path, group=True, mark="ready", after=0.3):
    """Run code up to a line that it prints and a moment more, press Ctrl-C, and wait.

    Returns
    -------
    int
        The exit status.
    list of str
        The lines that were printed after the mark.
    """
    folder = tmp_path / "temporary"
    folder.mkdir()
    env = {
        "TMPDIR": str(folder),
        "JOBLIB_TEMP_FOLDER": str(folder),
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "kept by torch on purpose"),
    }
    with start(code, env=env, start_new_session=True) as child:
        try:
            for line in child.stdout:
                if line.strip() == mark:
                    break
            wait_until(lambda: child.poll() is not None, after)
            assert child.poll() is None, "it ended before it was interrupted"
            pressed = time.monotonic()
            (os.killpg if group else os.kill)(child.pid, signal.SIGINT)
            output, _ = child.communicate(timeout=PROMPT)
            assert time.monotonic() - pressed < PROMPT
            assert wait_until(lambda: not list_group(child.pid)), list_group(child.pid)
            assert wait_until(lambda: not any(folder.iterdir())), [*folder.rglob("*")]
        finally:
            if list_group(child.pid):
                os.killpg(child.pid, signal.SIGKILL)
    return child.returncode, output.split()


def assert_interrupted(status, lines):
    assert lines == ["interrupted"]
    assert status in (-signal.SIGINT, 128 + signal.SIGINT)


@pytest.mark.parametrize(
    ("kind", "n_jobs"), [("images", 1), ("images", 2), ("sounds", 1), ("videos", 2)]
)
def test_loading_stops(kind, n_jobs, tmp_path):
    work = f"""
def work():
    {LOADS[kind].format(n_jobs)}.fit_transform({CELLS[kind]})
"""
    code = COMMON + (CLIP if kind == "videos" else "") + work + END
    assert_interrupted(*interrupt(code, tmp_path))


def test_no_signal_is_lost_in_a_decoder_nor_makes_a_sound_broken():
    """libsndfile calls back into Python, where an exception is lost."""
    code = (
        COMMON
        + """
import os, signal, threading
loader, cells = AudioLoader(8000), [sound] * 40
expected = loader.transform(cells)
n_stopped = 0
for moment in np.linspace(0.001, 0.05, 25):
    press = threading.Timer(moment, os.kill, (os.getpid(), signal.SIGINT))
    try:
        press.start()
        while True:
            assert (loader.transform(cells) == expected).all()
    except KeyboardInterrupt:
        n_stopped += 1
tell(n_stopped)
"""
    )
    with start(code) as child:
        output, _ = child.communicate(timeout=PATIENCE)
    assert (child.returncode, output.split()) == (0, ["25"])


NET_KINDS = {
    "network": "NetClassifier(TabularMLP, **OPTIONS)",
    "joint": (
        "MultimodalNetClassifier([('a', 'passthrough', [0, 1, 2]),"
        " ('b', 'passthrough', [3, 4, 5, 6, 7])], early_stopping=False,"
        " backbones={'a': TabularMLP, 'b': TabularMLP}, **OPTIONS)"
    ),
}


@pytest.mark.parametrize("kind", NET_KINDS)
def test_training_stops_and_the_network_can_predict(kind, tmp_path):
    work = f"""
net = {NET_KINDS[kind]}
def work():
    try:
        net.fit(X, y)
    finally:
        assert 0 < len(net.history_) < 10**6
        first = net.predict_proba(X)
        assert np.isfinite(first).all() and set(net.predict(X)) <= {{0, 1}}
        net.set_params(max_epochs=1).partial_fit(X, y)
        tell("usable")
"""
    status, lines = interrupt(COMMON + NETS + work + END, tmp_path, mark="training")
    assert [*dict.fromkeys(lines)] == ["usable", "interrupted"]
    assert status == -signal.SIGINT


def test_an_interrupted_network_is_not_taken_for_a_finished_candidate(tmp_path):
    work = f"""
def work():
    net = {NET_KINDS["network"]}
    search = GridSearchCV(net, {{"lr": [1e-3, 1e-4]}}, cv=2, error_score=0.0)
    search.fit(X, y)
"""
    assert_interrupted(
        *interrupt(COMMON + NETS + work + END, tmp_path, mark="training")
    )


def test_a_callback_that_stops_the_training_is_no_interrupt():
    from sklearn.datasets import make_classification
    from skorch.callbacks import EarlyStopping

    from sklearn_mm import NetClassifier
    from sklearn_mm.nets import TabularMLP

    X, y = make_classification(200, random_state=0)
    stop = EarlyStopping(patience=1, monitor="train_loss", threshold=10)
    # A shell that runs tests in the background has them ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        net = NetClassifier(TabularMLP, callbacks=[stop], random_state=0).fit(X, y)
        assert len(net.history_) < 5
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("cached", "group"), [(True, True), (False, False)], ids=["terminal", "by its id"]
)
def test_a_grid_search_over_a_loader_stops(cached, group, tmp_path):
    work = f"""
def work():
    loader = make_pipeline(ImageLoader(), HOGEncoder())
    if {cached}:
        loader = CachedEncoder(loader, {str(tmp_path / "cache")!r})
    model = make_pipeline(loader, LogisticRegression())
    grid = {{"logisticregression__C": [0.1, 1, 10] * 8}}
    noise = rng.integers(0, 256, (120, 120, 3), np.uint8)
    small = cv2.imencode(".png", noise)[1].tobytes()
    X = np.empty(2000, dtype=object)
    for row in range(2000):
        X[row] = small + bytes([row % 256, row // 256])
    GridSearchCV(model, grid, cv=3, n_jobs=2).fit(X, np.arange(2000) % 2)
"""
    status, lines = interrupt(COMMON + work + END, tmp_path, group, after=3)
    assert lines == ["interrupted"]
    assert status in (-signal.SIGINT, 128 + signal.SIGINT)
