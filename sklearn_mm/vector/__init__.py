"""Vectors that the user already has, and cells that hold several items."""

from .._utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "_stacker": ["VectorStacker"],
        "_pooled": ["PooledEncoder"],
    },
)
