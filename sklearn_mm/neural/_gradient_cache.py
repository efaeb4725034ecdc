"""Gradient caching: gradients of a large batch, with the activations of a chunk.

References
----------
L. Gao, Y. Zhang, J. Han and J. Callan (2021), "Scaling deep contrastive learning batch
size under memory limited setup", RepL4NLP.
"""

import torch

from .._utils.devices import pick_device
from ..nets.alignment import Embeddings


def compute_gradients(net, samples, chunk_size):
    """Compute the gradients of a training step, twice forward and once backward.

    Parameters
    ----------
    net : ContrastiveAligner
        The network, in training.
    samples : dict of tensor of shape (n_samples, ...)
        The batch.
    chunk_size : int
        Samples whose activations are in memory at the same time.

    Returns
    -------
    dict
        ``loss`` and ``y_pred``, as skorch's ``train_step_single`` returns them.
    """
    chunks = _split(samples, chunk_size)
    states, parts = [], []
    with torch.no_grad():
        for chunk in chunks:
            states.append(_get_generators(net.device))
            parts.append(net.infer(chunk))
    embeddings = _join(parts)
    vectors = [part.requires_grad_() for part in embeddings.vectors]
    loss = net.get_loss(embeddings, None, training=True)
    loss.backward()  # down to the vectors, and the temperature
    gradients = [part.grad.split(chunk_size) for part in vectors]
    after = _get_generators(net.device)
    for i, (chunk, state) in enumerate(zip(chunks, states)):
        _set_generators(state)  # the same dropout as before
        again = net.infer(chunk).vectors
        torch.autograd.backward(again, [part[i] for part in gradients])
    _set_generators(after)
    return {"loss": loss, "y_pred": embeddings}


def _split(samples, size):
    parts = {key: tensor.split(size) for key, tensor in samples.items()}
    return [dict(zip(parts, chunk)) for chunk in zip(*parts.values())]


def _join(chunks):
    vectors, present = zip(*chunks)
    return Embeddings([torch.cat(part) for part in zip(*vectors)], torch.cat(present))


def _get_generators(device):
    is_cuda = torch.device(pick_device(device)).type == "cuda"
    return torch.get_rng_state(), torch.cuda.get_rng_state() if is_cuda else None


def _set_generators(states):
    torch.set_rng_state(states[0])
    if states[1] is not None:
        torch.cuda.set_rng_state(states[1])
