"""An epoch of our nets against a torch loop written by hand, and against plain skorch.

python -m benchmarks.bench_training [--quick]

Same net, same tensors, same batch size, no validation part; one torch thread. Then
grid searches in one process and in two, each with as many threads as it takes by
itself.
"""

from functools import partial

import numpy as np
import torch
from sklearn.model_selection import GridSearchCV
from skorch import NeuralNetClassifier
from torch import nn

from benchmarks import harness
from sklearn_mm import NetClassifier
from sklearn_mm.nets import ImageCNN, SequenceRNN, TabularMLP

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


def vector_net():
    return nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 10))


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


def make_cases():
    """Our backbone, a plain net for the same task, samples, and the bound on time."""
    mlp = partial(TabularMLP, hidden_sizes=(32,))
    yield "CNN", ImageCNN, image_net, make_data(10_000, (28, 28)), 1.08
    yield "LSTM(64)", SequenceRNN, SequenceNet, make_data(4_000, (50, 10)), 1.08
    yield "MLP", mlp, vector_net, make_data(10_000, (20,)), 1.6


def compare_epochs(repeats):
    """Train by hand, by our estimator and by plain skorch, on one thread."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for name, module, by_hand, (X, y), bound in make_cases():
        for batch_size in (64, 256):
            work = f"epoch of {name}, batches of {batch_size}"
            found = harness.compare(
                f"{work}, {len(X):,} samples",
                ways(module, by_hand, X, y, batch_size),
                N_EPOCHS * len(X),
                repeats,
            )
            ms, ratio = found["NetClassifier"]
            harness.record(
                work, "torch loop, same net, time", 1 / ratio, at_most=bound, ms=ms
            )
    torch.set_num_threads(n_threads)


def compare_searches(repeats):
    """A grid of 4 x 3 fits in this process, and in two."""
    cases = {
        "CNN": (ImageCNN, make_data(3_000, (28, 28))),
        "LSTM": (SequenceRNN, make_data(2_000, (50, 10))),
        "MLP": (TabularMLP, make_data(10_000, (20,))),
    }
    for name, (module, (X, y)) in cases.items():
        net = NetClassifier(module, max_epochs=2 * N_EPOCHS, device="cpu")
        grid = {"lr": [1e-4, 3e-4, 1e-3, 3e-3]}
        fits = {
            f"n_jobs={n_jobs}": partial(
                GridSearchCV(net, grid, cv=3, n_jobs=n_jobs).fit, X, y
            )
            for n_jobs in (1, 2)
        }
        work = f"GridSearchCV(n_jobs=2), 4 x 3 fits of the {name}"
        ms, ratio = harness.compare(work, fits, 1, repeats)["n_jobs=2"]
        harness.record(work, "n_jobs=1", ratio, at_least=1.4, ms=ms)


def main(quick=False):
    compare_epochs(3 if quick else 7)
    compare_searches(2 if quick else 5)


if __name__ == "__main__":
    harness.run(main)
