"""What joint networks share: a module over all branches, its losses, what it gives."""

import copy
import warnings
from functools import partial
from numbers import Real

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from skorch.utils import is_dataset, to_device
from torch import nn

from .._imports import Interval, StrOptions
from ..ensemble import AbstentionWarning
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
from ._base import BaseNet
from ._batches import as_tensors, take_some
from ._branches import PRESENT, BranchesMixin
from ._device import pick_device

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


class BaseMultimodalNet(BranchesMixin, BalanceMixin, TransformerMixin, BaseNet):
    """A network over several branches, trained end to end."""

    _parameter_constraints: dict = {
        **{k: v for k, v in BaseNet._parameter_constraints.items() if k != "module"},
        "branches": [list, tuple],
        "fusion": [StrOptions(set(FUSIONS)), nn.Module, callable],
        "modality_dropout": [Interval(Real, 0, 1, closed="left")],
        "auxiliary_loss": [Interval(Real, 0, None, closed="left")],
        "balance": [StrOptions({"ogm"}), None],
        "init_from": [dict, None],
        "freeze": [list, tuple, set, StrOptions({"all"}), None],
        "on_absent": [StrOptions({"raise", "drop"})],
    }

    def __init__(
        self,
        branches,
        *,
        criterion,
        fusion="transformer",
        modality_dropout=0.0,
        auxiliary_loss=0.0,
        balance=None,
        init_from=None,
        freeze=None,
        on_absent="raise",
        **kwargs,
    ):
        super().__init__(criterion=criterion, branches=branches, **kwargs)
        self.fusion = fusion
        self.modality_dropout = modality_dropout
        self.auxiliary_loss = auxiliary_loss
        self.balance = balance
        self.init_from = init_from
        self.freeze = freeze
        self.on_absent = on_absent

    def __repr__(self, N_CHAR_MAX=700):
        # As scikit-learn's estimators, not as skorch's, which shows a module.
        return BaseEstimator.__repr__(self, N_CHAR_MAX)

    def __sklearn_clone__(self):
        twin = super().__sklearn_clone__()
        twin.init_from = self.init_from  # networks that stay fitted
        return twin

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
        for name in self._known(self.init_from or {}, "init_from"):
            self._start_from(name, self.init_from[name])
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

    def _find_frozen(self):
        if self.freeze == "all":
            return list(self._backbones)
        return self._known(self.freeze or (), "freeze")

    def _known(self, names, parameter):
        """Give those of the names that are branches in use; refuse what is none."""
        unknown = sorted(set(names) - set(self._branch_names()))
        if unknown:
            raise ValueError(
                f"{parameter} names {unknown}, but the branches are "
                f"{self._branch_names()}."
            )
        return [name for name in names if name in self._backbones]

    def _start_from(self, name, encoder):
        """Take over the weights of a network that was trained alone."""
        encoder = encoder[-1] if isinstance(encoder, Pipeline) else encoder
        check_is_fitted(encoder)
        own, other = self.module_.backbones[name], encoder.module_.backbone
        try:
            if type(own) is not type(other):
                raise RuntimeError(f"it is a {type(other).__name__}")
            own.load_state_dict(other.state_dict())
        except RuntimeError as error:
            raise ValueError(
                f"init_from[{name!r}]: the weights of its backbone do not fit branch "
                f"{name!r}, a {type(own).__name__} of samples "
                f"{self.input_shapes_[name]}; it must have the same options. {error}"
            ) from None

    def _adapt(self, samples):
        for column, (name, backbone) in enumerate(self.module_.backbones.items()):
            adapt = getattr(backbone, "adapt", None)
            learned = name in (self.init_from or {})
            if adapt is None or learned or name in self.n_tokens_:
                continue
            present = samples[PRESENT][:, column]
            array = samples[name]
            some = take_some(array if present.all() else array[present])
            adapt(to_device(as_tensors(some), pick_device(self.device)))

    # Training.

    def infer(self, x, **fit_params):
        """Run the module on a batch, on its device."""
        device = pick_device(self.device)
        x = to_device({key: torch.as_tensor(part) for key, part in x.items()}, device)
        for name, n_tokens in self.n_tokens_.items():
            x[name] = torch.where(x[name] < n_tokens, x[name], 1)  # unknown
        inputs = [x[name] for name in self._backbones]
        mixed = self.mixed_precision and torch.device(device).type == "cuda"
        with torch.autocast("cuda", torch.bfloat16, enabled=mixed):
            return self.module_(inputs, x[PRESENT], **fit_params)

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

    def _check_fitted_samples(self, X):
        check_is_fitted(self)
        return self._check_samples(X, reset=False)

    def _evaluate(self, samples, want):
        """Give what the module makes of all samples, batch by batch, as arrays."""
        self.module_.eval()
        parts = []
        for x, _ in self.get_iterator(self.get_dataset(samples)):
            with torch.no_grad():
                parts.append(_as_arrays(self.infer(x, want=want)))
        return _concatenate(parts)

    def _forward(self, X):
        """Give the network's outputs; where every modality is missing, the prior."""
        outputs = super()._forward(X)
        if not is_dataset(X):
            absent = ~X[PRESENT].any(axis=1)
            if absent.any():
                outputs[absent] = self._make_prior()
                warn_absent(absent)
        return outputs


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


def _as_arrays(outputs):
    if isinstance(outputs, tuple):
        return tuple(_as_arrays(part) for part in outputs)
    return outputs.float().cpu().numpy()


def _concatenate(parts):
    if isinstance(parts[0], tuple):
        return tuple(_concatenate(part) for part in zip(*parts))
    return np.concatenate(parts)
