"""On-the-fly gradient modulation: no branch learns so fast that the others stop."""

from math import isnan, tanh

import torch
from skorch.callbacks import PassthroughScoring
from torch import nn


class BalanceMixin:
    """Slows the branches down that contribute more than the others.

    A branch's contribution to a batch is the mean of ``exp(-loss)`` of what the network
    predicts from this branch alone: for classes, the probability of the true one. The
    gradients of a backbone that contributes ``ratio`` times as much as the others' mean
    are multiplied by ``1 - tanh(alpha * ratio)`` if that is more than once.

    References
    ----------
    X. Peng, Y. Wei, A. Deng, D. Wang and D. Hu (2022), "Balanced multimodal learning
    via on-the-fly gradient modulation", CVPR.
    """

    @property
    def _default_callbacks(self):
        """Those of any net, and one that notes the contributions."""
        names = getattr(self, "_backbones", ()) if self.balance is not None else ()
        keys = [f"contribution_{name}" for name in names]
        own = [(key, PassthroughScoring(key, on_train=True)) for key in keys]
        return [*super()._default_callbacks, *own]

    def _balance_branches(self, output, y_true):
        """Change the gradients of a training step; note the contributions."""
        options = {"alpha": 0.3, "noise": False, **self.get_params_for("balance")}
        shares = self._find_contributions(output, y_true)
        backbones = self.module_.backbones
        for name, share in zip(backbones, shares):
            self.history.record_batch(f"contribution_{name}", share)
        for i, (backbone, share) in enumerate(zip(backbones.values(), shares)):
            others = [s for j, s in enumerate(shares) if j != i and not isnan(s)]
            if not others or isnan(share):
                continue
            ratio = share / max(sum(others) / len(others), 1e-12)
            if ratio > 1:
                _slow_down(backbone, 1 - tanh(options["alpha"] * ratio))
            if options["noise"]:
                _add_noise(backbone)

    @torch.no_grad()
    def _find_contributions(self, output, y_true):
        if isinstance(y_true, tuple | list):
            y_true, _ = y_true
        y_true = y_true.to(output.present.device)
        was_training = self.module_.fusion.training
        self.module_.fusion.eval()
        shares = []
        for column, present in enumerate(output.present.T):
            alone = torch.zeros_like(output.present)
            alone[:, column] = present
            predicted = self.module_.predict_from(output.parts, alone)
            losses = self._find_row_losses(predicted, y_true)[present]
            shares.append((-losses).exp().nanmean().item())  # NaN where it is absent
        self.module_.fusion.train(was_training)
        return shares


def _iter_gradients(backbone: nn.Module):
    for parameter in backbone.parameters():
        if parameter.grad is not None:
            yield parameter.grad


def _slow_down(backbone, factor):
    for gradient in _iter_gradients(backbone):
        gradient.mul_(factor)


def _add_noise(backbone):
    """Add noise of the gradients' own spread, which helps to generalise."""
    for gradient in _iter_gradients(backbone):
        if gradient.numel() > 1:
            gradient.add_(torch.randn_like(gradient) * gradient.std())
