"""Speech recognition: the recogniser and its language model."""

from .._utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "_recognizer": ["SpeechRecognizer"],
        "_language_model": ["NgramLanguageModel"],
    },
)
