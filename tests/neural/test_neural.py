"""Networks as estimators: labels, seeds, weights, stopping, persistence, leaks."""

import copy
import pickle
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification, make_regression
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.class_weight import compute_class_weight
from skorch.callbacks import EpochScoring, LRScheduler
from skorch.dataset import Dataset
from torch import nn
from torch.utils.data import DataLoader, Subset

from sklearn_mm import (
    AbstentionWarning,
    ImageLoader,
    MultimodalVotingClassifier,
    NetClassifier,
    NetEncoder,
    NetRegressor,
    TextTokenizer,
)
from sklearn_mm.nets import ImageCNN, SequenceRNN, TabularMLP, TextCNN
from sklearn_mm.neural._batches import TensorBatches


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X[:400].reshape(-1, 8, 8) / 16).astype(np.float32), y[:400]


@pytest.fixture(scope="module")
def table():
    X, y = make_classification(200, 10, n_informative=6, n_classes=3, random_state=0)
    return X.astype(np.float32), y


def make_net(module=TabularMLP, kind=NetClassifier, **options):
    return kind(module, **{"max_epochs": 5, "random_state": 0, **options})


def weights(net):
    return torch.cat([p.detach().flatten() for p in net.module_.parameters()])


def test_a_cnn_learns_digits(digits):
    X, y = digits
    net = make_net(ImageCNN, max_epochs=20, lr=0.003)
    assert net.fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.9


@pytest.mark.parametrize(
    "labels", [["c", "a", "b"], [-7, 100, 3], [True, False, True], [1.0, 2.0, 5.0]]
)
def test_labels_of_any_kind_come_back(table, labels):
    X, y = table
    named = np.array(labels)[y]
    net = make_net(max_epochs=40, lr=0.01).fit(X, named)
    assert net.classes_.tolist() == sorted(set(labels))
    assert net.predict(X).dtype == named.dtype
    assert net.score(X, named) > 0.7
    numbered = make_net(max_epochs=40, lr=0.01).fit(
        X, np.searchsorted(net.classes_, named)
    )
    np.testing.assert_array_equal(net.predict_proba(X), numbered.predict_proba(X))
    np.testing.assert_allclose(net.predict_proba(X).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("kind", [NetClassifier, NetRegressor, NetEncoder])
def test_seeds_reproduce_weights_and_leave_the_global_generators(table, kind):
    X, y = table
    y = y if kind is not NetRegressor else y.astype(float)
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    options = {"module__dropout": 0.3}
    first = make_net(kind=kind, **options).fit(X, y)
    torch.rand(7)
    torch.random.set_rng_state(before[0])
    second = make_net(kind=kind, **options).fit(X, y)
    other = make_net(kind=kind, random_state=1, **options).fit(X, y)
    assert torch.equal(weights(first), weights(second))
    assert not torch.equal(weights(first), weights(other))
    assert torch.equal(torch.random.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])


def test_several_targets_and_their_units(table):
    X, Y = make_regression(150, 5, n_targets=2, noise=1, random_state=0)
    Y = Y * 1000 + 5e5
    net = make_net(kind=NetRegressor, max_epochs=60, lr=0.01).fit(X, Y)
    assert net.predict(X).shape == (150, 2)
    assert net.score(X, Y) > 0.9
    one = make_net(kind=NetRegressor, max_epochs=60, lr=0.01).fit(X, Y[:, 0])
    assert one.predict(X).shape == (150,)
    assert one.score(X, Y[:, 0]) > 0.9


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.eye(3)[np.arange(200) % 3], r"one-hot encoding by y\.argmax"),
        (np.eye(3, dtype=int)[np.arange(200) % 3], r"one-hot encoding by y\.argmax"),
        (np.linspace(0, 1, 200), "Unknown label type: continuous"),
        (None, "requires y"),
        (np.arange(100) % 2, "inconsistent numbers of samples"),
    ],
)
def test_targets_that_are_no_classes_are_refused(table, y, message):
    with pytest.raises(ValueError, match=message):
        make_net().fit(table[0], y)


