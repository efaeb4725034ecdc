"""Choose the device that a network runs on."""


def pick_device(device):
    """Resolve "auto" to cuda, else mps, else cpu.

    Parameters
    ----------
    device : str, torch.device or None
        Anything but "auto" is returned unchanged.

    Returns
    -------
    str, torch.device or None
        The device.
    """
    if device != "auto":
        return device
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
