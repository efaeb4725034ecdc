"""What joint networks share: a module over all branches, its losses, what it gives."""

import copy
import warnings
from functools import partial
from numbers import Real

import numpy as np
import torch
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from skorch.utils import is_dataset
from torch import nn

from .._utils.imports import Interval, StrOptions
from ..exceptions import AbstentionWarning
from ..nets import (
    BottleneckFusion,
    ConcatFusion,
    CrossAttentionFusion,
    FiLMFusion,
    GatedFusion,
    LowRankFusion,
    MeanFusion,
    TensorFusion,
    TransformerFusion,
)
from ..nets._joint import JointNet, JointOutput
from ._balance import BalanceMixin
from ._branch_net import BaseBranchNet
from ._branches import PRESENT

FUSIONS = {
    "transformer": TransformerFusion,
    "concat": ConcatFusion,
    "gated": GatedFusion,
    "tensor": TensorFusion,
    "low_rank": LowRankFusion,
    "film": FiLMFusion,
    "attention": CrossAttentionFusion,
    "bottleneck": BottleneckFusion,
    "mean": MeanFusion,
}


def _has_branch_heads(net):
    if not (isinstance(net.auxiliary_loss, Real) and net.auxiliary_loss > 0):
        raise AttributeError(
            "branch_scores needs heads of the branches' own: set auxiliary_loss."
        )
    return True


class BaseMultimodalNet(BalanceMixin, BaseBranchNet):
    """A network over several branches, trained end to end."""

    _parameter_constraints: dict = {
        **BaseBranchNet._parameter_constraints,
        "fusion": [StrOptions(set(FUSIONS)), nn.Module, callable],
        "modality_dropout": [Interval(Real, 0, 1, closed="left")],
        "auxiliary_loss": [Interval(Real, 0, None, closed="left")],
        "balance": [StrOptions({"ogm"}), None],
    }
    _own_prefixes = ("fusion", "balance")

    def __init__(
        self,
        branches,
        *,
        criterion,
        fusion="transformer",
        modality_dropout=0.0,
        auxiliary_loss=0.0,
        balance=None,
        **kwargs,
    ):
        super().__init__(branches, criterion=criterion, **kwargs)
        self.fusion = fusion
        self.modality_dropout = modality_dropout
        self.auxiliary_loss = auxiliary_loss
        self.balance = balance

    # The module.

    def initialize_module(self):
        """Build the backbones for the shapes of their samples, fusion and heads."""
        self.module_ = JointNet(
            self._build_backbones(),
            self._make_fusion(),
            self._count_outputs(),
            by_branch=self.auxiliary_loss > 0,
            modality_dropout=self.modality_dropout,
            frozen=self._find_frozen(),
        )
        self._load_branches()
        return self

    def _make_fusion(self):
        """Give the fusion layer, or what builds it when the lengths are known."""
        options = self.get_params_for("fusion")
        fusion = FUSIONS.get(self.fusion, self.fusion)
        if isinstance(fusion, nn.Module):
            if options:
                raise ValueError(
                    f"fusion is a {type(fusion).__name__} that is built already, so "
                    f"fusion__{next(iter(options))} has no effect; pass the class."
                )
            return copy.deepcopy(fusion)  # the user's stays as it is
        maker = partial(fusion, **options)
        maker.takes_tokens = getattr(fusion, "takes_tokens", False)
        return maker

    # Training.

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Mean loss of a batch, and of the branches' own heads if they have any."""
        if not isinstance(y_pred, JointOutput):
            return super().get_loss(y_pred, y_true, X, training)
        loss = super().get_loss(y_pred.prediction, y_true, X, training)
        if y_pred.by_branch is None:
            return loss
        own = []
        for predicted, present in zip(y_pred.by_branch, y_pred.present.T):
            rows = present.nonzero().squeeze(1)
            if len(rows):
                some = _take_rows(predicted, rows), _take_rows(y_true, rows)
                own.append(super().get_loss(*some, X, training))
        return loss + self.auxiliary_loss * torch.stack(own).mean()

    def train_step_single(self, batch, **fit_params):
        """Compute gradients, and balance those of the branches if that is asked."""
        step = super().train_step_single(batch, **fit_params)
        if self.balance is not None:
            self._balance_branches(step["y_pred"], batch[1])
        return step

    # What it gives.

    def transform(self, X):
        """Fuse samples, without predicting.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays
            The table.

        Returns
        -------
        ndarray of shape (n_samples, out_features), float32
            What the fusion layer gives; all NaN where every modality is missing.
        """
        samples = self._check_fitted_samples(X)
        vectors = self._evaluate(samples, "embedding")
        vectors[~samples[PRESENT].any(axis=1)] = np.nan
        return vectors

    def branch_embeddings(self, X):
        """Give the vectors of each branch's backbone.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays
            The table.

        Returns
        -------
        dict of str to ndarray of shape (n_samples, out_features), float32
            By branch; all NaN where it is missing.
        """
        samples = self._check_fitted_samples(X)
        vectors = self._evaluate(samples, "vectors")
        for array, present in zip(vectors, samples[PRESENT].T):
            array[~present] = np.nan
        return dict(zip(self._backbones, vectors))

    @available_if(_has_branch_heads)
    def branch_scores(self, X, y):
        """Score the branches' own heads, each on the rows that have it.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays
            The table.
        y : array-like of shape (n_samples, ...)
            Target.

        Returns
        -------
        dict of str to float
            By branch, what ``score`` would be: accuracy or R2; NaN where no row has it.
        """
        samples = self._check_fitted_samples(X)
        outputs = self._evaluate(samples, "by_branch")
        return {
            name: self._score_outputs(predicted, y, np.flatnonzero(present))
            for name, predicted, present in zip(
                self._backbones, outputs, samples[PRESENT].T
            )
        }

    def get_feature_names_out(self, input_features=None):
        """Name the fused features.

        Parameters
        ----------
        input_features : array-like of str or None
            Ignored.

        Returns
        -------
        ndarray of str
            One name per feature.
        """
        check_is_fitted(self)
        n_features = self.module_.fusion.out_features
        return np.asarray([f"fused{i}" for i in range(n_features)], dtype=object)

    def _forward(self, X):
        """Give the network's outputs; where every modality is missing, the prior."""
        outputs = super()._forward(X)
        if not is_dataset(X):
            absent = ~X[PRESENT].any(axis=1)
            if absent.any():
                outputs[absent] = self._make_prior()
                warn_absent(absent)
        return outputs

    def _trace_forward(self, module, inputs):
        *inputs, present = inputs
        outputs = self._get_predict_nonlinearity()(module.predict_all(inputs, present))
        return hide_absent(outputs, present, self._make_prior())


def hide_absent(outputs, present, prior):
    """Give the prior where every modality is missing, by torch alone."""
    prior = torch.as_tensor(prior, dtype=outputs.dtype)
    return torch.where(present.any(dim=1, keepdim=True), outputs, prior)


def warn_absent(absent):
    """Warn of rows that have none of the modalities."""
    warnings.warn(
        f"every modality is missing from {absent.sum()} of {len(absent)} rows, which "
        "get the training set's prior.",
        AbstentionWarning,
        stacklevel=4,
    )


def _take_rows(y, rows):
    if isinstance(y, tuple | list):
        return tuple(_take_rows(part, rows) for part in y)
    return y[rows.to(y.device)]
