"""The house's rules that nobody would otherwise measure."""

import ast
import inspect

import pytest

import sklearn_mm

from .conftest import ROOT

PACKAGE = ROOT / "sklearn_mm"
MODULES = sorted(PACKAGE.rglob("*.py"))
#: Layers from the bottom up: a module imports from layers below its own only.
LAYERS = [
    ["metrics._retrieval", "_mp4_boxes"],
    ["metrics._scorers", "metrics._transcripts"],
    ["_fork", "_interrupt"],
    [
        "_lazy",
        "_imports",
        "_files",
        "_image_header",
        "_padding",
        "_descriptors",
        "_frames",
        "_signal",
        "_store",
        "_spread",
        "_ctc",
        "_persistence",
        "_parallel",
    ],
    ["_column", "_impute", "_stored"],
    ["_pixels", "_spectrum"],
    ["_audio_statistics", "_encoder"],
    ["image", "audio", "text", "sequence", "vector", "video", "language_model"],
    ["_cell_keys", "_modality_columns", "_steps"],
    ["_modality", "_modality_specs", "_aligner", "_neighbors"],
    ["alignment", "retrieval"],
    ["cache", "context", "dask_frames"],
    ["_detect"],
    ["_blocks", "_table"],
    [
        "ensemble._answers",
        "ensemble._calibration",
        "ensemble._guard",
        "ensemble._routing",
        "ensemble._weights",
        "datasets._bunch",
        "datasets._home",
    ],
    [
        "ensemble._base",
        "ensemble._pool",
        "ensemble._prediction_pool",
        "ensemble._targets",
        "datasets._fetch",
        "datasets._load_av_digits",
    ],
    [
        "ensemble._out_of_fold",
        "datasets._fetch_av_digits",
        "datasets._fetch_emodb",
        "datasets._fetch_mosi",
        "datasets._fetch_openmoji",
    ],
    ["ensemble._base_voting", "ensemble._base_stacking"],
    ["ensemble._voting", "ensemble._voting_regressor"],
    ["ensemble._stacking", "ensemble._stacking_regressor"],
    ["ensemble._cotraining", "ensemble._soup"],
    ["pretrained._engines"],
    ["nets._layers", "nets._head", "nets._branched"],
    ["nets._recurrent", "nets.fusion", "nets._joint", "nets.alignment"],
    ["nets.token_fusion"],
    [
        "nets.audio",
        "nets.image",
        "nets.sequence",
        "nets.tabular",
        "nets.text",
        "nets.pretrained",
    ],
    ["neural._device"],
    [
        "neural._batches",
        "neural._callbacks",
        "neural._parameters",
        "neural._samples",
        "neural._split",
        "neural._task_loss",
        "neural._tasks",
        "neural._transcripts",
    ],
    ["neural._saved", "neural._onnx_recurrent"],
    ["neural._onnx"],
    ["neural._base", "neural._balance"],
    ["neural._classifier", "neural._regressor", "neural._branches", "neural._speech"],
    ["neural._encoder", "neural._branch_net"],
    ["neural._multimodal", "neural._aligner"],
    [
        "neural._multimodal_classifier",
        "neural._multimodal_regressor",
        "neural._multitask",
    ],
    ["zero_shot"],
    ["pretrained._bundled", "pretrained._tokenizer"],
    ["pretrained._base"],
    ["pretrained._audio", "pretrained._image", "pretrained._text"],
    ["pretrained._aligner", "pretrained._defaults"],
    ["compose"],
    ["pipeline", "persistence"],
    ["inspection._axes", "inspection._thumbnails"],
    ["inspection._cells", "inspection._disturb", "inspection._modalities"],
    ["inspection._answers", "inspection._disturb_table"],
    ["inspection._html"],
    [
        "inspection._explain",
        "inspection._importance",
        "inspection._report",
        "inspection._robustness",
    ],
    [
        "inspection._agreement_display",
        "inspection._embedding_display",
        "inspection._history_display",
        "inspection._importance_display",
        "inspection._missing_display",
        "inspection._retrieval_display",
        "inspection._weights_display",
    ],
]
SUBPACKAGES = [
    "ensemble",
    "datasets",
    "inspection",
    "metrics",
    "nets",
    "neural",
    "pretrained",
]
INITS = ["__init__", *(f"{name}.__init__" for name in SUBPACKAGES)]
PUBLIC = {
    f"{package.__name__}.{name}": getattr(package, name)
    for package in [sklearn_mm, *(getattr(sklearn_mm, n) for n in SUBPACKAGES)]
    for name in package.__all__
    if inspect.isclass(getattr(package, name))
    or inspect.isfunction(getattr(package, name))
}


def name_of(path):
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def tree_of(path):
    return ast.parse(path.read_text())


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_file_has_at_most_400_lines(path):
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_function_fits_on_a_screen(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef) and node.name != "__init__":
            body = node.body[1:] if ast.get_docstring(node) else node.body
            n_lines = node.end_lineno - body[0].lineno + 1 if body else 0
            assert n_lines <= 40, f"{node.name} has {n_lines} lines"


def imports_of(path):
    """Modules of the package that a module imports, and the names it takes."""
    here = name_of(path).split(".")[:-1]
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level + 1]
            module = [*base, *(node.module or "").split(".")]
            names = [alias.name for alias in node.names]
            yield ".".join(part for part in module if part), names


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_down_and_take_no_private_name(path):
    layer = {name: i for i, names in enumerate(LAYERS) for name in names}
    name = name_of(path)
    if name in INITS:
        return
    assert name in layer, f"give {name} a layer"
    for module, names in imports_of(path):
        if module not in SUBPACKAGES:  # from its public names
            assert layer[module] < layer[name], f"{name} imports {module}"
        private = [n for n in names if n.startswith("_")]
        assert not private, f"{name} takes {private} from {module}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_private_names_of_scikit_learn_come_from_one_place(path):
    if path.name == "_imports.py":
        return
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "sklearn"
        ):
            names = [*node.module.split("."), *(alias.name for alias in node.names)]
            assert not [n for n in names if n.startswith("_")], ast.unparse(node)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_have_examples(name):
    assert ">>> " in PUBLIC[name].__doc__, f"{name} has no example"


@pytest.mark.parametrize("name", PUBLIC)
def test_every_parameter_is_described(name):
    public = PUBLIC[name]
    if issubclass(public, Warning) if inspect.isclass(public) else False:
        return
    for parameter in inspect.signature(public).parameters.values():
        described = any(
            parameter.name in line.split(" : ")[0].lstrip("*").split(", ")
            for line in map(str.strip, public.__doc__.splitlines())
        )
        assert described, f"{name} does not describe {parameter.name}"


def test_examples_are_short():
    for path in (ROOT / "examples").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 80, path.name
