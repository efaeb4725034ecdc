"""To look inside: what modalities are worth, how they fail, reports and pictures."""

from .._utils.lazy import lazy_names

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
        "_explain": ["Explanation", "explain"],
        "_importance": ["modality_importance"],
        "_report": ["modality_report"],
        "_robustness": ["make_robustness_scorer", "robustness_report"],
    },
)
