"""Networks for token ids (length,), padded with 0 at their end."""

import torch
from torch import nn

from ._layers import Pool, steps_up_to_last
from ._recurrent import Recurrent


class _TextNet(nn.Module):
    """Looks token ids up."""

    def __init__(self, input_shape, n_tokens, embedding_dim):
        super().__init__()
        if len(input_shape) != 1:
            raise ValueError(
                f"{type(self).__name__} takes token ids (length,), got samples of "
                f"shape {tuple(input_shape)}. Put a TextTokenizer in front of it."
            )
        self.embedding = nn.Embedding(n_tokens, embedding_dim, padding_idx=0)

    def _look_up(self, ids):
        """Vectors ``(n_samples, length, embedding_dim)``, and which are valid."""
        return self.embedding(ids), steps_up_to_last(ids != 0)


class TextCNN(_TextNet):
    """Convolutions of several widths over words, and the maximum of each over the text.

    Parameters
    ----------
    input_shape : tuple of (int,)
        ``(length,)``; it may differ from batch to batch.
    n_tokens : int
        Number of different ids, padding (0) included.
    embedding_dim : int, default=100
        Length of a token's vector.
    n_filters : int, default=100
        Filters of each width.
    kernel_sizes : tuple of int, default=(3, 4, 5)
        Widths, in tokens.
    dropout : float, default=0.5
        Share of the vector dropped in training.

    Attributes
    ----------
    out_features : int
        Length of the vector.

    References
    ----------
    Y. Kim (2014), "Convolutional neural networks for sentence classification", EMNLP.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import TextCNN
    >>> TextCNN((20,), n_tokens=1000)(torch.randint(0, 1000, (5, 20))).shape
    torch.Size([5, 300])
    """

    def __init__(
        self,
        input_shape,
        n_tokens,
        embedding_dim=100,
        n_filters=100,
        kernel_sizes=(3, 4, 5),
        dropout=0.5,
    ):
        super().__init__(input_shape, n_tokens, embedding_dim)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(embedding_dim, n_filters, width, padding=width - 1)
            for width in kernel_sizes
        )
        self.pool = Pool("max", n_filters)
        self.dropout = nn.Dropout(dropout)
        self.out_features = self.token_features = n_filters * len(kernel_sizes)

    def forward(self, ids):
        """Encode texts.

        Parameters
        ----------
        ids : tensor of shape (n_samples, length), int64
            Token ids, padded with 0.

        Returns
        -------
        tensor of shape (n_samples, out_features)
            Vectors.
        """
        x, valid = self._look_up(ids)
        x = x.transpose(1, 2)  # padding looks up zeros, as the convolution's has
        pooled = []
        for convolution in self.convolutions:
            # Every window that holds a token counts, however the text is padded.
            out = convolution(x).relu().transpose(1, 2)
            extra = valid[:, :1].expand(-1, out.shape[1] - valid.shape[1])
            pooled.append(self.pool(out, torch.cat([extra, valid], dim=1)))
        return self.dropout(torch.cat(pooled, dim=1))

    def tokens(self, ids):
        """Encode each token, in view of others.

        Parameters
        ----------
        ids : tensor of shape (n_samples, length), int64
            Token ids, padded with 0.

        Returns
        -------
        tensor of shape (n_samples, length, token_features)
            Vectors.
        tensor of shape (n_samples, length), bool
            Which are within the sample.
        """
        x, valid = self._look_up(ids)
        windows = [
            convolution(x.transpose(1, 2))[..., : ids.shape[1]].relu()
            for convolution in self.convolutions
        ]
        return self.dropout(torch.cat(windows, dim=1).transpose(1, 2)), valid


