"""A joint network as a classifier."""

import numpy as np
import torch

from ._classifier import NetClassifierMixin
from ._multimodal import BaseMultimodalNet


class MultimodalNetClassifier(NetClassifierMixin, BaseMultimodalNet):
    """Train one network over all modalities, end to end, as a classifier.

    Each branch turns a modality's columns into arrays (its transformer) and these into
    vectors (its backbone, a torch module); a fusion layer makes one vector of them, and
    a linear head the prediction. A modality that is missing from a row is masked: it
    has no influence.

    Parameters
    ----------
    branches : list of (str, transformer, module, columns)
        Name, transformer, backbone and columns of each branch. The transformer is a
        loader, a pipeline or whatever returns arrays, is fitted on the rows where the
        modality is present, and may be "passthrough" (columns of numbers, or of arrays)
        or "drop". The backbone is one of :mod:`sklearn_mm.nets` or your own, see
        :class:`NetClassifier`; its options are ``name__backbone__option``. Columns are
        those of :class:`~sklearn.compose.ColumnTransformer`.
    criterion : class, default=torch.nn.CrossEntropyLoss
        Loss of the head's outputs and the classes' numbers.
    class_weight : {"balanced"}, dict or None, default=None
        Weights of the classes in the loss.
    fusion : str, class or instance of torch.nn.Module, default="transformer"
        How the branches become one vector, with options ``fusion__option``:

        - "transformer": :class:`~sklearn_mm.nets.TransformerFusion`
        - "concat": :class:`~sklearn_mm.nets.ConcatFusion`
        - "mean": :class:`~sklearn_mm.nets.MeanFusion`
        - "gated": :class:`~sklearn_mm.nets.GatedFusion`
        - "tensor": :class:`~sklearn_mm.nets.TensorFusion`
        - "low_rank": :class:`~sklearn_mm.nets.LowRankFusion`
        - "film": :class:`~sklearn_mm.nets.FiLMFusion`
        - "attention": :class:`~sklearn_mm.nets.CrossAttentionFusion`
        - "bottleneck": :class:`~sklearn_mm.nets.BottleneckFusion`

        or a layer of your own, see :mod:`sklearn_mm.nets.fusion`.
    modality_dropout : float, default=0.0
        Chance that a modality is left out of a training step, of each row by itself;
        one always stays. Trains for modalities that will be missing.
    auxiliary_loss : float, default=0.0
        Weight of the mean loss of heads of the branches' own, which also give
        ``branch_scores``; 0 has no such heads.
    balance : {"ogm"} or None, default=None
        "ogm" slows branches down that learn faster than the others, by on-the-fly
        gradient modulation [1]_, with the strength ``balance__alpha`` (0.3), and adds
        noise to gradients with ``balance__noise=True``. ``history_`` has each branch's
        contribution by epoch.
    init_from : dict of str to NetEncoder or None, default=None
        Fitted networks, or pipelines that end in one, whose backbone's weights a branch
        starts from.
    freeze : list of str, "all" or None, default=None
        Branches whose backbone stays as it is.
    on_absent : {"raise", "drop"}, default="raise"
        What to do about a modality that is missing from every row of ``fit``.
    **kwargs : dict
        What :class:`NetClassifier` takes: ``lr``, ``batch_size``, ``max_epochs``,
        ``optimizer``, ``early_stopping``, ``device``, ``random_state``, ``callbacks``
        and so on; ``name__backbone__*`` and ``fusion__*``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    class_prior_ : ndarray of shape (n_classes,)
        Frequencies of the classes, predicted where every modality is missing.
    module_ : torch.nn.Module
        The trained network, with ``module_.backbones``, ``fusion`` and ``head``.
    transformers_ : dict of str to transformer
        Fitted; None stands for "passthrough".
    input_shapes_ : dict of str to tuple of int
        Shape of each branch's samples.
    history_ : skorch History
        Losses by epoch, and contributions if they are balanced.
    n_features_in_ : int
        Number of columns of the table.

    Notes
    -----
    Rows where every modality is missing are left out in ``fit``; ``predict`` gives the
    most frequent class for them, with an
    :class:`~sklearn_mm.exceptions.AbstentionWarning`. ``fit_transform`` is not
    cross-fitted, as :class:`NetEncoder`'s is: what learns from its vectors on the same
    rows sees vectors that know the answer.

    References
    ----------
    .. [1] X. Peng, Y. Wei, A. Deng, D. Wang and D. Hu (2022), "Balanced multimodal
       learning via on-the-fly gradient modulation", CVPR.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_mm import (
    ...     AudioLoader, ImageLoader, LogMelSpectrogram, MultimodalNetClassifier
    ... )
    >>> from sklearn_mm.datasets import load_av_digits
    >>> from sklearn_mm.nets import AudioCNN, ImageCNN
    >>> X, y = load_av_digits(return_X_y=True)
    >>> sound = make_pipeline(AudioLoader(8000), LogMelSpectrogram(8000))
    >>> net = MultimodalNetClassifier(
    ...     [
    ...         ("image", ImageLoader(), ImageCNN, "image"),
    ...         ("sound", sound, AudioCNN, "audio"),
    ...     ],
    ...     image__backbone__n_filters=8,
    ...     max_epochs=2,
    ...     random_state=0,
    ... )
    >>> net.fit(X, y).transform(X).shape
    (600, 64)
    """

    def __init__(
        self,
        branches,
        *,
        criterion=torch.nn.CrossEntropyLoss,
        class_weight=None,
        fusion="transformer",
        modality_dropout=0.0,
        auxiliary_loss=0.0,
        balance=None,
        init_from=None,
        freeze=None,
        on_absent="raise",
        **kwargs,
    ):
        super().__init__(
            branches,
            criterion=criterion,
            fusion=fusion,
            modality_dropout=modality_dropout,
            auxiliary_loss=auxiliary_loss,
            balance=balance,
            init_from=init_from,
            freeze=freeze,
            on_absent=on_absent,
            **kwargs,
        )
        self.class_weight = class_weight

    def _encode_target(self, samples, y, fresh, classes):
        codes = super()._encode_target(samples, y, fresh, classes)
        if fresh:
            counts = np.bincount(codes, minlength=len(self.classes_))
            self.class_prior_ = counts / counts.sum()
        return codes

    def _make_prior(self):
        return self.class_prior_

    def _score_outputs(self, outputs, y, rows):
        """Accuracy of a head's outputs on some rows."""
        if not len(rows):
            return np.nan
        return float(np.mean(self._decode(outputs[rows]) == np.asarray(y)[rows]))
