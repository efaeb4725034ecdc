"""Networks averaged to one, and modalities that label for each other."""

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import VotingClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from torch import nn

from sklearn_mm import (
    CoTrainingClassifier,
    ModelSoupClassifier,
    ModelSoupRegressor,
    MultimodalStackingClassifier,
    MultimodalVotingClassifier,
    NetClassifier,
    NetRegressor,
)
from sklearn_mm.nets import ImageCNN, TabularMLP


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


@pytest.fixture(scope="module")
def net():
    return NetClassifier(TabularMLP, max_epochs=8, lr=0.003)


@pytest.mark.parametrize("recipe", ["uniform", "greedy"])
def test_soups_are_means_of_parameters_and_as_good(digits, net, recipe):
    X, y = digits
    soup = ModelSoupClassifier(net, settings=3, recipe=recipe, random_state=0)
    soup.fit(X[:800], y[:800])
    assert soup.score(X[800:], y[800:]) > 0.85
    if recipe == "greedy":
        assert soup.soup_score_ >= soup.scores_.max()
    else:
        assert soup.ingredients_ == [0, 1, 2]
    twice = clone(soup).set_params(n_jobs=2).fit(X[:800], y[:800])
    np.testing.assert_array_equal(twice.predict_proba(X), soup.predict_proba(X))


def test_fitted_networks_are_averaged_number_by_number(digits, net):
    X, y = digits
    first = clone(net).set_params(random_state=0).fit(X[:500], y[:500])
    second = clone(first).fit(X[500:1000], y[500:1000])
    soup = ModelSoupClassifier(net, [first, second], recipe="uniform").fit(X, y)
    states = [n.module_.state_dict() for n in (first, second)]
    for key, value in soup.net_.module_.state_dict().items():
        torch.testing.assert_close(value, (states[0][key] + states[1][key]) / 2)
    np.testing.assert_allclose(soup.scores_, [first.score(X, y), second.score(X, y)])
    before = first.predict_proba(X[:9])
    np.testing.assert_array_equal(before, first.predict_proba(X[:9]))


def test_settings_share_the_architecture_or_are_refused(digits, net):
    X, y = digits[0][:300], digits[1][:300]
    settings = [{"lr": 0.001}, {"lr": 0.003, "module__dropout": 0.2}]
    soup = ModelSoupClassifier(net, settings, random_state=0).fit(X, y)
    assert len(soup.scores_) == 2
    wide = [{}, {"module__hidden_sizes": (7,)}]
    with pytest.raises(ValueError, match="networks of one architecture"):
        ModelSoupClassifier(net, wide, random_state=0).fit(X, y)


def test_batch_norm_statistics_are_those_of_the_mean_network(digits):
    X, y = digits[0].reshape(-1, 8, 8)[:400], digits[1][:400]
    cnn = NetClassifier(ImageCNN, module__batch_norm=True, max_epochs=3)
    soup = ModelSoupClassifier(
        cnn, 2, recipe="uniform", validation_fraction=0.001, random_state=0
    ).fit(X, y)  # no validation part: all rows are trained on
    module = soup.net_.module_.eval()
    seen = []
    norm = next(m for m in module.modules() if isinstance(m, nn.BatchNorm2d))
    norm.register_forward_hook(lambda layer, inputs, out: seen.append(inputs[0]))
    with torch.no_grad():
        module(torch.from_numpy(X))
    torch.testing.assert_close(
        norm.running_mean, seen[0].mean(dim=(0, 2, 3)), atol=0.01, rtol=0.02
    )


def test_numbers_have_soups_too():
    X, y = load_diabetes(return_X_y=True)
    net = NetRegressor(TabularMLP, max_epochs=15)
    soup = ModelSoupRegressor(net, settings=2, random_state=0).fit(X, y)
    assert soup.score(X, y) > 0.3


HALVES = [
    ("upper", GaussianNB(var_smoothing=0.01), slice(0, 32)),
    ("lower", GaussianNB(var_smoothing=0.01), slice(32, 64)),
]
THIRDS = [(str(i), GaussianNB(var_smoothing=0.01), slice(i, None, 3)) for i in range(3)]


@pytest.mark.parametrize("members", [HALVES, THIRDS], ids=["two", "three"])
@pytest.mark.parametrize(
    "fusion", [MultimodalVotingClassifier, MultimodalStackingClassifier]
)
def test_few_labels_go_further(members, fusion, tmp_path):
    rng = np.random.default_rng(0)  # views that err independently, given the class
    y = np.arange(1200) % 5
    X = rng.normal(size=(5, 64))[y] + 2.5 * rng.normal(size=(1200, 64))
    train = np.arange(len(y)) % 2 == 0
    few = np.where(rng.random(1200) < 0.05, y, -1)[train]
    known = few != -1
    fused = fusion(members)
    alone = clone(fused).fit(X[train][known], few[known]).score(X[~train], y[~train])
    model = CoTrainingClassifier(fused).fit(X[train], few)
    assert model.score(X[~train], y[~train]) > alone + 0.1
    np.testing.assert_array_equal(model.transduction_[known], few[known])
    assert (model.labeled_iter_[known] == 0).all()
    np.testing.assert_array_equal(model.labeled_iter_ == -1, model.transduction_ == -1)
    joblib.dump(model, tmp_path / "m.joblib")
    loaded = joblib.load(tmp_path / "m.joblib")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_a_modality_labels_only_for_the_others(digits):
    X, y = digits
    few = np.where(np.arange(len(y)) % 20 == 0, y, -1)
    X = pd.DataFrame(X)
    X.loc[few != -1, list(range(32, 64))] = np.nan  # "lower" has no label to begin with
    members = [(n, m, list(range(64))[columns]) for n, m, columns in HALVES]
    model = CoTrainingClassifier(
        MultimodalVotingClassifier(members, on_absent="drop"), max_iter=1
    ).fit(X, few)
    upper = GaussianNB(var_smoothing=0.01).fit(X.iloc[few != -1, :32], few[few != -1])
    new = np.flatnonzero(model.labeled_iter_ == 1)
    assert 0 < len(new) <= 100
    np.testing.assert_array_equal(
        model.transduction_[new], upper.predict(X.iloc[new, :32])
    )


def test_labels_may_be_names(digits):
    X, y = digits
    names = np.array([f"digit {label}" for label in y], dtype=object)
    few = names.copy()
    few[np.arange(len(y)) % 10 != 0] = -1
    model = CoTrainingClassifier(MultimodalVotingClassifier(HALVES)).fit(X, few)
    assert (model.predict(X) == names).mean() > 0.8
    assert set(model.transduction_) <= {*names, -1}


@pytest.mark.parametrize(
    ("members", "y", "error", "message"),
    [
        (HALVES[:1], [0, 1, -1], ValueError, "two modalities or more"),
        (HALVES, [-1, -1, -1], ValueError, "all rows are unlabelled"),
        (
            [("a", LinearSVC(), [0]), HALVES[0]],
            [0, 1, -1],
            AttributeError,
            "needs predict_proba",
        ),
    ],
)
def test_what_cannot_be_trained_together_is_refused(members, y, error, message):
    fusion = MultimodalVotingClassifier(members)
    with pytest.raises(error, match=message):
        CoTrainingClassifier(fusion).fit(np.random.rand(3, 64), np.array(y))


def test_only_fusion_estimators_train_together():
    plain = VotingClassifier([("a", GaussianNB())])
    with pytest.raises(TypeError, match="fusion must be .* got VotingClassifier"):
        CoTrainingClassifier(plain).fit(np.random.rand(3, 64), [0, 1, -1])
