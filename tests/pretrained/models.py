"""Small random models of real architectures, saved as their libraries save them."""

import os
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing here may ask for a network


def needs(*packages):
    missing = [name for name in packages if find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{missing} not installed")


TRANSFORMERS = needs("transformers")
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "dress", "blue"]
SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}


def seeded(build):
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build()


def save_bert(folder):
    from transformers import BertConfig, BertModel, BertTokenizer

    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join([*TOKENS, "shoes"]))
    config = BertConfig(vocab_size=10, max_position_embeddings=32, **SMALL)
    seeded(lambda: BertModel(config)).eval().save_pretrained(folder)
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def save_vision(kind, folder):
    import transformers

    config = getattr(transformers, f"{kind}Config")(
        image_size=32, patch_size=8, num_channels=3, **SMALL
    )
    seeded(lambda: getattr(transformers, f"{kind}Model")(config)).save_pretrained(
        folder
    )
    transformers.ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(
        folder
    )
    return folder


def save_speech(kind, folder, **options):
    import transformers

    config = getattr(transformers, f"{kind}Config")(
        **SMALL,
        conv_dim=(8, 8),
        conv_stride=(5, 4),
        conv_kernel=(10, 4),
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        **options,
    )
    seeded(lambda: getattr(transformers, f"{kind}Model")(config)).save_pretrained(
        folder
    )
    transformers.Wav2Vec2FeatureExtractor(return_attention_mask=True).save_pretrained(
        folder
    )
    return folder


def save_whisper(folder):
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperModel

    config = WhisperConfig(
        vocab_size=20,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
    )
    seeded(lambda: WhisperModel(config)).save_pretrained(folder)
    WhisperFeatureExtractor().save_pretrained(folder)
    return folder


def save_ast(folder):
    from transformers import ASTConfig, ASTFeatureExtractor, ASTModel

    config = ASTConfig(max_length=128, num_mel_bins=32, **SMALL)
    seeded(lambda: ASTModel(config)).save_pretrained(folder)
    ASTFeatureExtractor(max_length=128, num_mel_bins=32).save_pretrained(folder)
    return folder


def save_towers(kind, folder):
    """CLIP, Siglip or Clap."""
    import transformers

    text = {**SMALL, "vocab_size": 10, "max_position_embeddings": 18}
    if kind != "Siglip":
        text |= {"eos_token_id": 3, "bos_token_id": 2, "pad_token_id": 0}
    if kind == "Clap":
        other = {
            "audio_config": {
                "patch_embeds_hidden_size": 8,
                "depths": [1, 1],
                "num_attention_heads": [2, 2],
                "hidden_size": 16,
                "spec_size": 64,
                "num_mel_bins": 16,
                "window_size": 4,
            }
        }
    else:
        other = {"vision_config": {**SMALL, "image_size": 32, "patch_size": 8}}
    config = getattr(transformers, f"{kind}Config")(
        text_config=text, projection_dim=12, **other
    )
    model = seeded(lambda: getattr(transformers, f"{kind}Model")(config))
    model.save_pretrained(folder)
    return folder


def towers(kind, home):
    """A two-tower model, with a tokenizer of few words."""
    import transformers

    folder = home / f"{kind.lower()}-towers"
    if not folder.exists():
        save_towers(kind, folder)
    bert = home / "tokenizer"
    parts = {
        "tokenizer": transformers.BertTokenizer.from_pretrained(
            str(bert if bert.exists() else save_bert(bert)), model_max_length=16
        )
    }
    if kind == "Clap":
        parts["feature_extractor"] = transformers.ClapFeatureExtractor(
            16, max_length_s=1, truncation="rand_trunc"
        )
    else:
        size = {"height": 32, "width": 32}
        parts["image_processor"] = transformers.ViTImageProcessorPil(size=size)
    model = getattr(transformers, f"{kind}Model").from_pretrained(folder)
    return model.eval(), SimpleNamespace(**parts)
