"""Encode texts with pretrained models: sentence-transformers, model2vec, your own."""

import os
from pathlib import Path

import numpy as np

from .._columns.texts import check_text
from .._utils.devices import pick_device
from .._utils.hub import explain_loading
from .._utils.imports import HasMethods, StrOptions, import_extra
from ._base import BasePretrainedEncoder
from ._bundled import find_bundled
from ._engines import Engine, pick_dtype


class PretrainedTextEncoder(BasePretrainedEncoder):
    """Encode texts with a pretrained sentence model.

    Parameters
    ----------
    model : str, PathLike or object, default="minilm"
        "minilm" (all-MiniLM-L6-v2, 384 features) from the extra ``pretrained``; the
        name in the Hugging Face hub, or the folder, of a sentence-transformers model,
        of a transformers text model, or of static embeddings (model2vec); or an object
        that returns an array for a list of texts, from ``encode``, ``embed`` or a call.
    backend : {"auto", "sentence-transformers", "model2vec"}, default="auto"
        Library that loads the model; "auto" chooses by the name or by the folder's
        configuration.
    pooling : {"auto", "mean", "max", "cls"}, default="auto"
        How the vectors of tokens are combined, for sentence-transformers; by default
        the model's own pooling, or the mean if it has none.
    normalize : bool, default=False
        Whether to scale vectors to length one.
    batch_size : int, default=32
        Number of texts per batch, which are of similar length.
    device : str, default="auto"
        Device of the model: "auto" picks cuda, else mps, else the CPU.
    dtype : {"float32", "float16", "bfloat16"}, default="float32"
        Data type of the model; the output is always float32.
    revision : str or None, default=None
        Branch, tag or commit in the hub.
    local_files_only : bool, default=False
        Whether to use local files only, without any download.
    store_weights : bool, default=False
        Whether a pickle contains the weights. By default it contains the name or folder
        only, and the model is loaded again. A model passed as an object is always
        stored.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that are not texts: raise :class:`LoadError` after all
        cells have been tried, or treat them as missing, with or without a warning.

    Attributes
    ----------
    n_features_ : int
        Length of a vector.

    Notes
    -----
    Code from a model's repository is never run (``trust_remote_code=False``).

    References
    ----------
    N. Reimers and I. Gurevych (2019), "Sentence-BERT: sentence embeddings using Siamese
    BERT-networks", EMNLP.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm import PretrainedTextEncoder
    >>> def count(texts):  # a model of your own
    ...     return np.array([[len(text), text.count("e")] for text in texts])
    >>> PretrainedTextEncoder(count).fit_transform(["a red dress", None])
    array([[11.,  2.],
           [nan, nan]], dtype=float32)
    """

    _parameter_constraints: dict = {
        **BasePretrainedEncoder._parameter_constraints,
        "model": [
            str,
            os.PathLike,
            callable,
            HasMethods("encode"),
            HasMethods("embed"),
        ],
        "backend": [StrOptions({"auto", "sentence-transformers", "model2vec"})],
        "on_error": [StrOptions({"raise", "warn", "missing"})],
    }

    def __init__(
        self,
        model="minilm",
        *,
        backend="auto",
        pooling="auto",
        normalize=False,
        batch_size=32,
        device="auto",
        dtype="float32",
        revision=None,
        local_files_only=False,
        store_weights=False,
        on_error="raise",
    ):
        self.model = model
        self.backend = backend
        self.pooling = pooling
        self.normalize = normalize
        self.batch_size = batch_size
        self.device = device
        self.dtype = dtype
        self.revision = revision
        self.local_files_only = local_files_only
        self.store_weights = store_weights
        self.on_error = on_error

    def _list_options(self):
        return (*super()._list_options(), self.backend)

    def _prepare(self, cell, loader, engine):
        return check_text(cell)

    def _load(self):
        if not isinstance(self.model, (str, os.PathLike)):
            return _CallableEngine(self.model)
        folder = find_bundled(self.model)
        model = os.fspath(self.model) if folder is None else folder
        if self._pick_backend(model) == "model2vec":
            import_extra("model2vec", "static")
            with explain_loading(type(self).__name__, model, "static"):
                return _StaticEngine(self._find_folder(model))
        import_extra("sentence_transformers", "text")
        with explain_loading(type(self).__name__, model, "text"):
            return _SentenceEngine(self, model)

    def _pick_backend(self, model):
        if self.backend != "auto":
            return self.backend
        config = Path(model, "config.json")
        if config.is_file() and '"model2vec"' in config.read_text(encoding="utf-8"):
            return "model2vec"
        names = model.lower()
        is_static = "potion" in names or "model2vec" in names or "m2v" in names
        if is_static and not os.path.isdir(model):
            return "model2vec"
        return "sentence-transformers"

    def _find_folder(self, model):
        if os.path.isdir(model):
            return model
        from huggingface_hub import snapshot_download

        return snapshot_download(
            model, revision=self.revision, local_files_only=self.local_files_only
        )


class _SentenceEngine(Engine):
    """A sentence-transformers model."""

    def __init__(self, encoder, model):
        from sentence_transformers import SentenceTransformer

        self.model = SentenceTransformer(
            model,
            device=str(pick_device(encoder.device)),
            revision=encoder.revision,
            local_files_only=encoder.local_files_only,
            trust_remote_code=False,
            model_kwargs={"dtype": pick_dtype(encoder.dtype)},
        )
        if encoder.pooling != "auto":
            _change_pooling(self.model, encoder.pooling)
        self.n_features = self.encode([""]).shape[1]

    def encode(self, samples):
        return self.model.encode(
            samples,
            batch_size=max(1, len(samples)),
            show_progress_bar=False,
            convert_to_numpy=True,
        )


def _change_pooling(model, pooling):
    for name, module in model.named_children():
        if type(module).__name__ == "Pooling":
            width = getattr(module, "embedding_dimension", None)
            width = width or module.word_embedding_dimension
            model._modules[name] = type(module)(width, pooling_mode=pooling)
            return
    raise ValueError(
        "pooling must be 'auto' for this model, which does not return token vectors"
    )


class _StaticEngine(Engine):
    """Static embeddings of model2vec."""

    def __init__(self, folder):
        from model2vec import StaticModel

        self.model = StaticModel.from_pretrained(folder)
        self.n_features = self.encode([""]).shape[1]

    def encode(self, samples):
        return np.asarray(self.model.encode(samples))


class _CallableEngine(Engine):
    """A model of the user's own."""

    def __init__(self, model):
        named = [getattr(model, name, None) for name in ("encode", "embed")]
        found = [call for call in (*named, model) if callable(call)]
        if not found:
            raise TypeError(
                "model must be a name, a folder, or have encode(texts), got "
                f"{type(model).__name__}."
            )
        self.call = found[0]
        self.n_features = self.encode([""]).shape[1]

    def encode(self, samples):
        vectors = np.asarray(self.call(samples))
        if vectors.ndim != 2 or len(vectors) != len(samples):
            raise ValueError(
                f"model returned an array of shape {vectors.shape} for {len(samples)} "
                "texts; it must return one vector per text."
            )
        return vectors
