"""Load models from a hub or a folder: errors that explain, and pooled tokens."""

import os


class explain_loading:
    """Say in one sentence what to do about a model that cannot be loaded."""

    def __init__(self, owner, model, extra):
        self.owner = owner
        self.model = model
        self.extra = extra

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if not isinstance(error, Exception) or isinstance(error, ImportError):
            return False
        name = os.fspath(self.model)
        if os.path.isdir(name):
            advice = (
                f"the folder {name!r} could not be read as such a model; give one that "
                "save_pretrained wrote"
            )
        else:
            advice = (
                f"{name!r} is no folder, and was neither found in the hub's cache nor "
                "downloaded; give a folder, or download it once where there is a "
                f"network, by huggingface_hub.snapshot_download({name!r})"
            )
        raise OSError(f"{self.owner}: {advice} ({_first_line(error)}).") from error


def pool_tokens(states, mask, pooling):
    """Pool ``states`` (n_samples, n_tokens, n_features) where ``mask``.

    Parameters
    ----------
    states : tensor of shape (n_samples, n_tokens, n_features)
        Vectors of tokens, patches or frames.
    mask : tensor of shape (n_samples, n_tokens)
        Which are valid.
    pooling : {"mean", "max", "cls"}
        The mean, the maximum, or the first token.

    Returns
    -------
    tensor of shape (n_samples, n_features)
        Vectors.
    """
    if pooling == "cls":
        return states[:, 0]
    mask = mask.unsqueeze(2).to(states.dtype)
    if pooling == "max":
        return states.masked_fill(mask == 0, float("-inf")).amax(dim=1)
    return (states * mask).sum(dim=1) / mask.sum(dim=1).clamp_min(1)


def _first_line(error):
    lines = str(error).strip().splitlines()
    return (
        f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
    )
