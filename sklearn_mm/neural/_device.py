"""Which device a network is on, and generators that a seed does not leak out of."""

from contextlib import contextmanager

import torch

from .._utils.devices import pick_device
from .._utils.forks import protect_children
from ._target import map_parts

protect_children()


def unwrap(module):
    """Give the network itself where Accelerate wraps it, to train on several devices.

    Parameters
    ----------
    module : module
        A network, or torch's wrapper of one.

    Returns
    -------
    module
        The network.
    """
    return getattr(module, "module", module)


def place(tensors, device):
    """Move tensors to a GPU as a whole, if at most half of its free memory holds them.

    Parameters
    ----------
    tensors : tensor, or tuple or dict of such
        What all batches are cut from.
    device : str, torch.device or None
        The network's device.

    Returns
    -------
    tensor, or tuple or dict of such
        On the GPU, or as they were.
    """
    device = torch.device(pick_device(device) or "cpu")
    if device.type != "cuda":
        return tensors
    free, _ = torch.cuda.mem_get_info(device)
    return _move(tensors, device) if _count_bytes(tensors) <= free / 2 else tensors


def _move(tensors, device):
    if isinstance(tensors, dict | tuple):  # skorch's to_device takes no named tuples
        return map_parts(lambda part: _move(part, device), tensors)
    return None if tensors is None else tensors.to(device)


def _count_bytes(tensors):
    if isinstance(tensors, dict):
        tensors = tuple(tensors.values())
    if isinstance(tensors, tuple):
        return sum(map(_count_bytes, tensors))
    return 0 if tensors is None else tensors.nbytes


def keep_freed_memory():
    """Let the C library keep what a training step frees, for the next step.

    glibc gives freed memory back to the system as soon as it exceeds twice the largest
    block that was ever mapped and freed, up to 32 MB; a network's steps then pay for
    new pages again and again, up to half of their time. Mapping one such block once,
    without touching it, ends that. Elsewhere it does nothing.
    """
    torch.empty(31 * 2**20, dtype=torch.uint8)


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
