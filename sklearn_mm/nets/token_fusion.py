"""Layers that fuse modalities by attention between their tokens.

Their contract is that of :mod:`sklearn_mm.nets.fusion`.
"""

import torch
from torch import nn

from .fusion import hide_absent, mean_of_present


def _make_layer(embedding_dim, n_heads, dropout):
    return nn.TransformerEncoderLayer(
        embedding_dim,
        n_heads,
        4 * embedding_dim,
        dropout,
        activation="gelu",
        batch_first=True,
        norm_first=True,
    )


def _make_encoder(embedding_dim, n_heads, n_layers, dropout):
    layer = _make_layer(embedding_dim, n_heads, dropout)
    norm = nn.LayerNorm(embedding_dim)
    return nn.TransformerEncoder(layer, n_layers, norm, enable_nested_tensor=False)


class TransformerFusion(nn.Module):
    """A transformer over one token per modality, absent ones masked, and its mean.

    Parameters
    ----------
    in_features : sequence of int
        Length of each modality's vector.
    embedding_dim : int, default=64
        Length of a token throughout, a multiple of ``n_heads``.
    n_heads : int, default=4
        Attention heads of a layer.
    n_layers : int, default=1
        Number of layers.
    dropout : float, default=0.1
        Share dropped within the layers in training.

    Attributes
    ----------
    out_features : int
        ``embedding_dim``.

    Notes
    -----
    A learned token beside the modalities' is never masked. Costs
    ``(sum(in_features) + 2 * n_modalities + 1) * embedding_dim`` parameters, and
    ``12 * embedding_dim**2`` for each layer, about.

    References
    ----------
    T. Rheude, R. Eils and B. Wild (2025), "Fusion or confusion? Multimodal complexity
    is not all you need", arXiv:2512.22991, where 19 methods do not reliably beat it.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import TransformerFusion
    >>> vectors, present = [torch.rand(5, 3), torch.rand(5, 8)], torch.ones(5, 2) > 0
    >>> TransformerFusion((3, 8))(vectors, present).shape
    torch.Size([5, 64])
    """

    def __init__(
        self, in_features, embedding_dim=64, n_heads=4, n_layers=1, dropout=0.1
    ):
        super().__init__()
        self.maps = nn.ModuleList(nn.Linear(n, embedding_dim) for n in in_features)
        n_tokens = len(in_features) + 1  # the last one belongs to none
        self.kinds = nn.Parameter(0.02 * torch.randn(n_tokens, embedding_dim))
        self.layers = _make_encoder(embedding_dim, n_heads, n_layers, dropout)
        self.out_features = embedding_dim

    def forward(self, vectors, present):
        """Fuse ``vectors``, a list of ``(n_samples, in_features[i])``."""
        vectors = hide_absent(vectors, present)
        tokens = [layer(v) for layer, v in zip(self.maps, vectors)]
        tokens.append(torch.zeros_like(tokens[0]))
        tokens = torch.stack(tokens, dim=1) + self.kinds
        taken = nn.functional.pad(present, (0, 1), value=True)
        tokens = self.layers(tokens, src_key_padding_mask=~taken)
        return mean_of_present(tokens.unbind(dim=1), taken)


class _TokenMaps(nn.Module):
    """Tokens of each modality mapped to one length, with sinusoids of their places."""

    _trusted = True

    def __init__(self, in_features, embedding_dim):
        super().__init__()
        self.maps = nn.ModuleList(nn.Linear(n, embedding_dim) for n in in_features)

    def forward(self, tokens, present):
        """Give mapped tokens, and which of them are valid and of a present modality."""
        mapped = []
        for i, (layer, (x, valid)) in enumerate(zip(self.maps, tokens)):
            valid = valid & present[:, i, None]
            x = layer(torch.where(valid.unsqueeze(2), x, 0.0))
            mapped.append((x + _make_sinusoids(x), valid))
        return mapped


