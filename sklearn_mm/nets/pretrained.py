"""Pretrained transformers as backbones: frozen, fine-tuned, or by low-rank updates."""

import re

import torch
from torch import nn

from .._utils.hub import explain_loading, pool_tokens
from .._utils.imports import import_extra
from ._layers import valid_steps


class _PretrainedBackbone(nn.Module):
    """A model of transformers; a class says what it is given.

    ``trainable`` says what of it learns.
    """

    def __init__(
        self, model, trainable, pooling, lora_rank, revision, local_files_only
    ):
        super().__init__()
        if pooling not in ("mean", "max", "cls"):
            raise ValueError(
                f"pooling must be 'mean', 'max' or 'cls', got {pooling!r}."
            )
        transformers = import_extra("transformers", "hf")
        with explain_loading(type(self).__name__, model, "hf"):
            loaded = transformers.AutoModel.from_pretrained(
                model,
                revision=revision,
                local_files_only=local_files_only,
                trust_remote_code=False,
            )
        loaded = getattr(loaded, self._tower, loaded)
        # Masks are drawn over 10 frames or more, which short samples do not have.
        loaded.config.apply_spec_augment = False
        self.pooling = pooling
        self.out_features = self.token_features = loaded.config.hidden_size
        self.is_frozen = trainable is False
        self.model = _set_trainable(loaded, trainable, lora_rank)

    def train(self, mode=True):
        """Switch to training, unless nothing learns."""
        super().train(mode)
        if self.is_frozen:
            self.model.eval()
        return self

    def forward(self, x):
        """Encode samples, ``(n_samples, out_features)``."""
        return pool_tokens(*self.tokens(x), self.pooling)

    def tokens(self, x):
        """Encode tokens, patches or frames, and say which are within the sample."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.is_frozen):
            return self._run(x)


def _set_trainable(model, trainable, lora_rank):
    if trainable == "lora":
        peft = import_extra("peft", "hf")
        config = peft.LoraConfig(
            r=lora_rank, lora_alpha=2 * lora_rank, target_modules="all-linear"
        )
        return peft.get_peft_model(model, config)
    if trainable in (False, True):
        return model.requires_grad_(trainable)
    found = re.fullmatch(r"last_(\d+)", str(trainable))
    if found is None:
        raise ValueError(
            "trainable must be False, True, 'last_1', 'last_2' and so on, or 'lora', "
            f"got {trainable!r}."
        )
    layers, n_last = _find_layers(model), int(found[1])
    if n_last > len(layers):
        raise ValueError(f"trainable={trainable!r}, but it has {len(layers)} layers.")
    model.requires_grad_(False)
    for layer in layers[len(layers) - n_last :]:
        layer.requires_grad_(True)
    return model


def _find_layers(model):
    """Give the transformer's layers: of the stacks, the one with most parameters."""
    stacks = [part for part in model.modules() if isinstance(part, nn.ModuleList)]
    return list(max(stacks, key=_count_parameters, default=[]))


def _count_parameters(module):
    return sum(value.numel() for value in module.parameters())


class PretrainedTextBackbone(_PretrainedBackbone):
    """A pretrained model of texts, over a :class:`~sklearn_mm.PretrainedTokenizer`.

    Parameters
    ----------
    input_shape : tuple of int
        ``(length,)``, of tokens.
    model : str or PathLike
        A name in the Hugging Face hub, or a folder; the tokenizer's.
    trainable : bool, "lora" or str, default=False
        What learns: nothing, all, low-rank updates of all linear layers (peft), or, by
        "last_2" for instance, the last two layers.
    pooling : {"mean", "max", "cls"}, default="mean"
        How the vectors of tokens become one.
    lora_rank : int, default=8
        Rank of the updates.
    revision : str or None, default=None
        Branch, tag or commit in the hub.
    local_files_only : bool, default=False
        Whether nothing may be downloaded.

    Attributes
    ----------
    out_features : int
        Length of the vector.

    References
    ----------
    E. J. Hu et al. (2022), "LoRA: low-rank adaptation of large language models", ICLR.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_mm import NetClassifier, PretrainedTokenizer
    >>> from sklearn_mm.nets import PretrainedTextBackbone
    >>> name = "google/bert_uncased_L-2_H-128_A-2"
    >>> net = NetClassifier(
    ...     PretrainedTextBackbone, module__model=name, module__trainable="lora"
    ... )
    >>> pipeline = make_pipeline(PretrainedTokenizer(name), net)
    """

    _trusted = False  # it opens a model as it is made
    _tower = "text_model"
    variable_length = True

    def __init__(
        self,
        input_shape,
        model,
        trainable=False,
        pooling="mean",
        lora_rank=8,
        revision=None,
        local_files_only=False,
    ):
        super().__init__(
            model, trainable, pooling, lora_rank, revision, local_files_only
        )

    def _run(self, x):
        ids = x.nan_to_num().long()  # one more than the tokenizer's, 0 is padding
        mask = ids > 0
        mask[:, 0] = True
        output = self.model(
            input_ids=(ids - 1).clamp_min(0), attention_mask=mask.long()
        )
        return output.last_hidden_state, mask


