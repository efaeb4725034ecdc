"""Rules of layout and style that no other tool measures."""

import ast
import inspect
import re
from graphlib import TopologicalSorter

import pytest

import sklearn_mm

from .conftest import ROOT

PACKAGE = ROOT / "sklearn_mm"
MODULES = sorted(PACKAGE.rglob("*.py"))
#: Packages and modules of the root, from the bottom up: each imports only from the
#: layers below its own.
LAYERS = [
    ["exceptions"],
    ["_utils"],
    ["_columns", "metrics", "nets", "dask_frames", "datasets", "persistence"],
    ["_members", "audio", "cache", "image", "sequence", "text", "vector"],
    ["alignment", "ensemble", "video"],
    ["_modalities", "neural", "pretrained"],
    ["modalities", "tables"],
    ["compose", "inspection", "speech"],
]
ROOMS = [room for layer in LAYERS for room in layer]
PACKAGES = [
    name for name in sklearn_mm.__all__ if inspect.ismodule(getattr(sklearn_mm, name))
]
PUBLIC = {
    f"{package.__name__}.{name}": getattr(package, name)
    for package in [sklearn_mm, *(getattr(sklearn_mm, n) for n in PACKAGES)]
    for name in package.__all__
    if inspect.isclass(getattr(package, name))
    or inspect.isfunction(getattr(package, name))
}


def name_of(path):
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def room_of(name):
    return name.partition(".")[0]


def tree_of(path):
    return ast.parse(path.read_text())


def imports_of(path):
    """List the modules of the package that a file imports, and the names it takes."""
    package = path.relative_to(PACKAGE).parts[:-1]
    for node in ast.walk(tree_of(path)):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = package[: len(package) - (node.level - 1)]
        names = [alias.name for alias in node.names]
        if node.module:
            yield ".".join([*base, node.module]), names
        else:
            yield from ((".".join([*base, name]), []) for name in names)


def is_private(name):
    return any(part.startswith("_") for part in name.split("."))


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


def test_the_root_holds_at_most_eight_files_beside_packages():
    assert len(list(PACKAGE.glob("*.py"))) <= 8


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_down_and_take_no_private_name(path):
    layer = {room: i for i, rooms in enumerate(LAYERS) for room in rooms}
    room = room_of(name_of(path))
    assert room in [*ROOMS, "__init__"], f"add {room} to LAYERS"
    for module, names in imports_of(path):
        other = room_of(module)
        if other != room and room != "__init__":
            assert layer[other] < layer[room], f"{name_of(path)} imports {module}"
        assert module != room, f"{name_of(path)} imports its own package"
        private = [n for n in names if n.startswith("_")]
        assert not private, f"{name_of(path)} takes {private} from {module}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_package_imports_itself_by_relative_paths(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            assert not [a for a in node.names if room_of(a.name) == "sklearn_mm"]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            assert room_of(node.module) != "sklearn_mm", ast.unparse(node)


@pytest.mark.parametrize("room", ROOMS)
def test_no_circle_inside_a_package(room):
    paths = {name_of(p): p for p in MODULES if room_of(name_of(p)) == room}
    assert paths, f"remove {room} from LAYERS"
    arrows = {
        name: [module for module, _ in imports_of(path) if module in paths]
        for name, path in paths.items()
    }
    TopologicalSorter(arrows).prepare()  # raises CycleError


def test_inspection_imports_nothing_private_from_other_packages():
    # _utils has no subject of its own: it is the one address of scikit-learn's names.
    private = {
        name_of(path): module
        for path in PACKAGE.glob("inspection/*.py")
        for module, _ in imports_of(path)
        if room_of(module) not in ("inspection", "_utils") and is_private(module)
    }
    assert not private


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_private_names_of_scikit_learn_come_from_one_place(path):
    if name_of(path) == "_utils.imports":
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


@pytest.mark.parametrize("name", [n for n in PUBLIC if inspect.isclass(PUBLIC[n])])
def test_a_class_has_at_most_ten_of_ours_in_its_mro(name):
    own = [c for c in PUBLIC[name].__mro__ if c.__module__.startswith("sklearn_mm")]
    assert len(own) <= 10, [c.__name__ for c in own]


def test_examples_are_short():
    for path in (ROOT / "examples").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 80, path.name


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_shapes_in_docstrings_name_no_attribute(path):
    # "(n_features_in_,)" is a link to nowhere in reStructuredText.
    assert not re.findall(r"shape \([^)`]*[a-z]_[,)]", path.read_text())
