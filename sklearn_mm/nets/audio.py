"""Networks for spectrograms (time, bands), padded with NaN at their end."""

from torch import nn
from torch.nn import functional

from ._layers import Pool, Standardize, valid_steps
from ._recurrent import Recurrent


class AudioCNN(nn.Module):
    """Convolutional network over time and bands, pooled over the valid frames.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        ``(n_frames, n_bands)``; the number of frames may differ from batch to batch.
    n_filters : int, default=32
        Filters of the first block; each further block has twice as many.
    n_blocks : int, default=3
        Blocks of convolution, ReLU, and max-pooling that halves time and bands.
    dropout : float, default=0.0
        Share of channels dropped behind each block in training.
    pooling : {"mean_max", "mean", "max", "attention"}, default="mean_max"
        How the frames that are left become one vector.

    Attributes
    ----------
    out_features : int
        Length of the vector.

    Notes
    -----
    Frames beyond a sound's length are set to zero behind each block, where a sound by
    itself has the zeros that pad the convolution: padding changes nothing.

    References
    ----------
    S. Hershey et al. (2017), "CNN architectures for large-scale audio classification",
    ICASSP.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import AudioCNN
    >>> AudioCNN((100, 64))(torch.rand(5, 100, 64)).shape
    torch.Size([5, 2048])
    """

    variable_length = True

    def __init__(
        self, input_shape, n_filters=32, n_blocks=3, dropout=0.0, pooling="mean_max"
    ):
        super().__init__()
        if len(input_shape) != 2:
            raise ValueError(
                "AudioCNN takes spectrograms (n_frames, n_bands), got samples of shape "
                f"{tuple(input_shape)}. Put a LogMelSpectrogram in front of it."
            )
        n_bands = input_shape[1]
        self.standardize = Standardize((n_bands,))
        self.convolutions = nn.ModuleList()
        n_inputs = 1
        for block in range(n_blocks):
            n_outputs = n_filters * 2**block
            self.convolutions.append(nn.Conv2d(n_inputs, n_outputs, 3, padding=1))
            n_inputs, n_bands = n_outputs, -(-n_bands // 2)
        self.dropout = nn.Dropout2d(dropout)
        self.token_features = n_inputs * n_bands
        self.pool = Pool(pooling, self.token_features)
        self.out_features = self.pool.out_features

    def adapt(self, x):
        """Learn mean and standard deviation of the bands.

        Parameters
        ----------
        x : tensor of shape (n_samples, n_frames, n_bands)
            Training spectrograms.
        """
        self.standardize.adapt(x)

    def forward(self, x):
        """Encode spectrograms.

        Parameters
        ----------
        x : tensor of shape (n_samples, n_frames, n_bands)
            Padded with NaN.

        Returns
        -------
        tensor of shape (n_samples, out_features)
            Vectors.
        """
        return self.pool(*self.tokens(x))

    def tokens(self, x):
        """Encode each ``2**n_blocks`` frames.

        Parameters
        ----------
        x : tensor of shape (n_samples, n_frames, n_bands)
            Padded with NaN.

        Returns
        -------
        tensor of shape (n_samples, time, token_features)
            Vectors.
        tensor of shape (n_samples, time), bool
            Which are within the sample.
        """
        valid = valid_steps(x)
        x = self.standardize(x).unsqueeze(1) * valid[:, None, :, None]
        for convolution in self.convolutions:
            x = convolution(x)  # (n_samples, channels, time, bands)
            x = x.masked_fill_(~valid[:, None, :, None], 0)
            # ReLU behind the maximum is the same at a quarter of the cost; and the
            # zeros of padding lose every maximum that ReLU lets through.
            x = self.dropout(functional.max_pool2d(x, 2, ceil_mode=True).relu_())
            valid = valid[:, ::2]
        x = x.transpose(1, 2).flatten(2)  # (n_samples, time, channels * bands)
        return x, valid


class AudioCRNN(nn.Module):
    """Convolutions over time and bands, then a bidirectional LSTM over time.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        ``(n_frames, n_bands)``; the number of frames may differ from batch to batch.
    n_filters : int, default=16
        Filters of each block.
    n_blocks : int, default=2
        Blocks of convolution, ReLU, and max-pooling that halves the bands.
    time_reduction : {1, 2, 4, 8}, default=2
        Frames that become one step; the first blocks halve the time as well.
    hidden_size : int, default=128
        Units of a recurrent layer, in each direction.
    n_layers : int, default=1
        Number of recurrent layers.
    dropout : float, default=0.2
        Share of what goes into and comes out of the recurrent layers that is dropped in
        training.
    center : bool, default=True
        Whether each band's mean over a sound is subtracted, so that loudness and
        microphone do not count.
    pooling : {"mean", "max", "mean_max", "attention", "last"}, default="mean"
        How the steps become one vector.

    Attributes
    ----------
    out_features : int
        Length of the vector.
    token_features : int
        Length of a step's vector.

    Notes
    -----
    Padding changes nothing, as in :class:`AudioCNN`.

    References
    ----------
    D. Amodei et al. (2016), "Deep Speech 2: end-to-end speech recognition in English
    and Mandarin", ICML.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import AudioCRNN
    >>> AudioCRNN((100, 64)).tokens(torch.rand(5, 100, 64))[0].shape
    torch.Size([5, 50, 256])
    """

    variable_length = True

    def __init__(
        self,
        input_shape,
        n_filters=16,
        n_blocks=2,
        time_reduction=2,
        hidden_size=128,
        n_layers=1,
        dropout=0.2,
        center=True,
        pooling="mean",
    ):
        super().__init__()
        if len(input_shape) != 2:
            raise ValueError(
                "AudioCRNN takes spectrograms (n_frames, n_bands), got samples of "
                f"shape {tuple(input_shape)}. Put a LogMelSpectrogram in front of it."
            )
        if time_reduction not in [2**k for k in range(min(n_blocks, 3) + 1)]:
            raise ValueError(
                f"time_reduction must be a power of 2, at most 8, and at most "
                f"2**n_blocks; got {time_reduction} with {n_blocks} blocks."
            )
        n_bands = input_shape[1]
        self.center = center
        self.standardize = Standardize((n_bands,))
        self.convolutions = nn.ModuleList()
        self.strides, n_inputs = [], 1
        for block in range(n_blocks):
            self.convolutions.append(nn.Conv2d(n_inputs, n_filters, 3, padding=1))
            self.strides.append(2 if 2**block < time_reduction else 1)
            n_inputs, n_bands = n_filters, -(-n_bands // 2)
        self.dropout = nn.Dropout(dropout)
        self.recurrent = Recurrent(
            n_inputs * n_bands,
            hidden_size,
            cell="lstm",
            n_layers=n_layers,
            bidirectional=True,
            pooling=pooling,
            dropout=dropout,
        )
        self.out_features = self.recurrent.out_features
        self.token_features = self.recurrent.token_features

    def adapt(self, x):
        """Learn mean and standard deviation of the bands.

        Parameters
        ----------
        x : tensor of shape (n_samples, n_frames, n_bands)
            Training spectrograms.
        """
        self.standardize.adapt(self._center(x))

    def forward(self, x):
        """Encode spectrograms.

        Parameters
        ----------
        x : tensor of shape (n_samples, n_frames, n_bands)
            Padded with NaN.

        Returns
        -------
        tensor of shape (n_samples, out_features)
            Vectors.
        """
        return self.recurrent(*self._convolve(x))

    def tokens(self, x):
        """Encode each ``time_reduction`` frames, in view of all others.

        Parameters
        ----------
        x : tensor of shape (n_samples, n_frames, n_bands)
            Padded with NaN.

        Returns
        -------
        tensor of shape (n_samples, time, token_features)
            Vectors.
        tensor of shape (n_samples, time), bool
            Which are within the sample.
        """
        x, valid = self._convolve(x)
        return self.dropout(self.recurrent.states(x, valid)), valid

    def _center(self, x):
        return x - x.nanmean(dim=1, keepdim=True).nan_to_num() if self.center else x

    def _convolve(self, x):
        valid = valid_steps(x)
        x = self.standardize(self._center(x)).unsqueeze(1) * valid[:, None, :, None]
        for convolution, stride in zip(self.convolutions, self.strides):
            x = convolution(x)  # (n_samples, channels, time, bands)
            x = x.masked_fill_(~valid[:, None, :, None], 0)
            x = functional.max_pool2d(x, (stride, 2), ceil_mode=True).relu_()
            valid = valid[:, ::stride]
        x = x.transpose(1, 2).flatten(2)  # (n_samples, time, channels * bands)
        return self.dropout(x), valid
