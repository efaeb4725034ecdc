"""Encoders by models that others have trained."""

from .._utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "_aligner": ["PretrainedAligner"],
        "_audio": ["PretrainedAudioEncoder"],
        "_image": ["PretrainedImageEncoder"],
        "_text": ["PretrainedTextEncoder"],
        "_tokenizer": ["PretrainedTokenizer"],
    },
)
