"""Multimodal learning with scikit-learn: one table of images, audio, text, sequences.

Each modality's encoder is a transformer, fusion is an estimator, and the whole system
is a :class:`~sklearn.pipeline.Pipeline`. Names load their module on first use, so that
``import sklearn_mm`` costs next to nothing.
"""

import lazy_loader as lazy

__version__ = "0.1.0"

# Generated from __init__.pyi by tools/make_root_names.py.
__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    submodules=[
        "alignment",
        "audio",
        "cache",
        "compose",
        "datasets",
        "ensemble",
        "exceptions",
        "image",
        "inspection",
        "metrics",
        "modalities",
        "nets",
        "neural",
        "pretrained",
        "sequence",
        "speech",
        "tables",
        "text",
        "vector",
        "video",
    ],
    submod_attrs={
        "_columns.modality": ["Modality"],
        "alignment": ["CanonicalAligner", "CrossModalRetriever", "ZeroShotClassifier"],
        "audio": ["AudioLoader", "AudioStatistics", "LogMelSpectrogram"],
        "cache": ["CachedEncoder"],
        "compose": [
            "ContextWindow",
            "MultimodalVectorizer",
            "make_modality_selector",
            "multimodal_pipeline",
        ],
        "dask_frames": ["encode_frame", "predict_frame"],
        "ensemble": [
            "CoTrainingClassifier",
            "ModelSoupClassifier",
            "ModelSoupRegressor",
            "MultimodalStackingClassifier",
            "MultimodalStackingRegressor",
            "MultimodalVotingClassifier",
            "MultimodalVotingRegressor",
        ],
        "exceptions": [
            "AbstentionWarning",
            "CacheWarning",
            "FusionWarning",
            "LoadError",
            "LoadWarning",
            "ModelVersionWarning",
        ],
        "image": ["ColorHistogramEncoder", "HOGEncoder", "ImageLoader"],
        "neural": [
            "ContrastiveAligner",
            "MultimodalNetClassifier",
            "MultimodalNetRegressor",
            "MultitaskNet",
            "NetClassifier",
            "NetEncoder",
            "NetRegressor",
        ],
        "persistence": ["trusted_types"],
        "pretrained": [
            "PretrainedAligner",
            "PretrainedAudioEncoder",
            "PretrainedImageEncoder",
            "PretrainedTextEncoder",
            "PretrainedTokenizer",
        ],
        "sequence": [
            "SequenceKernels",
            "SequencePadder",
            "SequenceQuantiles",
            "SequenceResampler",
            "SequenceStatistics",
        ],
        "speech": ["NgramLanguageModel", "SpeechRecognizer"],
        "text": ["TextTokenizer", "TextVectorizer"],
        "vector": ["PooledEncoder", "VectorStacker"],
        "video": ["VideoLoader"],
    },
)
