"""Names load their modules on first use, and are all there to be found."""

import subprocess
import sys

import pytest

import sklearn_mm
import sklearn_mm.datasets
import sklearn_mm.ensemble

HEAVY = ["torch", "librosa", "cv2", "skrub", "sklearn", "pandas", "numpy", "soundfile"]


def run(code):
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_the_package_imports_nothing_heavy():
    run(f"import sklearn_mm, sys; assert not set({HEAVY}) & set(sys.modules)")


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
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = package.nothing
