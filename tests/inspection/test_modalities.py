"""Modalities are found through whatever an estimator is wrapped in."""

import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_selector
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.helper import SliceDict

from sklearn_mm import MultimodalVotingClassifier
from sklearn_mm.inspection._modalities import find_core, find_modalities, list_others

from .conftest import ESTIMATORS, VOTING, make_table

X, _ = make_table()


def test_modalities_are_those_of_the_specs_or_the_columns(fitted):
    found = find_modalities(fitted, X)
    if hasattr(fitted, "max_iter") and not hasattr(fitted, "fusion"):
        assert found == {name: [i] for i, name in enumerate(X.columns)}
    else:
        assert found == {"a": [0, 1], "b": [2, 3]}


def test_the_prefix_leads_to_the_core(fitted):
    core, prefix = find_core(fitted)
    inner = find_core(clone(getattr(fitted, "best_estimator_", fitted)))
    assert type(inner[0]) is type(core)
    params = fitted.get_params()
    if prefix and not hasattr(fitted, "best_estimator_"):
        assert type(params[prefix.removesuffix("__")]) is type(core)


def test_a_frozen_estimator_shows_its_modalities(frozen):
    assert list(find_modalities(frozen, X)) == ["a", "b"]


def test_dropped_modalities_are_none():
    fusion = clone(VOTING).set_params(a="drop")
    assert find_modalities(fusion, X) == {"b": [2, 3]}


def test_behind_a_step_that_changes_the_table_each_column_is_one():
    model = make_pipeline(StandardScaler(), ESTIMATORS["voting"])
    assert list(find_modalities(model, X)) == list(X.columns)


@pytest.mark.parametrize(
    "columns", [make_column_selector(dtype_include=float), ["a0", "b0"]]
)
def test_callables_and_shared_columns_make_each_column_one(columns):
    model = LogisticRegression()
    fusion = MultimodalVotingClassifier([("a", model, ["a0"]), ("b", model, columns)])
    assert list(find_modalities(fusion, X)) == list(X.columns)


def test_the_users_own_are_taken_in_any_notation():
    own = {"x": "a0", "y": slice(1, 3), "z": [3]}
    assert find_modalities(VOTING, X, own) == {"x": [0], "y": [1, 2], "z": [3]}
    assert find_modalities(VOTING, X.to_numpy(), {"x": [0]}) == {"x": [0]}
    table = SliceDict(**{name: X[name].to_numpy() for name in X})
    assert find_modalities(VOTING, table) == {"a": ["a0", "a1"], "b": ["b0", "b1"]}


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({}, "non-empty"),
        ({"x": "a0", "y": ["a0", "a1"]}, "share columns"),
        ({"x": "c"}, "c"),
    ],
)
def test_what_cannot_be_is_refused(own, message):
    with pytest.raises(ValueError, match=message):
        find_modalities(VOTING, pd.DataFrame(X), own)


def test_others_are_all_columns_but_some():
    assert list_others({"a": [0, 1], "b": [2], "c": [3]}, "a", "c") == [2]
