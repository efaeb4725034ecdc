"""Whole tables: encode every column, and fuse all of them in one line."""

from .._utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "_selector": ["make_modality_selector"],
        "_vectorizer": ["MultimodalVectorizer"],
        "_pipeline": ["multimodal_pipeline"],
        "_context": ["ContextWindow"],
    },
)
