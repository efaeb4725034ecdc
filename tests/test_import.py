"""Names load their modules on first use, and are all there to be found."""

import runpy
import subprocess
import sys

import pytest

import sklearn_mm
import sklearn_mm.datasets
import sklearn_mm.ensemble

from .conftest import ROOT

HEAVY = ["torch", "librosa", "cv2", "skrub", "sklearn", "pandas", "numpy", "soundfile"]
#: Of the standard library, each slower than all that `import sklearn_mm` has to do.
SLOW = ["ast", "inspect"]


def run(code):
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_the_package_imports_nothing_heavy():
    unwanted = {*HEAVY, *SLOW}
    run(f"import sklearn_mm, sys; assert not {unwanted} & set(sys.modules)")


def test_encoders_import_their_library_when_they_run():
    light = {"torch", "librosa", "cv2", "skrub", "soundfile", "soxr"}
    code = (
        "import sys, numpy;"
        "from sklearn_mm import AudioLoader, AudioStatistics, HOGEncoder, ImageLoader;"
        "from sklearn_mm import PooledEncoder, TextVectorizer;"
        "ImageLoader(); AudioLoader(); PooledEncoder(HOGEncoder());"
        "TextVectorizer().fit_transform(['a text']);"
        "AudioStatistics().fit_transform(numpy.ones((1, 999)));"
        f"assert not {light} & set(sys.modules)"
    )
    run(code)


@pytest.mark.parametrize(
    "package",
    [sklearn_mm, *(getattr(sklearn_mm, n) for n in ("ensemble", "datasets", "nets"))],
)
def test_every_public_name_resolves_and_shows(package):
    for name in package.__all__:
        assert name in dir(package)
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="attribute nothing"):
        _ = package.nothing


def test_the_names_of_the_root_are_those_of_its_stub():
    root = ROOT / "sklearn_mm" / "__init__.py"
    tool = runpy.run_path(str(ROOT / "tools" / "make_root_names.py"))
    hint = "run python tools/make_root_names.py"
    assert root.read_text().endswith(tool["make_code"](root.with_suffix(".pyi"))), hint


def test_every_package_but_the_private_ones_has_a_stub():
    for package in (ROOT / "sklearn_mm").glob("[!_]*/__init__.py"):
        assert package.with_suffix(".pyi").exists(), package.parent.name
