"""Numbers that hurt: infinite, missing, huge, tiny or constant, in any place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from ..test_contracts import CASES
from .hostile import (
    ESTIMATORS,
    GAPPY,
    attempt,
    examples,
    freeze,
    give,
    is_target,
    make_numbers,
    make_target,
)

VALUES = [np.nan, np.inf, -np.inf, 0.0, 1e30, -1e30, 3.4e38, 1e300, 1e-300, 5e-324]
PLACES = {
    "cell": (3, 1),
    "row": 3,
    "half": slice(20),
    "column": (slice(None), 1),
    "modality": (slice(None), slice(2)),
    "table": slice(None),
}
#: Cells that hold numbers, of which a loader may have made a picture or a sound.
NUMERIC = {
    name: case
    for name, case in CASES.items()
    if any(isinstance(cell, np.ndarray) for cell in case.cells)
}


def assert_finite(told, missing):
    """What is predicted is finite; what is transformed may be missing."""
    for method, values in told.items():
        if values.dtype.kind != "f":
            continue
        known = (
            values if is_target(method) and not missing else values[~np.isnan(values)]
        )
        assert np.isfinite(known).all(), method
        assert missing or np.isfinite(values).all(), method
        if method.startswith("predict_proba"):
            np.testing.assert_allclose(values.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", ESTIMATORS)
@examples(3)
@given(st.sampled_from(VALUES), st.sampled_from(sorted(PLACES)), st.booleans())
def test_numbers_that_hurt_are_refused_or_answered_finitely(name, value, place, fits):
    X, y = make_numbers()
    y = make_target(name, y)
    hurt = X.copy()
    hurt[PLACES[place]] = value
    before = freeze(hurt, y)
    model = attempt(clone(ESTIMATORS[name]).fit, hurt if fits else X, y)
    told = attempt(give, model, hurt) if model is not None else None
    assert freeze(hurt, y) == before
    if told is not None:
        assert_finite(told, missing=np.isnan(value) or name in GAPPY)


def poison(cell, value, place):
    """Put a value into a cell's numbers, at one place or at all."""
    if isinstance(cell, (list, tuple)):
        parts = [poison(part, value, place) for part in cell]
        return tuple(parts) if isinstance(cell, tuple) else parts
    if not isinstance(cell, np.ndarray):
        return cell
    cell = cell.astype(float)
    cell.flat[slice(None) if place == "all" else cell.size // 2] = value
    return cell


@pytest.mark.parametrize("name", NUMERIC)
@examples(3)
@given(st.sampled_from(VALUES), st.sampled_from(["one", "all"]), st.booleans())
def test_cells_that_hurt_are_refused_or_encoded_finitely(name, value, place, fits):
    case = NUMERIC[name]
    cells = [poison(cell, value, place) for cell in case.cells]
    before = freeze(cells)
    encoder = attempt(clone(case.estimator).fit, cells if fits else case.cells)
    told = attempt(encoder.transform, cells) if encoder is not None else None
    assert freeze(cells) == before
    if told is not None:
        told = np.asarray(told)
        assert not np.isinf(told).any()
        if case.is_vector and not np.isnan(value):
            assert np.isfinite(told).all()


@pytest.mark.parametrize("name", ["VectorStacker", "SequencePadder"])
def test_infinite_cells_are_named_and_can_be_missing(name):
    case = CASES[name]
    cells = [np.array(cell) for cell in case.cells]
    cells[2][0] = np.inf
    encoder = clone(case.estimator)
    with pytest.raises(ValueError, match=r"row 2 .*infinity"):
        encoder.fit(case.cells).transform(cells)
    kept = encoder.set_params(on_error="missing").transform(cells)
    assert np.isnan(kept[2]).all()
    np.testing.assert_array_equal(
        np.delete(kept, 2, axis=0),
        np.delete(encoder.transform(case.cells), 2, axis=0),
    )


def test_an_array_that_is_refused_in_part_is_not_changed():
    vectors = np.ones((3, 2), dtype=np.float32)
    vectors[1, 0] = np.inf
    encoder = clone(CASES["VectorStacker"].estimator).set_params(on_error="missing")
    assert np.isnan(encoder.transform(vectors)[1]).all()
    assert np.isinf(vectors[1, 0])


@pytest.mark.parametrize("name", ["HOGEncoder", "ColorHistogramEncoder"])
def test_a_picture_with_gaps_is_named(name):
    case = CASES[name]
    pictures = np.array(case.cells)
    pictures[4, 3, 3] = np.nan
    with pytest.raises(ValueError, match="row 4 .*NaN"):
        clone(case.estimator).fit(pictures)


def test_what_lies_far_out_counts_as_far_out():
    X, _ = make_numbers()
    vectorizer = clone(ESTIMATORS["MultimodalVectorizer"]).fit(X)
    far = np.repeat(X[:1], 4, axis=0)
    far[:, 0] = [1e4, 1e18, 1e30, 1e300]
    told = vectorizer.transform(far)[:, 0]
    assert told[0] > 0
    np.testing.assert_allclose(told, told[0], rtol=1e-3)