def _make_sinusoids(x):
    _, length, n_features = x.shape
    place = torch.arange(length, device=x.device, dtype=x.dtype).unsqueeze(1)
    scale = torch.arange(0, n_features, 2, device=x.device, dtype=x.dtype) / n_features
    angle = place * 10000.0**-scale
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)[:, :n_features]


class _CrossLayer(nn.Module):
    """One modality's tokens attend to another's; where that is absent, to zero."""

    _trusted = True

    def __init__(self, embedding_dim, n_heads, dropout):
        super().__init__()
        self.norm_own = nn.LayerNorm(embedding_dim)
        self.norm_other = nn.LayerNorm(embedding_dim)
        self.attention = nn.MultiheadAttention(
            embedding_dim, n_heads, dropout, add_zero_attn=True, batch_first=True
        )
        self.dropout = nn.Dropout(dropout)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(embedding_dim),
            nn.Linear(embedding_dim, 4 * embedding_dim),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(4 * embedding_dim, embedding_dim),
            nn.Dropout(dropout),
        )

    def forward(self, own, other, valid):
        """Add to ``own`` what it finds in ``other`` where that is ``valid``."""
        other = self.norm_other(other)
        found, _ = self.attention(
            self.norm_own(own),
            other,
            other,
            key_padding_mask=~valid,
            need_weights=False,
        )
        own = own + self.dropout(found)
        return own + self.feed_forward(own)


class CrossAttentionFusion(nn.Module):
    """Cross-modal transformers: each modality's tokens attend to every other's.

    What a modality found in the others goes, side by side, through a transformer over
    its own tokens, whose mean is its part of the result.

    Parameters
    ----------
    in_features : sequence of int
        Length of each modality's tokens.
    embedding_dim : int, default=32
        Length that they are mapped to, a multiple of ``n_heads``.
    n_heads : int, default=4
        Attention heads of a layer.
    n_layers : int, default=2
        Layers of each transformer.
    dropout : float, default=0.1
        Share dropped within the layers in training.

    Attributes
    ----------
    out_features : int
        ``n_modalities * (n_modalities - 1) * embedding_dim``.

    Notes
    -----
    Costs, with M modalities, ``12 * embedding_dim**2`` parameters per layer for each of
    ``M * (M - 1)`` pairs, and ``(M - 1)**2`` times that for each of M transformers.

    References
    ----------
    Y.-H. H. Tsai, S. Bai, P. P. Liang, J. Z. Kolter, L.-P. Morency and R. Salakhutdinov
    (2019), "Multimodal transformer for unaligned multimodal language sequences", ACL.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import CrossAttentionFusion
    >>> valid, present = torch.ones(5, 9) > 0, torch.ones(5, 2) > 0
    >>> tokens = [(torch.rand(5, 9, 3), valid), (torch.rand(5, 1, 8), valid[:, :1])]
    >>> CrossAttentionFusion((3, 8))(tokens, present).shape
    torch.Size([5, 64])
    """

    takes_tokens = True

    def __init__(
        self, in_features, embedding_dim=32, n_heads=4, n_layers=2, dropout=0.1
    ):
        super().__init__()
        n_modalities = len(in_features)
        self.map = _TokenMaps(in_features, embedding_dim)
        self.pairs = nn.ModuleDict(
            {
                f"{own}-{other}": nn.ModuleList(
                    _CrossLayer(embedding_dim, n_heads, dropout)
                    for _ in range(n_layers)
                )
                for own in range(n_modalities)
                for other in range(n_modalities)
                if own != other
            }
        )
        width = max(n_modalities - 1, 1) * embedding_dim
        self.encoders = nn.ModuleList(
            _make_encoder(width, n_heads, n_layers, dropout) for _ in in_features
        )
        self.out_features = n_modalities * width

    def forward(self, tokens, present):
        """Fuse ``tokens``, a list of ``(n_samples, n_tokens, .)`` and validity."""
        mapped = self.map(tokens, present)
        fused = []
        for own, (x, valid) in enumerate(mapped):
            found = [
                self._look(own, other, x, *mapped[other])
                for other in range(len(mapped))
                if other != own
            ]
            x = torch.cat(found, dim=2) if found else x
            somewhere = valid.clone()
            somewhere[:, 0] = True  # an absent modality has nothing to attend to
            x = self.encoders[own](x, src_key_padding_mask=~somewhere)
            weight = somewhere.unsqueeze(2).to(x.dtype)
            fused.append((x * weight).sum(dim=1) / weight.sum(dim=1))
        return torch.cat(hide_absent(fused, present), dim=1)

    def _look(self, own, other, x, others, valid):
        for layer in self.pairs[f"{own}-{other}"]:
            x = layer(x, others, valid)
        return x


