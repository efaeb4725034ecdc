"""Two modalities in one space: alignment, retrieval, zero-shot classification."""

from .._utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "_canonical": ["CanonicalAligner"],
        "_retriever": ["CrossModalRetriever"],
        "_zero_shot": ["ZeroShotClassifier"],
    },
)
