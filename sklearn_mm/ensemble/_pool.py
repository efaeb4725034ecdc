"""A fitted vote: calibration, weights and a rule that fuses predictions."""

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from ._calibration import fit_calibrator
from ._dropout import add_dropped
from ._exponents import Sharpening, learn_exponents
from ._rules import PoolingRule
from ._weights import to_share

#: Probabilities are kept this far from zero before logarithms are taken.
_TINY = 1e-15
#: Least certainty, so that a row of equal probabilities still has a prediction.
_CERTAINTY = 1e-6
#: Least power of fused probabilities, so that the order of the classes is kept.
_LEAST_POWER = 0.01


@dataclass
class Weighing:
    """Weights, the rule that fuses by them, and how sharp the result is.

    Parameters
    ----------
    rule : PoolingRule
        How predictions are fused.
    weights : ndarray of shape (n_modalities,)
        The weights that ``rule`` takes.
    powers : ndarray of shape (1 + n_modalities,) or None, default=None
        Fused probabilities are raised to the first plus those of the modalities that
        are present. None leaves them as they are.
    """

    _trusted = True
    rule: PoolingRule
    weights: np.ndarray
    powers: np.ndarray | None = None

    def fuse(self, predictions, weights, prior):
        """Fuse predictions by weights of each row ``(n_modalities, n_samples)``."""
        fused = self.rule.fuse(predictions, weights, prior)
        if self.powers is None:
            return fused
        power = self.powers[0] + self.powers[1:] @ ~np.isnan(predictions[:, :, 0])
        return softmax(np.log(np.maximum(fused, _TINY)) * power[:, None], axis=1)


