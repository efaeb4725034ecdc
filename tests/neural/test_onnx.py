"""Networks as ONNX files: onnxruntime gives what the estimators give."""

import json
import os
import sys
import threading
import warnings

import numpy as np
import pytest
import torch
from joblib import dump, load
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from torch import nn

from sklearn_mm import (
    AbstentionWarning,
    ContrastiveAligner,
    MultimodalNetClassifier,
    MultimodalNetRegressor,
    MultitaskNet,
    NetClassifier,
    NetEncoder,
    NetRegressor,
    SpeechRecognizer,
    trusted_types,
)
from sklearn_mm.nets import SequenceRNN, TabularMLP, TextRNN
from sklearn_mm.neural._multimodal import FUSIONS

from ..nets.test_backbones import CASES, PADDED, make_samples

pytest.importorskip("onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")
QUICK = {"max_epochs": 1, "early_stopping": False, "random_state": 0}


def run(path, **inputs):
    """Give the outputs of a file by name."""
    session = onnxruntime.InferenceSession(path)
    assert [given.name for given in session.get_inputs()] == list(inputs)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs)))


def assert_equal(got, expected):
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def damage(name, X):
    """Pad some samples, leave gaps in others, and let one be missing."""
    X = X.copy()
    if X.dtype.kind == "i":
        X[1] = 0
        X[2, 5:] = 0
        X[3, 1] = 999  # unknown
        return X
    X[1] = np.nan
    X[3, 0] = np.nan
    if name in PADDED:
        X[2, 5:] = X[4, 1:] = np.nan
    return X


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_every_backbone_gives_the_same_vectors_in_onnxruntime(name, tmp_path):
    backbone, shape, options = CASES[name]
    X = make_samples(name, 24).numpy()
    options = {f"module__{key}": value for key, value in options.items()}
    net = NetEncoder(backbone, **QUICK, **options).fit(X, np.arange(24) % 3)
    net.to_onnx(tmp_path / "net.onnx")
    X = damage(name, X[:7])
    batches = [X, X[:1], X[1:3], np.concatenate([X] * 5)]
    if net._is_variable() and len(shape) > 1:
        batches += [X[:, :9], X[:2, :1], np.concatenate([X, X], axis=1)]
    for batch in batches:
        vectors = run(tmp_path / "net.onnx", X=batch)["vectors"]
        assert_equal(vectors, net.transform(batch))


BRANCHES = [
    ("numbers", "passthrough", "numbers"),
    ("steps", "passthrough", "steps"),
    ("words", "passthrough", "words"),
]
TWO = {"numbers": TabularMLP, "steps": SequenceRNN}
THREE = {**TWO, "words": TextRNN}


def make_table(n=24, seed=0):
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(n, 10, 2)).astype(np.float32)
    steps[3, 4:] = np.nan
    return {
        "numbers": rng.normal(size=(n, 5)).astype(np.float32),
        "steps": steps,
        "words": rng.integers(1, 20, (n, 6)),
    }


def make_gaps(X):
    """Give a table without some modalities, and what is present."""
    X = {name: array.copy() for name, array in X.items()}
    present = np.ones((len(X["words"]), 3), bool)
    present[[1, 2], 0] = present[[2, 3], 1] = present[1, 2] = False
    X["numbers"][~present[:, 0]] = X["steps"][~present[:, 1]] = np.nan
    return X, present


def assert_files_answer(path, net, answer, X):
    """Compare on whole batches, single samples, gaps, and longer sequences."""
    gaps, present = make_gaps(X)
    names = list(net.input_shapes_)
    present = present[:, [list(X).index(name) for name in names]]
    gaps = {name: gaps[name] for name in names}
    longer = {**gaps, "steps": np.repeat(gaps["steps"], 2, axis=1)}
    for table, rows in [(gaps, 24), (gaps, 1), (longer, 5)]:
        table = {name: array[:rows] for name, array in table.items()}
        got = run(path, **table, present=present[:rows])
        if "words" in table:
            words = np.empty(rows, dtype=object)
            words[:] = list(table["words"])
            words[~present[:rows, -1]] = None
            table = {**table, "words": words}
        expected = answer(net, table)
        assert list(got) == list(expected)
        for name in got:
            assert_equal(got[name], expected[name])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn_mm.AbstentionWarning")
