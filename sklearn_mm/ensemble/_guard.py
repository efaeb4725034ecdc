"""Whether fusing beats what is simpler, measured on out-of-fold predictions."""

from dataclasses import dataclass

import numpy as np

from .._utils.notices import warn_user
from ..exceptions import FusionWarning

#: What the vote by equal weights is called among the alternatives.
EQUAL = "equal weights"
_N_RESAMPLES = 1000
#: Number of drawn row numbers that are held at a time.
_BLOCK = 2**22


@dataclass
class Comparison:
    """Scores of the fusion and of its alternatives, and the gain over the best of them.

    The alternatives are each modality on its own and, if it differs from the fusion,
    the vote by equal weights.

    A score is ``1 - sum(losses) / sum(scale)``: the accuracy if losses are errors, R²
    if they are squared errors and the scale is squared deviations from the mean.
    """

    _trusted = True
    scores: np.ndarray
    fused_score: float
    best: int
    gain: float
    interval: tuple

    @property
    def pays(self):
        """Whether fusing is as good as the best alternative."""
        return self.gain >= 0

    def warn(self, names, guarded):
        """Warn if fusing does not pay."""
        if self.pays:
            return
        low, high = self.interval
        if names[self.best] == EQUAL:
            other = EQUAL
            advice = ("They are used", "would use them")
        else:
            other = f"modality {names[self.best]!r} alone"
            advice = (
                "Where that modality is present, it alone decides",
                "would let it decide where it is present",
            )
        advice = f"{advice[0]} (guard=True)." if guarded else f"guard=True {advice[1]}."
        warn_user(
            f"Fusing scores {self.fused_score:.3f} out of fold, {other} "
            f"{self.scores[self.best]:.3f} (gain {self.gain:+.3f}, 95 % interval "
            f"{low:+.3f} to {high:+.3f}). {advice}",
            FusionWarning,
        )


def compare_with_best(losses, fused_losses, scale, groups=None):
    """Compare fusing with the best alternative, by a paired bootstrap over rows.

    Parameters
    ----------
    losses : ndarray of shape (n_alternatives, n_rows)
        Loss of each alternative, by row.
    fused_losses : ndarray of shape (n_rows,)
        Loss of the fusion, by row.
    scale : ndarray of shape (n_rows,)
        What the losses are divided by, by row.
    groups : array-like of shape (n_rows,) or None
        Rows of one group are drawn together.

    Returns
    -------
    Comparison
        The scores.

    References
    ----------
    B. Efron and R. J. Tibshirani (1993), "An introduction to the bootstrap".
    """
    total = scale.sum() or 1.0  # for a constant target
    scores = 1 - losses.sum(axis=1) / total
    best = int(np.argmax(scores))
    differences = losses[best] - fused_losses
    parts = np.stack([differences, scale])  # (2, n_rows)
    parts = _sum_groups(parts, groups)
    gains = _resample(parts)
    low, high = np.quantile(gains, [0.025, 0.975])
    return Comparison(
        scores=scores,
        fused_score=float(1 - fused_losses.sum() / total),
        best=best,
        gain=float(differences.sum() / total),
        interval=(float(low), float(high)),
    )


def standardize_mean(values, groups=None):
    """Divide a mean by its standard error.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        The values.
    groups : array-like of shape (n_rows,) or None, default=None
        Rows of one group count as one draw.

    Returns
    -------
    float
        The mean in standard errors; 0 if all values are equal.
    """
    mean = values.mean()
    (sums,) = _sum_groups((values - mean)[None], groups)
    error = np.sqrt(sums @ sums) / len(values)
    return mean / error if error > 0 else 0.0


def _sum_groups(parts, groups):
    """Sum rows ``(n_parts, n_rows)`` over groups."""
    if groups is None:
        return parts
    _, codes = np.unique(np.asarray(groups), return_inverse=True)
    return np.stack([np.bincount(codes, weights=part) for part in parts])


def _resample(parts):
    """Compute ratios of the sums of both parts over rows drawn with replacement."""
    generator = np.random.default_rng(0)  # the interval is the same on each call
    n_rows = parts.shape[1]
    values, counts = np.unique(parts, axis=1, return_counts=True)
    if len(counts) < 100:  # as of errors: draw how often each occurs
        drawn = generator.multinomial(n_rows, counts / n_rows, size=_N_RESAMPLES)
        return _divide(values @ drawn.T)
    block = max(1, _BLOCK // n_rows)
    ratios = []
    for start in range(0, _N_RESAMPLES, block):
        n_draws = min(block, _N_RESAMPLES - start)
        drawn = generator.integers(n_rows, size=(n_draws, n_rows))
        ratios.append(_divide(parts[:, drawn].sum(axis=2)))
    return np.concatenate(ratios)


def _divide(sums):
    """Divide the first of two sums ``(2, n_draws)`` by the second."""
    return sums[0] / np.where(sums[1] > 0, sums[1], 1)
