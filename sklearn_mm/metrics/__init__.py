"""Metrics of retrieval and of recognised speech, and scorers made of them."""

from .._utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "_retrieval": ["mean_average_precision", "median_rank", "recall_at_k"],
        "_scorers": [
            "make_retrieval_scorer",
            "mean_average_precision_scorer",
            "median_rank_scorer",
            "recall_at_1_scorer",
            "recall_at_5_scorer",
            "recall_at_10_scorer",
        ],
        "_transcripts": [
            "character_error_rate",
            "character_error_rate_scorer",
            "word_error_rate",
            "word_error_rate_scorer",
        ],
    },
)
