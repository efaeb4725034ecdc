"""Networks for spectrograms (time, bands), padded with NaN at their end."""

from torch import nn
from torch.nn import functional

from ._layers import Pool, Standardize, valid_steps


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
