"""Which device a network is on, and generators that a seed does not leak out of."""

from contextlib import contextmanager

import torch


def pick_device(device):
    """Give the device that "auto" stands for: cuda, else mps, else cpu."""
    if device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


@contextmanager
def fork_generators(seed, device):
    """Seed torch's generators within, and put them back as they were.

    Parameters
    ----------
    seed : int
        The seed.
    device : str, torch.device or None
        The network's device; the CPU's generator and its own are seeded.
    """
    device = torch.device(pick_device(device) or "cpu")
    on_cuda = device.type == "cuda"
    devices = []
    if on_cuda:
        current = torch.cuda.current_device()
        devices = [current if device.index is None else device.index]
    with torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(seed)
        if on_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
