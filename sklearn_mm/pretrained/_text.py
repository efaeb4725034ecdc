"""Texts by pretrained models: sentence-transformers, static embeddings, your own."""

import os
from pathlib import Path

import numpy as np

from .._utils.hub import explain_loading
from .._utils.imports import HasMethods, StrOptions, import_extra
from ._base import BasePretrainedEncoder
from ._bundled import find_bundled
from ._engines import Engine, pick_dtype, pick_torch_device


class PretrainedTextEncoder(BasePretrainedEncoder):
    """Encode texts by a pretrained model of sentences.

    Parameters
    ----------
    model : str, PathLike or object, default="minilm"
        "minilm" is all-MiniLM-L6-v2 (384 numbers) out of the extra ``pretrained``; a
        name in the Hugging Face hub, or a folder, of a sentence-transformers model, of
        a transformers model of texts, or of static embeddings (model2vec); or what has
        ``encode`` or ``embed`` or is called with a list of texts, and gives an array.
    backend : {"auto", "sentence-transformers", "model2vec"}, default="auto"
        Library that loads the model; "auto" looks into the folder.
    pooling : {"auto", "mean", "max", "cls"}, default="auto"
        How the vectors of tokens become one; the model's own by default, the mean if it
        has none. For sentence-transformers.
    normalize : bool, default=False
        Whether vectors are brought to length one.
    batch_size : int, default=32
        Texts in a batch, of about one length.
    device : str, default="auto"
        "auto" takes cuda, else mps, else the CPU.
    dtype : {"float32", "float16", "bfloat16"}, default="float32"
        Type of the model's numbers; the result is float32.
    revision : str or None, default=None
        Branch, tag or commit in the hub.
    local_files_only : bool, default=False
        Whether nothing may be downloaded.
    store_weights : bool, default=False
        Whether a pickle holds the weights. By default it holds the name or folder, and
        the model is loaded anew. A model that was given as an object is stored anyway.

    Attributes
    ----------
    n_features_ : int
        Length of a vector.

    Notes
    -----
    No code of a model's repository is ever run (``trust_remote_code=False``).

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

    def _list_options(self):
        return (*super()._list_options(), self.backend)

    def _prepare(self, cell, engine):
        if not isinstance(cell, str):
            raise TypeError(f"a {type(cell).__name__} is no text")
        return str(cell)

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
            device=str(pick_torch_device(encoder.device)),
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
        "pooling must be 'auto' for this model, which gives no vectors of tokens"
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
    """A model that the user has."""

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
                f"model gave an array of shape {vectors.shape} for {len(samples)} "
                "texts; it must give one vector for each."
            )
        return vectors
