"""Networks for images (H, W) or (H, W, C), channels last."""

import torch
from torch import nn

from ._layers import Standardize


class _ImageNet(nn.Module):
    """Standardises pixels and turns channels to the front."""

    def __init__(self, input_shape):
        super().__init__()
        if len(input_shape) not in (2, 3):
            raise ValueError(
                f"{type(self).__name__} takes images (H, W) or (H, W, C), got samples "
                f"of shape {tuple(input_shape)}."
            )
        self.n_channels = input_shape[2] if len(input_shape) == 3 else 1
        self.standardize = Standardize((self.n_channels,))

    def adapt(self, x):
        """Learn mean and standard deviation of the channels.

        Parameters
        ----------
        x : tensor of shape (n_samples, H, W) or (n_samples, H, W, C)
            Training images.
        """
        self.standardize.adapt(x)

    def tokens(self, x):
        """Encode each place of the last maps.

        Parameters
        ----------
        x : tensor of shape (n_samples, H, W) or (n_samples, H, W, C)
            Pixels.

        Returns
        -------
        tensor of shape (n_samples, n_places, token_features)
            Vectors.
        tensor of shape (n_samples, n_places), bool
            Which are within the sample.
        """
        tokens = self._maps(x).flatten(2).transpose(1, 2)
        return tokens, tokens.new_ones(tokens.shape[:2], dtype=torch.bool)

    def _channels_first(self, x):
        x = x.unsqueeze(3) if x.ndim == 3 else x  # (n_samples, H, W, C)
        return self.standardize(x).permute(0, 3, 1, 2)

    def _set_out_features(self, input_shape):
        was_training = self.training
        with torch.no_grad():
            self.out_features = self.eval()(torch.zeros(1, *input_shape)).shape[1]
        self.train(was_training)


class ImageCNN(_ImageNet):
    """Convolutional network: blocks of convolution, ReLU, max-pooling; flatten.

    By default one block of 32 filters, the textbook's first network.

    Parameters
    ----------
    input_shape : tuple of int
        ``(H, W)`` or ``(H, W, C)``.
    n_filters : int, default=32
        Filters of the first block; each further block has twice as many.
    n_blocks : int, default=1
        Number of blocks, each halving height and width.
    kernel_size : int, default=3
        Height and width of a filter in pixels, odd.
    batch_norm : bool, default=False
        Normalise behind each convolution.
    dropout : float, default=0.0
        Share of each block's output channels that is dropped in training.

    Attributes
    ----------
    out_features : int
        Length of the vector, ``(H / 2**n_blocks) * (W / 2**n_blocks) * filters``.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner (1998), "Gradient-based learning
    applied to document recognition", Proceedings of the IEEE 86.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import ImageCNN
    >>> ImageCNN((28, 28))(torch.rand(5, 28, 28)).shape
    torch.Size([5, 6272])
    """

    def __init__(
        self,
        input_shape,
        n_filters=32,
        n_blocks=1,
        kernel_size=3,
        batch_norm=False,
        dropout=0.0,
    ):
        super().__init__(input_shape)
        if min(input_shape[:2]) < 2**n_blocks:
            raise ValueError(
                f"ImageCNN: {n_blocks} blocks halve images of {input_shape[0]}x"
                f"{input_shape[1]} pixels away; use fewer blocks or larger images."
            )
        layers, n_inputs = [], self.n_channels
        for block in range(n_blocks):
            n_outputs = n_filters * 2**block
            layers.append(nn.Conv2d(n_inputs, n_outputs, kernel_size, padding="same"))
            if batch_norm:
                layers.append(nn.BatchNorm2d(n_outputs))
            # The maximum of ReLUs, at a quarter of their cost.
            layers += [nn.MaxPool2d(2), nn.ReLU(inplace=True)]
            if dropout:
                layers.append(nn.Dropout2d(dropout))
            n_inputs = n_outputs
        self.blocks = nn.Sequential(*layers)
        self.token_features = n_inputs
        self._set_out_features(input_shape)

    def forward(self, x):
        """Encode images.

        Parameters
        ----------
        x : tensor of shape (n_samples, H, W) or (n_samples, H, W, C)
            Pixels.

        Returns
        -------
        tensor of shape (n_samples, out_features)
            Vectors.
        """
        return self._maps(x).flatten(1)

    def _maps(self, x):
        return self.blocks(self._channels_first(x))