@pytest.mark.parametrize("fusion", FUSIONS)
def test_every_fusion_gives_the_same_probabilities_in_onnxruntime(fusion, tmp_path):
    X = make_table()
    layers = {"fusion__n_layers": 1} if fusion in ("attention", "bottleneck") else {}
    options = {"fusion": fusion, "lr": 0.02, **layers, **QUICK}
    net = MultimodalNetClassifier(BRANCHES[:2], backbones=TWO, **options)
    net.fit(X, np.arange(24) % 3).to_onnx(tmp_path / "net.onnx")

    def answer(net, X):
        return {"probabilities": net.predict_proba(X)}

    assert_files_answer(tmp_path / "net.onnx", net, answer, X)


@pytest.mark.filterwarnings("ignore::sklearn_mm.AbstentionWarning")
@pytest.mark.parametrize("n_targets", [1, 2])
def test_regressors_answer_in_the_units_of_the_target(n_targets, tmp_path):
    X = make_table()
    y = np.random.default_rng(0).normal(1e4, 3, (24, n_targets))
    y = y[:, 0] if n_targets == 1 else y
    alone = NetRegressor(TabularMLP, **QUICK).fit(X["numbers"], y)
    alone.to_onnx(tmp_path / "alone.onnx")
    got = run(tmp_path / "alone.onnx", X=X["numbers"])["predictions"]
    assert_equal(got - 1e4, alone.predict(X["numbers"]) - 1e4)
    net = MultimodalNetRegressor(
        BRANCHES[:2], backbones=TWO, fusion="concat", **QUICK
    ).fit(X, y)
    net.to_onnx(tmp_path / "net.onnx")
    assert_files_answer(
        tmp_path / "net.onnx", net, lambda net, X: {"predictions": net.predict(X)}, X
    )


def test_each_task_has_an_output_with_its_name(tmp_path):
    X = make_table()
    y = {"kind": np.array(["a", "b", "c"] * 8), "size": np.linspace(-3, 50, 24)}
    net = MultitaskNet(BRANCHES, backbones=THREE, fusion="concat", **QUICK).fit(X, y)
    net.to_onnx(tmp_path / "net.onnx")

    def answer(net, X):
        return {"kind": net.predict_proba(X)["kind"], "size": net.predict(X)["size"]}

    assert_files_answer(tmp_path / "net.onnx", net, answer, X)
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    labels = session.get_modelmeta().custom_metadata_map["classes"]
    assert json.loads(labels) == {"kind": ["a", "b", "c"]}


def test_rows_without_any_modality_get_the_prior(tmp_path):
    X = {name: make_table()[name] for name in ("numbers", "steps")}
    y = np.arange(24) % 4 // 3
    net = MultimodalNetClassifier(
        BRANCHES[:2], backbones=TWO, fusion="mean", **QUICK
    ).fit(X, y)
    net.to_onnx(tmp_path / "net.onnx")
    present = np.ones((24, 2), bool)
    present[5] = False
    X["numbers"][5] = X["steps"][5] = np.nan
    with pytest.warns(AbstentionWarning):
        expected = net.predict_proba(X)
    got = run(tmp_path / "net.onnx", **X, present=present)["probabilities"]
    assert_equal(got, expected)
    np.testing.assert_allclose(got[5], [0.75, 0.25])


def test_an_aligner_gives_a_file_for_each_modality(tmp_path):
    X = make_table()
    net = ContrastiveAligner(BRANCHES, backbones=THREE, embedding_dim=8, **QUICK).fit(X)
    for name in X:
        net.to_onnx(tmp_path / name, modality=name)
        got = run(tmp_path / name, **{name: X[name][:5]})["vectors"]
        assert_equal(got, net.transform(X[name][:5], modality=name))
    with pytest.raises(ValueError, match="modality must be one of"):
        net.to_onnx(tmp_path / "none", modality="smell")


def test_a_recogniser_gives_log_probabilities_by_step(tmp_path):
    X = np.random.default_rng(0).normal(size=(12, 30, 8)).astype(np.float32)
    X[3, 17:] = np.nan
    net = SpeechRecognizer(module__hidden_size=8, language_model=None, **QUICK)
    net.fit(X, ["ab", "ba", "a"] * 4).to_onnx(tmp_path / "net.onnx")
    got = run(tmp_path / "net.onnx", X=X)
    assert list(got) == ["log_proba", "n_steps"]
    for steps, n_steps, expected in zip(*got.values(), net.predict_log_proba(X)):
        assert_equal(steps[:n_steps], expected)


def fit_digits(**options):
    X = np.random.default_rng(0).normal(size=(24, 5)).astype(np.float32)
    y = np.array(["no", "yes"])[np.arange(24) % 2]
    return NetClassifier(TabularMLP, **{**QUICK, **options}).fit(X, y), X


