"""What joint networks share: a module over all branches, its losses and outputs."""

import copy
from functools import partial
from numbers import Real

import numpy as np
import torch
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from torch import nn

from .._utils.devices import pick_device
from .._utils.imports import Interval, StrOptions
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
from ..nets._joint import JointNet
from ._balance import (
    compute_contributions,
    make_contribution_callbacks,
    modulate_gradients,
)
from ._branch_net import BaseBranchNet
from ._branches import PRESENT
from ._device import unwrap
from ._target import Target

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


class BaseMultimodalNet(BaseBranchNet):
    """A network over several branches, trained end to end."""

    _parameter_constraints: dict = {
        **BaseBranchNet._parameter_constraints,
        "fusion": [StrOptions(set(FUSIONS)), nn.Module, callable],
        "modality_dropout": [Interval(Real, 0, 1, closed="left")],
        "auxiliary_loss": [Interval(Real, 0, None, closed="left")],
        "balance": [StrOptions({"ogm"}), None],
    }
    _own_prefixes = (*BaseBranchNet._own_prefixes, "fusion", "balance")
    prefixes_: list = [*BaseBranchNet.prefixes_, "fusion", "balance"]

    def initialize_module(self):
        """Build the backbones for the shapes of their samples, fusion and heads."""
        self.module_ = JointNet(
            self._build_backbones(),
            self._make_fusion(),
            self._task.n_outputs,
            by_branch=self.auxiliary_loss > 0,
            modality_dropout=self.modality_dropout,
            frozen=self._get_frozen(),
        )
        self._load_branches()
        return self

    def _make_fusion(self):
        """Return the fusion layer, or a function that builds it for vector lengths."""
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

    @property
    def _default_callbacks(self):
        """The callbacks of any net, and those that log the contributions."""
        names = getattr(self, "_backbones", ()) if self.balance is not None else ()
        return [*super()._default_callbacks, *make_contribution_callbacks(names)]

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Compute the mean loss of a batch, including the branches' own heads."""
        target = Target.unpack(y_true).to(pick_device(self.device))
        loss = self._compute_loss(y_pred.prediction, target, training)
        if y_pred.by_branch is None:
            return loss
        own = []
        for predicted, present in zip(y_pred.by_branch, y_pred.present.T):
            rows = present.nonzero().squeeze(1)
            if len(rows):
                some = _take_rows(predicted, rows), target.take(rows)
                own.append(self._compute_loss(*some, training))
        return loss + self.auxiliary_loss * torch.stack(own).mean()

    def train_step_single(self, batch, **fit_params):
        """Compute gradients, and balance those of the branches with ``balance``."""
        step = super().train_step_single(batch, **fit_params)
        if self.balance is not None:
            self._balance_branches(step["y_pred"], batch[1])
        return step

    def _balance_branches(self, output, y_true):
        """Modulate the gradients of a training step; log the contributions."""
        module = unwrap(self.module_)
        target = Target.unpack(y_true).to(output.present.device)

        def compute_row_losses(predicted):
            return self._compute_row_losses(predicted, target.codes)

        shares = compute_contributions(module, output, compute_row_losses)
        for name, share in zip(module.backbones, shares):
            self.history.record_batch(f"contribution_{name}", share)
        options = self.get_params_for("balance")
        modulate_gradients(module.backbones.values(), shares, **options)

    def validation_step(self, batch, **fit_params):
        """Compute the loss of a batch; keep its prediction alone."""
        step = super().validation_step(batch, **fit_params)
        return {**step, "y_pred": step["y_pred"].prediction}

    def evaluation_step(self, batch, training=False):
        """Predict a batch."""
        return super().evaluation_step(batch, training).prediction

    def transform(self, X):
        """Fuse samples, without predicting.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays
            The table.

        Returns
        -------
        ndarray of shape (n_samples, out_features), float32
            Output of the fusion layer; all NaN where every modality is missing.
        """
        samples = self._check_fitted_samples(X)
        vectors = self._evaluate(samples, "embed")
        vectors[~samples[PRESENT].any(axis=1)] = np.nan
        return vectors

    def branch_embeddings(self, X):
        """Compute the vectors of each branch's backbone.

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
        vectors = self._evaluate(samples, "embed_branches")
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
            Accuracy or R2 of each branch; NaN where no row has it.
        """
        samples = self._check_fitted_samples(X)
        outputs = self._evaluate(samples, "predict_by_branch")
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

    def _score_outputs(self, outputs, y, rows):
        """Score the outputs of a head on some rows."""
        if not len(rows):
            return np.nan
        predicted = self._task.decode(outputs[rows])
        return self._task.score(np.asarray(y)[rows], predicted)

    def _trace_outputs(self, module, inputs):
        *inputs, present = inputs
        outputs = self._get_predict_nonlinearity()(module.predict_all(inputs, present))
        return hide_absent(outputs, present, self._make_prior())


def hide_absent(outputs, present, prior):
    """Replace outputs by the prior where every modality is missing, by torch alone."""
    prior = torch.as_tensor(prior, dtype=outputs.dtype)
    return torch.where(present.any(dim=1, keepdim=True), outputs, prior)


def _take_rows(predicted, rows):
    if isinstance(predicted, tuple):
        return tuple(_take_rows(part, rows) for part in predicted)
    return predicted[rows]
