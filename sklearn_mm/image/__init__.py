"""Images: load them, and describe them by histograms."""

from .._utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "_loader": ["ImageLoader"],
        "_histograms": ["ColorHistogramEncoder", "HOGEncoder"],
    },
)
