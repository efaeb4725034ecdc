"""Targets, weights and numbers of rows that hurt."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.dummy import DummyClassifier

from sklearn_mm import MultimodalStackingClassifier, MultimodalVotingClassifier

from ..test_contracts import CASES, dense
from .hostile import (
    ESTIMATORS,
    FUSED,
    GAPPY,
    TRAINED,
    assert_same,
    attempt,
    examples,
    freeze,
    give,
    make_numbers,
    make_target,
    needs_numbers,
)

LEARNING = [*FUSED, *TRAINED]
CLASSIFYING = [
    name
    for name in LEARNING
    if not needs_numbers(name) and "Multitask" not in name and name != "co-training"
]
#: One target of the classes 0, 1 and 2, in many forms.
SAME = {
    "list": list,
    "Series": lambda y: pd.Series(y, index=np.arange(len(y))[::-1] + 5),
    "one label": lambda y: pd.Series(y, index=[0] * len(y)),
    "floats": lambda y: y.astype(float),
    "strings": lambda y: np.array(list("abc"))[y],
    "objects of strings": lambda y: np.array(list("abc"), object)[y],
    "Series of strings": lambda y: pd.Series(np.array(list("abc"))[y], dtype="string"),
    "big-endian": lambda y: y.astype(">i4"),
    "bytes": lambda y: y.astype(np.uint8),
    "column": lambda y: y[:, None],
    "Int64": lambda y: pd.Series(y, dtype="Int64"),
    "category": lambda y: pd.Series(y, dtype="category"),
    "read-only": lambda y: np.frombuffer(y.astype("i8").tobytes(), "i8"),
    "backwards": lambda y: y[::-1].copy()[::-1],
}
#: Targets of which nothing is known but that the outcome must be sound.
OTHERS = {
    "one class": np.zeros_like,
    "objects": lambda y: y.astype(object),
    "one row of a class": lambda y: (np.arange(len(y)) == 5).astype(int),
    "two rows of a class": lambda y: (np.arange(len(y)) < 2).astype(int),
    "a class each": lambda y: np.arange(len(y)),
    "booleans": lambda y: y > 0,
    "NaN": lambda y: np.where(y == 1, np.nan, y),
    "infinity": lambda y: np.where(y == 1, np.inf, y),
    "None": lambda y: np.where(y == 1, None, y),
    "missing": lambda y: pd.Series(y, dtype="Int64").mask(y == 1),
    "huge": lambda y: y * 1e300 + 1e299,
    "constant": lambda y: np.full(len(y), 1e-300),
    "tiny": lambda y: (y + 0.5) * 1e-300,
    "large": lambda y: y * 1e30 + 0.5,
    "complex": lambda y: y.astype(complex),
    "dates": lambda y: y.astype("M8[D]"),
    "words and numbers": lambda y: np.array([1, "a"] * (len(y) // 2), object),
    "short": lambda y: y[:-1],
    "empty": lambda y: y[:0],
    "nothing": lambda y: None,
    "two columns": lambda y: np.column_stack([y, y > 0]),
    "three axes": lambda y: np.zeros((len(y), 2, 2)),
    "polars": lambda y: pl.Series("y", y),
    "frame": lambda y: pd.DataFrame({"y": y}),
    "a number": lambda y: 3,
}
WEIGHTS = {
    "zeros": np.zeros_like,
    "one": lambda w: np.eye(len(w))[0],
    "one class": lambda w: (np.arange(len(w)) % 3 == 0).astype(float),
    "negative": lambda w: -w,
    "some negative": lambda w: np.where(np.arange(len(w)) % 2, 1.0, -1.0),
    "NaN": lambda w: np.where(np.arange(len(w)) == 2, np.nan, w),
    "infinity": lambda w: np.where(np.arange(len(w)) == 2, np.inf, w),
    "huge": lambda w: w * 1e300,
    "tiny": lambda w: w * 1e-300,
    "short": lambda w: w[:-1],
    "two axes": lambda w: w[:, None],
    "strings": lambda w: np.full(len(w), "heavy"),
    "list": list,
    "Series": lambda w: pd.Series(w, index=[0] * len(w)),
    "integers": lambda w: w.astype(int),
    "a number": lambda w: 2.0,
}


def assert_sound(model, told):
    for method, values in told.items():
        if values.dtype.kind == "f" and type(model).__name__ not in GAPPY:
            assert np.isfinite(values).all(), method
        if method == "predict_proba" and not isinstance(model.classes_, dict):
            assert values.shape[1] == len(model.classes_)
            np.testing.assert_allclose(values.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", CLASSIFYING)
@examples(2)
@given(st.sampled_from(sorted(SAME)))
def test_the_form_of_a_target_does_not_matter(name, form):
    X, y = make_numbers()
    expected = give(clone(ESTIMATORS[name]).fit(X, y), X)
    target = SAME[form](y)
    before = freeze(target)
    model = clone(ESTIMATORS[name]).fit(X, target)
    told = give(model, X)
    assert freeze(target) == before
    if "predict" in told:
        labels = np.unique(np.asarray(target).ravel())
        np.testing.assert_array_equal(model.classes_, labels)
        told["predict"] = np.searchsorted(labels, told["predict"])
    assert_same(told, expected, 1e-5)


@pytest.mark.parametrize("name", LEARNING)
@examples(3)
@given(st.sampled_from(sorted(OTHERS)))
def test_other_targets_are_learned_or_refused_with_a_reason(name, form):
    X, y = make_numbers()
    target = OTHERS[form](y)
    before = freeze(target)
    model = attempt(clone(ESTIMATORS[name]).fit, X, target)
    told = attempt(give, model, X) if model is not None else None
    assert freeze(target) == before
    if told is not None:
        assert_sound(model, told)


@pytest.mark.parametrize("name", [n for n in LEARNING if n != "co-training"])
@examples(3)
@given(st.sampled_from(sorted(WEIGHTS)))
def test_weights_are_used_or_refused_with_a_reason(name, form):
    X, y = make_numbers()
    weight = WEIGHTS[form](np.ones(len(y)))
    before = freeze(weight)
    fit = clone(ESTIMATORS[name]).fit
    model = attempt(fit, X, make_target(name, y), sample_weight=weight)
    told = attempt(give, model, X) if model is not None else None
    assert freeze(weight) == before
    if told is not None:
        assert_sound(model, told)


@pytest.mark.parametrize("name", ESTIMATORS)
@examples(2)
@given(st.integers(0, 4))
def test_few_rows_are_learned_from_or_refused_with_a_reason(name, n_samples):
    X, y = make_numbers()
    X, y = X[:n_samples], make_target(name, y)[:n_samples]
    model = attempt(clone(ESTIMATORS[name]).fit, X, y)
    told = attempt(give, model, X) if model is not None else None
    if told is not None:
        assert_sound(model, told)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_no_rows_have_no_answers_or_are_refused_with_a_reason(name):
    X, y = make_numbers()
    model = clone(ESTIMATORS[name]).fit(X, make_target(name, y))
    for rows in (X[:0], pd.DataFrame(X[:0])):
        told = attempt(give, model, rows)
        for values in (told or {}).values():
            assert len(values) == 0


@pytest.mark.parametrize("name", CASES)
def test_no_cells_have_no_vectors_or_are_refused_with_a_reason(name):
    case = CASES[name]
    encoder = clone(case.estimator).fit(case.cells)
    for cells in ([], pd.Series([], dtype=object)):
        told = attempt(encoder.transform, cells)
        assert told is None or dense(told).shape[0] == 0
        attempt(clone(case.estimator).fit, cells)


@pytest.mark.parametrize("name", LEARNING)
@examples(2)
@given(st.sampled_from([0, 1, 2]), st.integers(1, 3))
def test_one_row_is_answered_as_among_others(name, row, n_others):
    X, y = make_numbers()
    model = clone(ESTIMATORS[name]).fit(X, make_target(name, y))
    whole = give(model, X[: row + n_others])
    alone = give(model, X[row : row + 1])
    assert_same(alone, {m: v[row : row + 1] for m, v in whole.items()}, 1e-4)


@pytest.mark.parametrize("name", CLASSIFYING)
@examples(2)
@given(st.lists(st.sampled_from([0, 1]), min_size=3, max_size=3))
def test_rows_of_one_class_in_a_fold_are_survived(name, order):
    """Sorted by class: folds without shuffling lack one where it is rare."""
    X, y = make_numbers()
    y = np.sort(np.where(y == 2, order[0], y))
    y[:2] = 7
    model = attempt(clone(ESTIMATORS[name]).fit, X, y)
    told = attempt(give, model, X) if model is not None else None
    if told is not None:
        assert_sound(model, told)


@pytest.mark.parametrize("fusion", ["soft", "hard", "product", "stacking"])
def test_ten_thousand_classes_are_fused(fusion):
    # Answers given out of fold take 8 bytes for each modality, row and class.
    n_classes = 2_000 if fusion == "stacking" else 10_000
    y = np.arange(n_classes).repeat(2)
    X = np.stack([y, y], axis=1).astype(float)
    members = [(n, DummyClassifier(), [i]) for i, n in enumerate("ab")]
    if fusion == "stacking":
        model = MultimodalStackingClassifier(
            members, DummyClassifier(), cv=2, stack_method="predict"
        )
    else:
        model = MultimodalVotingClassifier(members, voting=fusion)
    told = give(model.fit(X, y), X[:5])
    assert told["predict"].shape == (5,)
    if fusion != "hard":
        assert told["predict_proba"].shape == (5, n_classes)
        np.testing.assert_allclose(told["predict_proba"].sum(axis=1), 1)
