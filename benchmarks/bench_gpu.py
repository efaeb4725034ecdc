"""A joint network trained on a GPU, against a raw torch loop on it.

python -m benchmarks.bench_gpu [--quick]

The loop holds all tensors on the GPU already and trains the same module by the same
batches. Without a GPU nothing is measured.
"""

import numpy as np
import torch
from torch import nn

from benchmarks import harness
from sklearn_mm import MultimodalNetClassifier
from sklearn_mm.nets import ImageCNN, TabularMLP

N_EPOCHS = 3


def make_data(n_samples):
    rng = np.random.default_rng(0)
    images = rng.standard_normal((n_samples, 64, 64), dtype=np.float32)
    vectors = rng.standard_normal((n_samples, 100), dtype=np.float32)
    X = {"image": images, "vector": vectors}
    return X, rng.integers(10, size=n_samples)


def make_net(batch_size, **options):
    return MultimodalNetClassifier(
        [
            ("image", "passthrough", "image"),
            ("vector", "passthrough", "vector"),
        ],
        backbones={"image": ImageCNN, "vector": TabularMLP},
        max_epochs=N_EPOCHS,
        batch_size=batch_size,
        early_stopping=False,
        device="cuda",
        **options,
    )


def train_by_hand(net, X, y, batch_size):
    """Train the joint module by a loop over tensors that are on the GPU."""
    parts = [torch.from_numpy(part).cuda() for part in X.values()]
    present = torch.ones((len(y), len(parts)), dtype=torch.bool, device="cuda")
    y = torch.from_numpy(y).cuda()
    optimizer, loss_of = torch.optim.Adam(net.parameters()), nn.CrossEntropyLoss()
    net.train()
    for _ in range(N_EPOCHS):
        for rows in torch.randperm(len(y), device="cuda").split(batch_size):
            optimizer.zero_grad()
            output = net([part[rows] for part in parts], present[rows])
            loss = loss_of(output.prediction, y[rows])
            loss.backward()
            optimizer.step()
    torch.cuda.synchronize()


def compare_epochs(X, y, batch_size, repeats):
    ours = make_net(batch_size)
    mixed = make_net(batch_size, mixed_precision=True)
    some = {name: part[:200] for name, part in X.items()}
    module = make_net(batch_size).fit(some, y[:200]).module_
    ways = {
        "torch loop": lambda: train_by_hand(module, X, y, batch_size),
        "MultimodalNetClassifier": lambda: ours.fit(X, y),
        "the same, mixed precision": lambda: mixed.fit(X, y),
    }
    work = f"epoch of a joint network on a GPU, batches of {batch_size}"
    found = harness.compare(work, ways, N_EPOCHS * len(y), repeats)
    ms, ratio = found["MultimodalNetClassifier"]
    harness.record(work, "torch loop's time", 1 / ratio, at_most=1.1, ms=ms)
    ms, ratio = found["the same, mixed precision"]
    harness.record(f"{work}, bfloat16", "torch loop's time", 1 / ratio, ms=ms)


def main(quick=False):
    if not torch.cuda.is_available():
        print("no GPU here: nothing is measured")
        return
    X, y = make_data(5_000 if quick else 20_000)
    for batch_size in (64, 256):
        compare_epochs(X, y, batch_size, 3 if quick else 7)


if __name__ == "__main__":
    harness.run(main)
