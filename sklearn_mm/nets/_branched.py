"""A backbone for each branch, some of which may not change, as one module."""

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm


class BranchedNet(nn.Module):
    """Encodes each branch by its backbone, where the branch is present.

    Parameters
    ----------
    backbones : dict of str to module
        One for each branch.
    frozen : collection of str
        Branches whose backbone does not change.
    """

    def __init__(self, backbones, frozen=()):
        super().__init__()
        self.backbones = nn.ModuleDict(backbones)
        self.frozen = tuple(frozen)
        for name in self.frozen:
            self.backbones[name].requires_grad_(False)

    def train(self, mode=True):
        """Switch to training, except what is frozen."""
        super().train(mode)
        for name in self.frozen:
            self.backbones[name].eval()
        return self

    def _encode(self, inputs, present, method="forward"):
        """Give each branch's vectors, or its tokens; zeros where it is absent."""
        return [
            _encode_present(_ENCODERS[method], backbone, x, present[:, i])
            for i, (backbone, x) in enumerate(zip(self.backbones.values(), inputs))
        ]

    def _encode_all(self, inputs, present, method="forward"):
        """Do the same in evaluation by steps that do not depend on ``present``."""
        return [
            _hide_absent(
                _ENCODERS[method](backbone, _hide_absent(x, present[:, i])),
                present[:, i],
            )
            for i, (backbone, x) in enumerate(zip(self.backbones.values(), inputs))
        ]

    def _spare_lonely(self, present):
        """Leave a branch out of a batch where one sample only has it.

        Batch norm cannot train on one sample.
        """
        lonely = present.sum(dim=0) == 1
        if len(present) > 1 and lonely.any():
            normed = [_has_batch_norm(b) for b in self.backbones.values()]
            present = present & ~(lonely & torch.tensor(normed, device=lonely.device))
        return present


def _encode_present(encode, backbone, x, present):
    """Encode the samples that are present; what stands for the others is zeros."""
    if present.all():
        return encode(backbone, x)
    rows = present.nonzero().squeeze(1)
    if len(rows):
        encoded = encode(backbone, x[rows])
    else:  # for the shape alone, from zeros
        was_training = backbone.training
        with torch.no_grad():
            encoded = encode(backbone.eval(), torch.zeros_like(x[:1]))
        backbone.train(was_training)
    return _scatter(encoded, rows, len(x))


def _scatter(encoded, rows, n_samples):
    if isinstance(encoded, tuple):
        return tuple(_scatter(part, rows, n_samples) for part in encoded)
    whole = encoded.new_zeros((n_samples, *encoded.shape[1:]))
    return whole.index_copy(0, rows, encoded[: len(rows)])


def _hide_absent(encoded, present):
    if isinstance(encoded, tuple):
        return tuple(_hide_absent(part, present) for part in encoded)
    rows = present.reshape(-1, *[1] * (encoded.ndim - 1))
    if encoded.dtype == torch.bool:  # which of the tokens are valid
        return encoded & rows
    return encoded.masked_fill(~rows, 0)


def _has_batch_norm(module):
    return any(isinstance(part, BatchNorm) for part in module.modules())


def _encode_vectors(backbone, x):
    return backbone(x)


def _encode_tokens(backbone, x):
    if hasattr(backbone, "tokens"):
        return backbone.tokens(x)
    tokens = backbone(x).unsqueeze(1)
    return tokens, tokens.new_ones(tokens.shape[:2], dtype=torch.bool)


_ENCODERS = {"forward": _encode_vectors, "tokens": _encode_tokens}
