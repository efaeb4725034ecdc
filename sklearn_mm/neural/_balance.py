"""On-the-fly gradient modulation: no branch learns so fast that the others stop.

A branch's contribution to a batch is the mean of ``exp(-loss)`` of the prediction from
this branch alone: for classes, the probability of the true one. The gradients of a
backbone that contributes ``ratio`` times as much as the mean of the others are
multiplied by ``1 - tanh(alpha * ratio)`` if the ratio exceeds one.

References
----------
X. Peng, Y. Wei, A. Deng, D. Wang and D. Hu (2022), "Balanced multimodal learning via
on-the-fly gradient modulation", CVPR.
"""

from math import isnan, tanh

import torch
from skorch.callbacks import PassthroughScoring


def make_contribution_callbacks(names):
    """Make the callbacks that average the branches' contributions by epoch."""
    keys = [f"contribution_{name}" for name in names]
    return [(key, PassthroughScoring(key, on_train=True)) for key in keys]


def modulate_gradients(backbones, shares, alpha=0.3, noise=False):
    """Change the gradients of a training step.

    Parameters
    ----------
    backbones : list of module
        The backbones, with gradients.
    shares : list of float
        The branches' contributions; NaN where no row of the batch has the branch.
    alpha : float, default=0.3
        Strength.
    noise : bool, default=False
        Whether to add noise with the standard deviation of the gradients, which helps
        to generalise.
    """
    for i, (backbone, share) in enumerate(zip(backbones, shares)):
        others = [s for j, s in enumerate(shares) if j != i and not isnan(s)]
        if not others or isnan(share):
            continue
        ratio = share / max(sum(others) / len(others), 1e-12)
        for gradient in _iter_gradients(backbone):
            if ratio > 1:
                gradient.mul_(1 - tanh(alpha * ratio))
            if noise and gradient.numel() > 1:
                gradient.add_(torch.randn_like(gradient) * gradient.std())


@torch.no_grad()
def compute_contributions(module, output, compute_row_losses):
    """Compute the contribution of each branch to a batch.

    Parameters
    ----------
    module : JointNet
        The network.
    output : JointOutput
        Its output in training.
    compute_row_losses : callable
        Computes the losses ``(n_samples,)`` of a prediction.

    Returns
    -------
    list of float
        Mean of ``exp(-loss)``; NaN where no row has the branch.
    """
    was_training = module.fusion.training
    module.fusion.eval()
    shares = []
    for column, present in enumerate(output.present.T):
        alone = torch.zeros_like(output.present)
        alone[:, column] = present
        losses = compute_row_losses(module.predict_from(output.parts, alone))[present]
        shares.append((-losses).exp().nanmean().item())
    module.fusion.train(was_training)
    return shares


def _iter_gradients(backbone):
    for parameter in backbone.parameters():
        if parameter.grad is not None:
            yield parameter.grad