class BottleneckFusion(nn.Module):
    """Attention bottlenecks: modalities exchange what a few shared tokens can hold.

    In each layer every modality attends to its own tokens and to the bottleneck's;
    the bottleneck goes on as the mean of what the present modalities made of it.

    Parameters
    ----------
    in_features : sequence of int
        Length of each modality's tokens.
    embedding_dim : int, default=64
        Length that they are mapped to, a multiple of ``n_heads``.
    n_heads : int, default=4
        Attention heads of a layer.
    n_layers : int, default=2
        Number of layers.
    n_bottlenecks : int, default=4
        Number of shared tokens.
    dropout : float, default=0.1
        Share dropped within the layers in training.

    Attributes
    ----------
    out_features : int
        ``embedding_dim``.

    Notes
    -----
    Costs ``12 * embedding_dim**2`` parameters for each modality and layer, about.

    References
    ----------
    A. Nagrani, S. Yang, A. Arnab, A. Jansen, C. Schmid and C. Sun (2021), "Attention
    bottlenecks for multimodal fusion", NeurIPS.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import BottleneckFusion
    >>> valid, present = torch.ones(5, 9) > 0, torch.ones(5, 2) > 0
    >>> tokens = [(torch.rand(5, 9, 3), valid), (torch.rand(5, 1, 8), valid[:, :1])]
    >>> BottleneckFusion((3, 8))(tokens, present).shape
    torch.Size([5, 64])
    """

    takes_tokens = True

    def __init__(
        self,
        in_features,
        embedding_dim=64,
        n_heads=4,
        n_layers=2,
        n_bottlenecks=4,
        dropout=0.1,
    ):
        super().__init__()
        self.map = _TokenMaps(in_features, embedding_dim)
        self.gather = nn.Parameter(0.02 * torch.randn(len(in_features), embedding_dim))
        self.bottleneck = nn.Parameter(0.02 * torch.randn(n_bottlenecks, embedding_dim))
        self.layers = nn.ModuleList(
            nn.ModuleList(
                _make_layer(embedding_dim, n_heads, dropout) for _ in in_features
            )
            for _ in range(n_layers)
        )
        self.norm = nn.LayerNorm(embedding_dim)
        self.out_features = embedding_dim

    def forward(self, tokens, present):
        """Fuse ``tokens``, a list of ``(n_samples, n_tokens, .)`` and validity."""
        n_samples, n_shared = present.shape[0], len(self.bottleneck)
        mapped = self.map(tokens, present)
        always = present.new_ones(n_samples, 1 + n_shared)
        padding = [~torch.cat([always, valid], dim=1) for _, valid in mapped]
        own = [
            torch.cat([gather.expand(n_samples, 1, -1), x], dim=1)
            for gather, (x, _) in zip(self.gather, mapped)
        ]
        shared = self.bottleneck.expand(n_samples, -1, -1)
        for layers in self.layers:
            seen = [
                layer(torch.cat([shared, x], dim=1), src_key_padding_mask=hidden)
                for layer, x, hidden in zip(layers, own, padding)
            ]
            own = [x[:, n_shared:] for x in seen]
            passed = [x[:, :n_shared].flatten(1) for x in seen]
            shared = mean_of_present(passed, present).view_as(shared)
        return mean_of_present([self.norm(x[:, 0]) for x in own], present)
