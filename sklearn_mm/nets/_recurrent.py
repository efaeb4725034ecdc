"""Recurrent layers over sequences of unequal length."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ._layers import Pool


class Recurrent(nn.Module):
    """LSTM or GRU layers whose outputs never depend on padding.

    Parameters
    ----------
    n_inputs : int
        Features of a step.
    hidden_size : int
        Units of a layer, in each direction.
    cell : {"lstm", "gru"}
        Kind of unit.
    n_layers : int
        Number of layers.
    bidirectional : bool
        Read backwards as well.
    pooling : str
        "last", or what :class:`Pool` takes.
    dropout : float
        Share of outputs dropped between layers.

    Attributes
    ----------
    out_features : int
        Length of the vector.
    """

    def __init__(
        self, n_inputs, hidden_size, *, cell, n_layers, bidirectional, pooling, dropout
    ):
        super().__init__()
        kinds = {"lstm": nn.LSTM, "gru": nn.GRU}
        if cell not in kinds:
            raise ValueError(f"cell must be 'lstm' or 'gru', got {cell!r}.")
        self.layers = kinds[cell](
            n_inputs,
            hidden_size,
            n_layers,
            batch_first=True,
            bidirectional=bidirectional,
            dropout=dropout if n_layers > 1 else 0.0,
        )
        self.pool = Pool(pooling, hidden_size * (1 + bidirectional))
        self.out_features = self.pool.out_features

    def forward(self, x, valid):
        """Encode ``x`` (n_samples, time, n_inputs) where ``valid``."""
        if not self.layers.bidirectional:  # no state sees the padding behind it
            return self.pool(self.layers(x)[0], valid)
        lengths = valid.sum(dim=1).cpu()
        packed = pack_padded_sequence(x, lengths, True, enforce_sorted=False)
        states, last = self.layers(packed)
        if self.pool.kind == "last":  # of each direction the state that has read all
            last = last[0] if isinstance(last, tuple) else last
            return torch.cat([last[-2], last[-1]], dim=1)
        states = pad_packed_sequence(states, True, total_length=x.shape[1])[0]
        return self.pool(states, valid)
