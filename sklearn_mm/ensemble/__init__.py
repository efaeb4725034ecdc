"""Model fusion: one model per modality, and estimators that combine their answers."""

from .._utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "_cotraining": ["CoTrainingClassifier"],
        "_soup": ["ModelSoupClassifier", "ModelSoupRegressor"],
        "_stacking": ["MultimodalStackingClassifier"],
        "_stacking_regressor": ["MultimodalStackingRegressor"],
        "_voting": ["MultimodalVotingClassifier"],
        "_voting_regressor": ["MultimodalVotingRegressor"],
    },
)