class TextRNN(_TextNet):
    """Recurrent network over words, by default a bidirectional LSTM, mean and maximum.

    Parameters
    ----------
    input_shape : tuple of (int,)
        ``(length,)``; it may differ from batch to batch.
    n_tokens : int
        Number of different ids, padding (0) included.
    embedding_dim : int, default=100
        Length of a token's vector.
    hidden_size : int, default=64
        Units of a layer, in each direction.
    cell : {"lstm", "gru"}, default="lstm"
        Kind of unit.
    n_layers : int, default=1
        Number of layers.
    bidirectional : bool, default=True
        Read the text backwards as well.
    pooling : {"mean_max", "last", "mean", "max", "attention"}, default="mean_max"
        How the states become one vector.
    dropout : float, default=0.2
        Share of the tokens' vectors, and of outputs between layers, dropped in
        training.

    Attributes
    ----------
    out_features : int
        Length of the vector.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import TextRNN
    >>> TextRNN((20,), n_tokens=1000)(torch.randint(0, 1000, (5, 20))).shape
    torch.Size([5, 256])
    """

    def __init__(
        self,
        input_shape,
        n_tokens,
        embedding_dim=100,
        hidden_size=64,
        cell="lstm",
        n_layers=1,
        bidirectional=True,
        pooling="mean_max",
        dropout=0.2,
    ):
        super().__init__(input_shape, n_tokens, embedding_dim)
        self.dropout = nn.Dropout(dropout)
        self.recurrent = Recurrent(
            embedding_dim,
            hidden_size,
            cell=cell,
            n_layers=n_layers,
            bidirectional=bidirectional,
            pooling=pooling,
            dropout=dropout,
        )
        self.out_features = self.recurrent.out_features
        self.token_features = self.recurrent.token_features

    def forward(self, ids):
        """Encode texts.

        Parameters
        ----------
        ids : tensor of shape (n_samples, length), int64
            Token ids, padded with 0.

        Returns
        -------
        tensor of shape (n_samples, out_features)
            Vectors.
        """
        x, valid = self._look_up(ids)
        return self.recurrent(self.dropout(x), valid)

    def tokens(self, ids):
        """Encode each token, in view of others.

        Parameters
        ----------
        ids : tensor of shape (n_samples, length), int64
            Token ids, padded with 0.

        Returns
        -------
        tensor of shape (n_samples, length, token_features)
            Vectors.
        tensor of shape (n_samples, length), bool
            Which are within the sample.
        """
        x, valid = self._look_up(ids)
        return self.recurrent.states(self.dropout(x), valid), valid


class TextTransformer(_TextNet):
    """Small transformer encoder, normalised before each layer, and the tokens' mean.

    Parameters
    ----------
    input_shape : tuple of (int,)
        ``(length,)``, the longest text there may be.
    n_tokens : int
        Number of different ids, padding (0) included.
    embedding_dim : int, default=64
        Length of a token's vector throughout, a multiple of ``n_heads``.
    n_heads : int, default=4
        Attention heads of a layer.
    n_layers : int, default=2
        Number of layers.
    dropout : float, default=0.1
        Share dropped within the layers in training.
    pooling : {"mean", "max", "mean_max", "attention"}, default="mean"
        How the tokens become one vector.

    Attributes
    ----------
    out_features : int
        Length of the vector.

    References
    ----------
    A. Vaswani et al. (2017), "Attention is all you need", NeurIPS. R. Xiong et al.
    (2020), "On layer normalization in the transformer architecture", ICML.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import TextTransformer
    >>> TextTransformer((20,), n_tokens=1000)(torch.randint(0, 1000, (5, 20))).shape
    torch.Size([5, 64])
    """

    def __init__(
        self,
        input_shape,
        n_tokens,
        embedding_dim=64,
        n_heads=4,
        n_layers=2,
        dropout=0.1,
        pooling="mean",
    ):
        super().__init__(input_shape, n_tokens, embedding_dim)
        self.position = nn.Parameter(0.02 * torch.randn(input_shape[0], embedding_dim))
        layer = nn.TransformerEncoderLayer(
            embedding_dim,
            n_heads,
            4 * embedding_dim,
            dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.layers = nn.TransformerEncoder(
            layer, n_layers, nn.LayerNorm(embedding_dim), enable_nested_tensor=False
        )
        self.token_features = embedding_dim
        self.pool = Pool(pooling, embedding_dim)
        self.out_features = self.pool.out_features

    def forward(self, ids):
        """Encode texts.

        Parameters
        ----------
        ids : tensor of shape (n_samples, length), int64
            Token ids, padded with 0.

        Returns
        -------
        tensor of shape (n_samples, out_features)
            Vectors.
        """
        return self.pool(*self.tokens(ids))

    def tokens(self, ids):
        """Encode each token, in view of others.

        Parameters
        ----------
        ids : tensor of shape (n_samples, length), int64
            Token ids, padded with 0.

        Returns
        -------
        tensor of shape (n_samples, length, token_features)
            Vectors.
        tensor of shape (n_samples, length), bool
            Which are within the sample.
        """
        if ids.shape[1] > len(self.position):
            raise ValueError(
                f"TextTransformer was built for {len(self.position)} tokens, got "
                f"{ids.shape[1]}. Set max_length of the TextTokenizer."
            )
        x, valid = self._look_up(ids)
        x = x + self.position[: ids.shape[1]]
        return self.layers(x, src_key_padding_mask=~valid), valid
