"""Estimators of every kind that inspection works through, on one small table."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_regressor
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

from sklearn_mm import (
    CoTrainingClassifier,
    MultimodalNetClassifier,
    MultimodalStackingClassifier,
    MultimodalStackingRegressor,
    MultimodalVotingClassifier,
    MultimodalVotingRegressor,
)
from sklearn_mm.nets import TabularMLP

COLUMNS = {"a": ["a0", "a1"], "b": ["b0", "b1"]}


def make_members(model, names=("a", "b")):
    return [(name, clone(model), COLUMNS[name]) for name in names]


VOTING = MultimodalVotingClassifier(make_members(LogisticRegression()))
ESTIMATORS = {
    "voting": VOTING,
    "hard voting": MultimodalVotingClassifier(
        make_members(LinearSVC()), voting="hard", weights=[1, 2]
    ),
    "stacking": MultimodalStackingClassifier(make_members(LogisticRegression())),
    "co-training": CoTrainingClassifier(VOTING),
    "mean": MultimodalVotingRegressor(make_members(Ridge())),
    "stacked numbers": MultimodalStackingRegressor(make_members(Ridge())),
    "joint net": MultimodalNetClassifier(
        [(name, "passthrough", columns) for name, columns in COLUMNS.items()],
        backbones=dict.fromkeys(COLUMNS, TabularMLP),
        max_epochs=5,
        random_state=0,
        train_split=None,
    ),
    "pipeline": Pipeline([("nothing", "passthrough"), ("fusion", VOTING)]),
    "search": GridSearchCV(
        Pipeline([("fusion", VOTING)]), {"fusion__a__C": [0.1, 1]}, cv=2
    ),
    "trees": HistGradientBoostingClassifier(max_iter=10),
}


def make_table(estimator=None, n_samples=120, seed=0):
    """Modality b tells more than a; three classes, or a number."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_samples) % 3
    centers = np.array([[0, 0, 0, 0], [1, 0, 2, 1], [0, 1, 3, 0]])
    X = rng.normal(size=(n_samples, 4)) + centers[y]
    X = pd.DataFrame(X, columns=["a0", "a1", "b0", "b1"])
    regress = estimator is not None and is_regressor(estimator)
    return X, (y + 0.1 * rng.normal(size=n_samples) if regress else y)


@pytest.fixture(scope="session", params=ESTIMATORS)
def fitted(request):
    """An estimator, fitted on other rows than the table's."""
    estimator = ESTIMATORS[request.param]
    return clone(estimator).fit(*make_table(estimator, seed=1))


@pytest.fixture(scope="session")
def voting():
    return clone(VOTING).fit(*make_table(seed=1))


@pytest.fixture(scope="session")
def frozen(voting):
    return FrozenEstimator(voting)
