"""Networks on data larger than memory, and on several devices."""

import os
import subprocess
import sys
from threading import Event, Thread

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits

from sklearn_mm import MultimodalNetClassifier, NetClassifier
from sklearn_mm.nets import TabularMLP

from ..conftest import ROOT
from ..robustness.processes import PATIENCE


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X.astype(np.float32), y


def make_joint(**options):
    halves = [
        ("upper", "passthrough", slice(0, 32)),
        ("lower", "passthrough", slice(32, 64)),
    ]
    return MultimodalNetClassifier(
        halves, backbones={"upper": TabularMLP, "lower": TabularMLP}, **options
    )


@pytest.mark.parametrize(
    "make", [lambda **o: NetClassifier(TabularMLP, **o), make_joint]
)
def test_partitions_are_learned_one_after_the_other(make, digits):
    dd = pytest.importorskip("dask.dataframe")
    X, y = digits
    table = pd.DataFrame(X).rename(columns=str).assign(y=y)
    low = table[y < 8][:450]  # the first partition
    table = pd.concat([low, table.drop(low.index)], ignore_index=True)
    frame = dd.from_pandas(table, npartitions=4)
    options = {"max_epochs": 1, "early_stopping": False, "random_state": 0, "lr": 0.01}
    net = make(**options)
    for _ in range(6):
        for part in frame.partitions:
            part = part.compute()
            pixels = part.drop(columns="y").to_numpy()
            net.partial_fit(pixels, part["y"], classes=range(10))
    assert set(frame.partitions[0].compute()["y"]) == set(range(8))
    assert net.score(X, y) > 0.9
    assert len(net.history_) == 24


def find_anonymous_memory():
    with open("/proc/self/status") as status:
        lines = dict(line.split(":", 1) for line in status)
    return 1024 * int(lines["RssAnon"].split()[0])


class Watch:
    """The most memory, pages of files aside, that the process has within a block."""

    def __enter__(self):
        self.peak, self.stop = 0, Event()
        self.thread = Thread(target=self._look)
        self.thread.start()
        return self

    def _look(self):
        while not self.stop.wait(0.002):
            self.peak = max(self.peak, find_anonymous_memory())

    def __exit__(self, *args):
        self.stop.set()
        self.thread.join()


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="not Linux")
@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_array_on_disk_is_not_copied(early_stopping, tmp_path):
    shape = (400_000, 100)  # 160 MB
    file = tmp_path / "vectors.float32"
    X = np.memmap(file, dtype=np.float32, mode="w+", shape=shape)
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, shape[0])
    for rows in np.split(np.arange(shape[0]), 10):
        X[rows] = rng.standard_normal((len(rows), shape[1])) + y[rows, None]
    X.flush()
    X = np.memmap(file, dtype=np.float32, mode="r", shape=shape)
    net = NetClassifier(
        TabularMLP, max_epochs=1, batch_size=4096, early_stopping=early_stopping
    )
    net.fit(X[:5000], y[:5000])  # what any fit needs is there
    before = find_anonymous_memory()
    with Watch() as watch:
        net.fit(X, y)
    assert watch.peak - before < X.nbytes / 2
    assert net.score(X[:5000], y[:5000]) > 0.9


SCRIPT = """
import sys
import numpy as np
from accelerate import Accelerator
from sklearn.datasets import load_digits
from skorch.hf import AccelerateMixin
from torch.utils.data import DataLoader
from tests.neural.test_scale import make_joint
from sklearn_mm import MultimodalNetClassifier, NetClassifier
from sklearn_mm.nets import TabularMLP


class LearnersOnly(Accelerator):
    def prepare_model(self, model, **options):
        # On the CPU, Accelerate also wraps losses, which have nothing to learn.
        if any(p.requires_grad for p in model.parameters()):
            return super().prepare_model(model, **options)
        return model


class DistributedNetClassifier(AccelerateMixin, NetClassifier):
    pass


X, y = load_digits(return_X_y=True)
X = X.astype(np.float32)
net = DistributedNetClassifier(
    TabularMLP,
    accelerator=LearnersOnly(cpu=sys.argv[1] == "cpu"),
    device=None,
    iterator_train=DataLoader,
    iterator_train__shuffle=True,
    iterator_valid=DataLoader,
    early_stopping=False,
    max_epochs=8,
    lr=0.01,
    random_state=0,
)
net.fit(X[:1280], y[:1280])
batches = len(net.history_[-1]["batches"])
weights = net.module_.head.weight.detach().cpu().double().sum()
with open(f"{sys.argv[2]}/result{net.accelerator.process_index}", "w") as file:
    print(batches, float(weights), net.score(X[1280:], y[1280:]), file=file)
net.accelerator.wait_for_everyone()
net.accelerator.end_training()
"""


@pytest.mark.slow
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_accelerate_trains_one_network_in_two_processes(device, tmp_path):
    pytest.importorskip("accelerate")
    if device == "cuda" and torch.cuda.device_count() < 2:
        pytest.skip("there are no two GPUs")
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*launch, "--nproc_per_node", "2", script, device, tmp_path],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = [(tmp_path / f"result{process}").read_text() for process in range(2)]
    assert told[0] == told[1]  # the same weights in both
    batches, _, score = map(float, told[0].split())
    assert batches == 10  # of 64: each has seen the half
    assert score > 0.85
