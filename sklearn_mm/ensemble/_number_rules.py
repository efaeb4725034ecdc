"""Voting rules for predicted numbers."""

import numpy as np

from ._rules import Average
from ._weights import make_pool_objective, make_squared_loss


class WeightedMean(Average):
    """Weighted mean of predicted numbers, the rule of ``voting="mean"``.

    References
    ----------
    L. Breiman (1996), "Stacked regressions", Machine Learning 24: weights that are not
    negative, learned on cross-validated predictions.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm.ensemble import WeightedMean
    >>> predictions = np.array([[[1.0]], [[2.0]], [[9.0]]])  # three modalities, one row
    >>> WeightedMean().fuse(predictions, np.full((3, 1), 1 / 3), None)
    array([[4.]])
    """

    def objective(self, predictions, target, prior, sample_weight=None):
        """Return the squared error of the weighted mean as a function of the weights.

        Parameters
        ----------
        predictions : ndarray of shape (n_modalities, n_samples, n_outputs)
            Out-of-fold predictions; NaN where a modality abstains.
        target : ndarray of shape (n_samples, n_outputs)
            The target.
        prior : ndarray of shape (n_outputs,)
            Mean of the target.
        sample_weight : ndarray of shape (n_samples,) or None
            Weights of the samples.

        Returns
        -------
        callable
            Maps weights to loss and gradient.
        """
        n_modalities, n_rows, n_outputs = predictions.shape
        std = target.std(axis=0)
        std = np.where(std > 0, std, 1)  # each output counts in its own units
        return make_pool_objective(
            (predictions / std).reshape(n_modalities, -1),
            make_squared_loss((target / std).ravel()),
            np.tile(prior / std, n_rows),
            None if sample_weight is None else np.repeat(sample_weight, n_outputs),
        )


class WeightedMedian(WeightedMean):
    """Weighted median of predicted numbers, the rule of ``voting="median"``.

    One wrong modality hardly moves it. Learned weights are those of the weighted mean.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm.ensemble import WeightedMedian
    >>> predictions = np.array([[[1.0]], [[2.0]], [[9.0]]])
    >>> WeightedMedian().fuse(predictions, np.full((3, 1), 1 / 3), None)
    array([[2.]])
    """

    def fuse(self, predictions, weights, prior):
        """Take the lower weighted median; the mean of both where weights tie.

        Parameters
        ----------
        predictions : ndarray of shape (n_modalities, n_samples, n_outputs)
            Predictions; NaN where a modality abstains.
        weights : ndarray of shape (n_modalities, n_samples)
            Weights, 0 where a modality abstains.
        prior : ndarray of shape (n_outputs,)
            Ignored.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs)
            The weighted median.
        """
        order = np.argsort(predictions, axis=0)  # NaN last, with weight zero
        ordered = np.take_along_axis(predictions, order, axis=0)
        shares = (weights / weights.sum(axis=0))[:, :, None]
        shares = np.broadcast_to(shares, predictions.shape)
        heights = np.cumsum(np.take_along_axis(shares, order, axis=0), axis=0)
        low = (heights < 0.5 - 1e-12).sum(axis=0)
        high = (heights < 0.5 + 1e-12).sum(axis=0)
        high = np.minimum(high, len(predictions) - 1)
        ends = [np.take_along_axis(ordered, i[None], axis=0)[0] for i in (low, high)]
        return (ends[0] + np.where(np.isnan(ends[1]), ends[0], ends[1])) / 2
