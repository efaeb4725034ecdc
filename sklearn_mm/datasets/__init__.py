"""Data sets: ``load_*`` come with the package, ``fetch_*`` are downloaded once."""

from .._lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "_home": ["get_data_home"],
        "_load_av_digits": ["load_av_digits"],
        "_fetch_av_digits": ["fetch_av_digits"],
    },
)
