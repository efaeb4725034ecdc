"""A network over recordings, trained by connectionist temporal classification."""

from skorch.utils import to_device

from .._columns.column import find_missing
from .._utils.devices import pick_device
from .._utils.notices import warn_user
from ..nets._head import WithStepHead
from ..nets._layers import valid_steps
from ..neural._base import BaseNet
from ._transcripts import TranscriptTask, arrange_for_ctc, count_too_short


class CTCNet(BaseNet):
    """Predicts the characters of transcripts at each step of a spectrogram."""

    _task_class = TranscriptTask
    _onnx_outputs = ("log_proba", "n_steps")

    def _drop_missing(self, samples, target):
        kept = (target.codes >= 0).all(axis=1) & ~find_missing(samples)
        if not kept.any():
            raise ValueError("no row has both a sound and a transcript.")
        return samples[kept], target.take(kept)

    def _join_head(self, backbone):
        return WithStepHead(backbone, self._task.n_outputs)

    def initialize_criterion(self):
        """Build the loss; transcripts that cannot be aligned do not count."""
        self.criterion_ = self._make_criterion()
        return self

    def _make_criterion(self, **options):
        options = {"zero_infinity": True, **self.get_params_for("criterion"), **options}
        return self.initialized_instance(self.criterion, options)

    def _prepare_batch(self, x):
        """Cut a batch to its longest recording, and move it to the device."""
        n_frames = int(valid_steps(x).sum(dim=1).max())
        return to_device(x[:, :n_frames], pick_device(self.device))

    def _trace_outputs(self, module, inputs):
        return module(*inputs)  # log-probabilities already

    def _compute_loss(self, y_pred, target, training):
        if training and len(self.history) == 1:
            self._n_too_short += count_too_short(target.codes, y_pred[1])
        if target.weight is not None:
            losses = self._compute_row_losses(y_pred, target.codes)
            return (losses * target.weight).sum() / target.weight.sum().clamp_min(1e-12)
        return self.criterion_(*arrange_for_ctc(y_pred, target.codes))

    def _compute_row_losses(self, y_pred, codes):
        arguments = arrange_for_ctc(y_pred, codes)
        criterion = self._make_criterion(reduction="none")
        return criterion(*arguments) / arguments[3].clamp_min(1)

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        """Start counting transcripts that are too long."""
        super().on_train_begin(net, X, y, **kwargs)
        self._n_too_short = 0

    def on_train_end(self, net, X=None, y=None, **kwargs):
        """Warn of transcripts that are too long for their recordings."""
        super().on_train_end(net, X, y, **kwargs)
        n_too_short, self._n_too_short = self._n_too_short, 0
        if n_too_short:
            warn_user(
                f"{n_too_short} transcripts have more characters than their recordings "
                "have steps, and are ignored: do they belong to other recordings? "
                "module__time_reduction=1 gives twice as many steps.",
                UserWarning,
            )
