"""Several tasks at once: kinds, gaps, weights, containers, scores."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy.special import log_softmax
from sklearn.base import clone
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV
from torch import nn

from sklearn_mm import MultimodalNetClassifier, MultitaskNet
from sklearn_mm.nets import TabularMLP
from sklearn_mm.neural import TaskLoss

COLUMNS = {"a": ["a0", "a1"], "b": ["b0", "b1", "b2"]}
NET = MultitaskNet(
    [(name, "passthrough", columns) for name, columns in COLUMNS.items()],
    backbones=dict.fromkeys(COLUMNS, TabularMLP),
    fusion="concat",
    lr=0.01,
    max_epochs=20,
    random_state=0,
)


def make_table(n=200, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, 5)), columns=COLUMNS["a"] + COLUMNS["b"])
    y = pd.DataFrame(
        {
            "sign": np.where(X["a0"] + X["b0"] > 0, "up", "down"),
            "level": np.digitize(X["b1"], [-0.5, 0.5]),
            "size": 100 + 20 * X["a1"] - 10 * X["b2"],
        }
    )
    return X, y


def test_all_tasks_are_learned_by_their_kind():
    X, y = make_table(400)
    net = clone(NET).fit(X[:300], y[:300])
    kinds = {"sign": "classification", "level": "classification", "size": "regression"}
    assert net.tasks_ == kinds
    scores = net.score_by_task(X[300:], y[300:])
    assert min(scores.values()) > 0.8
    predicted = net.predict(X[300:])
    assert scores["sign"] == accuracy_score(y["sign"][300:], predicted["sign"])
    assert scores["level"] == accuracy_score(y["level"][300:], predicted["level"])
    assert abs(scores["size"] - r2_score(y["size"][300:], predicted["size"])) < 1e-12
    assert net.score(X[300:], y[300:]) == np.mean(list(scores.values()))
    assert predicted.index.tolist() == list(range(300, 400))
    assert predicted.columns.tolist() == list(kinds)
    proba = net.predict_proba(X[300:])
    assert set(proba) == {"sign", "level"}
    assert proba["level"].shape == (100, 3)
    np.testing.assert_allclose(proba["level"].sum(axis=1), 1, rtol=1e-5)
    best = net.classes_["sign"][proba["sign"].argmax(axis=1)]
    assert (best == predicted["sign"]).all()


def test_a_dict_of_arrays_is_a_table():
    X, y = make_table()
    columns = {name: X[COLUMNS[name]].to_numpy(np.float32) for name in COLUMNS}
    branches = [(name, "passthrough", name) for name in COLUMNS]
    net = clone(NET).set_params(estimators=branches).fit(columns, y)
    expected = clone(NET).fit(X, y).predict(X)
    pd.testing.assert_frame_equal(net.predict(columns), expected)


def test_kinds_can_be_corrected():
    X, y = make_table()
    net = clone(NET).set_params(task_kinds={"level": "regression"}).fit(X, y)
    assert net.tasks_["level"] == "regression"
    assert net.predict(X)["level"].nunique() > 10
    net = clone(NET).set_params(task_kinds={"size": "classification"})
    assert (
        len(net.fit(X, y.round(-2)).classes_["size"]) == y["size"].round(-2).nunique()
    )


def test_missing_labels_are_skipped():
    X, y = make_table()
    gaps = y.copy()
    gaps.loc[::2, "sign"] = None
    gaps.loc[1::3, "size"] = np.nan
    gaps.loc[0] = None
    net = clone(NET).fit(X, gaps)
    assert net.tasks_ == clone(NET).fit(X, y).tasks_
    assert list(net.classes_["sign"]) == ["down", "up"]
    assert not net.predict(X).isna().any().any()
    known = gaps["sign"].notna()
    assert net.score_by_task(X, gaps)["sign"] == accuracy_score(
        gaps["sign"][known], net.predict(X)["sign"][known]
    )
    # What the label would be where it is missing makes no difference.
    target = net._make_target(None, gaps, None, False, None)
    assert np.isnan(target.codes).sum() == gaps.isna().sum().sum()
    assert np.isnan(net.score_by_task(X[:1], gaps[:1])["sign"])
    with pytest.raises(ValueError, match="'sign' has no label"):
        clone(NET).fit(X, y.assign(sign=None))


@pytest.mark.parametrize("container", ["dict", "array", "objects", "polars", "vector"])
def test_targets_come_back_as_they_came(container):
    X, y = make_table(60)
    numbers = y[["level", "size"]]
    given = {
        "dict": {name: y[name].to_numpy() for name in y},
        "array": numbers.to_numpy(),
        "objects": y.to_numpy(),
        "polars": pl.from_pandas(y),
        "vector": y["sign"],
    }[container]
    net = clone(NET).fit(X, given)
    predicted = net.predict(X)
    expected = clone(NET).fit(X, numbers if container == "array" else y).predict(X)
    if container == "vector":
        assert predicted.shape == (60,)
        assert net.predict_proba(X).shape == (60, 2)
    elif container == "dict":
        assert all((predicted[name] == expected[name]).all() for name in y)
    elif container == "polars":
        assert predicted.to_pandas().equals(expected)
    else:
        assert (predicted == expected.to_numpy()).all()
    assert net.score(X, given) > 0


def test_the_loss_is_that_of_torch_and_of_a_loop():
    rng = np.random.default_rng(0)
    logits, numbers = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    target = np.column_stack([rng.integers(0, 3, 8), rng.normal(size=8)])
    target[[1, 4], 0] = target[[2], 1] = np.nan
    weight = rng.uniform(0.5, 2, 8)
    loss = TaskLoss(["classification", "regression"], weights=[2.0, 0.5])
    outputs = (torch.tensor(logits).float(), torch.tensor(numbers).float())
    found = loss(outputs, torch.tensor(target), torch.tensor(weight))
    sums, counts = np.zeros(2), np.zeros(2)
    for row in range(8):
        if not np.isnan(target[row, 0]):
            entropy = -log_softmax(logits[row])[int(target[row, 0])]
            sums[0] += weight[row] * entropy
            counts[0] += weight[row]
        if not np.isnan(target[row, 1]):
            sums[1] += weight[row] * (numbers[row, 0] - target[row, 1]) ** 2
            counts[1] += weight[row]
    expected = (2.0 * sums[0] / counts[0] + 0.5 * sums[1] / counts[1]) / 2
    assert abs(float(found) - expected) < 1e-5
    none = loss(outputs, torch.full((8, 2), torch.nan))
    assert float(none) == 0
    without = torch.tensor(target)
    without[:, 1] = torch.nan
    one = loss(outputs, without)
    known = ~torch.isnan(without[:, 0])
    entropy = nn.functional.cross_entropy(outputs[0][known], without[known, 0].long())
    torch.testing.assert_close(one, 2 * entropy, check_dtype=False)


def test_uncertainty_weighs_noisy_tasks_less():
    X, y = make_table(400)
    rng = np.random.default_rng(0)
    targets = pd.DataFrame({"clear": y["size"], "noise": rng.normal(size=400)})
    net = clone(NET).set_params(task_weights="uncertainty", max_epochs=60, lr=0.02)
    net.set_params(early_stopping=False, fusion__hidden_size=8)
    weights = net.fit(X, targets).task_weights_
    assert weights["clear"] > 2 * weights["noise"]
    loss = TaskLoss(["regression", "classification"], weights="uncertainty")
    with torch.no_grad():
        loss.log_variance.copy_(torch.tensor([0.3, -0.7]))
    outputs = (torch.tensor([[2.0]]), torch.tensor([[0.0, 0.0]]))
    found = loss(outputs, torch.tensor([[0.0, 1.0]]), training=True)
    noisy = 4.0 / 2 * np.exp(-0.3) + 0.15
    entropy = np.log(2) * np.exp(0.7) - 0.35
    assert abs(float(found) - (noisy + entropy) / 2) < 1e-6


def test_gradnorm_favours_the_task_that_learns_more_slowly():
    loss = TaskLoss(["regression", "regression"], weights="gradnorm", lr=0.1)
    shared = torch.ones(4, 2, requires_grad=True)
    target = torch.zeros(4, 2)
    fast = torch.tensor([[1.0], [0.0]])
    for scale in (1.0, 0.8, 0.6, 0.4):  # the first task's loss falls, the second's not
        outputs = (scale * shared @ fast, shared @ fast.flip(0))
        loss.balance(outputs, target, shared)
    first, second = loss.weights.tolist()
    assert second > first
    assert abs(first + second - 2) < 1e-6
    loss = TaskLoss(["regression", "regression"], weights="gradnorm", lr=0.1)
    outputs = (3 * shared @ fast, shared @ fast.flip(0))  # gradients 9 times as large
    loss.balance(outputs, target, shared)
    assert loss.weights[0] < loss.weights[1]
    X, y = make_table(60)
    weights = clone(NET).set_params(task_weights="gradnorm").fit(X, y).task_weights_
    assert len(set(weights.values())) == 3
    assert abs(sum(weights.values()) - 3) < 1e-4


def test_weights_that_are_given_count():
    X, y = make_table()
    net = clone(NET).set_params(task_weights={"size": 0, "level": 0}, max_epochs=15)
    scores = net.fit(X, y).score_by_task(X, y)
    assert net.task_weights_ == {"sign": 1.0, "level": 0.0, "size": 0.0}
    assert scores["sign"] > 0.9
    assert scores["size"] < 0.2


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"task_kinds": {"z": "regression"}}, "task_kinds names \\['z'\\]"),
        ({"task_kinds": {"sign": "ranking"}}, "ranking"),
        ({"task_kinds": {"sign": "regression"}}, "'sign' is a regression, but holds"),
        ({"task_weights": {"z": 1}}, "task_weights names"),
        ({"task_weights": {"sign": -1}}, "negative"),
        ({"task_weights": "equal"}, "task_weights"),
    ],
)
def test_wrong_parameters_are_refused_with_a_reason(params, message):
    X, y = make_table(40)
    with pytest.raises(ValueError, match=message):
        clone(NET).set_params(**params).fit(X, y)


def test_targets_are_those_of_fit():
    X, y = make_table(60)
    net = clone(NET).set_params(max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="holds the tasks"):
        net.score(X, y.drop(columns="sign"))
    with pytest.raises(ValueError, match="'sign' holds the classes \\['left'\\]"):
        net.partial_fit(X, y.assign(sign="left"))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        net.fit(X, y[:-1])
    with pytest.raises(ValueError, match="requires y"):
        net.fit(X)


def test_one_column_is_enough():
    X, y = make_table()
    column = pd.DataFrame({"vector": list(X.to_numpy())})
    net = MultitaskNet(
        [("v", "passthrough", "vector")],
        backbones={"v": TabularMLP},
        fusion="concat",
        lr=0.01,
        max_epochs=20,
        random_state=0,
    )
    assert net.fit(column, y).score(column, y) > 0.8


def test_grid_search_scores_all_tasks():
    X, y = make_table(90)
    net = clone(NET).set_params(max_epochs=3)

    def score(estimator, X, y):
        return estimator.score_by_task(X, y)

    grid = {"task_weights": [None, "uncertainty", {"sign": 2}]}
    search = GridSearchCV(net, grid, cv=2, scoring=score, refit="sign")
    search.fit(X, y)
    assert "mean_test_level" in search.cv_results_
    plain = GridSearchCV(net, grid, cv=2, n_jobs=2).fit(X, y)
    mean = np.mean([search.cv_results_[f"mean_test_{name}"] for name in y], axis=0)
    np.testing.assert_allclose(plain.cv_results_["mean_test_score"], mean, rtol=1e-6)
    numbers = y[["size"]].assign(double=2 * y["size"])
    search = GridSearchCV(net, grid_of_two(), cv=2, scoring="r2").fit(X, numbers)
    assert np.isfinite(search.best_score_)


def grid_of_two():
    return {"task_weights": [None, "uncertainty"]}


def test_one_task_is_a_classifier():
    X, y = make_table(100)
    ours = clone(NET).fit(X, y["sign"]).predict_proba(X)
    params = {k: v for k, v in NET.get_params(deep=False).items() if "task" not in k}
    params["criterion"] = nn.CrossEntropyLoss
    other = MultimodalNetClassifier(**{**params, "early_stopping": False})
    both = clone(NET).set_params(early_stopping=False)
    theirs = other.fit(X, y["sign"]).predict_proba(X)
    np.testing.assert_allclose(
        both.fit(X, y["sign"]).predict_proba(X), theirs, rtol=1e-3, atol=1e-5
    )
    assert np.isfinite(ours).all()


def test_branches_have_scores_of_all_tasks():
    X, y = make_table()
    net = clone(NET).set_params(auxiliary_loss=1.0, balance="ogm").fit(X, y)
    scores = net.branch_scores(X, y)
    assert set(scores) == {"a", "b"}
    assert all(0.2 < score < 1 for score in scores.values())
