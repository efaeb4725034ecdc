"""Type checkers, ``help`` and completion see through the lazy names."""

import configparser
import contextlib
import inspect
import io
import re
import rlcompleter

import pytest

import sklearn_mm

from .conftest import ROOT

api = pytest.importorskip("mypy.api")

PACKAGES = [
    sklearn_mm,
    *(
        getattr(sklearn_mm, name)
        for name in sklearn_mm.__all__
        if inspect.ismodule(getattr(sklearn_mm, name))
    ),
]
NAMES = [
    f"{package.__name__}.{name}" for package in PACKAGES for name in package.__all__
]


def find(path):
    found = sklearn_mm
    for part in path.split(".")[1:]:
        found = getattr(found, part)
    return found


@pytest.fixture(scope="module")
def revealed(tmp_path_factory):
    """Map each public name to the type that mypy finds, without other packages."""
    folder = tmp_path_factory.mktemp("types")
    program = folder / "program.py"
    lines = ["import sklearn_mm", *(f"reveal_type({name})" for name in NAMES)]
    program.write_text("\n".join(lines))
    options = ["--no-site-packages", "--ignore-missing-imports"]
    options += ["--follow-imports=silent", f"--cache-dir={folder / 'cache'}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPYPATH", str(ROOT))
        output, errors, _ = api.run([*options, str(program)])
    assert not errors
    found = re.findall(r'program\.py:(\d+): note: Revealed type is "(.*)"', output)
    assert len(found) == len(NAMES), output
    return {NAMES[int(line) - 2]: kind for line, kind in found}


@pytest.mark.parametrize("name", NAMES)
def test_a_type_checker_resolves_each_public_name(name, revealed):
    value = find(name)
    if inspect.isclass(value):
        home = f"{value.__module__}.{value.__qualname__}"
        # A named tuple is shown as a tuple with the class behind it.
        made = rf"-> (tuple\[.*fallback=)?{re.escape(home)}\b"
        assert re.search(made, revealed[name])
    elif inspect.isfunction(value):
        assert revealed[name].startswith("def (")
        assert all(p in revealed[name] for p in inspect.signature(value).parameters)
    elif inspect.ismodule(value):
        assert revealed[name] in ("Module", "types.ModuleType")
    elif isinstance(value, tuple):
        assert revealed[name].startswith("tuple[")
    else:  # made by a function of another package, which mypy did not read
        assert revealed[name] == "Any"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda p: p.__name__)
def test_help_shows_each_public_name(package):
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        help(package)
    for name in package.__all__:
        assert re.search(rf"\b{name}\b", shown.getvalue())


@pytest.mark.parametrize("package", PACKAGES, ids=lambda p: p.__name__)
def test_completion_offers_each_public_name(package):
    completer = rlcompleter.Completer({"package": package})
    for name in package.__all__:
        offered = iter(lambda n=name: completer.complete(f"package.{n}", 0), None)
        assert next(offered).startswith(f"package.{name}")


@pytest.mark.parametrize("package", PACKAGES, ids=lambda p: p.__name__)
def test_dir_lists_each_public_name(package):
    assert set(dir(package)) >= set(package.__all__)


def test_the_stubs_are_shipped():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert set(setup["options.package_data"]["*"].split()) == {"*.pyi", "py.typed"}
    assert (ROOT / "sklearn_mm" / "py.typed").exists()
