"""Estimators that train networks through skorch."""

from .._utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "_aligner": ["ContrastiveAligner"],
        "_classifier": ["NetClassifier"],
        "_regressor": ["NetRegressor"],
        "_encoder": ["NetEncoder"],
        "_multimodal_classifier": ["MultimodalNetClassifier"],
        "_multimodal_regressor": ["MultimodalNetRegressor"],
        "_multitask": ["MultitaskNet"],
        "_task_loss": ["TaskLoss"],
    },
)
