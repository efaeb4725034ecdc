"""Video: load frames of files."""

from .._utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "_loader": ["VideoLoader"],
    },
)
