"""Encode audio with pretrained models: transformers, and Silero's speech detector."""

import os
from os import PathLike

import numpy as np

from .._utils.devices import pick_device
from .._utils.hub import explain_loading, pool_tokens
from .._utils.imports import import_extra
from ..audio import AudioLoader
from ..audio._signal import resample
from ._base import BasePretrainedEncoder
from ._bundled import find_bundled
from ._engines import Engine, pick_dtype


class PretrainedAudioEncoder(BasePretrainedEncoder):
    """Encode audio with a pretrained model, at the model's own sampling rate.

    Parameters
    ----------
    model : str, PathLike or tuple, default="silero-vad"
        "silero-vad" (512 features: mean and standard deviation of the state of a speech
        detector) from the extra ``pretrained``; the name in the Hugging Face hub, or
        the folder, of a transformers audio model (wav2vec 2.0, HuBERT, WavLM, AST,
        CLAP, or Whisper, whose encoder is used); or a tuple ``(model, feature
        extractor)`` of transformers.
    loader : AudioLoader or None, default=None
        How audio is read: ``duration``, ``root``, ``on_error``, ``max_seconds``,
        ``max_bytes``, ``filesystem`` and ``n_jobs``. Its ``sampling_rate`` is that of
        cells that are plain arrays. Everything is resampled once, from its original
        rate to the model's. By default ``AudioLoader()`` at the model's sampling rate.
    pooling : {"auto", "mean", "max", "cls"}, default="auto"
        How the vectors of frames are combined, ignoring padding; by default the model's
        own pooling, or the mean if it has none.
    normalize : bool, default=False
        Whether to scale vectors to length one.
    batch_size : int, default=8
        Number of recordings per batch, which are of similar length.
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
    Recordings shorter than a model's window are padded with silence. Of recordings
    longer than the window of CLAP, usually ten seconds, only the middle is encoded.

    References
    ----------
    A. Baevski et al. (2020), "wav2vec 2.0: a framework for self-supervised learning of
    speech representations", NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_mm import PretrainedAudioEncoder
    >>> from transformers import AutoFeatureExtractor, AutoModel  # doctest: +SKIP
    >>> encoder = PretrainedAudioEncoder("microsoft/wavlm-base-plus")
    >>> encoder.fit_transform(["a.wav", None]).shape  # doctest: +SKIP
    (2, 768)
    """

    _parameter_constraints: dict = {
        **BasePretrainedEncoder._parameter_constraints,
        "model": [str, PathLike, tuple],
        "loader": [AudioLoader, None],
    }

    def __init__(
        self,
        model="silero-vad",
        *,
        loader=None,
        pooling="auto",
        normalize=False,
        batch_size=8,
        device="auto",
        dtype="float32",
        revision=None,
        local_files_only=False,
        store_weights=False,
    ):
        self.model = model
        self.loader = loader
        self.pooling = pooling
        self.normalize = normalize
        self.batch_size = batch_size
        self.device = device
        self.dtype = dtype
        self.revision = revision
        self.local_files_only = local_files_only
        self.store_weights = store_weights

    def get_loader(self):
        """Return the loader that reads the audio.

        Returns
        -------
        AudioLoader
            ``loader``, or the default one if it is None.
        """
        if self.loader is None:
            return AudioLoader(self._open().sampling_rate)
        return self.loader

    def _prepare(self, cell, loader, engine):
        """Return the signal at the model's sampling rate."""
        signal, rate = loader.read_original(cell)
        if signal is None:
            raise ValueError("it holds no samples")
        return resample(signal, rate, engine.sampling_rate)

    def _load(self):
        device, dtype = pick_device(self.device), pick_dtype(self.dtype)
        if isinstance(self.model, tuple):
            return _TransformersEngine(*self.model, self.pooling, device, dtype)
        if not isinstance(self.model, (str, PathLike)):
            raise TypeError(
                "model must be a name, a folder or (model, feature extractor), got "
                f"{type(self.model).__name__}."
            )
        name = os.fspath(self.model)
        file = find_bundled(name)
        if file is not None:
            return _SileroEngine(file)
        transformers = import_extra("transformers", "hf")
        with explain_loading(type(self).__name__, name, "hf"):
            where = {
                "revision": self.revision,
                "local_files_only": self.local_files_only,
                "trust_remote_code": False,
            }
            return _TransformersEngine(
                transformers.AutoModel.from_pretrained(name, dtype=dtype, **where),
                transformers.AutoFeatureExtractor.from_pretrained(name, **where),
                self.pooling,
                device,
                dtype,
            )


