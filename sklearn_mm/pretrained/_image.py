"""Encode images with pretrained models: transformers, timm, torch modules."""

import copy
import io
import os
from contextlib import redirect_stdout
from numbers import Integral
from os import PathLike

import numpy as np

from .._utils.devices import pick_device
from .._utils.hub import explain_loading, pool_tokens
from .._utils.imports import Interval, StrOptions, import_extra
from ..image import ImageLoader
from ..image._pixels import (
    check_range,
    convert_color,
    crop_to,
    one_thread,
    pixel_maximum,
    resize,
)
from ._base import BasePretrainedEncoder
from ._bundled import find_bundled
from ._engines import Engine, pick_dtype


class PretrainedImageEncoder(BasePretrainedEncoder):
    """Encode images with a pretrained model and the model's own preprocessing.

    Parameters
    ----------
    model : str, PathLike or object, default="efficientnet-lite0"
        "efficientnet-lite0" (1,280 features) from the extra ``pretrained``; the name in
        the Hugging Face hub, or the folder, of a transformers image model (CLIP,
        SigLIP, DINO, ViT and others) or of a timm model; a timm name ("timm/..."); a
        tuple ``(model, image processor)`` of transformers; or a torch module, which
        gets squares of ``input_size`` normalised with the mean and standard deviation
        of ImageNet.
    backend : {"auto", "transformers", "timm"}, default="auto"
        Library that loads the model; "auto" chooses by the name or by the folder's
        configuration.
    pooling : {"auto", "mean", "max", "cls"}, default="auto"
        How the vectors of patches are combined; by default the model's own pooling, or
        the first token if it has none.
    input_size : int, default=224
        Height and width of the input of torch modules and "efficientnet-lite0".
    loader : ImageLoader or None, default=None
        How images are read: ``root``, ``on_error``, ``max_pixels``, ``max_bytes``,
        ``filesystem`` and ``n_jobs``. Its ``size``, ``color``, ``aspect``, ``scale``
        and ``decode`` have no effect: images are decoded at full size in RGB, and
        resized by the model's preprocessing. By default ``ImageLoader()``.
    normalize : bool, default=False
        Whether to scale vectors to length one.
    batch_size : int, default=8
        Number of images per batch. Batches of eight fit into a CPU's caches; use 64 or
        more on a GPU.
    device : str, default="auto"
        Device of the model: "auto" picks cuda, else mps, else the CPU.
    dtype : {"float32", "float16", "bfloat16"}, default="float32"
        Data type of the model; the output is always float32.
    revision : str or None, default=None
        Branch, tag or commit in the hub.
    local_files_only : bool, default=False
        Whether to use local files only, without any download.
    store_weights : bool, default=False
        Whether a pickle contains the weights, see :class:`PretrainedTextEncoder`.

    Attributes
    ----------
    n_features_ : int
        Length of a vector.

    Notes
    -----
    Code from a model's repository is never run (``trust_remote_code=False``).

    References
    ----------
    A. Radford et al. (2021), "Learning transferable visual models from natural language
    supervision", ICML; M. Tan and Q. V. Le (2019), "EfficientNet: rethinking model
    scaling for convolutional neural networks", ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> from sklearn_mm import PretrainedImageEncoder
    >>> model = nn.Conv2d(3, 8, 3)  # a model of your own
    >>> photo = np.zeros((480, 640, 3), dtype=np.uint8)
    >>> PretrainedImageEncoder(model, input_size=32).fit_transform([photo, None]).shape
    (2, 8)
    """

    _parameter_constraints: dict = {
        **BasePretrainedEncoder._parameter_constraints,
        "model": [str, PathLike, tuple, callable],
        "backend": [StrOptions({"auto", "transformers", "timm"})],
        "input_size": [Interval(Integral, 1, None, closed="left")],
        "loader": [ImageLoader, None],
    }

    def __init__(
        self,
        model="efficientnet-lite0",
        *,
        backend="auto",
        pooling="auto",
        input_size=224,
        loader=None,
        normalize=False,
        batch_size=8,
        device="auto",
        dtype="float32",
        revision=None,
        local_files_only=False,
        store_weights=False,
    ):
        self.model = model
        self.backend = backend
        self.pooling = pooling
        self.input_size = input_size
        self.loader = loader
        self.normalize = normalize
        self.batch_size = batch_size
        self.device = device
        self.dtype = dtype
        self.revision = revision
        self.local_files_only = local_files_only
        self.store_weights = store_weights

    def transform(self, X):
        """Encode each image.

        Parameters
        ----------
        X : column of images
            Paths, bytes, arrays or PIL images.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float32
            Vectors; all NaN where an image is missing.
        """
        with one_thread():
            return super().transform(X)

    def get_loader(self):
        """Return the loader that reads the images.

        Returns
        -------
        ImageLoader
            ``loader``, or the default one if it is None.
        """
        return ImageLoader() if self.loader is None else self.loader

    def _list_options(self):
        return (*super()._list_options(), self.backend, self.input_size)

    def _prepare(self, cell, loader, engine):
        """Convert an image to uint8 pixels (H, W, 3) in RGB order, then preprocess."""
        pixels = convert_color(loader.read_original(cell), "rgb", "rgb")
        if pixels.dtype != np.uint8:
            check_range(pixels)
            scale = 255 / pixel_maximum(pixels.dtype)
            pixels = np.clip(np.rint(pixels * scale), 0, 255).astype(np.uint8)
        return engine.prepare(pixels)

    def _load(self):
        device, dtype = pick_device(self.device), pick_dtype(self.dtype)
        if isinstance(self.model, tuple):
            model, processor = self.model
            return _TransformersEngine(model, processor, self.pooling, device, dtype)
        if not isinstance(self.model, (str, PathLike)):
            return _ModuleEngine(self.model, self.input_size, device, dtype)
        name = os.fspath(self.model)
        weights = find_bundled(name)
        if weights is not None:
            module = _load_efficientnet(weights)
            return _ModuleEngine(
                module, self.input_size, device, dtype, "channels_last"
            )
        if self._pick_backend(name) == "timm":
            import_extra("timm", "timm")
            with explain_loading(type(self).__name__, name, "timm"):
                return _TimmEngine(self._find_timm(name), device, dtype)
        transformers = import_extra("transformers", "hf")
        with explain_loading(type(self).__name__, name, "hf"):
            where = {
                "revision": self.revision,
                "local_files_only": self.local_files_only,
                "trust_remote_code": False,
            }
            return _TransformersEngine(
                transformers.AutoModel.from_pretrained(name, dtype=dtype, **where),
                transformers.AutoImageProcessor.from_pretrained(name, **where),
                self.pooling,
                device,
                dtype,
            )

    def _find_timm(self, name):
        """Return the model's name in timm's notation."""
        if os.path.isdir(name):
            return f"local-dir:{name}"
        if self.local_files_only:
            from huggingface_hub import snapshot_download

            return "local-dir:" + snapshot_download(
                name.removeprefix("hf-hub:"),
                revision=self.revision,
                local_files_only=True,
            )
        if not name.startswith("timm/"):
            return name
        return f"hf-hub:{name}" + (f"@{self.revision}" if self.revision else "")

    def _pick_backend(self, name):
        if self.backend != "auto":
            return self.backend
        config = os.path.join(name, "config.json")
        if os.path.isfile(config):
            with open(config, encoding="utf-8") as file:
                return "timm" if '"pretrained_cfg"' in file.read() else "transformers"
        return "timm" if name.startswith(("timm/", "hf-hub:")) else "transformers"


