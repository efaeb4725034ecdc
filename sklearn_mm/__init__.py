"""Multimodal learning with scikit-learn: one table of images, sound, text, sequences.

Each modality's encoder is a transformer, fusion is an estimator, and the whole system
is a :class:`~sklearn.pipeline.Pipeline`. Names load their module on first use, so that
``import sklearn_mm`` costs next to nothing.
"""

from ._lazy import lazy_names

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "_column": ["LoadError", "LoadWarning"],
        "_persistence": ["ModelVersionWarning"],
        "_store": ["CacheWarning"],
        "alignment": ["CanonicalAligner"],
        "image": ["ColorHistogramEncoder", "HOGEncoder", "ImageLoader"],
        "audio": ["AudioLoader", "AudioStatistics", "LogMelSpectrogram"],
        "text": ["TextTokenizer", "TextVectorizer"],
        "language_model": ["NgramLanguageModel"],
        "sequence": ["SequencePadder", "SequenceResampler", "SequenceStatistics"],
        "video": ["VideoLoader"],
        "cache": ["CachedEncoder"],
        "context": ["ContextWindow"],
        "compose": ["MultimodalVectorizer"],
        "dask_frames": ["encode_frame", "predict_frame"],
        "persistence": ["trusted_types"],
        "pipeline": ["multimodal_pipeline"],
        "pretrained._aligner": ["PretrainedAligner"],
        "pretrained._audio": ["PretrainedAudioEncoder"],
        "pretrained._image": ["PretrainedImageEncoder"],
        "pretrained._text": ["PretrainedTextEncoder"],
        "pretrained._tokenizer": ["PretrainedTokenizer"],
        "retrieval": ["CrossModalRetriever"],
        "vector": ["PooledEncoder", "VectorStacker"],
        "zero_shot": ["ZeroShotClassifier"],
        "ensemble._base": ["AbstentionWarning"],
        "ensemble._guard": ["FusionWarning"],
        "ensemble._cotraining": ["CoTrainingClassifier"],
        "ensemble._soup": ["ModelSoupClassifier", "ModelSoupRegressor"],
        "ensemble._stacking": ["MultimodalStackingClassifier"],
        "ensemble._stacking_regressor": ["MultimodalStackingRegressor"],
        "ensemble._voting": ["MultimodalVotingClassifier"],
        "ensemble._voting_regressor": ["MultimodalVotingRegressor"],
        "neural._aligner": ["ContrastiveAligner"],
        "neural._classifier": ["NetClassifier"],
        "neural._encoder": ["NetEncoder"],
        "neural._multimodal_classifier": ["MultimodalNetClassifier"],
        "neural._multimodal_regressor": ["MultimodalNetRegressor"],
        "neural._multitask": ["MultitaskNet"],
        "neural._regressor": ["NetRegressor"],
        "neural._speech": ["SpeechRecognizer"],
        "datasets": [],
        "ensemble": [],
        "inspection": [],
        "metrics": [],
        "nets": [],
        "neural": [],
        "pretrained": [],
    },
)