def test_weights_are_those_of_torchs_loss(table):
    X, y = table
    net = make_net(max_epochs=1, early_stopping=False, batch_size=-1)
    weight = np.random.default_rng(0).random(len(y)).astype(np.float32)
    net.fit(X, y, sample_weight=weight)
    fresh = make_net(max_epochs=0, early_stopping=False).fit(X, y)
    with torch.no_grad():
        outputs = fresh.module_(torch.from_numpy(X))
    losses = nn.functional.cross_entropy(outputs, torch.from_numpy(y), reduction="none")
    expected = float((losses * torch.from_numpy(weight)).sum() / weight.sum())
    np.testing.assert_allclose(net.history_[0, "train_loss"], expected, rtol=1e-5)


def test_balanced_classes_are_weighed_as_torch_weighs_them(table):
    X, y = table
    rows = np.flatnonzero((y != 0) | (np.arange(len(y)) % 9 == 0))
    X, y = X[rows], y[rows]
    options = {"max_epochs": 3, "early_stopping": False, "batch_size": -1}
    balanced = make_net(class_weight="balanced", **options).fit(X, y)
    by_hand = len(y) / (3 * np.bincount(y))
    weight = torch.from_numpy(by_hand.astype(np.float32))
    torchs = make_net(criterion__weight=weight, **options).fit(X, y)
    np.testing.assert_allclose(
        balanced.predict_proba(X), torchs.predict_proba(X), atol=1e-5
    )
    named = make_net(class_weight=dict(enumerate(by_hand)), **options).fit(X, y)
    np.testing.assert_allclose(named.predict_proba(X), balanced.predict_proba(X))


def test_early_stopping_restores_the_best_epoch(table):
    X, _ = table
    y = np.random.default_rng(0).integers(0, 2, len(X))  # nothing to learn
    net = make_net(max_epochs=200, lr=0.01, n_iter_no_change=3).fit(X, y)
    losses = net.history_[:, "valid_loss"]
    best = int(np.argmin(losses)) + 1
    assert len(losses) <= best + 4 < 200
    again = make_net(max_epochs=best, lr=0.01, n_iter_no_change=300).fit(X, y)
    assert torch.equal(weights(net), weights(again))


def test_few_samples_are_all_trained_on(table):
    X, y = table
    net = make_net().fit(X[:6], [0, 0, 0, 1, 1, 1])
    assert "valid_loss" not in net.history_[-1]
    assert len(net.history_) == 5
    assert make_net().fit(X[:1], [3]).predict(X[:1]).tolist() == [3]


def test_warm_start_and_partial_fit_go_on(table):
    X, y = table
    whole = make_net(early_stopping=False, max_epochs=2)
    whole.fit(X, y)
    first = weights(whole).clone()
    whole.fit(X, y)
    assert torch.equal(weights(whole), first)
    warm = clone(whole).set_params(warm_start=True).fit(X, y).fit(X, y)
    assert not torch.equal(weights(warm), first)
    assert len(warm.history_) == 4
    part = clone(whole).partial_fit(X[y < 2], y[y < 2], classes=[0, 1, 2])
    part.partial_fit(X, y)
    assert part.predict_proba(X).shape == (200, 3)
    with pytest.raises(ValueError, match=r"classes \[9\], which are not in"):
        part.partial_fit(X[:2], [9, 9])


