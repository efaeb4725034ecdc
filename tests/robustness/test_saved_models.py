"""Files of models: read without running their code, and not by other versions."""

import copy
import importlib
import inspect
import os
import pickle
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import InconsistentVersionWarning

import sklearn_mm
from sklearn_mm import ModelVersionWarning, nets, persistence, trusted_types
from sklearn_mm._utils.state import StoredModule, restore, store
from sklearn_mm._utils.versions import VersionMixin

from .fitted_models import CASES, LABELS, NEEDED, QUICK, WITH_TREES, X, fit
from .processes import run

sio = pytest.importorskip("skops.io")
PUBLIC = {
    name: getattr(sklearn_mm, name)
    for name in sklearn_mm.__all__
    if inspect.isclass(getattr(sklearn_mm, name))
    and issubclass(getattr(sklearn_mm, name), BaseEstimator)
}


FORMATS = {
    "pickle": (pickle.dumps, pickle.loads),
    "skops": (sio.dumps, lambda data: sio.loads(data, trusted=trusted_types())),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(params=CASES)
def name(request):
    if request.param in NEEDED:
        pytest.importorskip(NEEDED[request.param])
    return request.param


def refit(name, home):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit(name, home)


def answer(name, model):
    answers = CASES[name][1](model)
    return answers.toarray() if issparse(answers) else np.asarray(answers)


def assert_same(name, model, other):
    expected, got = answer(name, model), answer(name, other)
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)
    else:
        np.testing.assert_array_equal(got, expected)


def test_every_public_estimator_has_a_case():
    assert not set(PUBLIC) - set(CASES)


def test_skops_loads_each_estimator_by_the_trusted_types_and_nothing_more(name, home):
    model = refit(name, home)
    trusted = trusted_types(unchecked=name in WITH_TREES)
    data = sio.dumps(model)
    assert not set(sio.get_untrusted_types(data=data)) - set(trusted)
    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        loaded = sio.loads(data, trusted=trusted)
    assert_same(name, model, loaded)


def test_every_trusted_type_exists_and_is_no_way_to_run_code():
    for full_name in trusted_types(unchecked=True):
        module, _, kind = full_name.rpartition(".")
        if module == "pathlib._local":  # from Python 3.13 on
            continue
        found = getattr(importlib.import_module(module), kind)
        assert callable(found)
        if module.startswith("sklearn_mm."):
            assert inspect.isclass(found), f"{full_name} is a function"
            assert found.__module__ == module
            is_model = issubclass(found, BaseEstimator | torch.nn.Module)
            assert is_model or vars(found).get("_trusted"), f"{full_name} is unmarked"
    dangerous = {"PickledState", "ArrayStore", "Engine", "eval", "reduce", "system"}
    dangerous |= {"FaissNeighbors", "HNSWIndex"}  # compiled code follows their data
    dangerous |= {name for name in nets.__all__ if name.startswith("Pretrained")}
    assert not dangerous & {name.rpartition(".")[2] for name in trusted_types()}


def test_the_trusted_types_are_found_without_importing_torch():
    run(
        "import sys, sklearn_mm;"
        "assert 'sklearn_mm.nets.image.ImageCNN' in sklearn_mm.trusted_types();"
        "assert not {'torch', 'sklearn'} & set(sys.modules)"
    )


def test_classes_are_trusted_by_their_own_marks(monkeypatch, tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.pyi").write_text(
        "from ._a import A as A\n"
        "from ._a import Loads as Loads\n"
        "from ._a import Shut as Shut\n"
    )
    (package / "_a.py").write_text(
        "class A:\n    x = 1\nclass Shut(A):\n    _trusted = False\n"
        "class _Marked:\n    _trusted = True\nclass _Child(_Marked):\n    pass\n"
        "class Loads:\n    def __setstate__(self, state):\n        pass\n"
        "class Tree:\n    _trusted = 'unchecked'\ndef f(): pass\n"
    )
    monkeypatch.setattr(persistence, "_PACKAGE", package)
    found = persistence._find_own.__wrapped__()
    assert {name.rpartition(".")[2]: mark for name, mark in found.items()} == {
        "A": True,
        "Shut": False,
        "_Marked": True,
        "_Child": False,
        "Loads": False,
        "Tree": "unchecked",
    }


def test_a_partial_of_what_is_not_listed_is_refused():
    loader = sklearn_mm.ImageLoader(filesystem=partial(os.system, "true"))
    with pytest.raises(sio.exceptions.UntrustedTypesFoundException, match="system"):
        sio.loads(sio.dumps(loader), trusted=trusted_types(unchecked=True))