class _ResidualBlock(nn.Module):
    """Pre-activation block: twice (norm, ReLU, convolution), added to its input."""

    _trusted = True

    def __init__(self, n_inputs, n_outputs, stride, dropout):
        super().__init__()
        self.norm1 = nn.GroupNorm(8, n_inputs)
        self.conv1 = nn.Conv2d(n_inputs, n_outputs, 3, stride, padding=1, bias=False)
        self.norm2 = nn.GroupNorm(8, n_outputs)
        self.dropout = nn.Dropout2d(dropout)
        self.conv2 = nn.Conv2d(n_outputs, n_outputs, 3, padding=1, bias=False)
        same = stride == 1 and n_inputs == n_outputs
        self.shortcut = (
            None if same else nn.Conv2d(n_inputs, n_outputs, 1, stride, bias=False)
        )

    def forward(self, x):
        active = self.norm1(x).relu_()
        x = x if self.shortcut is None else self.shortcut(active)
        active = self.norm2(self.conv1(active)).relu_()
        return x + self.conv2(self.dropout(active))


class ImageResNet(_ImageNet):
    """Small residual network for images of 28 to 96 pixels.

    Three stages of pre-activation blocks, each halving height and width and doubling
    the filters; then the mean over the image. Normalised by groups of channels, so that
    a sample does not depend on its batch.

    Parameters
    ----------
    input_shape : tuple of int
        ``(H, W)`` or ``(H, W, C)``.
    n_filters : int, default=32
        Filters of the first stage, a multiple of 8.
    n_blocks : int, default=1
        Blocks of each stage.
    dropout : float, default=0.0
        Share of channels dropped within a block in training.

    Attributes
    ----------
    out_features : int
        Length of the vector, ``4 * n_filters``.

    References
    ----------
    K. He, X. Zhang, S. Ren and J. Sun (2016), "Identity mappings in deep residual
    networks", ECCV. Y. Wu and K. He (2018), "Group normalization", ECCV.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import ImageResNet
    >>> ImageResNet((64, 64, 3))(torch.rand(5, 64, 64, 3)).shape
    torch.Size([5, 128])
    """

    def __init__(self, input_shape, n_filters=32, n_blocks=1, dropout=0.0):
        super().__init__(input_shape)
        if n_filters % 8:
            raise ValueError(
                f"n_filters must be a multiple of 8, which the groups have; got "
                f"{n_filters}."
            )
        stride = 2 if min(input_shape[:2]) >= 64 else 1
        layers = [nn.Conv2d(self.n_channels, n_filters, 3, stride, 1, bias=False)]
        n_inputs = n_filters
        for stage in range(3):
            n_outputs = n_filters * 2**stage
            for block in range(n_blocks):
                stride = 2 if stage > 0 and block == 0 else 1
                layers.append(_ResidualBlock(n_inputs, n_outputs, stride, dropout))
                n_inputs = n_outputs
        self.stages = nn.Sequential(*layers)
        self.norm = nn.GroupNorm(8, n_inputs)
        self.out_features = self.token_features = n_inputs

    def forward(self, x):
        """Encode images.

        Parameters
        ----------
        x : tensor of shape (n_samples, H, W) or (n_samples, H, W, C)
            Pixels.

        Returns
        -------
        tensor of shape (n_samples, out_features)
            Vectors.
        """
        return self._maps(x).mean(dim=(2, 3))

    def _maps(self, x):
        return self.norm(self.stages(self._channels_first(x))).relu_()