def test_missing_samples_are_left_out_of_training(digits):
    X, y = digits
    holes = X.copy()
    holes[::4] = np.nan
    kept = np.arange(len(X)) % 4 != 0
    net = make_net(ImageCNN).fit(holes, y)
    same = make_net(ImageCNN).fit(X[kept], y[kept])
    assert torch.equal(weights(net), weights(same))
    with pytest.warns(AbstentionWarning, match="from 100 of 400 rows"):
        proba = net.predict_proba(holes)
    np.testing.assert_allclose(
        proba[::4], np.tile(np.bincount(y) / 400, (100, 1)), rtol=1e-6
    )
    np.testing.assert_array_equal(proba[kept], net.predict_proba(X[kept]))
    encoder = make_net(ImageCNN, NetEncoder).fit(holes, y)
    assert np.isnan(encoder.transform(holes)[::4]).all()
    with pytest.raises(ValueError, match="all samples are missing"):
        make_net(ImageCNN).fit(holes[::4], y[::4])


class Own(nn.Module):
    """A user's backbone: the two-line contract, and nothing else."""

    def __init__(self, input_shape, width=5):
        super().__init__()
        self.layer = nn.Linear(input_shape[0], width)
        self.out_features = width

    def forward(self, x):
        return self.layer(x).relu()


class Mute(nn.Module):
    def __init__(self, input_shape):
        super().__init__()


@pytest.mark.parametrize("kind", [NetClassifier, NetRegressor, NetEncoder])
def test_a_users_own_module_works(table, kind):
    X, y = table
    net = make_net(Own, kind, module__width=7, max_epochs=60, lr=0.02)
    net.fit(X, y.astype(float) if kind is NetRegressor else y)
    if kind is NetEncoder:
        assert net.transform(X).shape == (200, 7)
    else:
        assert net.score(X, y) > 0.5
    instance = Own((10,), 3)
    before = instance.layer.weight.clone()
    make_net(instance, kind).fit(X, y)
    assert torch.equal(instance.layer.weight, before)
    with pytest.raises(ValueError, match="Mute cannot encode.*missing.*forward"):
        make_net(Mute, kind).fit(X, y)


def test_tokens_not_seen_in_fit_are_unknown():
    texts = np.array(["red dress", "blue dress", "red shoe", "blue shoe"] * 20)
    y = np.array([text.split()[0] for text in texts])
    tokenizer = TextTokenizer().fit([*texts, "green rare words"])
    net = make_net(TextCNN, max_epochs=30, lr=0.01, module__dropout=0.0)
    net.fit(tokenizer.transform(texts), y)
    assert net.score(tokenizer.transform(texts), y) == 1
    assert net.n_tokens_ < tokenizer.n_tokens_
    ids = tokenizer.transform(["rare dress red"])
    known = np.where(ids < net.n_tokens_, ids, 1)
    assert (ids != known).any()
    np.testing.assert_array_equal(net.predict_proba(ids), net.predict_proba(known))
    with pytest.raises(ValueError, match="needs y to train on token ids"):
        make_net(TextCNN, NetEncoder).fit(tokenizer.transform(texts))


@pytest.mark.parametrize(
    "view",
    [lambda x: x[:, ::-1], lambda x: x.transpose(0, 2, 1), np.asfortranarray],
    ids=["flipped", "transposed", "fortran"],
)
def test_arrays_of_any_layout_are_read(digits, view):
    images = view(digits[0])
    net = NetClassifier(ImageCNN, max_epochs=2, random_state=0)
    net.fit(images, digits[1])
    copied = clone(net).fit(np.ascontiguousarray(images), digits[1])
    np.testing.assert_allclose(
        net.predict_proba(images), copied.predict_proba(images), atol=1e-5
    )


def test_read_only_arrays_bring_no_warning(table):
    X, y = (part.copy() for part in table)
    X.setflags(write=False)
    torch.set_warn_always(True)  # it warns once per process otherwise
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            NetClassifier(TabularMLP, max_epochs=1).fit(X, y)
    finally:
        torch.set_warn_always(False)
    assert not X.flags.writeable