def test_trees_need_to_be_asked_for():
    fusion = sklearn_mm.MultimodalVotingClassifier(
        [("a", RandomForestClassifier(2, random_state=0), [0, 1])]
    ).fit(X, LABELS)
    data = sio.dumps(fusion)
    with pytest.raises(sio.exceptions.UntrustedTypesFoundException, match="Tree"):
        sio.loads(data, trusted=trusted_types())
    loaded = sio.loads(data, trusted=trusted_types(unchecked=True))
    np.testing.assert_array_equal(loaded.predict(X), fusion.predict(X))


@pytest.mark.parametrize(
    ("backbone", "shape"),
    [
        (nets.ImageCNN, (28, 28)),
        (nets.ImageResNet, (28, 28)),
        (nets.AudioCNN, (40, 16)),
        (nets.AudioCRNN, (40, 16)),
        (nets.SequenceRNN, (12, 2)),
        (nets.SequenceTCN, (12, 2)),
        (nets.TabularMLP, (5,)),
        (nets.TextCNN, (7,)),
        (nets.TextRNN, (7,)),
        (nets.TextTransformer, (7,)),
    ],
)
def test_skops_keeps_each_backbone(backbone, shape):
    options = {"n_tokens": 9} if len(shape) == 1 and shape[0] == 7 else {}
    module = backbone(shape, **options).eval()
    data = sio.dumps(store(module))
    loaded = restore(sio.loads(data, trusted=trusted_types()))
    x = torch.ones(2, *shape, dtype=torch.int64 if options else torch.float32)
    torch.testing.assert_close(loaded(x), module(x))


@pytest.mark.parametrize(
    "fusion",
    [
        "concat",
        "mean",
        "gated",
        "tensor",
        "low_rank",
        "film",
        "attention",
        "bottleneck",
    ],
)
def test_skops_keeps_each_fusion_layer(fusion):
    net = sklearn_mm.MultimodalNetClassifier(
        [("a", "passthrough", [0, 1]), ("b", "passthrough", [2])],
        backbones={"a": nets.TabularMLP, "b": nets.TabularMLP},
        fusion=fusion,
        **{**QUICK, "max_epochs": 0},
    ).fit(X, LABELS)
    loaded = sio.loads(sio.dumps(net), trusted=trusted_types())
    np.testing.assert_allclose(loaded.predict_proba(X), net.predict_proba(X), 1e-5)


def test_a_network_that_skops_loaded_goes_on_learning_as_the_saved_one():
    net = sklearn_mm.NetClassifier(
        nets.TabularMLP, early_stopping=False, lr=0.01, **QUICK
    ).fit(X, LABELS)
    loaded = sio.loads(sio.dumps(net), trusted=trusted_types())
    for other in (net, loaded):
        other.partial_fit(X, LABELS)
    assert len(loaded.history_) == len(net.history_)
    np.testing.assert_allclose(loaded.predict_proba(X), net.predict_proba(X), 1e-5)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize(("dump", "load"), FORMATS.values(), ids=FORMATS)
def test_a_network_of_a_gpu_loads_where_there_is_none(dump, load):
    net = sklearn_mm.NetClassifier(nets.TabularMLP, **QUICK).fit(X, LABELS)
    expected = net.predict(X)
    net.device = "cuda"
    data = dump(net)
    with pytest.warns(UserWarning, match="CUDA"):
        loaded = load(data)
    assert torch.device(loaded.device).type == "cpu"
    np.testing.assert_array_equal(loaded.predict(X), expected)


def test_stored_modules_keep_shared_weights_kinds_of_numbers_and_what_is_frozen():
    tied = torch.nn.Linear(3, 3, dtype=torch.bfloat16)
    module = torch.nn.Sequential(tied, torch.nn.ReLU(), tied)
    tied.bias.requires_grad = False
    loaded = restore(sio.loads(sio.dumps(store(module)), trusted=trusted_types()))
    assert loaded[0] is loaded[2]
    assert loaded[0].weight.dtype == torch.bfloat16
    assert torch.equal(loaded[0].weight, tied.weight)
    assert [p.requires_grad for p in loaded.parameters()] == [True, False]


class Harmful:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize(
    "make",
    [
        lambda bad: sklearn_mm.ImageLoader(filesystem=bad),
        lambda bad: sklearn_mm.NetClassifier(nets.TabularMLP, callbacks=None, lr=bad),
        lambda bad: sklearn_mm.MultimodalVotingClassifier([("a", bad, [0])]),
        lambda bad: sklearn_mm.ImageLoader(filesystem=os.system),
        lambda bad: sklearn_mm.ImageLoader(filesystem=eval),
    ],
)
def test_an_object_that_would_run_code_is_refused(make, tmp_path):
    data = sio.dumps(make(Harmful(str(tmp_path / "run"))))
    with pytest.raises(sio.exceptions.UntrustedTypesFoundException):
        sio.loads(data, trusted=trusted_types(unchecked=True))
    assert not (tmp_path / "run").exists()


