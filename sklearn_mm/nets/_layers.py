"""What backbones share: masks of valid steps, pooling over them, standardising."""

import torch
from torch import nn


def valid_steps(x):
    """Say which steps of NaN-padded sequences are within their length.

    Parameters
    ----------
    x : tensor of shape (n_samples, time, ...)
        Sequences, padded with NaN at their end.

    Returns
    -------
    tensor of shape (n_samples, time), bool
        True up to the last step that is not all NaN; of a missing sample, its first
        step, which counts as zeros.
    """
    present = ~torch.isnan(x)
    if present.ndim > 2:
        present = present.flatten(2).any(dim=2)
    return steps_up_to_last(present)


def steps_up_to_last(present):
    """Fill gaps: True up to the last True of each row, and at its first step anyway."""
    steps = torch.arange(present.shape[1], device=present.device)
    return steps <= (present * steps).amax(dim=1, keepdim=True)


class Standardize(nn.Module):
    """Subtract the training samples' mean and divide by their standard deviation.

    Parameters
    ----------
    shape : tuple of int
        Shape of mean and standard deviation: the last axes of a sample.

    Notes
    -----
    Costs no parameters; mean and standard deviation are buffers. NaN become zeros.
    """

    _trusted = True

    def __init__(self, shape):
        super().__init__()
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("std", torch.ones(shape))

    def adapt(self, x):
        """Learn mean and standard deviation from what is not NaN.

        Parameters
        ----------
        x : tensor of shape (..., *shape)
            Training samples.
        """
        flat = x.reshape(-1, *self.mean.shape).double()
        mean = flat.nanmean(dim=0).nan_to_num()
        std = (flat - mean).square().nanmean(dim=0).sqrt().nan_to_num(nan=1.0)
        self.mean.copy_(mean)
        self.std.copy_(torch.where(std > 1e-6 * mean.abs() + 1e-12, std, 1.0))

    def forward(self, x):
        """Standardise; NaN become zeros, that is the mean."""
        return ((x - self.mean) / self.std).nan_to_num()


class Pool(nn.Module):
    """Pool the valid steps of sequences into one vector.

    Parameters
    ----------
    kind : {"last", "mean", "max", "mean_max", "attention"} or int
        The last valid step, mean or maximum over the valid steps, both side by side,
        their mean weighted by a learned score, or the step of that number.
    n_features : int
        Features of a step.

    Attributes
    ----------
    out_features : int
        Features of the vector.
    """

    _trusted = True

    def __init__(self, kind, n_features):
        super().__init__()
        names = ("last", "mean", "max", "mean_max", "attention")
        if kind not in names and not isinstance(kind, int):
            raise ValueError(
                "pooling must be 'last', 'mean', 'max', 'mean_max', 'attention' or the "
                f"number of a step, got {kind!r}."
            )
        self.kind = kind
        self.out_features = n_features * (2 if kind == "mean_max" else 1)
        self.score = nn.Linear(n_features, 1) if kind == "attention" else None

    def forward(self, x, valid):
        """Pool ``x`` (n_samples, time, n_features) where ``valid``."""
        if isinstance(self.kind, int):
            return x[:, self.kind]
        if self.kind == "last":
            last = valid.sum(dim=1) - 1
            return x[torch.arange(x.shape[0], device=x.device), last]
        if self.kind == "attention":
            score = self.score(x).squeeze(2).masked_fill(~valid, -torch.inf)
            return torch.einsum("nt,ntf->nf", score.softmax(dim=1), x)
        mask = valid.unsqueeze(2)
        pooled = []
        if "mean" in self.kind:
            pooled.append((x * mask).sum(dim=1) / mask.sum(dim=1))
        if "max" in self.kind:
            pooled.append(x.masked_fill(~mask, -torch.inf).amax(dim=1))
        return torch.cat(pooled, dim=1)