def _load_efficientnet(weights):
    package = import_extra("efficientnet_lite_pytorch", "pretrained")
    with redirect_stdout(io.StringIO()):  # the package prints that it has loaded
        return package.EfficientNet.from_pretrained(
            "efficientnet-lite0", weights_path=weights
        )


class _TransformersEngine(Engine):
    """An image model of transformers and its processor."""

    def __init__(self, model, processor, pooling, device, dtype):
        self.model = model.to(device, dtype).eval()
        self.processor, self.pooling = processor, pooling
        self.device, self.dtype = device, dtype
        self.n_features = self.encode([np.zeros((32, 32, 3), np.uint8)]).shape[1]

    def prepare(self, pixels):
        return pixels

    def encode(self, samples):
        import torch

        # State the order of the axes, which cannot be inferred for very small images.
        inputs = self.processor(
            images=samples, return_tensors="pt", input_data_format="channels_last"
        )
        x = inputs["pixel_values"].to(self.device, self.dtype)
        with torch.inference_mode():
            return self._embed(x).float().cpu().numpy()

    def _embed(self, x):
        if self.pooling == "auto" and hasattr(self.model, "get_image_features"):
            output = self.model.get_image_features(pixel_values=x)
            return _pooled(output)
        vision = getattr(self.model, "vision_model", self.model)
        output = vision(pixel_values=x)
        if (
            self.pooling == "auto"
            and getattr(output, "pooler_output", None) is not None
        ):
            return output.pooler_output.flatten(1)
        states = output.last_hidden_state
        if states.ndim == 4:  # (n_samples, channels, height, width)
            states = states.flatten(2).transpose(1, 2)
        pooling = "cls" if self.pooling == "auto" else self.pooling
        return pool_tokens(states, states.new_ones(states.shape[:2]), pooling)