class Pool:
    """Fuses predictions by a rule and weights, some of them learned out of fold.

    Arguments hold one array for each output of the target: predictions
    ``(n_modalities, n_samples, n_classes)`` with NaN where a modality abstains, targets
    ``(n_samples,)``, priors ``(n_classes,)``. The outputs of a regression are one array
    ``(n_modalities, n_samples, n_outputs)``.

    Parameters
    ----------
    rule : PoolingRule
        How predictions are fused.
    weights : ndarray of shape (n_modalities,) or {"learned", "confidence", "equal"}
        Weights, or how to find them. "equal" learns the sharpness only.
    prior : list of ndarray of shape (n_classes,)
        Predicted where all modalities abstain.
    calibration : {"sigmoid", "isotonic", "temperature"} or None
        How each modality's probabilities are calibrated.
    """

    _trusted = True

    def __init__(self, rule, weights, prior, calibration=None):
        self.rule = rule
        self.weights = weights
        self.prior = prior
        self.calibration = calibration

    def fit(self, predictions=None, target=None, sample_weight=None):
        """Learn calibration and weights from out-of-fold predictions, where asked."""
        self.gap_ = None
        if self.calibration is not None:
            self.calibrators_ = [
                [fit_calibrator(self.calibration, p, code, sample_weight) for p in part]
                for part, code in zip(predictions, target)
            ]
            predictions = self.calibrate(predictions)
        if isinstance(self.weights, np.ndarray):
            # Those with a weight may all be absent from the table.
            weights = self.weights if self.weights.any() else np.ones(len(self.weights))
            self.chosen_ = Weighing(self.rule, weights / weights.sum())
            self._set_equal(len(weights))
        else:
            self._set_equal(len(predictions[0]))
            data = predictions, target, sample_weight
            if self.is_confident:
                weights = self._compute_reliability(*data)
                self.chosen_ = Weighing(self.rule, weights)
            else:
                self._learn(*data)
        return self

    def use_equal_weights(self):
        """Fuse by equal weights from now on."""
        self.chosen_ = self.equal_

    @property
    def weights_(self):
        """Weights of the modalities; they sum to one."""
        return self.chosen_.weights / self.chosen_.weights.sum()

    @property
    def sharpness_(self):
        """The power where all modalities are present; None if it was not learned."""
        chosen = self.chosen_
        powers = chosen.weights if chosen.rule.takes_exponents else chosen.powers
        return None if powers is None else float(powers.sum())

    def calibrate(self, predictions):
        """Return the predictions as they are fused, calibrated if that is asked for."""
        if self.calibration is None:
            return predictions
        return [
            np.stack([calibrate(p) for calibrate, p in zip(calibrators, part)])
            for calibrators, part in zip(self.calibrators_, predictions)
        ]

    def fuse(self, predictions, equally=False):
        """Fuse predictions, if asked by equal weights.

        Returns
        -------
        list of ndarray of shape (n_samples, n_classes)
            Fused predictions by output.
        ndarray of shape (n_samples,), bool
            Rows on which all modalities abstain; they get the prior.
        """
        weighing = self.equal_ if equally else self.chosen_
        predictions = self.calibrate(predictions)
        fused = self._fuse_calibrated(predictions, weighing)
        return fused, np.isnan(predictions[0][:, :, 0]).all(axis=0)

    def _fuse_calibrated(self, predictions, weighing):
        fused = []
        for part, prior in zip(predictions, self.prior):
            weights = self.weigh_rows(part, weighing)  # (n_modalities, n_samples)
            abstained = weights.sum(axis=0) == 0
            if abstained.any():
                rows = np.flatnonzero(~abstained)
                result = np.tile(prior, (len(abstained), 1)).astype(float)
                part, weights = part[:, rows], weights[:, rows]
                result[rows] = weighing.fuse(part, weights, prior)
            else:
                result = weighing.fuse(part, weights, prior)
            fused.append(result)
        return fused

    def weigh_rows(self, part, weighing=None):
        """Weights ``(n_modalities, n_samples)`` of one output's predictions.

        Where only modalities of weight zero are present, they count equally.
        """
        weighing = self.chosen_ if weighing is None else weighing
        present = ~np.isnan(part[:, :, 0])
        weights = weighing.weights[:, None] * present
        ignored = weights.sum(axis=0) == 0
        weights[:, ignored] = present[:, ignored] / len(present)
        if self.is_confident and weighing is not self.equal_:
            safe = np.clip(np.nan_to_num(part, nan=1.0), _TINY, 1)
            entropy = -(safe * np.log(safe)).sum(axis=2)
            certainty = 1 - entropy / np.log(max(part.shape[2], 2))
            weights = weights * np.maximum(certainty, _CERTAINTY)
        return weights

    @property
    def is_confident(self):
        """Whether a modality counts by its certainty on each row."""
        return isinstance(self.weights, str) and self.weights == "confidence"

    @property
    def is_learned(self):
        """Whether weights are learned."""
        return isinstance(self.weights, str) and self.weights == "learned"

    def _set_equal(self, n_modalities):
        self.equal_ = Weighing(self.rule, np.full(n_modalities, 1 / n_modalities))

    def _learn(self, predictions, target, sample_weight):
        """Learn weights; also the sharpness, for these and for equal weights."""
        weighings = [self.equal_]
        if self.is_learned:
            rule, weights, self.gap_ = self.rule.learn(
                predictions, target, self.prior, sample_weight
            )
            if weights.any():
                weighings.append(Weighing(rule, weights))
        self.chosen_ = weighings[-1]
        if target[0].ndim == 1:  # classes
            data = add_dropped(predictions, target, sample_weight)
            for weighing in weighings:
                if not weighing.rule.takes_exponents:
                    weighing.powers = self._learn_powers(weighing, *data)

    def _learn_powers(self, weighing, predictions, target, sample_weight):
        """Learn the powers that minimise the log-loss of what the weights fuse."""
        share, total = to_share(sample_weight, len(target[0]))
        present = ~np.isnan(predictions[0][:, :, 0])
        fused = self._fuse_calibrated(predictions, weighing)
        parts = [
            Sharpening(part, present, codes, share)
            for part, codes in zip(fused, target)
        ]
        return learn_exponents(parts, 1 + len(present), total / 2, _LEAST_POWER)[0]

    def _compute_reliability(self, predictions, codes, sample_weight):
        """Share of the prior's log-loss that each modality alone removes."""
        n_modalities, n_rows = predictions[0].shape[:2]
        weight = np.ones(n_rows) if sample_weight is None else sample_weight
        losses, prior_losses = np.zeros(n_modalities), np.zeros(n_modalities)
        for part, code, prior in zip(predictions, codes, self.prior):
            true = part[:, np.arange(n_rows), code]
            present = ~np.isnan(true)
            loss = -np.log(np.clip(np.nan_to_num(true, nan=1.0), _TINY, 1))
            losses += loss @ weight
            prior_losses += present @ (weight * -np.log(np.maximum(prior[code], _TINY)))
        reliability = 1 - losses / np.maximum(prior_losses, _TINY)
        reliability = np.maximum(reliability, 0)
        if not reliability.any():
            reliability = np.ones(n_modalities)
        return reliability / reliability.sum()