def test_shapes_are_those_of_fit(digits):
    X, y = digits
    net = make_net(ImageCNN).fit(X, y)
    with pytest.raises(ValueError, match=r"samples of shape \(8, 8\), got \(9, 8\)"):
        net.predict(np.zeros((2, 9, 8)))
    rnn = make_net(SequenceRNN).fit(X, y)
    assert len(rnn.predict(np.zeros((2, 30, 8)))) == 2  # any number of steps
    with pytest.raises(ValueError, match="samples of shape"):
        rnn.predict(np.zeros((2, 30, 7)))
    with pytest.raises(ValueError, match="infinity"):
        net.predict(np.full((2, 8, 8), np.inf))


def test_a_loss_that_is_no_number_is_an_error(table):
    X, y = table
    net = make_net(Own, NetRegressor, lr=1e12, optimizer=torch.optim.SGD, max_epochs=50)
    with pytest.raises(ValueError, match="the loss became .* in epoch .* Lower lr"):
        net.fit(X * 1e6, y.astype(float))


@pytest.mark.parametrize(
    "wrong",
    [
        {"module": "cnn"},
        {"batch_size": 0},
        {"validation_fraction": 2},
        {"lr": -1},
    ],
    ids=str,
)
def test_parameters_out_of_range_are_named(table, wrong):
    net = make_net(TabularMLP).set_params(**wrong)
    with pytest.raises(ValueError, match=f"The '{next(iter(wrong))}' parameter of Net"):
        net.fit(*table)


def test_batch_normalisation_asks_for_two_samples(digits):
    class Normed(nn.BatchNorm1d):
        def __init__(self, input_shape):
            super().__init__(input_shape[0])
            self.out_features = input_shape[0]

    X, y = digits[0].reshape(len(digits[0]), -1)[:20], digits[1][:20]
    with pytest.raises(ValueError, match="batch_size is 1, and there are 20 samples"):
        NetClassifier(Normed, batch_size=1).fit(X, y)


def test_a_last_batch_of_one_is_joined_to_the_one_before(digits):
    X, y = digits
    options = {"module__batch_norm": True, "early_stopping": False, "batch_size": 10}
    net = make_net(ImageCNN, **options).fit(X[:31], y[:31])
    sizes = [b["train_batch_size"] for b in net.history_[-1]["batches"]]
    assert sizes == [10, 10, 11]


@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_are_those_of_a_data_loader(shuffle):
    X = np.arange(70.0).reshape(35, 2)
    dataset = Dataset(X, np.arange(35))
    for data in (
        dataset,
        Subset(dataset, np.arange(3, 30)),
        Subset(Subset(dataset, [*range(3, 30)]), [5, 6, 7]),
    ):
        batches = list(TensorBatches(data, 8, shuffle=shuffle))
        loader = list(DataLoader(data, 8))
        ours = [torch.cat(part) for part in zip(*batches)]
        theirs = [torch.cat(part) for part in zip(*loader)]
        order = ours[1].argsort()
        torch.testing.assert_close(ours[1][order], theirs[1])
        torch.testing.assert_close(ours[0][order].double(), theirs[0])
        if not shuffle:
            assert order.tolist() == list(range(len(data)))
    lazy = [(torch.zeros(2), 0)] * 5
    assert sum(len(y) for _, y in TensorBatches(lazy, 2)) == 5


def test_arrays_are_moved_to_the_device_once_for_all_epochs(digits, monkeypatch):
    X, y = digits
    moved = []

    def place(tensors, device):
        moved.append((len(tensors[0]), device))
        return tensors

    monkeypatch.setattr("sklearn_mm.neural._batches.place", place)
    make_net(ImageCNN, max_epochs=3, device="cpu").fit(X[:50], y[:50])
    assert moved == [(50, "cpu")] * 2  # to train, and to validate


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_batches_are_cut_on_a_gpu_that_holds_them(digits):
    X, y = digits
    batches = TensorBatches(Dataset(X[:20], y[:20]), 8)
    batches.device = "cuda"
    cut = [torch.cat(part) for part in zip(*batches)]
    assert {part.device.type for part in cut} == {"cuda"}
    torch.testing.assert_close(
        cut[0].cpu(), torch.as_tensor(X[:20], dtype=cut[0].dtype)
    )


