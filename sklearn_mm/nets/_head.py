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

    _trusted = True

    def __init__(self, backbone, n_outputs):
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(backbone.out_features, n_outputs)

    def forward(self, x, **kwargs):
        """Predict ``(n_samples, n_outputs)``."""
        return self.head(self.backbone(x, **kwargs))

    def embed(self, x, **kwargs):
        """Return the backbone's vectors ``(n_samples, out_features)``."""
        return self.backbone(x, **kwargs)


class WithStepHead(nn.Module):
    """A backbone with a linear head on each of its tokens: log-probabilities by step.

    Parameters
    ----------
    backbone : module
        With ``tokens`` and ``token_features``.
    n_outputs : int
        Number of symbols.
    """

    _trusted = True

    def __init__(self, backbone, n_outputs):
        super().__init__()
        if not hasattr(backbone, "tokens"):
            raise TypeError(
                f"{type(backbone).__name__} has no method tokens(x), which returns "
                "the vectors of the steps and which of them are valid."
            )
        self.backbone = backbone
        self.head = nn.Linear(backbone.token_features, n_outputs)

    def forward(self, x):
        """Return log-probabilities (n_samples, time, n_outputs) and step counts."""
        tokens, valid = self.backbone.tokens(x)
        return self.head(tokens).float().log_softmax(dim=2), valid.sum(dim=1)
