"""Sequences: time series of any length, padded, resampled or described."""

from .._utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "_padder": ["SequencePadder"],
        "_resampler": ["SequenceResampler"],
        "_statistics": ["SequenceStatistics"],
    },
)
