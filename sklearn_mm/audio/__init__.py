"""Audio: load it, compute spectrograms, and describe it by statistics."""

from .._utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "_loader": ["AudioLoader"],
        "_spectrogram": ["LogMelSpectrogram"],
        "_statistics": ["AudioStatistics"],
    },
)
