"""Networks for sequences (time,) or (time, channels), padded with NaN at their end."""

from math import prod

import torch
from torch import nn
from torch.nn import functional

from ._layers import Pool, Standardize, valid_steps
from ._recurrent import Recurrent


class _SequenceNet(nn.Module):
    """Standardises channels."""

    variable_length = True

    def __init__(self, input_shape, step_dropout):
        super().__init__()
        if not input_shape:
            raise ValueError(
                f"{type(self).__name__} takes sequences (time,) or (time, channels), "
                "got single numbers."
            )
        self.n_channels = prod(input_shape[1:])
        self.standardize = Standardize((self.n_channels,))
        self.step_dropout = step_dropout

    def adapt(self, x):
        """Learn mean and standard deviation of the channels.

        Parameters
        ----------
        x : tensor of shape (n_samples, time) or (n_samples, time, channels)
            Training sequences.
        """
        self.standardize.adapt(_flatten_steps(x))

    def _prepare(self, x):
        """Give steps (n_samples, time, channels) without NaN, and which are valid."""
        valid = valid_steps(x)
        x = self.standardize(_flatten_steps(x))
        if self.training and self.step_dropout:
            x = x * (torch.rand(*x.shape[:2], 1, device=x.device) >= self.step_dropout)
        return x, valid


def _flatten_steps(x):
    """Make (n_samples, time, channels), of the frames of a video too."""
    return x.unsqueeze(2) if x.ndim == 2 else x.flatten(2)


class SequenceRNN(_SequenceNet):
    """Recurrent network, by default one LSTM layer of 64 units, its last state.

    Parameters
    ----------
    input_shape : tuple of int
        ``(time,)`` or ``(time, channels)``; the time may differ from batch to batch.
        Of ``(time, ...)``, such as the frames of a video, all that follows the time are
        channels.
    hidden_size : int, default=64
        Units of a layer, in each direction.
    cell : {"lstm", "gru"}, default="lstm"
        Kind of unit.
    n_layers : int, default=1
        Number of layers.
    bidirectional : bool, default=False
        Read the sequence backwards as well.
    pooling : {"last", "mean", "max", "mean_max", "attention"} or int, default="last"
        How the states become one vector: the last one (of each direction), pooled over
        time, or the one of a certain step, such as the middle of a
        :class:`~sklearn_mm.ContextWindow`.
    dropout : float, default=0.0
        Share of outputs dropped between layers in training.
    step_dropout : float, default=0.0
        Share of steps that are hidden in training (set to the mean), so that the
        network learns from what is around them.

    Attributes
    ----------
    out_features : int
        Length of the vector.

    References
    ----------
    S. Hochreiter and J. Schmidhuber (1997), "Long short-term memory", Neural
    Computation 9. K. Cho et al. (2014), "Learning phrase representations using RNN
    encoder-decoder for statistical machine translation", EMNLP.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import SequenceRNN
    >>> SequenceRNN((50, 10))(torch.rand(5, 50, 10)).shape
    torch.Size([5, 64])
    """

    def __init__(
        self,
        input_shape,
        hidden_size=64,
        cell="lstm",
        n_layers=1,
        bidirectional=False,
        pooling="last",
        dropout=0.0,
        step_dropout=0.0,
    ):
        super().__init__(input_shape, step_dropout)
        self.recurrent = Recurrent(
            self.n_channels,
            hidden_size,
            cell=cell,
            n_layers=n_layers,
            bidirectional=bidirectional,
            pooling=pooling,
            dropout=dropout,
        )
        self.out_features = self.recurrent.out_features
        self.token_features = self.recurrent.token_features

    def forward(self, x):
        """Encode sequences.

        Parameters
        ----------
        x : tensor of shape (n_samples, time) or (n_samples, time, channels)
            Padded with NaN.

        Returns
        -------
        tensor of shape (n_samples, out_features)
            Vectors.
        """
        return self.recurrent(*self._prepare(x))

    def tokens(self, x):
        """Encode each step, in view of others.

        Parameters
        ----------
        x : tensor of shape (n_samples, time) or (n_samples, time, channels)
            Padded with NaN.

        Returns
        -------
        tensor of shape (n_samples, time, token_features)
            Vectors.
        tensor of shape (n_samples, time), bool
            Which are within the sample.
        """
        x, valid = self._prepare(x)
        return self.recurrent.states(x, valid), valid