def _pooled(output):
    found = getattr(output, "pooler_output", None)
    return output if found is None else found


class _TimmEngine(Engine):
    """A model of timm and its transform."""

    def __init__(self, name, device, dtype):
        import timm

        self.model = timm.create_model(name, pretrained=True, num_classes=0)
        self.model = self.model.to(device, dtype).eval()
        config = timm.data.resolve_data_config({}, model=self.model)
        self.transform = timm.data.create_transform(**config)
        self.device, self.dtype = device, dtype
        blank = self.prepare(np.zeros((32, 32, 3), np.uint8))
        self.n_features = self.encode([blank]).shape[1]

    def prepare(self, pixels):
        from PIL import Image

        return self.transform(Image.fromarray(pixels))

    def encode(self, samples):
        import torch

        x = torch.stack(samples).to(self.device, self.dtype)
        with torch.inference_mode():
            return self.model(x).float().cpu().numpy()


class _ModuleEngine(Engine):
    """A torch module that takes squares normalised as those of ImageNet."""

    _mean = np.array([0.485, 0.456, 0.406], np.float32)
    _std = np.array([0.229, 0.224, 0.225], np.float32)

    def __init__(self, module, input_size, device, dtype, layout="contiguous_format"):
        import torch

        if not hasattr(module, "parameters"):
            raise TypeError(
                "model must be a name, a folder, (model, processor) or a torch module, "
                f"got {type(module).__name__}."
            )
        self.model = copy.deepcopy(module).to(device, dtype).eval()
        self.input_size, self.device, self.dtype = input_size, device, dtype
        # Modules of users may call view, which needs contiguous tensors.
        self.layout = getattr(torch, layout)
        blank = self.prepare(np.zeros((32, 32, 3), np.uint8))
        self.n_features = self.encode([blank]).shape[1]

    def prepare(self, pixels):
        square = crop_to(pixels, self.input_size, self.input_size)
        square = resize(square, self.input_size, self.input_size)
        return (square.astype(np.float32) / 255 - self._mean) / self._std

    def encode(self, samples):
        import torch

        x = torch.from_numpy(np.stack(samples)).permute(0, 3, 1, 2)
        x = x.to(self.device, self.dtype).contiguous(memory_format=self.layout)
        run = getattr(self.model, "extract_features", self.model)
        with torch.inference_mode():
            output = run(x)
            if output.ndim == 4:  # (n_samples, channels, height, width)
                output = output.mean(dim=(2, 3))
            return output.float().cpu().numpy()
