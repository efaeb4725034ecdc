"""Layers that fuse the vectors of several modalities, of which some may be absent.

A fusion layer is a module built as ``Fusion(in_features, **options)`` with the length
of each modality's vector, whose ``forward(vectors, present)`` takes a list of tensors
``(n_samples, in_features[i])`` and ``present`` ``(n_samples, n_modalities)``, returns
``(n_samples, out_features)`` and has ``out_features``. An absent modality has no
influence. Layers with ``takes_tokens = True`` get, for each modality, its tokens
``(n_samples, n_tokens, in_features[i])`` and which are valid ``(n_samples, n_tokens)``
instead of its vector (see :mod:`sklearn_mm.nets.token_fusion`).
"""

from math import prod

import torch
from torch import nn

#: More features than this of an outer product are refused.
_MAX_PRODUCT = 2**18


def hide_absent(vectors, present):
    """Set vectors of absent modalities to zero, whatever they hold, NaN too."""
    return [torch.where(present[:, i, None], v, 0.0) for i, v in enumerate(vectors)]


def mean_of_present(vectors, present):
    """Average vectors of one length over the modalities that are present."""
    total = torch.stack(hide_absent(vectors, present)).sum(dim=0)
    return total / present.sum(dim=1, keepdim=True).clamp_min(1)


class _Projections(nn.Module):
    """A linear map of each modality to vectors of one length; absent ones are zero."""

    _trusted = True

    def __init__(self, in_features, embedding_dim):
        super().__init__()
        self.maps = nn.ModuleList(nn.Linear(n, embedding_dim) for n in in_features)

    def forward(self, vectors, present, activation=None):
        mapped = [
            layer(v) for layer, v in zip(self.maps, hide_absent(vectors, present))
        ]
        if activation is not None:
            mapped = [activation(v) for v in mapped]
        return hide_absent(mapped, present)


class ConcatFusion(nn.Module):
    """Vectors side by side, then a hidden layer with ReLU.

    Parameters
    ----------
    in_features : sequence of int
        Length of each modality's vector.
    hidden_size : int or None, default=64
        Units of the hidden layer; None leaves the vectors as they are.
    dropout : float, default=0.0
        Share of the result dropped in training.

    Attributes
    ----------
    out_features : int
        ``hidden_size``, or the sum of ``in_features``.

    Notes
    -----
    Costs ``(sum(in_features) + 1) * hidden_size`` parameters. An absent modality is
    zeros.

    References
    ----------
    J. Ngiam et al. (2011), "Multimodal deep learning", ICML.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import ConcatFusion
    >>> vectors, present = [torch.rand(5, 3), torch.rand(5, 8)], torch.ones(5, 2) > 0
    >>> ConcatFusion((3, 8))(vectors, present).shape
    torch.Size([5, 64])
    """

    def __init__(self, in_features, hidden_size=64, dropout=0.0):
        super().__init__()
        self.out_features = hidden_size or sum(in_features)
        self.layer = nn.Linear(sum(in_features), hidden_size) if hidden_size else None
        self.dropout = nn.Dropout(dropout)

    def forward(self, vectors, present):
        """Fuse ``vectors``, a list of ``(n_samples, in_features[i])``."""
        fused = torch.cat(hide_absent(vectors, present), dim=1)
        if self.layer is not None:
            fused = self.layer(fused).relu()
        return self.dropout(fused)


class MeanFusion(nn.Module):
    """The mean of linear maps of the modalities that are present, then ReLU.

    Parameters
    ----------
    in_features : sequence of int
        Length of each modality's vector.
    embedding_dim : int, default=64
        Length of the mapped vectors.
    dropout : float, default=0.0
        Share of the result dropped in training.

    Attributes
    ----------
    out_features : int
        ``embedding_dim``.

    Notes
    -----
    Costs ``(sum(in_features) + n_modalities) * embedding_dim`` parameters.

    References
    ----------
    M. Zaheer et al. (2017), "Deep sets", NeurIPS.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import MeanFusion
    >>> vectors, present = [torch.rand(5, 3), torch.rand(5, 8)], torch.ones(5, 2) > 0
    >>> MeanFusion((3, 8))(vectors, present).shape
    torch.Size([5, 64])
    """

    def __init__(self, in_features, embedding_dim=64, dropout=0.0):
        super().__init__()
        self.project = _Projections(in_features, embedding_dim)
        self.dropout = nn.Dropout(dropout)
        self.out_features = embedding_dim

    def forward(self, vectors, present):
        """Fuse ``vectors``, a list of ``(n_samples, in_features[i])``."""
        fused = mean_of_present(self.project(vectors, present), present)
        return self.dropout(fused.relu())


