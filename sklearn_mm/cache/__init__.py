"""Keep what an encoder computed for a cell."""

from .._utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "_encoder": ["CachedEncoder"],
    },
)
