"""Recurrent layers over sequences of unequal length."""

import torch
from torch import nn

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

    _trusted = True

    def __init__(
        self, n_inputs, hidden_size, *, cell, n_layers, bidirectional, pooling, dropout
    ):
        super().__init__()
        kinds = {"lstm": nn.LSTM, "gru": nn.GRU}
        if cell not in kinds:
            raise ValueError(f"cell must be 'lstm' or 'gru', got {cell!r}.")
        n_directions = 1 + bool(bidirectional)
        self.layers = nn.ModuleList()
        for _ in range(n_layers):
            layer = [
                kinds[cell](n_inputs, hidden_size, batch_first=True)
                for _ in range(n_directions)
            ]
            self.layers.append(nn.ModuleList(layer))
            n_inputs = hidden_size * n_directions
        self.dropout = nn.Dropout(dropout)
        self.token_features = n_inputs
        self.pool = Pool(pooling, self.token_features)
        self.out_features = self.pool.out_features

    def forward(self, x, valid):
        """Encode ``x`` (n_samples, time, n_inputs) where ``valid``."""
        states = self.states(x, valid)
        is_bidirectional = len(self.layers[0]) == 2
        if is_bidirectional and self.pool.kind == "last":
            half = self.token_features // 2  # of each direction what has read all
            there = self.pool(states[..., :half], valid)
            return torch.cat([there, states[:, 0, half:]], dim=1)
        return self.pool(states, valid)

    def states(self, x, valid):
        """Give the states of each step, ``(n_samples, time, token_features)``.

        No state within a sequence sees the padding: forwards it comes later, and
        backwards each sequence is turned round within its length. (torch's packed
        sequences do the same, at a cost that grows with the square of the time.)
        """
        turned = None
        for number, layer in enumerate(self.layers):
            x = self.dropout(x) if number else x
            states = [layer[0](x)[0]]
            if len(layer) == 2:
                turned = _turn_round(valid) if turned is None else turned
                states.append(_take(layer[1](_take(x, turned))[0], turned))
            x = torch.cat(states, dim=2)
        return x


def _turn_round(valid):
    """Positions of the steps in reverse, those of the padding as they are."""
    steps = torch.arange(valid.shape[1], device=valid.device)
    lengths = valid.sum(dim=1, keepdim=True)
    return torch.where(steps < lengths, lengths - 1 - steps, steps)


def _take(x, positions):
    return x.gather(1, positions.unsqueeze(2).expand(-1, -1, x.shape[2]))