class GatedFusion(nn.Module):
    """Gated multimodal unit: all modalities together decide how much of each passes.

    Parameters
    ----------
    in_features : sequence of int
        Length of each modality's vector.
    embedding_dim : int, default=64
        Length of the fused vector.
    dropout : float, default=0.0
        Share of the result dropped in training.

    Attributes
    ----------
    out_features : int
        ``embedding_dim``.

    Notes
    -----
    Costs ``(sum(in_features) + 1) * (n_modalities + 1) * embedding_dim`` parameters,
    about.

    References
    ----------
    J. Arevalo, T. Solorio, M. Montes-y-Gómez and F. A. González (2017), "Gated
    multimodal units for information fusion", ICLR workshop.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import GatedFusion
    >>> vectors, present = [torch.rand(5, 3), torch.rand(5, 8)], torch.ones(5, 2) > 0
    >>> GatedFusion((3, 8))(vectors, present).shape
    torch.Size([5, 64])
    """

    def __init__(self, in_features, embedding_dim=64, dropout=0.0):
        super().__init__()
        self.project = _Projections(in_features, embedding_dim)
        self.gate = nn.Linear(sum(in_features), len(in_features) * embedding_dim)
        self.dropout = nn.Dropout(dropout)
        self.out_features = embedding_dim

    def forward(self, vectors, present):
        """Fuse ``vectors``, a list of ``(n_samples, in_features[i])``."""
        values = self.project(vectors, present, torch.tanh)
        gates = self.gate(torch.cat(hide_absent(vectors, present), dim=1)).sigmoid()
        gates = gates.chunk(len(values), dim=1)
        return self.dropout(sum(g * v for g, v in zip(gates, values)))


def _append_one(vectors):
    return [torch.cat([v, v.new_ones(v.shape[0], 1)], dim=1) for v in vectors]


class TensorFusion(nn.Module):
    """Tensor fusion network: the outer product of the modalities, with 1 appended.

    The products hold each modality alone, each pair, and so on.

    Parameters
    ----------
    in_features : sequence of int
        Length of each modality's vector.
    embedding_dim : int, default=16
        Length that each is mapped to, by a layer with ReLU.
    dropout : float, default=0.0
        Share of the result dropped in training.

    Attributes
    ----------
    out_features : int
        ``(embedding_dim + 1) ** n_modalities``.

    Notes
    -----
    Costs ``(sum(in_features) + n_modalities) * embedding_dim`` parameters, and a long
    vector: 4,913 numbers for three modalities. More than 262,144 are refused. An absent
    modality is zeros with a 1.

    References
    ----------
    A. Zadeh, M. Chen, S. Poria, E. Cambria and L.-P. Morency (2017), "Tensor fusion
    network for multimodal sentiment analysis", EMNLP.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import TensorFusion
    >>> vectors, present = [torch.rand(5, 3), torch.rand(5, 8)], torch.ones(5, 2) > 0
    >>> TensorFusion((3, 8), embedding_dim=4)(vectors, present).shape
    torch.Size([5, 25])
    """

    def __init__(self, in_features, embedding_dim=16, dropout=0.0):
        super().__init__()
        self.out_features = (embedding_dim + 1) ** len(in_features)
        if self.out_features > _MAX_PRODUCT:
            raise ValueError(
                f"TensorFusion: the product of {len(in_features)} modalities with "
                f"embedding_dim={embedding_dim} has {self.out_features} features, more "
                f"than {_MAX_PRODUCT}. Lower embedding_dim, or use LowRankFusion."
            )
        self.project = _Projections(in_features, embedding_dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, vectors, present):
        """Fuse ``vectors``, a list of ``(n_samples, in_features[i])``."""
        fused, *others = _append_one(self.project(vectors, present, torch.relu))
        for other in others:
            fused = torch.einsum("ni,nj->nij", fused, other).flatten(1)
        return self.dropout(fused)


