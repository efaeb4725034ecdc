"""What every fusion estimator holds: gaps, n_jobs, tuning, saving."""

import subprocess
import sys
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_regressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV

from sklearn_mm import (
    CoTrainingClassifier,
    MultimodalStackingClassifier,
    MultimodalStackingRegressor,
    MultimodalVotingClassifier,
    MultimodalVotingRegressor,
)
from sklearn_mm.exceptions import AbstentionWarning

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.FusionWarning"),
    pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.AbstentionWarning"),
]
COLUMNS = {"a": ["a0", "a1"], "b": ["b0", "b1"]}


def make_members(model):
    return [(name, clone(model), columns) for name, columns in COLUMNS.items()]


CLASSIFIERS = make_members(LogisticRegression())
REGRESSORS = make_members(Ridge())
FUSIONS = {
    "voting": MultimodalVotingClassifier(CLASSIFIERS),
    "hard": MultimodalVotingClassifier(CLASSIFIERS, voting="hard"),
    "product": MultimodalVotingClassifier(CLASSIFIERS, voting="product"),
    "learned": MultimodalVotingClassifier(CLASSIFIERS, weights="learned"),
    "confidence": MultimodalVotingClassifier(CLASSIFIERS, weights="confidence"),
    "calibrated": MultimodalVotingClassifier(CLASSIFIERS, calibration="temperature"),
    "guarded": MultimodalVotingClassifier(CLASSIFIERS, guard=True),
    "stacking": MultimodalStackingClassifier(CLASSIFIERS),
    "co-training": CoTrainingClassifier(MultimodalVotingClassifier(CLASSIFIERS)),
    "mean": MultimodalVotingRegressor(REGRESSORS),
    "median": MultimodalVotingRegressor(REGRESSORS, voting="median"),
    "learned mean": MultimodalVotingRegressor(REGRESSORS, weights="learned"),
    "stacked numbers": MultimodalStackingRegressor(REGRESSORS),
}


@pytest.fixture(scope="module", params=FUSIONS)
def fusion(request):
    return FUSIONS[request.param]


def make_table(fusion, share=0.0, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(400) % 3
    centers = np.array([[0, 0, 0, 0], [2, 1, 2, 1], [0, 3, 3, 0]])
    X = rng.normal(size=(400, 4)) + centers[y]
    X = pd.DataFrame(X, columns=["a0", "a1", "b0", "b1"])
    for columns in COLUMNS.values():
        X.loc[rng.random(400) < share, columns] = np.nan
    return X, (y + 0.1 * rng.normal(size=400) if is_regressor(fusion) else y)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("where", ["training", "prediction", "both"])
def test_gaps_leave_it_at_least_as_good_as_one_modality(fusion, share, where):
    if fusion is FUSIONS["hard"]:
        pytest.skip(
            "two votes against each other are a tie, which no rule decides well"
        )
    whole, y = make_table(fusion)
    gaps, _ = make_table(fusion, share)
    train, test = slice(0, 200), slice(200, 400)
    X_train = (whole if where == "prediction" else gaps)[train]
    X_test = (whole if where == "training" else gaps)[test]
    score = clone(fusion).fit(X_train, y[train]).score(X_test, y[test])
    kind = type(FUSIONS["mean"]) if is_regressor(fusion) else type(FUSIONS["voting"])
    members = REGRESSORS if is_regressor(fusion) else CLASSIFIERS
    alone = [
        kind([member]).fit(X_train, y[train]).score(X_test, y[test])
        for member in members
    ]
    # Weights are learned from the rows that both answer, here 18 at the least.
    learns = getattr(fusion, "weights", None) == "learned"
    assert score > max(alone) - (0.1 if learns and share == 0.7 else 0.02)


def test_results_do_not_depend_on_n_jobs(fusion):
    X, y = make_table(fusion, 0.3)
    name = "fusion__n_jobs" if hasattr(fusion, "fusion") else "n_jobs"
    alone = clone(fusion).fit(X, y)
    together = clone(fusion).set_params(**{name: 2}).fit(X, y)
    np.testing.assert_array_equal(together.predict(X), alone.predict(X))


def test_a_grid_search_in_processes_tunes_members_and_drops_them(fusion):
    X, y = make_table(fusion, 0.3)
    prefix = "fusion__" if hasattr(fusion, "fusion") else ""
    inner = "alpha" if is_regressor(fusion) else "C"
    grid = [{f"{prefix}a__{inner}": [0.1, 10]}]
    if not prefix:  # co-training needs two
        grid.append({"b": ["drop"]})
    search = GridSearchCV(fusion, grid, cv=2, n_jobs=2, error_score="raise")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AbstentionWarning)
        search.fit(X, y)
    assert "b" not in search.best_params_
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_saved_model_predicts_the_same_in_another_process(fusion, tmp_path):
    X, y = make_table(fusion, 0.3)
    path = tmp_path / "model.joblib"
    model = clone(fusion).fit(X, y)
    joblib.dump((model, X), path)
    code = "import joblib, sys; model, X = joblib.load(sys.argv[1]); "
    code += "joblib.dump(model.predict(X), sys.argv[1])"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, path], check=True)
    np.testing.assert_array_equal(joblib.load(path), model.predict(X))
