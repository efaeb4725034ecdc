"""Pretrained models of two towers, as aligners."""

import os
from numbers import Integral
from os import PathLike

import numpy as np
from sklearn.base import BaseEstimator

from .._members.columns import ModalityColumnsMixin, annotate
from .._utils.hub import explain_loading
from .._utils.imports import Interval, StrOptions, fit_context, import_extra
from .._utils.state import StoredStateMixin
from ..alignment._base import AlignerMixin
from ._audio import PretrainedAudioEncoder
from ._engines import pick_dtype, pick_torch_device, refuse_weights
from ._image import PretrainedImageEncoder
from ._text import PretrainedTextEncoder


class PretrainedAligner(
    AlignerMixin, ModalityColumnsMixin, StoredStateMixin, BaseEstimator
):
    """Map images and texts, or sounds and texts, by a model that knows both.

    CLIP, SigLIP and CLAP behind the interface of :class:`ContrastiveAligner`, without
    any training: :class:`CrossModalRetriever` and :class:`ZeroShotClassifier` take one
    as it is.

    Parameters
    ----------
    model : str, PathLike or tuple
        A name in the Hugging Face hub, or a folder, of a transformers model with
        ``get_text_features`` and ``get_image_features`` or ``get_audio_features``; or a
        tuple ``(model, processor)``.
    columns : dict of str to str or None, default=None
        Columns of the modalities "text", "image" and "audio" in a table; by default
        those of these names.
    batch_size : int, default=32
        Samples in a batch.
    device : str, default="auto"
        "auto" takes cuda, else mps, else the CPU.
    dtype : {"float32", "float16", "bfloat16"}, default="float32"
        Type of the model's numbers; the result is float32.
    revision : str or None, default=None
        Branch, tag or commit in the hub.
    local_files_only : bool, default=False
        Whether nothing may be downloaded.
    store_weights : bool, default=False
        Whether a pickle holds the weights, see :class:`PretrainedTextEncoder`.
    root : str, PathLike or None, default=None
        Folder that paths are relative to, see :class:`ImageLoader`.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about images or sounds that cannot be read.

    Attributes
    ----------
    modalities_ : list of str
        "text", and "image" or "audio".
    embedding_dim_ : int
        Dimensions of the space.
    temperature_ : float
        What the model's similarities are divided by.

    References
    ----------
    A. Radford et al. (2021), "Learning transferable visual models from natural language
    supervision", ICML; X. Zhai et al. (2023), "Sigmoid loss for language image
    pre-training", ICCV; Y. Wu et al. (2023), "Large-scale contrastive language-audio
    pretraining with feature fusion and keyword-to-caption augmentation", ICASSP.

    Examples
    --------
    >>> from sklearn_mm import PretrainedAligner, ZeroShotClassifier
    >>> aligner = PretrainedAligner("openai/clip-vit-base-patch32")
    >>> labels = {"cat": "a photo of a cat", "dog": "a photo of a dog"}
    >>> classifier = ZeroShotClassifier(aligner, labels)
    >>> classifier.fit().predict(["pet.jpg"])  # doctest: +SKIP
    array(['cat'], dtype='<U3')
    """

    _parameter_constraints: dict = {
        "model": [str, PathLike, tuple],
        "columns": [dict, None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "device": [str],
        "dtype": [StrOptions({"float32", "float16", "bfloat16"})],
        "revision": [str, None],
        "local_files_only": ["boolean"],
        "store_weights": ["boolean"],
        "root": [str, PathLike, None],
        "on_error": [StrOptions({"raise", "warn", "missing"})],
    }

    def __init__(
        self,
        model,
        *,
        columns=None,
        batch_size=32,
        device="auto",
        dtype="float32",
        revision=None,
        local_files_only=False,
        store_weights=False,
        root=None,
        on_error="raise",
    ):
        self.model = model
        self.columns = columns
        self.batch_size = batch_size
        self.device = device
        self.dtype = dtype
        self.revision = revision
        self.local_files_only = local_files_only
        self.store_weights = store_weights
        self.root = root
        self.on_error = on_error

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X=None, y=None):
        """Load the model; nothing is learned.

        Parameters
        ----------
        X : None
            Ignored.
        y : None
            Ignored.

        Returns
        -------
        self
            The aligner.
        """
        self._open()
        return self

    @property
    def transformers_(self):
        """The encoder of each modality."""
        return self._open()[1]

    @property
    def embedding_dim_(self):
        """Dimensions of the space."""
        encoder = self.transformers_["text"]
        return encoder.fit([]).n_features_

    @property
    def temperature_(self):
        """What the model's similarities are divided by."""
        model = self._open()[0]
        scale = getattr(model, "logit_scale", getattr(model, "logit_scale_t", None))
        return 0.07 if scale is None else 1 / float(scale.detach().exp())

    @property
    def _columns(self):
        given = self.columns or {}
        return {name: given.get(name, name) for name in self.transformers_}

    def _embed(self, name, cells):
        with annotate(name, self._columns[name]):
            return self.transformers_[name].transform(cells)

    def _open(self):
        if "_towers" not in vars(self):
            self._towers = self._load()
        return self._towers

    def _load(self):
        if isinstance(self.model, tuple):
            model, processor = self.model
        else:
            model, processor = self._load_by_name()
        model = model.to(pick_torch_device(self.device), pick_dtype(self.dtype)).eval()
        text = _TextTower(model, processor.tokenizer)
        options = {
            "normalize": True,
            "batch_size": self.batch_size,
            "device": self.device,
            "dtype": self.dtype,
        }
        loading = {"root": self.root, "on_error": self.on_error}
        towers = {"text": PretrainedTextEncoder(text, **options)}
        if hasattr(model, "get_image_features"):
            part = model, processor.image_processor
            towers["image"] = PretrainedImageEncoder(part, **options, **loading)
        if hasattr(model, "get_audio_features"):
            part = model, processor.feature_extractor
            towers["audio"] = PretrainedAudioEncoder(part, **options, **loading)
        return model, towers

    def _load_by_name(self):
        transformers = import_extra("transformers", "hf")
        name = os.fspath(self.model)
        with explain_loading(type(self).__name__, name, "hf"):
            where = {
                "revision": self.revision,
                "local_files_only": self.local_files_only,
                "trust_remote_code": False,
            }
            model = transformers.AutoModel.from_pretrained(name, **where)
            if not hasattr(model, "get_text_features"):
                raise ValueError(f"{type(model).__name__} has one tower only")
            return model, transformers.AutoProcessor.from_pretrained(name, **where)

    def set_params(self, **params):
        """Set parameters; the model is loaded anew when it is needed.

        Parameters
        ----------
        **params : dict
            Values by name.

        Returns
        -------
        self
            The aligner.
        """
        vars(self).pop("_towers", None)
        return super().set_params(**params)

    def __sklearn_clone__(self):
        # A model that was loaded already is shared, not copied.
        return type(self)(**self.get_params(deep=False))

    def _get_plain_state(self):
        refuse_weights(self)
        return self._get_pickled_state()

    def _get_pickled_state(self):
        state = dict(vars(self))
        if self.store_weights:
            state["_towers"] = self._open()
        else:
            state.pop("_towers", None)
        return state

    def __sklearn_tags__(self):
        """Say that ``transform`` needs no ``fit``."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


class _TextTower:
    """Embeds texts by the model's text tower."""

    def __init__(self, model, tokenizer):
        self.model = model
        self.tokenizer = tokenizer

    def encode(self, texts):
        import torch

        # SigLIP was trained on texts of one length.
        is_siglip = self.model.config.model_type.startswith("siglip")
        inputs = self.tokenizer(
            list(texts),
            padding="max_length" if is_siglip else True,
            truncation=True,
            return_tensors="pt",
        ).to(self.model.device)
        with torch.inference_mode():
            output = self.model.get_text_features(**inputs)
        vectors = getattr(output, "pooler_output", output)
        return np.asarray(vectors.float().cpu())
