"""Contrastive losses of embeddings, and the network that makes these."""

from itertools import combinations
from math import log
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from ._branched import BranchedNet
from ._layers import Standardize


class _ContrastiveLoss(nn.Module):
    """Scales cosine similarities by one over the temperature, given or learned."""

    def __init__(self, temperature, first_temperature):
        super().__init__()
        is_learned = isinstance(temperature, str)
        if is_learned and temperature != "learned":
            raise ValueError(
                f"temperature must be 'learned' or a number, got {temperature!r}."
            )
        first = first_temperature if is_learned else temperature
        self.log_scale = nn.Parameter(torch.tensor(-log(first)), is_learned)

    def find_scale(self):
        """Give one over the temperature, at most 100 as in CLIP if it is learned."""
        if not self.log_scale.requires_grad:
            return self.log_scale.exp()
        return self.log_scale.clamp(max=log(100.0)).exp()


class CLIPLoss(_ContrastiveLoss):
    """Cross-entropy of finding each sample's counterpart among those of the batch.

    Parameters
    ----------
    temperature : "learned" or float, default="learned"
        What cosine similarities are divided by; learned, it begins at 0.07 and is at
        least 0.01.

    References
    ----------
    A. Radford et al. (2021), "Learning transferable visual models from natural language
    supervision", ICML; A. van den Oord, Y. Li and O. Vinyals (2018), "Representation
    learning with contrastive predictive coding", arXiv:1807.03748.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import CLIPLoss
    >>> vectors = torch.eye(3)
    >>> bool(CLIPLoss(1.0)(vectors, vectors) < CLIPLoss(1.0)(vectors, vectors.flip(0)))
    True
    """

    def __init__(self, temperature="learned"):
        super().__init__(temperature, 0.07)

    def forward(self, first, second):
        """Compare vectors of length one, row by row counterparts.

        Parameters
        ----------
        first, second : tensor of shape (n_samples, embedding_dim)
            Vectors of the two modalities.

        Returns
        -------
        tensor of shape ()
            Mean over both directions.
        """
        logits = self.find_scale() * first @ second.T
        rows = torch.arange(len(logits), device=logits.device)
        there = functional.cross_entropy(logits, rows)
        return (there + functional.cross_entropy(logits.T, rows)) / 2


class SigLIPLoss(_ContrastiveLoss):
    """Logistic loss of telling for each pair of the batch whether it belongs together.

    Parameters
    ----------
    temperature : "learned" or float, default="learned"
        What cosine similarities are divided by; learned, it begins at 0.1 and is at
        least 0.01.
    bias : float, default=-10.0
        What the bias of the similarities begins at, which is learned: about the log
        odds of two samples of a batch to belong together, -10 in batches of 20,000.

    References
    ----------
    X. Zhai, B. Mustafa, A. Kolesnikov and L. Beyer (2023), "Sigmoid loss for language
    image pre-training", ICCV.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import SigLIPLoss
    >>> vectors = torch.eye(3)
    >>> loss = SigLIPLoss(1.0)
    >>> bool(loss(vectors, vectors) < loss(vectors, vectors.flip(0)))
    True
    """

    def __init__(self, temperature="learned", bias=-10.0):
        super().__init__(temperature, 0.1)
        self.bias = nn.Parameter(torch.tensor(float(bias)))

    def forward(self, first, second):
        """Compare vectors of length one, row by row counterparts.

        Parameters
        ----------
        first, second : tensor of shape (n_samples, embedding_dim)
            Vectors of the two modalities.

        Returns
        -------
        tensor of shape ()
            Sum over all pairs, divided by the number of samples.
        """
        logits = self.find_scale() * first @ second.T + self.bias
        signs = 2 * torch.eye(len(logits), device=logits.device) - 1
        return -functional.logsigmoid(signs * logits).sum() / max(len(logits), 1)


class Embeddings(NamedTuple):
    """What an alignment network gives.

    Attributes
    ----------
    vectors : list of tensor of shape (n_samples, embedding_dim)
        For each branch, of length one.
    present : tensor of shape (n_samples, n_branches), bool
        Branches that took part.
    """

    vectors: list
    present: torch.Tensor


class AlignNet(BranchedNet):
    """Map all branches into one space: backbone, linear layer, length one.

    Parameters
    ----------
    backbones : dict of str to module
        One for each branch.
    embedding_dim : int
        Dimensions of the space.
    frozen : collection of str
        Branches whose backbone does not change; the linear layer behind it does.
    """

    _trusted = True

    def __init__(self, backbones, embedding_dim, frozen=()):
        super().__init__(backbones, frozen)
        self.scales = nn.ModuleDict()
        self.projections = nn.ModuleDict()
        for name, backbone in backbones.items():
            n_features = backbone.out_features
            self.scales[name] = Standardize((n_features,))
            self.projections[name] = nn.Linear(n_features, embedding_dim)

    def forward(self, inputs, present):
        """Embed each branch's samples; see :class:`Embeddings`."""
        if self.training:
            present = self._spare_lonely(present)
        encoded = self._encode(inputs, present)
        names = self.backbones
        return Embeddings(
            [self._project(*pair) for pair in zip(names, encoded)], present
        )

    @torch.no_grad()
    def adapt(self, name, x):
        """Centre and scale what a branch's backbone makes of training samples.

        Otherwise all vectors begin in one narrow cone, from which the logistic loss
        finds no way out.
        """
        was_training = self.training
        scale = self.scales[name]
        scale.adapt(self.eval().backbones[name](x))
        scale.std.fill_(scale.std.square().mean().sqrt())  # no feature is blown up
        self.train(was_training)

    def embed(self, name, x):
        """Embed samples of one branch, ``(n_samples, embedding_dim)``."""
        return self._project(name, self.backbones[name](x))

    def _project(self, name, encoded):
        vectors = self.projections[name](self.scales[name](encoded))
        return functional.normalize(vectors.float(), dim=1)


def average_over_pairs(criterion, embeddings):
    """Mean loss of all pairs of branches, each on the samples that have both.

    Parameters
    ----------
    criterion : callable
        The loss of two matrices of vectors.
    embeddings : Embeddings
        What an :class:`AlignNet` gives.

    Returns
    -------
    tensor of shape ()
        The loss; 0 if no two samples have the same two branches.
    """
    vectors, present = embeddings
    losses = []
    for i, j in combinations(range(len(vectors)), 2):
        rows = (present[:, i] & present[:, j]).nonzero().squeeze(1)
        if len(rows) > 1:  # one sample has nothing to be told from
            losses.append(criterion(vectors[i][rows], vectors[j][rows]))
    if not losses:
        return sum(part.sum() for part in vectors) * 0.0
    return torch.stack(losses).mean()
