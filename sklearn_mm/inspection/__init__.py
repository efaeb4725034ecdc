"""What a model makes of each modality: importances, reports, and their pictures."""

from .._lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "_agreement_display": ["ModalityAgreementDisplay"],
        "_embedding_display": ["EmbeddingDisplay"],
        "_history_display": ["TrainingHistoryDisplay"],
        "_importance_display": ["ModalityImportanceDisplay"],
        "_missing_display": ["MissingModalityDisplay"],
        "_retrieval_display": ["RetrievalDisplay"],
        "_weights_display": ["FusionWeightsDisplay"],
    },
)
