"""The losses of several tasks as one."""

from numbers import Real

import torch
from torch import nn
from torch.nn import functional


class TaskLoss(nn.Module):
    """Combine the losses of several tasks, each over the rows whose label is known.

    Parameters
    ----------
    kinds : list of {"classification", "regression"}
        Cross-entropy or squared error, for each task.
    weights : None, list of float, "uncertainty" or "gradnorm", default=None
        Weights of the tasks, equal by default. "uncertainty" learns the noise of each
        task, "gradnorm" lets all tasks learn at the same rate.
    alpha : float, default=1.5
        How strongly "gradnorm" favours tasks that have learned less.
    lr : float, default=0.025
        Step size of the weights with "gradnorm".

    References
    ----------
    A. Kendall, Y. Gal and R. Cipolla (2018), "Multi-task learning using uncertainty to
    weigh losses for scene geometry and semantics", CVPR. Z. Chen, V. Badrinarayanan,
    C.-Y. Lee and A. Rabinovich (2018), "GradNorm: gradient normalization for adaptive
    loss balancing in deep multitask networks", ICML.

    Examples
    --------
    >>> import torch
    >>> from sklearn_mm.neural import TaskLoss
    >>> loss = TaskLoss(["regression", "regression"], weights=[1, 0])
    >>> float(loss((torch.ones(3, 1), torch.ones(3, 1)), torch.zeros(3, 2)))
    0.5
    """

    def __init__(self, kinds, weights=None, alpha=1.5, lr=0.025):
        super().__init__()
        self.kinds = kinds
        self.rule = weights if isinstance(weights, str) else None
        self.alpha = alpha
        self.lr = lr
        given = [1.0] * len(kinds) if weights is None or self.rule else weights
        self.register_buffer("weights", torch.tensor(given, dtype=torch.float32))
        self.register_buffer("first_losses", torch.full((len(kinds),), torch.nan))
        if self.rule == "uncertainty":
            self.log_variance = nn.Parameter(torch.zeros(len(kinds)))

    def forward(self, outputs, target, weight=None, training=False):
        """Combine the losses.

        Parameters
        ----------
        outputs : tuple of tensor of shape (n_samples, n_outputs)
            Outputs for each task.
        target : tensor of shape (n_samples, n_tasks)
            NaN where a label is missing.
        weight : tensor of shape (n_samples,) or None
            Sample weights.
        training : bool, default=False
            Whether learned weights apply; otherwise all tasks weigh the same.

        Returns
        -------
        tensor of shape ()
            The mean over tasks that have labels in this batch; 0 if none has.
        """
        losses, is_known = self.compute_losses(outputs, target, weight)
        if self.rule == "uncertainty" and training:
            # sigma**2 divides a cross-entropy, and twice sigma**2 a squared error.
            halves = losses.new_tensor(
                [0.5 if kind == "regression" else 1.0 for kind in self.kinds]
            )
            losses = halves * losses * (-self.log_variance).exp()
            losses = losses + self.log_variance / 2
        elif self.rule is None or training:
            losses = losses * self.weights
        return (losses * is_known).sum() / is_known.sum().clamp_min(1)

    def get_weights(self):
        """Return the current weights of the tasks, a tensor."""
        if self.rule == "uncertainty":
            return (-self.log_variance.detach()).exp()
        return self.weights

    def compute_losses(self, outputs, target, weight=None):
        """Compute the mean loss ``(n_tasks,)`` of each task, and which have labels."""
        rows = self.compute_row_losses(outputs, target)
        known = ~target.isnan()
        share = known.to(rows.dtype)
        if weight is not None:
            share = share * weight.unsqueeze(1)
        total = (rows.nan_to_num() * share).sum(dim=0)
        return total / share.sum(dim=0).clamp_min(1e-12), known.any(dim=0)

    def compute_row_losses(self, outputs, target):
        """Compute losses ``(n_samples, n_tasks)``, NaN where a label is missing."""
        columns = []
        for kind, output, truth in zip(self.kinds, outputs, target.T):
            output, known = output.float(), ~truth.isnan()
            truth = truth.nan_to_num()
            if kind == "classification":
                losses = functional.cross_entropy(
                    output, truth.long(), reduction="none"
                )
            else:
                losses = (output[:, 0] - truth).square()
            columns.append(torch.where(known, losses, torch.nan))
        return torch.stack(columns, dim=1)

    def balance(self, outputs, target, fused):
        """Update the weights of "gradnorm" by one step.

        Gradients are taken at the fused vectors, the last layer that all tasks share.
        """
        losses, is_known = self.compute_losses(outputs, target)
        active = is_known.nonzero().squeeze(1)
        if len(active) < 2:
            return
        norms = torch.stack(
            [
                torch.autograd.grad(losses[i], fused, retain_graph=True)[0].norm()
                for i in active
            ]
        )
        with torch.no_grad():
            new = self.first_losses[active].isnan()
            self.first_losses[active[new]] = losses[active[new]]
            speed = losses[active] / self.first_losses[active].clamp_min(1e-12)
            speed = (speed / speed.mean().clamp_min(1e-12)) ** self.alpha
            sizes = self.weights[active] * norms
            # The gradient of |size - goal| in the weight, the goal being held.
            self.weights[active] -= (
                self.lr * norms * (sizes - sizes.mean() * speed).sign()
            )
            self.weights.clamp_(min=1e-3)
            self.weights *= len(self.weights) / self.weights.sum()


def list_weights(weights, names):
    """List the weights of tasks for :class:`TaskLoss`.

    Parameters
    ----------
    weights : dict of str to float, str or None
        Weights by task, 1 for those that are not named; a rule is returned as it is.
    names : collection of str
        Names of the tasks.

    Returns
    -------
    list of float, str or None
        The weights.
    """
    if not isinstance(weights, dict):
        return weights
    listed = [weights.get(name, 1.0) for name in names]
    for weight in listed:
        if not isinstance(weight, Real) or weight < 0:
            raise ValueError(f"task_weights must not be negative, got {weight!r}.")
    return listed
