"""Backbones, a fusion layer over them, and heads, as one module."""

from typing import NamedTuple

import torch
from torch import nn

from ._branched import BranchedNet


class JointOutput(NamedTuple):
    """The output of a joint network.

    Attributes
    ----------
    prediction : tensor of shape (n_samples, n_outputs), or tuple of them
        The output of the head, or of each task's head.
    by_branch : list of (as prediction), or None
        The outputs of the branches' own heads, if there are any; in training only.
    fused : tensor of shape (n_samples, n_features)
        The output of the fusion layer.
    parts : list
        The input of the fusion layer from each branch.
    present : tensor of shape (n_samples, n_branches), bool
        The branches that took part.
    """

    prediction: object
    by_branch: list | None
    fused: torch.Tensor
    parts: list
    present: torch.Tensor


class JointNet(BranchedNet):
    """Predict from several modalities at once.

    Parameters
    ----------
    backbones : dict of str to module
        One for each branch.
    fusion : module or callable
        The fusion layer, or what builds it from the lengths of the branches' vectors;
        of their tokens if it has ``takes_tokens``.
    n_outputs : int or list of int
        Outputs of the head, or of each task's head.
    by_branch : bool
        Whether each branch has heads of its own.
    modality_dropout : float
        Chance that a present branch is left out in training; one always stays.
    frozen : collection of str
        Branches whose backbone does not change.
    """

    _trusted = True

    def __init__(
        self,
        backbones,
        fusion,
        n_outputs,
        *,
        by_branch=False,
        modality_dropout=0.0,
        frozen=(),
    ):
        super().__init__(backbones, frozen)
        self.takes_tokens = getattr(fusion, "takes_tokens", False)
        sizes = [self._size_of(backbone) for backbone in backbones.values()]
        self.fusion = fusion if isinstance(fusion, nn.Module) else fusion(sizes)
        if not hasattr(self.fusion, "out_features"):
            raise TypeError(
                f"{type(self.fusion).__name__} has no out_features. A fusion layer is "
                "built as Fusion(in_features, **options), forward(vectors, present) "
                "returns (n_samples, out_features), and it says how many those are."
            )
        self.head = _Heads(self.fusion.out_features, n_outputs)
        self.branch_heads = None
        if by_branch:
            self.branch_heads = nn.ModuleList(
                _Heads(backbone.out_features, n_outputs)
                for backbone in backbones.values()
            )
        self.modality_dropout = modality_dropout

    def forward(self, inputs, present):
        """Predict, with what the losses need.

        Parameters
        ----------
        inputs : list of tensor of shape (n_samples, ...)
            For each branch.
        present : tensor of shape (n_samples, n_branches), bool
            Which branches each sample has; the others have no influence.

        Returns
        -------
        JointOutput
            The prediction, and what led to it.
        """
        if self.training:
            present = self._leave_out(present)
        by_branch = None
        has_own = self.training and self.branch_heads is not None
        if has_own or not self.takes_tokens:
            vectors = self._encode(inputs, present)
        parts = (
            self._encode(inputs, present, "tokens") if self.takes_tokens else vectors
        )
        fused = self.fusion(parts, present)
        if has_own:
            by_branch = self._apply_branch_heads(vectors)
        return JointOutput(self.head(fused), by_branch, fused, parts, present)

    def predict(self, inputs, present):
        """Return the prediction alone."""
        return self(inputs, present).prediction

    def embed(self, inputs, present):
        """Return the fused vectors ``(n_samples, out_features)``."""
        method = "tokens" if self.takes_tokens else "forward"
        return self.fusion(self._encode(inputs, present, method), present)

    def embed_branches(self, inputs, present):
        """Return the vectors of each branch's backbone, as a list."""
        return self._encode(inputs, present)

    def predict_by_branch(self, inputs, present):
        """Return the predictions of the branches' own heads, as a list."""
        return self._apply_branch_heads(self._encode(inputs, present))

    def predict_all(self, inputs, present):
        """Predict as ``forward`` does in evaluation, in a form that can be exported.

        Samples are encoded even where they are absent, and hidden afterwards.
        """
        method = "tokens" if self.takes_tokens else "forward"
        return self.predict_from(self._encode_all(inputs, present, method), present)

    def predict_from(self, parts, present):
        """Predict from the inputs of the fusion layer, of the present branches only."""
        return self.head(self.fusion(parts, present))

    def _size_of(self, backbone):
        if self.takes_tokens and hasattr(backbone, "tokens"):
            return backbone.token_features
        return backbone.out_features

    def _leave_out(self, present):
        """Which branches take part in a training step."""
        if self.modality_dropout:
            present = drop_modalities(present, self.modality_dropout)
        return self._spare_lonely(present)

    def _apply_branch_heads(self, vectors):
        return [head(v) for head, v in zip(self.branch_heads, vectors)]


class _Heads(nn.Module):
    """A linear head, or one for each task."""

    _trusted = True

    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.is_single = isinstance(n_outputs, int)
        sizes = [n_outputs] if self.is_single else n_outputs
        self.layers = nn.ModuleList(nn.Linear(n_inputs, size) for size in sizes)

    def forward(self, x):
        outputs = tuple(layer(x) for layer in self.layers)
        return outputs[0] if self.is_single else outputs


def drop_modalities(present, share):
    """Leave out each present modality with a chance of ``share``, but never all.

    Parameters
    ----------
    present : tensor of shape (n_samples, n_modalities), bool
        Which are present.
    share : float
        The chance.

    Returns
    -------
    tensor of shape (n_samples, n_modalities), bool
        Which take part.
    """
    luck = torch.rand(present.shape, device=present.device)
    luck = luck.masked_fill(~present, -1.0)
    best = torch.zeros_like(present).scatter(1, luck.argmax(dim=1, keepdim=True), True)
    return present & ((luck >= share) | best)
