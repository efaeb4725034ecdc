"""Only what is used is imported and required, and nobody is called."""

import ast
import configparser
import re
import sys
from importlib.metadata import packages_distributions

import pytest

from ..conftest import ROOT
from .processes import run

PACKAGE = ROOT / "sklearn_mm"

#: Replaces what a connection needs by an error.
ALONE = """
import socket

def refuse(*args, **kwargs):
    raise AssertionError("a connection was asked for")

class Refused(socket.socket):
    __init__ = connect = refuse

socket.socket = Refused
socket.create_connection = socket.getaddrinfo = socket.gethostbyname = refuse
"""


@pytest.mark.slow
def test_nothing_calls_out_at_import_in_fit_or_in_predict():
    run(
        ALONE
        + """
import warnings
import numpy as np
import sklearn_mm
from sklearn.linear_model import LogisticRegression
warnings.simplefilter("ignore")
for name in sklearn_mm.__all__:
    getattr(sklearn_mm, name)
from sklearn_mm import NetClassifier, multimodal_pipeline
from sklearn_mm.datasets import load_av_digits
from sklearn_mm.nets import ImageCNN

X, y = load_av_digits(return_X_y=True)
X, y = X[::10].assign(text=[f"a text of {n}" for n in y[::10]]), y[::10]
model = multimodal_pipeline(LogisticRegression(max_iter=20)).fit(X, y)
assert len(model.predict(X)) == len(y)
images = np.stack(X["image"]).astype(np.float32) / 255
net = NetClassifier(ImageCNN, max_epochs=1, random_state=0).fit(images, y)
assert len(net.predict(images)) == len(y)
"""
    )


@pytest.mark.slow
def test_the_tier_without_networks_never_imports_torch():
    run(
        """
import sys
from sklearn_mm import multimodal_pipeline
from sklearn_mm.datasets import load_av_digits

X, y = load_av_digits(return_X_y=True)
X, y = X[["image", "audio"]][::10], y[::10]
multimodal_pipeline("classifier", random_state=0).fit(X, y).predict(X)
assert not {"torch", "skorch", "librosa", "transformers"} & set(sys.modules)
"""
    )


def normalise(name):
    return name.lower().replace("_", "-")


def read_requirements():
    """Give the distributions that are required, and those of the extras."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")

    def names(text):
        found = re.findall(r"^(?:\w+ = )?([A-Za-z0-9][\w.-]*)", text, re.MULTILINE)
        return set(map(normalise, found))

    required = names(setup["options"]["install_requires"].strip())
    extras = setup["options.extras_require"]
    return required, set().union(*(names(extras[key].strip()) for key in extras))


def find_imported():
    """Give the top-level modules that the package imports, or hands to import_extra."""
    modules = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules.add(node.module)
            elif isinstance(node, ast.Call):
                called = getattr(node.func, "id", getattr(node.func, "attr", ""))
                given = [a.value for a in node.args if isinstance(a, ast.Constant)]
                if called in ("import_extra", "is_instance", "find_spec"):
                    modules |= {name for name in given if isinstance(name, str)}
    tops = {name.partition(".")[0] for name in modules}
    return {name for name in tops if name not in sys.stdlib_module_names}


DISTRIBUTIONS = packages_distributions()


def find_distributions(module):
    return set(map(normalise, DISTRIBUTIONS.get(module, [])))


def test_each_requirement_is_imported_and_each_import_required():
    required, extra = read_requirements()
    imported = find_imported() - {"sklearn_mm"}
    assert {"numpy", "torch", "cv2"} <= imported
    provided = set().union(*map(find_distributions, imported))
    assert required <= provided, f"never imported: {sorted(required - provided)}"
    known = {name for name in imported if find_distributions(name)}
    missing = {
        name for name in known if not find_distributions(name) & (required | extra)
    }
    assert not missing, f"imported, but neither required nor in an extra: {missing}"