def test_what_skorch_documents_works(table, tmp_path):
    X, y = table
    net = make_net(
        callbacks=[
            ("accuracy", EpochScoring("accuracy", lower_is_better=False, name="acc")),
            ("schedule", LRScheduler("StepLR", step_size=2)),
        ],
        optimizer=torch.optim.SGD,
        optimizer__momentum=0.9,
        module__hidden_sizes=(16,),
        batch_size=20,
    ).fit(X, y)
    assert 0 <= net.history_[-1, "acc"] <= 1
    assert net.module_.backbone.out_features == 16
    assert net.optimizer_.param_groups[0]["momentum"] == 0.9
    net.save_params(f_params=tmp_path / "net.pt")
    other = make_net(module__hidden_sizes=(16,), random_state=5, batch_size=20)
    other.fit(X, y)
    other.load_params(f_params=tmp_path / "net.pt")
    # The last digit depends on where the weights lie in memory.
    np.testing.assert_allclose(other.predict_proba(X), net.predict_proba(X), rtol=1e-6)
    plain = make_net(iterator_train=DataLoader, iterator_valid=DataLoader).fit(X, y)
    assert plain.predict(X).shape == (200,)


def test_parameters_reach_all_depths(table):
    net = make_net(module__dropout=0.1)
    assert net.get_params()["module__dropout"] == 0.1
    net.set_params(module__dropout=0.2, lr=0.5, optimizer__weight_decay=0.1)
    other = clone(net)
    assert other.module__dropout == 0.2
    assert other.get_params()["lr"] == 0.5
    for wrong, right in [
        ("early_stoping", "early_stopping"),
        ("module_dropout", "module__dropout"),
        ("modul__dropout", "module__dropout"),
        ("backbones__dropout", "dataset__dropout|callbacks__dropout"),
    ]:
        with pytest.raises(TypeError, match=f"'{wrong}', did you mean '({right})'"):
            NetClassifier(TabularMLP, **{wrong: 0.1})
    with pytest.raises(ValueError, match="early_stoping"):
        net.set_params(early_stoping=False)


def test_a_failed_fit_leaves_no_fitted_net(table):
    X, y = table
    net = make_net().fit(X, y)
    with pytest.raises(ValueError, match="Found array with 0 sample"):
        net.predict(X[:0])
    assert net.predict(X).shape == (200,)  # a prediction that fails changes nothing
    for wrong in ({"X": X, "y": y[:9]}, {"X": "a", "y": y}, {"X": X, "y": None}):
        with pytest.raises(ValueError):
            net.fit(X, y).fit(**wrong)
        with pytest.raises(NotFittedError):
            net.predict(X)
    diverging = make_net(
        Own, NetRegressor, lr=1e12, optimizer=torch.optim.SGD, max_epochs=50
    )
    with pytest.raises(ValueError, match="the loss became"):
        diverging.fit(X * 1e6, y.astype(float))
    with pytest.raises(NotFittedError):
        diverging.predict(X)


@pytest.mark.parametrize("class_weight", [{99: 1}, {0: 1, 99: 1}, {"0": 1}])
def test_class_weights_of_unknown_classes_are_refused(table, class_weight):
    message = r"class_weight names the classes \['?(99|0)'?\], .* not in \[0, 1, 2\]"
    with pytest.raises(ValueError, match=message):
        make_net(class_weight=class_weight).fit(*table)


@pytest.mark.parametrize("class_weight", [{2: 5.0}, {0: 1, 1: 1, 2: 5, 99: 1}])
def test_class_weights_mean_what_they_mean_to_scikit_learn(table, class_weight):
    X, y = table
    by_class = compute_class_weight(class_weight, classes=np.arange(3), y=y)
    net = make_net(class_weight=class_weight, max_epochs=1).fit(X, y)
    other = make_net(max_epochs=1).fit(X, y, sample_weight=by_class[y])
    assert torch.equal(weights(net), weights(other))


