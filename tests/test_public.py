"""Signatures, ``get_params`` and docstrings of all that is public agree."""

import inspect
import re
import warnings

import pytest
from numpydoc.docscrape import FunctionDoc
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from skorch import NeuralNet
from torch.nn import Linear, MSELoss

import sklearn_mm

from .robustness.fitted_models import NEEDED, fit

MODULES = [
    sklearn_mm,
    *(
        getattr(sklearn_mm, name)
        for name in sklearn_mm.__all__
        if inspect.ismodule(getattr(sklearn_mm, name))
    ),
]
PUBLIC = {
    name: getattr(module, name)
    for module in MODULES
    for name in module.__all__
    if inspect.isclass(getattr(module, name))
    or inspect.isfunction(getattr(module, name))
}
CLASSES = {name: kind for name, kind in PUBLIC.items() if inspect.isclass(kind)}
ESTIMATORS = {
    name: kind
    for name, kind in CLASSES.items()
    if issubclass(kind, BaseEstimator) and hasattr(kind, "fit")  # a rule has none
}


class Described:
    """The parameters and attributes in a numpydoc docstring, and their types."""

    def __init__(self, public):
        doc = FunctionDoc(public, doc=inspect.getdoc(public))
        self.parameters = self._read(doc["Parameters"])
        self.attributes = self._read(doc["Attributes"])

    def _read(self, entries):
        return {
            name.lstrip("*"): entry.type
            for entry in entries
            for name in re.split(r",\s*", entry.name)
        }


def get_signature(public):
    """List what a class or function takes; nothing for a warning without __init__."""
    try:
        return list(inspect.signature(public).parameters.values())
    except ValueError:
        return []


def list_parameters(public):
    return [p for p in get_signature(public) if p.kind is not p.VAR_KEYWORD]


def find_further(public):
    """Return the name of ``**kwargs`` in a signature, or None."""
    parameters = get_signature(public)
    return next((p.name for p in parameters if p.kind is p.VAR_KEYWORD), None)


def is_same(default, text):
    """Compare a default with the expression that a docstring has for it."""
    if callable(default):
        return text.rpartition(".")[2] == default.__name__
    try:
        value = eval(text, {"__builtins__": {}}, {"inf": float("inf")})
    except (NameError, SyntaxError):
        return False
    return type(value) is type(default) and value == default


@pytest.mark.parametrize("name", PUBLIC)
def test_each_parameter_is_documented_with_its_type_and_default(name):
    described = Described(PUBLIC[name]).parameters
    problems = []
    for parameter in list_parameters(PUBLIC[name]):
        kind = described.pop(parameter.name, None)
        default = re.search(r"default=(.*)$", kind or "")
        if not kind:
            problems.append(f"{parameter.name} has no entry with a type")
        elif parameter.default is parameter.empty:
            if default:
                problems.append(f"{parameter.name} has no default")
        elif default is None:
            problems.append(f"{parameter.name} lacks default={parameter.default!r}")
        elif not is_same(parameter.default, default[1]):
            problems.append(f"{parameter.name}: {default[0]} is {parameter.default!r}")
    described.pop(find_further(PUBLIC[name]), None)
    problems += [f"{other} is not a parameter" for other in sorted(described)]
    assert not problems, "; ".join(problems)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


def find_fitted(name, home):
    """Find an estimator of a class among the fitted ones: itself or a step."""
    if name in NEEDED:
        pytest.importorskip(NEEDED[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = fit(name, home)
    steps = [s for _, s in model.steps] if isinstance(model, Pipeline) else [model]
    return next(step for step in steps if type(step) is ESTIMATORS[name])


def is_prefixed(name):
    """Tell whether a parameter is handed on by skorch: ``module__n_filters``."""
    return "__" in name


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_signature_shows_what_get_params_returns(name, home):
    shown = {p.name for p in list_parameters(ESTIMATORS[name])}
    params = find_fitted(name, home).get_params(deep=False)
    found = {p for p in params if "__" not in p}  # skorch's: module__n_filters
    problems = [f"{p} is not in the signature" for p in sorted(found - shown)]
    problems += [f"get_params lacks {p}" for p in sorted(shown - found)]
    assert not problems, "; ".join(problems)


@pytest.mark.parametrize("name", CLASSES)
def test_only_networks_take_further_arguments_and_describe_them(name):
    further = find_further(CLASSES[name])
    if further is not None:
        assert issubclass(CLASSES[name], NeuralNet)
        assert further in Described(CLASSES[name]).parameters


@pytest.mark.parametrize("name", ESTIMATORS)
def test_each_fitted_attribute_is_documented(name, home):
    found = {a for a in vars(find_fitted(name, home)) if re.fullmatch("[^_].*_", a)}
    if "n_features_in_" in found:
        found.add("feature_names_in_")  # set by columns with names
    if issubclass(ESTIMATORS[name], NeuralNet):  # apart from what skorch documents
        found -= set(vars(NeuralNet(Linear(1, 1), MSELoss).initialize()))
    undocumented = found - set(Described(ESTIMATORS[name]).attributes)
    problems = [f"{a} is not documented" for a in sorted(undocumented)]
    assert not problems, "; ".join(problems)
