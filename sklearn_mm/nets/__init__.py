"""Networks that turn one modality's array into vectors: torch modules, no training.

A backbone is a module built as ``Backbone(input_shape, **options)``, where
``input_shape`` is ``X.shape[1:]`` (for token ids ``n_tokens`` comes with it), whose
``forward`` returns ``(n_samples, out_features)`` and which has ``out_features``. It
takes NaN-padded arrays, or ids padded with 0, and derives the lengths itself. If it has
a method ``adapt(x)``, that is called once with training samples before training.
"""

from .._lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "image": ["ImageCNN", "ImageResNet"],
        "audio": ["AudioCNN"],
        "sequence": ["SequenceRNN", "SequenceTCN"],
        "text": ["TextCNN", "TextRNN", "TextTransformer"],
        "tabular": ["TabularMLP"],
        "fusion": [
            "ConcatFusion",
            "FiLMFusion",
            "GatedFusion",
            "LowRankFusion",
            "MeanFusion",
            "TensorFusion",
        ],
        "token_fusion": [
            "BottleneckFusion",
            "CrossAttentionFusion",
            "TransformerFusion",
        ],
    },
)
