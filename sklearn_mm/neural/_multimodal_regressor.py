"""A joint network as a regressor."""

import numpy as np
import torch
from sklearn.metrics import r2_score

from ._multimodal import BaseMultimodalNet
from ._regressor import NetRegressorMixin


class MultimodalNetRegressor(NetRegressorMixin, BaseMultimodalNet):
    """Train one network over all modalities, end to end, as a regressor.

    Its parameters are those of :class:`MultimodalNetClassifier`, without
    ``class_weight``. The target is standardised for training; losses in ``history_``
    are in these units.

    Parameters
    ----------
    branches : list of (str, transformer, module, columns)
        Name, transformer, backbone and columns of each branch.
    criterion : class, default=torch.nn.MSELoss
        Loss of outputs and standardised targets.
    **kwargs : dict
        See :class:`MultimodalNetClassifier`.

    Attributes
    ----------
    module_ : torch.nn.Module
        The trained network, with ``module_.backbones``, ``fusion`` and ``head``.
    transformers_ : dict of str to transformer
        Fitted; None stands for "passthrough".
    input_shapes_ : dict of str to tuple of int
        Shape of each branch's samples.
    history_ : skorch History
        Losses by epoch, and contributions if they are balanced.
    target_mean_, target_std_ : ndarray of shape (n_targets,)
        What the target was standardised by; the mean is predicted where every modality
        is missing.
    target_ndim_ : int
        1 or 2, the number of axes of the target.
    n_features_in_ : int
        Number of columns of the table.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_mm import MultimodalNetRegressor
    >>> from sklearn_mm.nets import TabularMLP
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> net = MultimodalNetRegressor(
    ...     [
    ...         ("person", "passthrough", TabularMLP, ["age", "sex", "bmi", "bp"]),
    ...         ("blood", "passthrough", TabularMLP, ["s1", "s2", "s5", "s6"]),
    ...     ],
    ...     random_state=0,
    ... )
    >>> bool(net.fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.4)
    True
    """

    def __init__(self, branches, *, criterion=torch.nn.MSELoss, **kwargs):
        super().__init__(branches, criterion=criterion, **kwargs)

    def _make_prior(self):
        return np.zeros(len(self.target_mean_), np.float32)  # standardised

    def _score_outputs(self, outputs, y, rows):
        """R2 of a head's outputs on some rows."""
        if len(rows) < 2:
            return np.nan
        return float(r2_score(np.asarray(y)[rows], self._decode(outputs[rows])))