class PretrainedImageBackbone(_PretrainedBackbone):
    """A pretrained model of images, over an :class:`~sklearn_mm.ImageLoader`.

    Parameters
    ----------
    input_shape : tuple of (int, int, int)
        ``(height, width, 3)``, RGB from 0 to 1, of the size that the model takes.
    model : str or PathLike
        A name in the Hugging Face hub, or a folder.
    trainable : bool, "lora" or str, default=False
        What learns, see :class:`PretrainedTextBackbone`.
    pooling : {"mean", "max", "cls"}, default="cls"
        How the vectors of patches become one.
    lora_rank : int, default=8
        Rank of the updates.
    revision : str or None, default=None
        Branch, tag or commit in the hub.
    local_files_only : bool, default=False
        Whether nothing may be downloaded.

    Attributes
    ----------
    out_features : int
        Length of the vector.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_mm import ImageLoader, NetEncoder
    >>> from sklearn_mm.nets import PretrainedImageBackbone
    >>> encoder = make_pipeline(
    ...     ImageLoader((224, 224), "rgb", aspect="crop"),
    ...     NetEncoder(
    ...         PretrainedImageBackbone,
    ...         module__model="facebook/dinov2-small",
    ...         module__trainable="last_2",
    ...     ),
    ... )
    """

    _trusted = False  # it opens a model as it is made
    _tower = "vision_model"

    def __init__(
        self,
        input_shape,
        model,
        trainable=False,
        pooling="cls",
        lora_rank=8,
        revision=None,
        local_files_only=False,
    ):
        if len(input_shape) != 3 or input_shape[2] != 3:
            raise ValueError(
                "PretrainedImageBackbone takes images (height, width, 3), got samples "
                f"of shape {tuple(input_shape)}."
            )
        super().__init__(
            model, trainable, pooling, lora_rank, revision, local_files_only
        )
        transformers = import_extra("transformers", "hf")
        with explain_loading(type(self).__name__, model, "hf"):
            processor = transformers.AutoImageProcessor.from_pretrained(
                model,
                revision=revision,
                local_files_only=local_files_only,
                trust_remote_code=False,
            )
        self.register_buffer("mean", torch.tensor(processor.image_mean))
        self.register_buffer("std", torch.tensor(processor.image_std))

    def _run(self, x):
        x = ((x - self.mean) / self.std).nan_to_num().permute(0, 3, 1, 2)
        states = self.model(pixel_values=x).last_hidden_state
        if states.ndim == 4:  # (n_samples, channels, height, width)
            states = states.flatten(2).transpose(1, 2)
        return states, states.new_ones(states.shape[:2], dtype=torch.bool)


class PretrainedAudioBackbone(_PretrainedBackbone):
    """A pretrained model of sound, over an :class:`~sklearn_mm.AudioLoader`.

    Parameters
    ----------
    input_shape : tuple of (int,)
        ``(length,)``: signals at the model's sampling rate, mostly 16 kHz.
    model : str or PathLike
        A name in the Hugging Face hub, or a folder, of a model that takes signals:
        wav2vec 2.0, HuBERT, WavLM.
    trainable : bool, "lora" or str, default=False
        What learns, see :class:`PretrainedTextBackbone`.
    pooling : {"mean", "max", "cls"}, default="mean"
        How the vectors of frames become one.
    lora_rank : int, default=8
        Rank of the updates.
    revision : str or None, default=None
        Branch, tag or commit in the hub.
    local_files_only : bool, default=False
        Whether nothing may be downloaded.

    Attributes
    ----------
    out_features : int
        Length of the vector.

    Notes
    -----
    Each signal is brought to mean 0 and variance 1. No time is masked in training
    (SpecAugment), since short signals leave none. With ``tokens`` it can be the
    acoustic model of a :class:`~sklearn_mm.SpeechRecognizer`.

    Examples
    --------
    >>> from sklearn_mm import MultimodalNetClassifier
    >>> from sklearn_mm import AudioLoader, ImageLoader
    >>> from sklearn_mm.nets import ImageCNN, PretrainedAudioBackbone
    >>> net = MultimodalNetClassifier(
    ...     [
    ...         ("voice", AudioLoader(16000), "audio"),
    ...         ("face", ImageLoader((64, 64)), "image"),
    ...     ],
    ...     backbones={"voice": PretrainedAudioBackbone, "face": ImageCNN},
    ...     backbones__voice__model="microsoft/wavlm-base-plus",
    ... )
    """

    _trusted = False  # it opens a model as it is made
    _tower = "audio_model"
    variable_length = True

    def __init__(
        self,
        input_shape,
        model,
        trainable=False,
        pooling="mean",
        lora_rank=8,
        revision=None,
        local_files_only=False,
    ):
        super().__init__(
            model, trainable, pooling, lora_rank, revision, local_files_only
        )

    def _run(self, x):
        valid = valid_steps(x)
        mean = x.nanmean(dim=1, keepdim=True)
        deviation = (x - mean).square().nanmean(dim=1, keepdim=True).sqrt()
        x = ((x - mean) / (deviation + 1e-7)).nan_to_num()
        states = self.model(input_values=x, attention_mask=valid.long())
        states = states.last_hidden_state
        inner = self.model
        if not hasattr(inner, "_get_feature_vector_attention_mask"):
            inner = inner.base_model.model  # behind low-rank updates
        mask = inner._get_feature_vector_attention_mask(
            states.shape[1], valid.long()
        ).bool()
        return states, mask