@pytest.mark.parametrize("kind", [NetClassifier, NetRegressor, NetEncoder])
def test_copies_and_another_process_give_the_same(table, kind, tmp_path):
    X, y = table
    net = make_net(kind=kind).fit(X, y.astype(float) if kind is NetRegressor else y)
    method = "transform" if kind is NetEncoder else "predict"
    expected = getattr(net, method)(X)
    for other in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        np.testing.assert_array_equal(getattr(other, method)(X), expected)
        assert other.device == "auto"
    file = str(tmp_path / "net.joblib")
    joblib.dump((net, X), file)
    code = (
        "import joblib, sys; net, X = joblib.load(sys.argv[1]);"
        f"joblib.dump(net.{method}(X), sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, file], check=True)
    np.testing.assert_array_equal(joblib.load(file), expected)


def test_grid_search_in_processes_equals_one(table):
    X, y = table
    grid = {"module__hidden_sizes": [(8,), (32, 16)], "lr": [0.001, 0.01]}
    one = GridSearchCV(make_net(), grid, cv=3).fit(X, y)
    two = GridSearchCV(make_net(), grid, cv=3, n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )


def test_encoders_do_not_leak_labels():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(240, 30)).astype(np.float32)
    y = rng.integers(0, 2, 240)  # nothing to learn, all to memorise
    encoder = NetEncoder(
        TabularMLP, max_epochs=80, lr=0.01, early_stopping=False, random_state=0
    )
    judge = LogisticRegression(max_iter=1000)
    # What comes behind sees no label through the vectors that it is trained on ...
    honest = cross_val_score(judge, encoder.fit_transform(X, y), y, cv=5).mean()
    assert 0.35 < honest < 0.65
    # ... and without cross-fitting it would.
    encoder.set_params(cross_fit=False)
    assert cross_val_score(judge, encoder.fit_transform(X, y), y, cv=5).mean() > 0.9


def test_cross_fitted_vectors_share_their_coordinates(digits):
    X, y = digits
    encoder = make_net(
        ImageCNN, NetEncoder, max_epochs=15, lr=0.003, module__n_filters=8
    )
    pipeline = make_pipeline(encoder, LogisticRegression(max_iter=500))
    assert pipeline.fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.88


@pytest.mark.parametrize("random_state", [0, np.random.RandomState(0), None])
def test_the_networks_of_all_folds_begin_alike(digits, random_state):
    encoder = NetEncoder(
        ImageCNN, max_epochs=1, lr=1e-9, random_state=random_state, cv=3
    )
    folded = encoder.fit_transform(*digits)  # hardly trained: the map has nothing to do
    np.testing.assert_allclose(folded, encoder.transform(digits[0]), atol=0.05)


def test_groups_and_metadata_reach_the_cross_fitting(table):
    X, y = table
    groups = np.arange(len(y)) % 4
    seen = []

    class Folds(GroupKFold):
        def split(self, X, y=None, groups=None):
            seen.append(groups)
            return super().split(X, y, groups)

    encoder = make_net(kind=NetEncoder, cv=Folds(4), max_epochs=2)
    encoder.fit_transform(X, y, groups=groups, sample_weight=np.ones(len(y)))
    np.testing.assert_array_equal(seen[0], groups)


def test_autoencoders_reconstruct_what_is_known(digits):
    X, _ = digits
    encoder = make_net(
        ImageCNN, NetEncoder, max_epochs=40, lr=0.003, module__n_filters=4
    )
    vectors = encoder.fit_transform(X)
    assert encoder.task_ == "autoencoder"
    assert vectors.shape == (400, 64)
    assert encoder.history_[-1, "valid_loss"] < 0.5 * encoder.history_[0, "valid_loss"]
    holes = X.copy()
    holes[:, 6:] = np.nan
    clean = make_net(ImageCNN, NetEncoder, max_epochs=2).fit(holes)
    assert np.isfinite(clean.history_[-1, "train_loss"])


