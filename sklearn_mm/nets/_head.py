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

    def forward(self, x, embed=False, **kwargs):
        """Give ``(n_samples, n_outputs)``, or the backbone's vectors if ``embed``."""
        vectors = self.backbone(x, **kwargs)
        return vectors if embed else self.head(vectors)


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
                f"{type(backbone).__name__} has no method tokens(x), which gives "
                "vectors of steps and which are valid."
            )
        self.backbone = backbone
        self.head = nn.Linear(backbone.token_features, n_outputs)

    def forward(self, x):
        """Give log-probabilities (n_samples, time, n_outputs), and how many steps."""
        tokens, valid = self.backbone.tokens(x)
        return self.head(tokens).float().log_softmax(dim=2), valid.sum(dim=1)