class LowRankFusion(nn.Module):
    """Low-rank multimodal fusion: a linear map of the outer product, never built.

    The map's tensor is a sum of ``rank`` products of one factor per modality, so that
    the result is a product of sums, and its cost linear in the modalities.

    Parameters
    ----------
    in_features : sequence of int
        Length of each modality's vector.
    embedding_dim : int, default=16
        Length that each is mapped to, by a layer with ReLU.
    hidden_size : int, default=64
        Length of the fused vector.
    rank : int, default=4
        Number of summands.
    dropout : float, default=0.0
        Share of the result dropped in training.

    Attributes
    ----------
    out_features : int
        ``hidden_size``.

    Notes
    -----
    Costs ``(sum(in_features) + n_modalities) * embedding_dim`` parameters and
    ``n_modalities * rank * (embedding_dim + 1) * hidden_size`` for the factors.

    References
    ----------
    Z. Liu, Y. Shen, V. B. Lakshminarasimhan, P. P. Liang, A. Zadeh and L.-P. Morency
    (2018), "Efficient low-rank multimodal fusion with modality-specific factors", ACL.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import LowRankFusion
    >>> vectors, present = [torch.rand(5, 3), torch.rand(5, 8)], torch.ones(5, 2) > 0
    >>> LowRankFusion((3, 8))(vectors, present).shape
    torch.Size([5, 64])
    """

    def __init__(
        self, in_features, embedding_dim=16, hidden_size=64, rank=4, dropout=0.0
    ):
        super().__init__()
        self.project = _Projections(in_features, embedding_dim)
        # Of variance 1 / n_inputs each, with the constant near 1: a product of many
        # modalities neither grows nor vanishes.
        factors = torch.randn(len(in_features), rank, embedding_dim + 1, hidden_size)
        factors *= (embedding_dim + 1) ** -0.5
        factors[:, :, -1] += 1
        self.factors = nn.Parameter(factors / rank ** (1 / len(in_features)))
        self.bias = nn.Parameter(torch.zeros(hidden_size))
        self.dropout = nn.Dropout(dropout)
        self.out_features = hidden_size

    def forward(self, vectors, present):
        """Fuse ``vectors``, a list of ``(n_samples, in_features[i])``."""
        extended = _append_one(self.project(vectors, present, torch.relu))
        summands = prod(
            torch.einsum("ni,rio->nro", v, factor)
            for v, factor in zip(extended, self.factors)
        )
        return self.dropout(summands.sum(dim=1) + self.bias)


class FiLMFusion(nn.Module):
    """Feature-wise linear modulation: the others scale and shift one modality.

    Parameters
    ----------
    in_features : sequence of int
        Length of each modality's vector.
    hidden_size : int, default=64
        Length of the fused vector.
    main : int, default=0
        Which modality is modulated, by its place among the branches.
    dropout : float, default=0.0
        Share of the result dropped in training.

    Attributes
    ----------
    out_features : int
        ``hidden_size``.

    Notes
    -----
    Costs ``(in_features[main] + 1) * hidden_size`` parameters, and twice as many per
    feature of the others. Without the main modality the others' shift remains.

    References
    ----------
    E. Perez, F. Strub, H. de Vries, V. Dumoulin and A. Courville (2018), "FiLM: visual
    reasoning with a general conditioning layer", AAAI.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import FiLMFusion
    >>> vectors, present = [torch.rand(5, 3), torch.rand(5, 8)], torch.ones(5, 2) > 0
    >>> FiLMFusion((3, 8))(vectors, present).shape
    torch.Size([5, 64])
    """

    def __init__(self, in_features, hidden_size=64, main=0, dropout=0.0):
        super().__init__()
        if main not in range(len(in_features)):
            raise ValueError(
                f"FiLMFusion: main must be the number of one of {len(in_features)} "
                f"modalities, got {main!r}."
            )
        self.main = main
        self.project = nn.Linear(in_features[main], hidden_size)
        n_others = sum(in_features) - in_features[main]
        self.condition = nn.Linear(n_others, 2 * hidden_size) if n_others else None
        self.dropout = nn.Dropout(dropout)
        self.out_features = hidden_size

    def forward(self, vectors, present):
        """Fuse ``vectors``, a list of ``(n_samples, in_features[i])``."""
        others = hide_absent(vectors, present)
        main = self.project(others.pop(self.main))
        fused = torch.where(present[:, self.main, None], main, 0.0)
        if others:
            scale, shift = self.condition(torch.cat(others, dim=1)).chunk(2, dim=1)
            fused = (1 + scale) * fused + shift
        return self.dropout(fused.relu())
