"""Modules of users as backbones: what they get, what they return, what is refused."""

import functools
import pickle

import numpy as np
import pytest
import torch
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
    trusted_types,
)
from sklearn_mm.nets import ImageCNN

N_SAMPLES = 24
Y = np.arange(N_SAMPLES) % 2
SHAPES = {
    "vector": (4,),
    "sequence": (12, 10),
    "image": (12, 10, 3),
    "video": (5, 12, 10, 3),
}


def make_samples(kind):
    """Samples of two classes; sample 3 is missing, sample 5 has a gap."""
    X = np.random.default_rng(0).normal(size=(N_SAMPLES, *SHAPES[kind]))
    X += Y.reshape(-1, *[1] * len(SHAPES[kind]))
    X[3] = X[5, ..., -1] = np.nan
    return X.astype(np.float32)


class Complete(nn.Module):
    """A module that accepts neither missing samples nor NaN."""

    def __init__(self, n_inputs=4, n_outputs=2):
        super().__init__()
        self.layer = nn.Linear(n_inputs, n_outputs)
        self.norm = nn.BatchNorm1d(n_outputs)

    def forward(self, X):
        assert not X.isnan().any()
        return self.norm(self.layer(X))


class Contract(nn.Module):
    """A backbone that treats NaN itself, but accepts no missing samples."""

    def __init__(self, input_shape):
        super().__init__()
        self.layer = nn.Linear(int(np.prod(input_shape)), 2)
        self.out_features = 2
        self.saw_nan = False

    def forward(self, x):
        x = x.flatten(1)
        assert not x.isnan().all(dim=1).any()
        self.saw_nan |= bool(x.isnan().any())
        return self.layer(x.nan_to_num())


class ChannelsFirst(nn.Module):
    """A module of images, as torch has them."""

    def __init__(self, n_channels=3):
        super().__init__()
        self.layer = nn.Conv2d(n_channels, 4, 3)

    def forward(self, x):
        return self.layer(x).mean(dim=(2, 3))


class Built(ChannelsFirst):
    """The same, with the attributes of a backbone."""

    def __init__(self, input_shape):
        super().__init__(input_shape[-1])
        self.out_features = 4


class Inherited(ImageCNN):
    def __init__(self, **options):
        super().__init__(n_filters=2, **options)


def pooled(layer, pool):
    return nn.Sequential(layer, pool, nn.Flatten())


MODULES = {
    "class": ("vector", Complete),
    "instance": ("vector", Complete()),
    "layer": ("vector", nn.Linear(4, 3)),
    "sequential": ("vector", nn.Sequential(nn.Linear(4, 3), nn.ReLU())),
    "function": ("vector", lambda: Complete()),
    "function of the shape": ("image", lambda input_shape: Contract(input_shape)),
    "partial": ("vector", functools.partial(Complete, n_outputs=3)),
    "backbone": ("sequence", Contract),
    "lazy": ("image", nn.Sequential(nn.LazyConv2d(2, 3), nn.Flatten())),
    "channels first": ("image", ChannelsFirst),
    "backbone with channels first": ("image", Built),
    "gray": ("sequence", ChannelsFirst(1)),
    "steps last": ("sequence", pooled(nn.Conv1d(10, 4, 3), nn.AdaptiveMaxPool1d(1))),
    "video": ("video", pooled(nn.Conv3d(3, 4, 3), nn.AdaptiveAvgPool3d(1))),
    "subclass": ("image", Inherited),
}


@pytest.mark.parametrize("kind", [NetClassifier, NetRegressor, NetEncoder])
@pytest.mark.parametrize("name", MODULES)
@pytest.mark.filterwarnings("ignore::sklearn_mm.AbstentionWarning")
def test_any_module_is_trained_and_missing_samples_never_reach_it(kind, name):
    shape, module = MODULES[name]
    X, y = make_samples(shape), Y.astype(float) if kind is NetRegressor else Y
    net = kind(module, max_epochs=1, batch_size=8, random_state=0).fit(X, y)
    backbone = net.module_.backbone
    assert getattr(backbone, "saw_nan", True)
    if kind is NetEncoder:
        vectors = net.transform(X)
        assert vectors.shape == (N_SAMPLES, backbone.out_features)
        assert np.isnan(vectors).all(axis=1).nonzero()[0].tolist() == [3]
        assert np.isnan(net.transform(X[3:4])).all()
        np.testing.assert_allclose(net.transform(X[5:6]), vectors[5:6], atol=1e-5)
    else:
        predict = net.predict if kind is NetRegressor else net.predict_proba
        np.testing.assert_allclose(predict(X)[3], 0.5)  # the mean, or the frequencies
        np.testing.assert_allclose(predict(X[3:4])[0], 0.5)
        assert np.isfinite(predict(X)).all()


