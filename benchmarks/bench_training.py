"""An epoch of our nets against a torch loop written by hand, and against plain skorch.

python -m benchmarks.bench_training

Same net, same tensors, same batch size, no validation part; one torch thread. Then a
grid search in one process and in two, each with as many threads as it takes by itself;
and the memory that a fit takes, as multiples of the array's own size.
"""

import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import torch
from sklearn.model_selection import GridSearchCV
from skorch import NeuralNetClassifier
from torch import nn

from benchmarks.harness import compare
from sklearn_mm import NetClassifier
from sklearn_mm.nets import ImageCNN, SequenceRNN

N_EPOCHS = 3


def image_net():
    """The textbook's first network, on gray 28x28 images."""
    layers = (nn.Conv2d(1, 32, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2))
    return nn.Sequential(
        nn.Unflatten(1, (1, 28)), *layers, nn.Flatten(), nn.Linear(6272, 10)
    )


class SequenceNet(nn.Module):
    """An LSTM's last state, and a linear layer."""

    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(10, 64, batch_first=True), nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


def train_by_hand(net, X, y, batch_size):
    """The loop of every tutorial."""
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001)
    loss_of = nn.CrossEntropyLoss()
    net.train()
    for _ in range(N_EPOCHS):
        order = torch.randperm(len(X))
        for rows in order.split(batch_size):
            optimizer.zero_grad()
            loss = loss_of(net(X[rows]), y[rows])
            loss.backward()
            optimizer.step()


def ways(module, by_hand, X, y, batch_size):
    """Fit by hand (a plain net, and ours), by our estimator, and by plain skorch."""
    options = {"max_epochs": N_EPOCHS, "lr": 0.001, "batch_size": batch_size}
    ours = NetClassifier(module, early_stopping=False, device="cpu", **options)
    same_net = ours.fit(X[:100], y[:100]).module_
    skorch = NeuralNetClassifier(
        by_hand,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        train_split=None,
        verbose=0,
        iterator_train__shuffle=True,
        **options,
    )
    return {
        "by hand, same net": lambda: train_by_hand(same_net, X, y, batch_size),
        "NetClassifier": lambda: ours.fit(X, y),
        "by hand, a net without NaN": lambda: train_by_hand(
            by_hand(), X, y, batch_size
        ),
        "skorch, the net without NaN": lambda: skorch.fit(X, y),
    }


def make_data(n_samples, shape):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, *shape), dtype=np.float32)
    return X, rng.integers(10, size=n_samples)


def peak_memory():
    """The most memory that this process has held, in kB (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def measure_memory():
    """Print the peak that a fit adds, in multiples of the array's size."""
    warm = make_data(200, (28, 28))
    net = NetClassifier(ImageCNN, max_epochs=1, device="cpu").fit(*warm)
    before = peak_memory()
    X, y = make_data(100_000, (28, 28))
    held = peak_memory()
    net.fit(X, y)
    peak = peak_memory()
    size = X.nbytes / 1024
    print(f"\nmemory at its peak, in sizes of the array ({size / 1024:.0f} MB):")
    held, peak = (held - before) / size, (peak - before) / size
    print(f"the array {held:.2f}, with fit {peak:.2f}")


def measure_search():
    """A grid of 4 x 3 fits in this process (two threads), and in two processes."""
    X, y = make_data(3_000, (28, 28))
    net = NetClassifier(ImageCNN, max_epochs=N_EPOCHS, device="cpu")
    grid = {"lr": [1e-4, 3e-4, 1e-3, 3e-3]}
    searches = {
        f"n_jobs={n_jobs}": GridSearchCV(net, grid, cv=3, n_jobs=n_jobs)
        for n_jobs in (1, 2)
    }
    fits = {name: partial(search.fit, X, y) for name, search in searches.items()}
    compare("GridSearchCV, 4 x 3 fits of the CNN on 2,000 images", fits, 12, repeats=3)


def main():
    parts = {"memory": measure_memory, "search": measure_search}
    if sys.argv[1:]:
        return parts[sys.argv[1]]()
    torch.set_num_threads(1)
    for batch_size in (64, 256):
        X, y = make_data(10_000, (28, 28))
        title = f"CNN, 10,000 images of 28x28, batches of {batch_size}"
        compare(title, ways(ImageCNN, image_net, X, y, batch_size), N_EPOCHS * len(X))
        X, y = make_data(4_000, (50, 10))
        title = f"LSTM(64), 4,000 sequences of 50x10, batches of {batch_size}"
        compare(
            title, ways(SequenceRNN, SequenceNet, X, y, batch_size), N_EPOCHS * len(X)
        )
    for part in parts:  # in fresh processes, with torch as it is
        command = [sys.executable, "-m", "benchmarks.bench_training", part]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
