"""Pretrained two-tower models as aligners."""

import os
from numbers import Integral
from os import PathLike

import numpy as np
from sklearn.base import BaseEstimator

from .._members.columns import ModalityColumnsMixin, annotate
from .._utils.devices import pick_device
from .._utils.hub import explain_loading
from .._utils.imports import Interval, StrOptions, fit_context, import_extra
from .._utils.state import StoredStateMixin
from ..alignment._base import AlignerMixin
from ..audio import AudioLoader
from ..image import ImageLoader
from ._audio import PretrainedAudioEncoder
from ._engines import pick_dtype, refuse_weights
from ._image import PretrainedImageEncoder
from ._text import PretrainedTextEncoder


class PretrainedAligner(
    AlignerMixin, ModalityColumnsMixin, StoredStateMixin, BaseEstimator
):
    """Embed images and texts, or audio and texts, with a pretrained two-tower model.

    CLIP, SigLIP and CLAP with the interface of :class:`ContrastiveAligner`, without any
    training. :class:`CrossModalRetriever` and :class:`ZeroShotClassifier` use it as is.

    Parameters
    ----------
    model : str, PathLike or tuple
        Name on the Hugging Face Hub, or folder, of a transformers model with
        ``get_text_features`` and ``get_image_features`` or ``get_audio_features``; or a
        tuple ``(model, processor)``.
    columns : dict or None, default=None
        Maps columns of the table to their modality, "text", "image" or "audio", such
        as ``{"photo": "image", "caption": "text"}``. A modality without a column here
        is in the column of its own name.
    batch_size : int, default=32
        Samples per batch.
    device : str, default="auto"
        "auto" uses cuda, else mps, else the CPU.
    dtype : {"float32", "float16", "bfloat16"}, default="float32"
        Type of the model's weights and activations; the result is float32.
    revision : str or None, default=None
        Branch, tag or commit on the hub.
    local_files_only : bool, default=False
        Whether to use local files only and download nothing.
    store_weights : bool, default=False
        Whether pickles contain the weights, see :class:`PretrainedTextEncoder`.
    root : str, PathLike or None, default=None
        Folder that paths are relative to and must lie in, see :class:`ImageLoader`.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about images or audio that cannot be read, see :class:`ImageLoader`.

    Attributes
    ----------
    modalities_ : list of str
        "text", and "image" or "audio".
    embedding_dim_ : int
        Dimensions of the space.
    temperature_ : float
        Divisor of the model's cosine similarities.
    transformers_ : dict of str to transformer
        The encoder of each modality.

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
        """Load the model. Nothing is learned.

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
        self._get_columns(self._get_towers()[1])
        return self

    @property
    def transformers_(self):
        """The encoder of each modality."""
        return self._get_towers()[1]

    @property
    def embedding_dim_(self):
        """Dimensions of the space."""
        encoder = self.transformers_["text"]
        return encoder.fit([]).n_features_

    @property
    def temperature_(self):
        """Divisor of the model's cosine similarities."""
        model = self._get_towers()[0]
        scale = getattr(model, "logit_scale", getattr(model, "logit_scale_t", None))
        return 0.07 if scale is None else 1 / float(scale.detach().exp())

    @property
    def _columns(self):
        return self._get_columns(self.transformers_)

    def _get_columns(self, modalities):
        """Return the column of each modality."""
        columns = {}
        for column, modality in (self.columns or {}).items():
            if modality not in modalities:
                raise ValueError(
                    f"columns={self.columns!r} maps to {modality!r}, but the model's "
                    f"modalities are {list(modalities)}."
                )
            if modality in columns:
                raise ValueError(
                    f"columns={self.columns!r} has two columns of {modality!r}; the "
                    "model embeds one column per modality."
                )
            columns[modality] = column
        return {name: columns.get(name, name) for name in modalities}

    def _embed(self, name, cells):
        with annotate(name, self._columns[name]):
            return self.transformers_[name].transform(cells)

    def _get_towers(self):
        """Return the model and the encoder of each modality; load it if needed."""
        if "_towers" not in vars(self):
            self._towers = self._load()
        return self._towers

    def _load(self):
        if isinstance(self.model, tuple):
            model, processor = self.model
        else:
            model, processor = self._load_by_name()
        model = model.to(pick_device(self.device), pick_dtype(self.dtype)).eval()
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
            loader = ImageLoader(**loading)
            towers["image"] = PretrainedImageEncoder(part, loader=loader, **options)
        if hasattr(model, "get_audio_features"):
            part = model, processor.feature_extractor
            loader = AudioLoader(processor.feature_extractor.sampling_rate, **loading)
            towers["audio"] = PretrainedAudioEncoder(part, loader=loader, **options)
        return model, towers

    def _load_by_name(self):
        transformers = import_extra("transformers", "hf")
        name = os.fspath(self.model)
        with explain_loading(type(self).__name__, name, "hf"):
            options = {
                "revision": self.revision,
                "local_files_only": self.local_files_only,
                "trust_remote_code": False,
            }
            model = transformers.AutoModel.from_pretrained(name, **options)
            if not hasattr(model, "get_text_features"):
                raise ValueError(f"{type(model).__name__} has one tower only")
            return model, transformers.AutoProcessor.from_pretrained(name, **options)

    def set_params(self, **params):
        """Set parameters. The model is loaded again when it is next needed.

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
        # A model that is already loaded is shared, not copied.
        return type(self)(**self.get_params(deep=False))

    def _get_plain_state(self):
        refuse_weights(self)
        return self._get_pickled_state()

    def _get_pickled_state(self):
        state = dict(vars(self))
        if self.store_weights:
            state["_towers"] = self._get_towers()
        else:
            state.pop("_towers", None)
        return state

    def __sklearn_tags__(self):
        """Declare that ``transform`` does not need ``fit``."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


class _TextTower:
    """Embeds texts with the model's text tower."""

    def __init__(self, model, tokenizer):
        self.model = model
        self.tokenizer = tokenizer

    def encode(self, texts):
        import torch

        # SigLIP was trained on texts padded to one length.
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
