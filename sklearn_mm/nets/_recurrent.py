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
    pooling : str or int
        What :class:`Pool` takes.
    dropout : float
        Share of outputs dropped between layers.

    Attributes
    ----------
    out_features : int
        Length of the vector.
    token_features : int
        Length of a step's states.
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
        self.token_features = hidden_size * (1 + bidirectional)
        self.pool = Pool(pooling, self.token_features)
        self.out_features = self.pool.out_features

    def forward(self, x, valid):
        """Encode ``x`` (n_samples, time, n_inputs) where ``valid``."""
        if self.layers.bidirectional and self.pool.kind == "last":
            _, last = self._run(x, valid)  # of each direction what has read all
            last = last[0] if isinstance(last, tuple) else last
            return torch.cat([last[-2], last[-1]], dim=1)
        return self.pool(self.states(x, valid), valid)

    def states(self, x, valid):
        """Give the states of each step, ``(n_samples, time, token_features)``."""
        states, _ = self._run(x, valid)
        if not self.layers.bidirectional:
            return states
        return pad_packed_sequence(states, True, total_length=x.shape[1])[0]

    def _run(self, x, valid):
        if not self.layers.bidirectional:  # no state sees the padding behind it
            return self.layers(x)
        lengths = valid.sum(dim=1).cpu()
        return self.layers(pack_padded_sequence(x, lengths, True, enforce_sorted=False))