def test_bytes_for_pickle_are_not_read_from_a_plain_state(tmp_path):
    net = sklearn_mm.NetClassifier(nets.TabularMLP, **QUICK).fit(X, LABELS)
    state = net.__getstate__()
    bytes_ = pickle.dumps(Harmful(str(tmp_path / "run")))
    state["__cuda_dependent_attributes__"] = bytes_
    type(net).__new__(type(net)).__setstate__(state)
    assert not (tmp_path / "run").exists()


def test_what_is_stored_as_a_module_must_be_one():
    stored = StoredModule(os.PathLike)
    stored.state = {}
    with pytest.raises(ValueError, match="is not one"):
        restore(stored)


def test_pretrained_weights_are_refused_with_what_to_do_instead():
    encoder = sklearn_mm.PretrainedTextEncoder(len)
    with pytest.raises(TypeError, match="Pass model as a name or a folder"):
        sio.dumps(encoder)


# Versions.


def test_every_public_estimator_is_stamped():
    assert all(issubclass(kind, VersionMixin) for kind in PUBLIC.values())


def saved_by(monkeypatch, package, version, save):
    with monkeypatch.context() as patch:
        patch.setattr(importlib.import_module(package), "__version__", version)
        return save()


@pytest.mark.parametrize(("dump", "load"), FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("package", ["sklearn_mm", "sklearn", "torch"])
def test_another_version_is_named_in_one_warning(dump, load, package, monkeypatch):
    net = sklearn_mm.NetClassifier(nets.TabularMLP, **QUICK).fit(X, LABELS)
    here = importlib.import_module(package).__version__
    data = saved_by(monkeypatch, package, "0.0.9", lambda: dump(net))
    with pytest.warns(ModelVersionWarning) as caught:
        loaded = load(data)
    assert len(caught) == 1
    warning = caught[0].message
    assert isinstance(warning, InconsistentVersionWarning)
    assert "NetClassifier" in str(warning)
    assert "0.0.9" in str(warning)
    assert str(here).partition("+")[0] in str(warning)
    np.testing.assert_array_equal(loaded.predict(X), net.predict(X))


def test_estimators_without_networks_do_not_mind_another_torch(monkeypatch):
    loader = sklearn_mm.ImageLoader()
    data = saved_by(monkeypatch, "torch", "0.1", lambda: pickle.dumps(loader))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pickle.loads(data)


def test_builds_of_torch_for_other_devices_are_one_version(monkeypatch):
    net = sklearn_mm.NetClassifier(nets.TabularMLP, **QUICK)
    version = torch.__version__.partition("+")[0]
    data = saved_by(monkeypatch, "torch", f"{version}+cu99", lambda: pickle.dumps(net))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pickle.loads(data)


def test_a_state_without_a_stamp_is_of_an_unknown_version():
    loader = sklearn_mm.ImageLoader()
    with pytest.warns(ModelVersionWarning, match="ImageLoader .* unknown"):
        sklearn_mm.ImageLoader().__setstate__(dict(vars(loader)))


def test_the_stamp_is_no_attribute_of_what_was_loaded(name, home):
    model = refit(name, home)
    loaded = pickle.loads(pickle.dumps(model))
    assert set(vars(loaded)) <= set(vars(model))
    assert "_versions" not in vars(loaded)


def test_copies_and_workers_say_nothing_of_versions(name, home):
    model = refit(name, home)
    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        for other in (copy.deepcopy(model), copy.copy(model), clone(model)):
            assert type(other) is type(model)


def test_workers_of_joblib_get_the_same_model_without_a_warning(home):
    model = refit("MultimodalVotingClassifier", home)

    def answer_in_a_worker(data):  # sent by value: a worker imports little
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return pickle.loads(data).predict(X)

    data = pickle.dumps(model)
    answers = Parallel(2, backend="loky")(
        delayed(answer_in_a_worker)(data) for _ in range(2)
    )
    for found in answers:
        np.testing.assert_array_equal(found, model.predict(X))


@pytest.mark.parametrize(
    "case", ["ImageLoader", "NetClassifier", "PretrainedTokenizer"]
)
def test_a_state_that_lacks_a_parameter_says_which(case):
    kind = PUBLIC[case]
    model = kind(*{"ImageLoader": ()}.get(case, ("words",)))
    state = model.__getstate__()
    lost = {"NetClassifier": "lr"}.get(case, list(model.get_params())[-1])
    del state[lost]
    with pytest.raises(ValueError, match=f"{case}: the saved model lacks {lost}"):
        kind.__new__(kind).__setstate__(state)