def test_images_have_the_channels_where_torch_has_them():
    X = make_samples("image")[6:9]
    module = ChannelsFirst().eval()
    net = NetEncoder(module, max_epochs=0).fit(X, [0, 1, 0])
    with torch.no_grad():
        expected = module(torch.from_numpy(X).permute(0, 3, 1, 2))
    np.testing.assert_allclose(net.transform(X), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "kind", [MultimodalNetClassifier, MultimodalNetRegressor, MultitaskNet]
)
def test_missing_modalities_never_reach_a_module(kind):
    X = {name: make_samples(name) for name in SHAPES}
    X["image"][8:16] = np.nan  # whole batches
    X["sequence"][:3] = np.nan
    estimators = [(f"{name} branch", "passthrough", name) for name in SHAPES]
    modules = [Complete(), Contract, ChannelsFirst, MODULES["video"][1]]
    net = kind(
        estimators,
        backbones={f"{name} branch": m for name, m in zip(SHAPES, modules)},
        max_epochs=1,
        batch_size=4,
        random_state=0,
        auxiliary_loss=0.1,
    )
    net.fit(X, Y if kind is MultimodalNetClassifier else Y.astype(float))
    with pytest.warns(AbstentionWarning, match="from 1 of 24 rows"):
        predicted = net.predict(X)
    if kind is MultimodalNetRegressor:
        assert predicted[3] == 0.5
    vectors = net.transform(X)
    assert np.isnan(vectors).all(axis=1).nonzero()[0].tolist() == [3]
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(again.transform(X), vectors)
    without = {**X, "image": np.full_like(X["image"], np.nan)}
    with pytest.warns(AbstentionWarning):
        assert len(net.predict(without)) == N_SAMPLES


def test_a_module_takes_part_in_alignment_and_starts_from_an_encoder():
    X = {"vector": make_samples("vector"), "image": make_samples("image")}
    encoder = NetEncoder(ChannelsFirst, max_epochs=1, random_state=0)
    encoder.fit(X["image"], Y)
    aligner = ContrastiveAligner(
        [("v", "passthrough", "vector"), ("i", "passthrough", "image")],
        backbones={"v": Complete, "i": ChannelsFirst},
        init_from={"i": encoder},
        freeze=["i"],
        max_epochs=1,
        random_state=0,
    ).fit(X)
    inner = aligner.module_.backbones["i"].module.layer.weight
    assert torch.equal(inner, encoder.module_.backbone.module.layer.weight)
    vectors = aligner.transform(X["image"], modality="i")
    assert np.isnan(vectors).all(axis=1).nonzero()[0].tolist() == [3]


def test_a_net_with_a_plain_module_is_saved_without_pickle():
    skops_io = pytest.importorskip("skops.io")
    X = make_samples("sequence")
    net = NetEncoder(MODULES["steps last"][1], max_epochs=1).fit(X, Y)
    again = skops_io.loads(skops_io.dumps(net), trusted=trusted_types())
    np.testing.assert_array_equal(again.transform(X), net.transform(X))


class Returns(Complete):
    """A module whose output is that of a function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, X):
        return self.function(super().forward(X))


class Wrong(Complete):
    out_features = 7


@pytest.mark.parametrize(
    ("kind", "module", "message"),
    [
        ("vector", nn.Linear(5, 3), "Linear cannot.*shape.*4.*cannot be multiplied"),
        ("vector", nn.Linear(4, 3).double(), "float32.*same dtype"),
        ("vector", Returns(lambda x: (x, x)), "returned a tuple, not a tensor; wrap"),
        ("vector", Returns(lambda x: {"y": x}), "returned a dict, not a tensor; wrap"),
        ("vector", Returns(lambda x: x.sum()), r"returned shape \(\) for 5 samples"),
        ("vector", Wrong, "returned 2 features, not out_features=7"),
        ("vector", nn.Embedding(9, 4), "Long.*n_tokens gets token ids"),
        ("image", nn.Conv2d(3, 4, 3), r"channels first, it.*\(5, 4, 10, 8\).*Flatten"),
        ("image", nn.Conv2d(2, 4, 3), "expected input.*to have 2 channels"),
        ("sequence", nn.LSTM(10, 3, batch_first=True), "as they are.*a tuple.*wrap"),
        ("vector", lambda: None, "made a NoneType; expected a torch.nn.Module"),
        ("vector", Returns, "missing 1.*'function'.*module__<name>=.*input_shape"),
        ("image", functools.partial(ImageCNN, filters=3), "'filters'.*module__<name>="),
    ],
)
def test_a_module_that_cannot_be_a_backbone_is_refused_with_a_reason(
    kind, module, message
):
    with pytest.raises((TypeError, ValueError), match=message):
        NetClassifier(module, max_epochs=1).fit(make_samples(kind), Y)


def test_a_module_that_mixes_the_samples_of_a_batch_is_warned_of():
    layer = nn.TransformerEncoderLayer(10, 2, 16)
    with pytest.warns(UserWarning, match="other samples.*batch_first=True"):
        NetEncoder(nn.Sequential(layer, nn.Flatten()), max_epochs=1).fit(
            make_samples("sequence"), Y
        )


class Careless(Contract):
    def forward(self, x):
        return self.layer(x.flatten(1))


def test_nan_from_gaps_is_told_from_numbers_that_are_too_large():
    X = make_samples("vector")
    with pytest.raises(ValueError, match="NaN among the inputs.*nan_to_num"):
        NetClassifier(Careless, max_epochs=1).fit(X, Y)
    net = NetClassifier(Careless, max_epochs=1).fit(X[6:], Y[6:])
    with pytest.raises(ValueError, match="for 1 of 1 samples. There is NaN among"):
        net.predict(X[5:6])
    with pytest.raises(ValueError, match="loss became .* Scale inputs"):
        NetRegressor(Careless, max_epochs=1).fit(X[6:] * np.float32(1e30), X[6:, 0])