class _TransformersEngine(Engine):
    """An audio model of transformers and its feature extractor."""

    def __init__(self, model, extractor, pooling, device, dtype):
        if hasattr(model, "get_encoder") and model.config.model_type == "whisper":
            model = model.get_encoder()
        self.model = model.to(device, dtype).eval()
        self.extractor, self.pooling = extractor, pooling
        self.device, self.dtype = device, dtype
        self.sampling_rate = extractor.sampling_rate
        silence = np.zeros(self.sampling_rate, np.float32)
        self.n_features = self.encode([silence]).shape[1]

    def encode(self, samples):
        # Models that normalise over time would let the padding affect the output, which
        # depends on the other samples of the batch.
        if getattr(self.model.config, "feat_extract_norm", None) != "group":
            return self._encode_batch(samples)
        vectors = [None] * len(samples)
        for length in {len(sample) for sample in samples}:
            rows = [row for row, s in enumerate(samples) if len(s) == length]
            for row, vector in zip(
                rows, self._encode_batch([samples[r] for r in rows])
            ):
                vectors[row] = vector
        return np.stack(vectors)

    def _encode_batch(self, samples):
        import torch

        shortest = self.sampling_rate // 10  # less than a convolution's window
        samples = [np.pad(s, (0, max(0, shortest - len(s)))) for s in samples]
        longest = getattr(self.extractor, "nb_max_samples", None)
        if longest is not None:  # CLAP would crop at random
            samples = [_take_middle(s, longest) for s in samples]
        options = {"return_tensors": "pt", "sampling_rate": self.sampling_rate}
        if "input_values" in self.extractor.model_input_names and not hasattr(
            self.extractor, "max_length"
        ):
            options |= {"padding": True, "return_attention_mask": True}
        inputs = self.extractor(samples, **options)
        with torch.inference_mode():
            return self._embed(inputs, samples).float().cpu().numpy()

    def _embed(self, inputs, samples):
        values = {
            key: value.to(self.device, self.dtype)
            if value.is_floating_point()
            else value.to(self.device)
            for key, value in inputs.items()
        }
        if self.pooling == "auto" and hasattr(self.model, "get_audio_features"):
            output = self.model.get_audio_features(**values)
            return getattr(output, "pooler_output", output)
        output = self.model(**values)
        pooler = getattr(output, "pooler_output", None)
        if self.pooling == "auto" and pooler is not None:
            return pooler
        states = output.last_hidden_state
        mask = self._make_mask(states, values, samples)
        return pool_tokens(
            states, mask, "mean" if self.pooling == "auto" else self.pooling
        )

    def _make_mask(self, states, values, samples):
        """Return which frames are not padding."""
        import torch

        n_frames = states.shape[1]
        if hasattr(self.model, "_get_feature_vector_attention_mask"):
            mask = values.get("attention_mask")
            if mask is not None:
                return self.model._get_feature_vector_attention_mask(n_frames, mask)
        lengths = torch.full((len(samples),), n_frames)
        if self.model.config.model_type == "whisper":  # padded to thirty seconds
            hop = 2 * self.extractor.hop_length
            lengths = torch.tensor([-(-len(s) // hop) for s in samples])
        frames = torch.arange(n_frames)
        return (frames < lengths[:, None].clamp(1)).to(states.device)


def _take_middle(signal, length):
    start = max(0, len(signal) - length) // 2
    return signal[start : start + length]


class _SileroEngine(Engine):
    """The state of Silero's recurrent speech detector over frames of 32 ms."""

    sampling_rate = 16000
    n_features = 512
    _frame, _context = 512, 64

    def __init__(self, file):
        onnxruntime = import_extra("onnxruntime", "pretrained")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            file, options, providers=["CPUExecutionProvider"]
        )
        self.file = file

    def encode(self, samples):
        return np.stack([self._encode_one(sample) for sample in samples])

    def _encode_one(self, signal):
        n_frames = max(1, -(-len(signal) // self._frame))
        padded = np.zeros(self._context + n_frames * self._frame, np.float32)
        padded[self._context : self._context + len(signal)] = signal
        state, states = np.zeros((2, 1, 128), np.float32), []
        rate = np.array(self.sampling_rate)
        for start in range(0, n_frames * self._frame, self._frame):
            frame = padded[start : start + self._context + self._frame]
            _, state = self.session.run(
                None, {"input": frame[None], "state": state, "sr": rate}
            )
            states.append(state.ravel())
        return np.concatenate([np.mean(states, axis=0), np.std(states, axis=0)])

    def __getstate__(self):
        return self.file

    def __setstate__(self, file):
        self.__init__(file)
