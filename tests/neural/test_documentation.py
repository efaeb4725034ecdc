"""Signatures and docstrings of networks: complete, and alike for shared parameters."""

import inspect
import re

import numpy as np
import pytest
import torch

import sklearn_mm
from sklearn_mm import ContrastiveAligner, MultitaskNet, SpeechRecognizer
from sklearn_mm.nets import SequenceRNN, TabularMLP, TextCNN

KINDS = [
    "NetClassifier",
    "NetRegressor",
    "NetEncoder",
    "MultimodalNetClassifier",
    "MultimodalNetRegressor",
    "MultitaskNet",
    "ContrastiveAligner",
    "SpeechRecognizer",
]
X = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
IDS = np.random.default_rng(0).integers(1, 9, (30, 4))
LABELS, NUMBERS = np.arange(30) % 2, np.arange(30) / 7
QUICK = {"max_epochs": 1, "random_state": 0}
HALVES = [("a", "passthrough", slice(0, 2)), ("b", "passthrough", slice(2, 4))]


def read_entries(kind, section):
    """Return name -> text of the entries of a section of a docstring."""
    text = inspect.getdoc(kind).split(f"{section}\n{'-' * len(section)}\n")[1]
    text = re.split(r"\n\n\w[^\n]*\n-+\n", text)[0]
    entries = re.split(r"\n(?=\S)", text)
    return {
        name.strip("*"): entry
        for entry in entries
        for name in entry.split(" : ")[0].split(", ")
    }


@pytest.mark.parametrize("name", KINDS)
def test_signature_docstring_and_parameters_agree(name):
    kind = getattr(sklearn_mm, name)
    described = read_entries(kind, "Parameters")
    parameters = inspect.signature(kind).parameters
    assert list(described) == list(parameters)
    keywords = [p for p in parameters if p not in ("self", "kwargs")]
    net = make_net(kind)
    assert set(keywords) == {k for k in net.get_params(deep=False) if "__" not in k}
    for key, parameter in parameters.items():
        if parameter.default is parameter.empty or key == "kwargs":
            continue
        shown = getattr(parameter.default, "__name__", repr(parameter.default))
        shown = shown.replace("'", '"')
        assert re.search(rf"default=([\w.]+\.)?{re.escape(shown)}", described[key]), key


@pytest.mark.parametrize("name", KINDS)
def test_shared_parameters_are_described_alike(name):
    described = read_entries(getattr(sklearn_mm, name), "Parameters")
    for key, entry in read_entries(sklearn_mm.NetClassifier, "Parameters").items():
        if key in described and key not in ("module", "criterion", "kwargs"):
            expected = re.sub(r"default=[\d.]+", "", entry)
            assert re.sub(r"default=[\d.]+", "", described[key]) == expected


def make_net(kind, module=TabularMLP):
    if kind is SpeechRecognizer:
        return kind(SequenceRNN, **QUICK)
    if not hasattr(kind, "branch_embeddings") and kind is not ContrastiveAligner:
        return kind(module, **QUICK)
    return kind(HALVES, backbones={"a": module, "b": module}, **QUICK)


def fit_nets(kind):
    """Fit one net for each kind of input and target that it takes."""
    if kind is SpeechRecognizer:
        return [make_net(kind).fit(X.reshape(15, 4, 2), ["a", "b", ""] * 5)]
    if kind is ContrastiveAligner:
        return [make_net(kind).fit(X)]
    targets = [LABELS] if "Classifier" in kind.__name__ else [NUMBERS]
    if kind in (sklearn_mm.NetEncoder, MultitaskNet):
        targets = [LABELS, NUMBERS]
    nets = [make_net(kind).fit(X, y) for y in targets]
    if kind is sklearn_mm.NetEncoder:
        nets.append(make_net(kind).fit(X))
    return [*nets, make_net(kind, TextCNN).fit(IDS, targets[0])]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", KINDS)
def test_fitted_attributes_are_described(name):
    kind = getattr(sklearn_mm, name)
    described = set(read_entries(kind, "Attributes"))
    for net in fit_nets(kind):
        public = {k for k in vars(net) if k.endswith("_") and not k.startswith("_")}
        assert public <= described, public - described
        assert isinstance(net.module_, torch.nn.Module)