def test_the_file_knows_the_classes(tmp_path):
    net, X = fit_digits()
    net.to_onnx(tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    labels = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
    codes = session.run(None, {"X": X})[0].argmax(axis=1)
    assert [labels[code] for code in codes] == net.predict(X).tolist()


@pytest.mark.parametrize("by", ["joblib", "skops"])
def test_nets_from_files_export_as_well(by, tmp_path):
    net, X = fit_digits()
    if by == "joblib":
        dump(net, tmp_path / "net")
        loaded = load(tmp_path / "net")
    else:
        sio = pytest.importorskip("skops.io")
        loaded = sio.loads(sio.dumps(net), trusted=trusted_types())
    loaded.to_onnx(tmp_path / "net.onnx")
    got = run(tmp_path / "net.onnx", X=X)["probabilities"]
    assert_equal(got, net.predict_proba(X))


def test_export_leaves_everything_as_it_was(tmp_path, capfd):
    X = make_table()
    net = MultimodalNetClassifier(BRANCHES[:2], backbones=TWO, fusion="mean", **QUICK)
    net.fit(X, np.arange(24) % 3)
    net.module_.train()
    weights = {key: value.clone() for key, value in net.module_.state_dict().items()}

    def look():
        return (
            [part.training for part in net.module_.modules()],
            [type(part) for part in net.module_.modules()],
            [p.requires_grad for p in net.module_.parameters()],
            torch.get_rng_state().tolist(),
            torch.get_num_threads(),
            torch.is_grad_enabled(),
            torch.get_default_dtype(),
            list(warnings.filters),
            os.getcwd(),
            threading.active_count(),
            net.get_params(deep=False),
        )

    before = look()
    capfd.readouterr()
    net.to_onnx(tmp_path / "net.onnx")
    assert capfd.readouterr() == ("", "")
    assert look() == before
    for key, value in net.module_.state_dict().items():
        assert torch.equal(value, weights[key])
    assert os.listdir(tmp_path) == ["net.onnx"]


def test_a_net_that_torch_compiles_is_exported_as_it_is(tmp_path):
    net, X = fit_digits()
    expected = net.predict_proba(X)
    net.module_ = torch.compile(net.module_)
    net.to_onnx(tmp_path / "net.onnx")
    assert_equal(run(tmp_path / "net.onnx", X=X)["probabilities"], expected)


class Chooses(nn.Module):
    """A backbone whose program depends on the numbers."""

    def __init__(self, input_shape):
        super().__init__()
        self.out_features = input_shape[0]

    def forward(self, x):
        return x + 1 if x.sum() > 0 else x - 1


def test_what_cannot_be_exported_is_explained_and_nothing_is_written(tmp_path):
    net, X = fit_digits()
    chooses = clone(net).set_params(module=Chooses).fit(X, np.arange(24) % 2)
    path = tmp_path / "net.onnx"
    path.write_bytes(b"before")
    with pytest.raises(ValueError, match="NetClassifier: .*cannot be written as ONNX"):
        chooses.to_onnx(path)
    assert path.read_bytes() == b"before"
    net.to_onnx(path)
    assert_equal(run(path, X=X)["probabilities"], net.predict_proba(X))
    assert os.listdir(tmp_path) == ["net.onnx"]


def test_weights_that_one_file_cannot_hold_lie_beside_it(tmp_path, monkeypatch):
    from torch.onnx._internal.exporter import _onnx_program

    monkeypatch.setattr(_onnx_program, "_LARGE_MODEL_THRESHOLD", 10**4)
    net, X = fit_digits()
    net.to_onnx(tmp_path / "net.onnx")
    assert sorted(os.listdir(tmp_path)) == ["net.onnx", "net.onnx.data"]
    got = run(tmp_path / "net.onnx", X=X)["probabilities"]
    assert_equal(got, net.predict_proba(X))


def test_a_task_with_the_name_of_a_branch_is_refused(tmp_path):
    X = make_table()
    net = MultitaskNet(BRANCHES, backbones=THREE, fusion="concat", **QUICK)
    net.fit(X, {"steps": np.arange(24) % 3})
    with pytest.raises(ValueError, match=r"\['steps'\] would be there twice"):
        net.to_onnx(tmp_path / "net.onnx")


def test_without_the_extra_the_error_says_how_to_install_it(tmp_path, monkeypatch):
    net, _ = fit_digits()
    for name in [n for n in sys.modules if n.partition(".")[0] == "onnxscript"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn_mm\[onnx\]'"):
        net.to_onnx(tmp_path / "net.onnx")


def test_a_net_that_is_not_fitted_has_nothing_to_export(tmp_path):
    with pytest.raises(NotFittedError):
        NetClassifier(TabularMLP).to_onnx(tmp_path / "net.onnx")
