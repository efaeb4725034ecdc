"""Data sets: ``load_*`` come with the package, ``fetch_*`` are downloaded once."""

from .._utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "_home": ["get_data_home"],
        "_load_av_digits": ["load_av_digits"],
        "_fetch_av_digits": ["fetch_av_digits"],
        "_fetch_emodb": ["fetch_emodb"],
        "_fetch_mosi": ["fetch_mosi"],
        "_fetch_openmoji": ["fetch_openmoji"],
    },
)
