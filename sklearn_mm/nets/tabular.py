"""Networks for vectors of numbers (n_features,)."""

import torch
from torch import nn

from ._layers import Standardize


class PiecewiseLinearEmbedding(nn.Module):
    """Numbers as how far each fills the bins between its quantiles.

    A number below a bin gives 0, above it 1, within it the share; the first and the
    last bin go on linearly beyond their ends.

    Parameters
    ----------
    n_features : int
        Number of numbers.
    n_bins : int
        Bins of a number.

    References
    ----------
    Y. Gorishniy, I. Rubachev and A. Babenko (2022), "On embeddings for numerical
    features in tabular deep learning", NeurIPS.
    """

    _trusted = True

    def __init__(self, n_features, n_bins):
        super().__init__()
        edges = torch.linspace(-2, 2, n_bins + 1).repeat(n_features, 1)
        self.register_buffer("edges", edges)  # (n_features, n_bins + 1)

    def adapt(self, x):
        """Learn the quantiles, of what is not NaN, of ``x`` (n_samples, n_features)."""
        n_bins = self.edges.shape[1] - 1
        levels = torch.linspace(0, 1, n_bins + 1, dtype=torch.float64)
        edges = torch.nanquantile(x.double(), levels.to(x.device), dim=0).T
        self.edges.copy_(torch.where(edges.isnan(), self.edges, edges))

    def forward(self, x):
        """Embed ``x`` (n_samples, n_features): (n_samples, n_features * n_bins)."""
        low, high = self.edges[:, :-1], self.edges[:, 1:]
        width = high - low
        filled = (x.unsqueeze(2) - low) / torch.where(width > 0, width, 1)
        filled = torch.where(width > 0, filled, (x.unsqueeze(2) >= high).to(x.dtype))
        first, *_, last = range(filled.shape[2])
        lower = torch.full_like(filled, 0.0)
        upper = torch.full_like(filled, 1.0)
        lower[..., first] = -torch.inf
        upper[..., last] = torch.inf
        return filled.clamp(lower, upper).nan_to_num().flatten(1)


class TabularMLP(nn.Module):
    """Fully connected layers over standardised numbers.

    Parameters
    ----------
    input_shape : tuple of (int,)
        ``(n_features,)``.
    hidden_sizes : tuple of int, default=(128, 64)
        Units of each layer.
    dropout : float, default=0.0
        Share of each layer's output dropped in training.
    embedding : {"piecewise_linear"} or None, default=None
        Embed each number piecewise linearly between its quantiles first, which lets the
        network find thresholds as trees do.
    n_bins : int, default=16
        Bins of a number, at least 2.

    Attributes
    ----------
    out_features : int
        Length of the vector, that of the last layer.

    Notes
    -----
    A NaN counts as the training set's mean.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.nets import TabularMLP
    >>> TabularMLP((20,))(torch.rand(5, 20)).shape
    torch.Size([5, 64])
    """

    def __init__(
        self,
        input_shape,
        hidden_sizes=(128, 64),
        dropout=0.0,
        embedding=None,
        n_bins=16,
    ):
        super().__init__()
        if len(input_shape) != 1:
            raise ValueError(
                f"TabularMLP takes vectors (n_features,), got samples of shape "
                f"{tuple(input_shape)}."
            )
        if embedding not in (None, "piecewise_linear"):
            raise ValueError(
                f"embedding must be 'piecewise_linear' or None, got {embedding!r}."
            )
        n_inputs = input_shape[0]
        self.standardize = Standardize((n_inputs,))
        self.embedding = None
        if embedding is not None:
            self.embedding = PiecewiseLinearEmbedding(n_inputs, n_bins)
            n_inputs *= n_bins
        layers = []
        for size in hidden_sizes:
            layers += [nn.Linear(n_inputs, size), nn.ReLU(), nn.Dropout(dropout)]
            n_inputs = size
        self.layers = nn.Sequential(*layers)
        self.out_features = n_inputs

    def adapt(self, x):
        """Learn mean, standard deviation, and quantiles where they are needed.

        Parameters
        ----------
        x : tensor of shape (n_samples, n_features)
            Training samples.
        """
        self.standardize.adapt(x)
        if self.embedding is not None:
            self.embedding.adapt(self.standardize(x))

    def forward(self, x):
        """Encode vectors.

        Parameters
        ----------
        x : tensor of shape (n_samples, n_features)
            Numbers.

        Returns
        -------
        tensor of shape (n_samples, out_features)
            Vectors.
        """
        x = self.standardize(x)
        if self.embedding is not None:
            x = self.embedding(x)
        return self.layers(x)
