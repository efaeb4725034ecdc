"""How the modalities' probabilities become one: calibrated, weighted, averaged."""

import numpy as np

from ._calibration import fit_calibrator
from ._weights import (
    learn_weights,
    log_loss_of,
    make_pool_objective,
    make_product_objective,
)

#: Probabilities are kept this far from zero before logarithms are taken.
_TINY = 1e-15
#: Certainty that even a row of equal probabilities has, so that somebody answers it.
_CERTAINTY = 1e-6


class ProbabilityPool:
    """Fuses probabilities by a rule and weights, some of them learned out of fold.

    Arguments hold one array for each output of the target: answers
    ``(n_modalities, n_samples, n_classes)`` with NaN where a modality abstains, codes
    ``(n_samples,)``, priors ``(n_classes,)``.

    Parameters
    ----------
    rule : {"soft", "hard", "product"}
        Mean, share of votes, or normalised geometric mean of the probabilities.
    weights : ndarray of shape (n_modalities,) or {"learned", "confidence"}
        Weights, or how to find them.
    calibration : {"sigmoid", "isotonic", "temperature"} or None
        How each modality's probabilities are calibrated.
    divide_prior : bool
        Whether the product counts each modality's evidence once, and the prior once.
    prior : list of ndarray of shape (n_classes,)
        Frequencies of the classes.
    """

    _trusted = True

    def __init__(self, rule, weights, calibration, divide_prior, prior):
        self.rule = rule
        self.weights = weights
        self.calibration = calibration
        self.divide_prior = divide_prior
        self.prior = prior

    def fit(self, answers=None, codes=None, sample_weight=None):
        """Learn what is to be learned from out-of-fold answers, if anything is."""
        self.gap_ = None
        if self.calibration is not None:
            self.calibrators_ = [
                [fit_calibrator(self.calibration, p, code, sample_weight) for p in part]
                for part, code in zip(answers, codes)
            ]
            answers = self._calibrate(answers)
        if isinstance(self.weights, np.ndarray):
            self.weights_ = self.weights / self.weights.sum()
        elif self.weights == "confidence":
            self.weights_ = self._find_reliability(answers, codes, sample_weight)
        else:
            objective = self._make_objective(answers, codes, sample_weight)
            self.weights_, self.gap_ = learn_weights(objective, len(answers[0]))
        return self

    def calibrated(self, answers):
        """Answers as they are fused: calibrated if that is asked for."""
        return answers if self.calibration is None else self._calibrate(answers)

    def fuse(self, answers):
        """Fuse answers.

        Returns
        -------
        list of ndarray of shape (n_samples, n_classes)
            Fused probabilities by output.
        ndarray of shape (n_samples,), bool
            Rows on which no modality with a weight answers; they get the prior.
        """
        fused = []
        for part, prior in zip(self.calibrated(answers), self.prior):
            weights = self._weigh_rows(part)  # (n_modalities, n_samples)
            total = weights.sum(axis=0)
            silent = total == 0
            if self.rule == "product":
                result = self._multiply(part, weights, total, prior)
            else:
                result = np.einsum("mn,mnk->nk", weights, np.nan_to_num(part))
                result /= np.where(silent, 1, total)[:, None]
            result[silent] = prior
            fused.append(result)
        return fused, silent

    def _calibrate(self, answers):
        return [
            np.stack([calibrate(p) for calibrate, p in zip(calibrators, part)])
            for calibrators, part in zip(self.calibrators_, answers)
        ]

    def _weigh_rows(self, part):
        answered = ~np.isnan(part[:, :, 0])
        weights = self.weights_[:, None] * answered
        if isinstance(self.weights, str) and self.weights == "confidence":
            safe = np.clip(np.nan_to_num(part, nan=1.0), _TINY, 1)
            entropy = -(safe * np.log(safe)).sum(axis=2)
            certainty = 1 - entropy / np.log(max(part.shape[2], 2))
            weights = weights * np.maximum(certainty, _CERTAINTY)
        return weights

    def _multiply(self, part, weights, total, prior):
        logs = np.log(np.clip(np.nan_to_num(part, nan=1.0), _TINY, 1))
        log_prior = np.log(np.clip(prior, _TINY, 1))
        if self.divide_prior:
            # Equal weights count the evidence of each that answers once.
            weights = weights * (len(part) / self.weights_.sum())
            scores = np.einsum("mn,mnk->nk", weights, logs - log_prior) + log_prior
        else:
            scores = np.einsum("mn,mnk->nk", weights, logs)
            scores /= np.where(total == 0, 1, total)[:, None]
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def _make_objective(self, answers, codes, sample_weight):
        rows = np.arange(len(codes[0]))
        floors = [
            np.maximum(prior[code], _TINY) for prior, code in zip(self.prior, codes)
        ]
        if self.rule != "product":
            true = [part[:, rows, code] for part, code in zip(answers, codes)]
            weight = None
            if sample_weight is not None:
                weight = np.tile(sample_weight, len(codes))
            true, floors = np.concatenate(true, axis=1), np.concatenate(floors)
            return make_pool_objective(true, log_loss_of, floors, weight)
        parts = [
            make_product_objective(
                np.log(np.clip(part, _TINY, 1)),
                code,
                floor,
                sample_weight,
                np.log(np.maximum(prior, _TINY)) if self.divide_prior else None,
            )
            for part, code, floor, prior in zip(answers, codes, floors, self.prior)
        ]

        def objective(weights):
            losses, gradients = zip(*(part(weights) for part in parts))
            return sum(losses), np.sum(gradients, axis=0)

        objective.complete = all(part.complete for part in parts)
        return objective

    def _find_reliability(self, answers, codes, sample_weight):
        """Share of the prior's log-loss that each modality alone takes away."""
        n_modalities, n_rows = answers[0].shape[:2]
        weight = np.ones(n_rows) if sample_weight is None else sample_weight
        own, priors = np.zeros(n_modalities), np.zeros(n_modalities)
        for part, code, prior in zip(answers, codes, self.prior):
            true = part[:, np.arange(n_rows), code]
            answered = ~np.isnan(true)
            loss = -np.log(np.clip(np.nan_to_num(true, nan=1.0), _TINY, 1))
            own += loss @ weight
            priors += answered @ (weight * -np.log(np.maximum(prior[code], _TINY)))
        reliability = 1 - own / np.maximum(priors, _TINY)
        reliability = np.maximum(reliability, 0)
        if not reliability.any():
            reliability = np.ones(n_modalities)
        return reliability / reliability.sum()
