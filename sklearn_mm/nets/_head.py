"""A backbone with a linear head on it."""

from torch import nn


class WithHead(nn.Module):
    """Predict from a backbone's vector.

    Parameters
    ----------
    backbone : module
        Returns ``(n_samples, out_features)``.
    n_outputs : int
        Numbers to predict.
    """

    def __init__(self, backbone, n_outputs):
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(backbone.out_features, n_outputs)

    def forward(self, x, embed=False, **kwargs):
        """Give ``(n_samples, n_outputs)``, or the backbone's vectors if ``embed``."""
        vectors = self.backbone(x, **kwargs)
        return vectors if embed else self.head(vectors)
