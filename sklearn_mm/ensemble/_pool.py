"""A fitted vote: calibration, weights and a rule that fuses predictions."""

import numpy as np

from ._calibration import fit_calibrator
from ._weights import learn_weights

#: Probabilities are kept this far from zero before logarithms are taken.
_TINY = 1e-15
#: Least certainty, so that a row of equal probabilities still has a prediction.
_CERTAINTY = 1e-6


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
    weights : ndarray of shape (n_modalities,) or {"learned", "confidence"}
        Weights, or how to find them.
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
            self.weights_ = weights / weights.sum()
        elif self._is_confident:
            self.weights_ = self._compute_reliability(
                predictions, target, sample_weight
            )
        else:
            objective = self._make_objective(predictions, target, sample_weight)
            self.weights_, self.gap_ = learn_weights(objective, len(predictions[0]))
        return self

    def calibrate(self, predictions):
        """Return the predictions as they are fused, calibrated if that is asked for."""
        if self.calibration is None:
            return predictions
        return [
            np.stack([calibrate(p) for calibrate, p in zip(calibrators, part)])
            for calibrators, part in zip(self.calibrators_, predictions)
        ]

    def fuse(self, predictions):
        """Fuse predictions.

        Returns
        -------
        list of ndarray of shape (n_samples, n_classes)
            Fused predictions by output.
        ndarray of shape (n_samples,), bool
            Rows on which all modalities abstain; they get the prior.
        """
        fused = []
        for part, prior in zip(self.calibrate(predictions), self.prior):
            weights = self.weigh_rows(part)  # (n_modalities, n_samples)
            abstained = weights.sum(axis=0) == 0
            if abstained.any():
                rows = np.flatnonzero(~abstained)
                result = np.tile(prior, (len(abstained), 1)).astype(float)
                part, weights = part[:, rows], weights[:, rows]
                result[rows] = self.rule.fuse(part, weights, prior)
            else:
                result = self.rule.fuse(part, weights, prior)
            fused.append(result)
        return fused, abstained

    def weigh_rows(self, part):
        """Weights ``(n_modalities, n_samples)`` of one output's predictions.

        Where only modalities of weight zero are present, they count equally.
        """
        present = ~np.isnan(part[:, :, 0])
        weights = self.weights_[:, None] * present
        ignored = weights.sum(axis=0) == 0
        weights[:, ignored] = present[:, ignored] / len(present)
        if self._is_confident:
            safe = np.clip(np.nan_to_num(part, nan=1.0), _TINY, 1)
            entropy = -(safe * np.log(safe)).sum(axis=2)
            certainty = 1 - entropy / np.log(max(part.shape[2], 2))
            weights = weights * np.maximum(certainty, _CERTAINTY)
        return weights

    @property
    def _is_confident(self):
        return isinstance(self.weights, str) and self.weights == "confidence"

    def _make_objective(self, predictions, target, sample_weight):
        """Average the rule's objective over the outputs of the target."""
        parts = [
            self.rule.objective(part, truth, prior, sample_weight)
            for part, truth, prior in zip(predictions, target, self.prior)
        ]

        def objective(weights):
            losses, gradients = zip(*(part(weights) for part in parts))
            return np.mean(losses), np.mean(gradients, axis=0)

        objective.complete = not any(np.isnan(p[:, :, 0]).any() for p in predictions)
        return objective

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