def test_networks_are_members_of_a_vote(digits):
    X, y = digits
    cells = np.empty(len(X), dtype=object)
    cells[:] = list(X)
    cells[::5] = None
    net = make_pipeline(
        ImageLoader((8, 8)), NetClassifier(ImageCNN, max_epochs=3, random_state=0)
    )
    numbers = LogisticRegression(max_iter=500)
    from skorch.helper import SliceDict

    table = SliceDict(image=cells, mean=X.mean(axis=2))
    fusion = MultimodalVotingClassifier(
        [("image", net, "image"), ("mean", numbers, "mean")]
    ).fit(table, y, sample_weight=np.ones(len(y)))
    assert np.isnan(fusion.transform(table)[::5, 0]).all()
    assert fusion.score(table, y) > 0.5
    fusion.set_params(image__netclassifier__lr=0.1)


class Epochs:
    """A callback of scikit-learn's protocol that counts epochs."""

    def __init__(self):
        self.n_epochs = 0

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "epoch":
            self.n_epochs += 1
            assert fitted_estimator.predict(np.zeros((1, 10))).shape == (1,)

    def teardown(self, estimator, context):
        pass


def test_scikit_learns_callbacks_see_the_epochs(table):
    X, y = table
    epochs = Epochs()
    make_net().set_callbacks(epochs).fit(X, y)
    assert epochs.n_epochs == 5


def test_progress_is_a_line_an_epoch(table, capsys):
    make_net().fit(*table)
    assert capsys.readouterr().out == ""
    make_net(verbose=1).fit(*table)
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 2 + 5


def test_names_and_set_output(table):
    X, y = table
    encoder = make_net(kind=NetEncoder).set_output(transform="pandas")
    frame = encoder.fit_transform(X, y)
    assert frame.columns[:2].tolist() == ["net0", "net1"]
    assert not hasattr(encoder, "predict")
    assert not hasattr(make_net(kind=NetRegressor), "predict_proba")


def test_outputs_of_lower_precision_become_arrays(table):
    X, y = table

    class Half(TabularMLP):
        def forward(self, x):
            return super().forward(x).bfloat16()

    net = make_net(Half, early_stopping=False, max_epochs=0).fit(X, y)
    net.module_.head.bfloat16()  # as under autocast on a GPU
    assert net.predict_proba(X).dtype == np.float32


LABELS = np.array(["no", "yes", "maybe"])


@pytest.mark.parametrize("kind", [NetClassifier, NetRegressor, NetEncoder])
@pytest.mark.parametrize(
    "container",
    [
        list,
        lambda y: np.array(y, dtype=object),
        lambda y: pd.Series(y, dtype="str"),
        pd.Categorical,
        pl.Series,
        lambda y: [np.nan if label is None else label for label in y],
        lambda y: np.array([np.nan if label is None else 1.0 for label in y]),
        lambda y: pd.array(
            [pd.NA if label is None else 1 for label in y], dtype="Int64"
        ),
    ],
)
def test_a_missing_label_is_named_by_its_row(table, kind, container):
    X, y = table
    labels = LABELS[y].tolist()
    labels[3] = labels[7] = None
    with pytest.raises(ValueError, match="2 of 200 labels are missing.*in row 3"):
        make_net(kind=kind).fit(X, container(labels))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (LABELS[[0, 1] * 100], "predicts numbers, but y.*'no'.*Use a classifier"),
        ({"y": [0, 1]}, "y must have a label or number for each row, got one dict"),
        ("target", "got one str"),
    ],
)
def test_a_target_that_is_no_column_of_numbers_is_refused(table, y, message):
    with pytest.raises(ValueError, match=message):
        make_net(kind=NetRegressor).fit(table[0], y)