class _CausalBlock(nn.Module):
    """Two dilated convolutions that see no later step, added to their input."""

    _trusted = True

    def __init__(self, n_inputs, n_outputs, kernel_size, dilation, dropout):
        super().__init__()
        self.pad = (kernel_size - 1) * dilation
        self.conv1 = nn.Conv1d(n_inputs, n_outputs, kernel_size, dilation=dilation)
        self.conv2 = nn.Conv1d(n_outputs, n_outputs, kernel_size, dilation=dilation)
        self.dropout = nn.Dropout(dropout)
        same = n_inputs == n_outputs
        self.shortcut = None if same else nn.Conv1d(n_inputs, n_outputs, 1)

    def forward(self, x):
        out = self.dropout(self.conv1(functional.pad(x, (self.pad, 0))).relu())
        out = self.dropout(self.conv2(functional.pad(out, (self.pad, 0))).relu())
        return (out + (x if self.shortcut is None else self.shortcut(x))).relu()


class SequenceTCN(_SequenceNet):
    """Temporal convolutional network: dilated causal convolutions with shortcuts.

    Parameters
    ----------
    input_shape : tuple of int
        ``(time,)`` or ``(time, channels)``; the time may differ from batch to batch.
        Of ``(time, ...)``, such as the frames of a video, all that follows the time are
        channels.
    n_filters : int, default=64
        Filters of each block.
    n_blocks : int, default=4
        Number of blocks; the dilation doubles from block to block, so that the last
        sees ``1 + 2 * (kernel_size - 1) * (2**n_blocks - 1)`` steps.
    kernel_size : int, default=3
        Steps of a filter.
    dropout : float, default=0.0
        Share of outputs dropped behind each convolution in training.
    step_dropout : float, default=0.0
        Share of steps that are hidden in training (set to the mean).
    pooling : {"last", "mean", "max", "mean_max", "attention"}, default="mean_max"
        How the steps become one vector.

    Attributes
    ----------
    out_features : int
        Length of the vector.

    References
    ----------
    S. Bai, J. Z. Kolter and V. Koltun (2018), "An empirical evaluation of generic
    convolutional and recurrent networks for sequence modeling", arXiv:1803.01271.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import SequenceTCN
    >>> SequenceTCN((50,))(torch.rand(5, 50)).shape
    torch.Size([5, 128])
    """

    def __init__(
        self,
        input_shape,
        n_filters=64,
        n_blocks=4,
        kernel_size=3,
        dropout=0.0,
        pooling="mean_max",
        step_dropout=0.0,
    ):
        super().__init__(input_shape, step_dropout)
        n_inputs, blocks = self.n_channels, []
        for block in range(n_blocks):
            dilation = 2**block
            blocks.append(
                _CausalBlock(n_inputs, n_filters, kernel_size, dilation, dropout)
            )
            n_inputs = n_filters
        self.blocks = nn.Sequential(*blocks)
        self.token_features = n_filters
        self.pool = Pool(pooling, n_filters)
        self.out_features = self.pool.out_features

    def forward(self, x):
        """Encode sequences.

        Parameters
        ----------
        x : tensor of shape (n_samples, time) or (n_samples, time, channels)
            Padded with NaN.

        Returns
        -------
        tensor of shape (n_samples, out_features)
            Vectors.
        """
        return self.pool(*self.tokens(x))

    def tokens(self, x):
        """Encode each step, in view of others.

        Parameters
        ----------
        x : tensor of shape (n_samples, time) or (n_samples, time, channels)
            Padded with NaN.

        Returns
        -------
        tensor of shape (n_samples, time, token_features)
            Vectors.
        tensor of shape (n_samples, time), bool
            Which are within the sample.
        """
        x, valid = self._prepare(x)
        return self.blocks(x.transpose(1, 2)).transpose(1, 2), valid
