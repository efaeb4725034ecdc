"""One table in many forms: layouts of arrays, frames, labels of rows and columns."""

import os
import tempfile

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from skorch.helper import SliceDict

from .hostile import (
    COLUMNS,
    ESTIMATORS,
    FORMED,
    FUSED,
    TRAINED,
    assert_same,
    attempt,
    by_name,
    examples,
    freeze,
    give,
    make_numbers,
    make_target,
    mask_columns,
)


def map_memory(X):
    handle, path = tempfile.mkstemp()
    os.close(handle)
    np.asarray(X).tofile(path)
    return np.memmap(path, X.dtype, "r", shape=X.shape)


def lock(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def label_rows(X, labels):
    return pd.DataFrame(X, index=labels, columns=COLUMNS)


#: Forms of one array of numbers that float16 holds exactly.
ARRAYS = {
    "float16": lambda X: X.astype(np.float16),
    "float32": lambda X: X.astype(np.float32),
    "longdouble": lambda X: X.astype(np.longdouble),
    "big-endian": lambda X: X.astype(">f8"),
    "big-endian float32": lambda X: X.astype(">f4"),
    "Fortran": np.asfortranarray,
    "every other column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "backwards": lambda X: X[::-1].copy()[::-1],
    "columns backwards": lambda X: X[:, ::-1].copy()[:, ::-1],
    "read-only": lock,
    "memmap": map_memory,
    "objects": lambda X: X.astype(object),
    "lists": lambda X: X.tolist(),
}
FRAMES = {
    "frame": lambda X: pd.DataFrame(X, columns=COLUMNS),
    "columns 0, 1, ...": pd.DataFrame,
    "columns of tuples": lambda X: pd.DataFrame(
        X, columns=pd.MultiIndex.from_product([["a", "b"], [1, 2]])
    ),
    "objects": lambda X: pd.DataFrame(X.astype(object), columns=COLUMNS),
    "Float64": lambda X: pd.DataFrame(X, columns=COLUMNS).astype("Float64"),
    "arrow": lambda X: pd.DataFrame(X, columns=COLUMNS).astype("double[pyarrow]"),
    "polars": lambda X: pl.DataFrame(X, schema=COLUMNS),
    "one label": lambda X: label_rows(X, [7] * len(X)),
    "labels backwards": lambda X: label_rows(X, np.arange(len(X))[::-1]),
    "pairs": lambda X: label_rows(
        X, pd.MultiIndex.from_arrays([np.arange(len(X)) // 2, np.arange(len(X)) % 2])
    ),
    "strings": lambda X: label_rows(X, [f"row {i}" for i in range(len(X))]),
}
#: Tables with the columns of ``COLUMNS`` in every container.
CONTAINERS = {
    "pandas": FRAMES["frame"],
    "polars": FRAMES["polars"],
    "pyarrow": lambda X: pa.table(dict(zip(COLUMNS, X.T))),
    "dict": lambda X: dict(zip(COLUMNS, X.T)),
    "dict of lists": lambda X: dict(zip(COLUMNS, X.T.tolist())),
    "SliceDict": lambda X: SliceDict(**dict(zip(COLUMNS, X.T))),
    "array": np.asarray,
}
JOINT = [name for name in TRAINED if "Multi" in name]
#: Other tables, of which nothing is known but that the outcome must be sound.
OTHERS = {
    "integers": lambda X: (X * 8).astype(np.int8),
    "big-endian integers": lambda X: (X * 8).astype(">i4"),
    "bytes": lambda X: np.abs(X * 8).astype(np.uint8),
    "booleans": lambda X: X > 0,
    "complex": lambda X: X.astype(complex),
    "dates": lambda X: (X * 8).astype(int).astype("M8[D]"),
    "strings": lambda X: X.astype(str),
    "three axes": lambda X: X[:, :, None],
    "one axis": lambda X: X[:, 0],
    "no axis": lambda X: np.array(3.0),
    "None": lambda X: None,
    "one string": lambda X: "table",
    "same names": lambda X: pd.DataFrame(X, columns=list("aabb")),
    "mixed names": lambda X: pd.DataFrame(X, columns=["a", 1, ("b", 2), 3.5]),
    "categories": lambda X: pd.DataFrame(X, columns=COLUMNS).astype("category"),
    "nullable integers": lambda X: pd.DataFrame(
        (X * 8).astype(int), columns=COLUMNS
    ).astype("Int64"),
    "nullable booleans": lambda X: pd.DataFrame(X > 0).astype("boolean"),
    "nullable strings": lambda X: pd.DataFrame(X.astype(str)).astype("string"),
    "arrow strings": lambda X: pd.DataFrame(X.astype(str)).astype("string[pyarrow]"),
    "missing": lambda X: pd.DataFrame(X).astype("Float64").mask(X > 2),
    "objects of all kinds": lambda X: np.array([[1, "a", None, 2.5]] * len(X), object),
    "lists of other lengths": lambda X: [[1.0, 2.0], [3.0]] * (len(X) // 2),
    "no columns": lambda X: X[:, :0],
    "five columns": lambda X: np.column_stack([X, X[:, 0]]),
}


@pytest.mark.parametrize("name", FORMED)
@examples(2)
@given(st.sampled_from(sorted(ARRAYS)), st.integers(0, 3))
def test_the_layout_of_an_array_does_not_matter(name, form, seed):
    X, y = make_numbers(seed=seed)
    y = make_target(name, y)
    other = ARRAYS[form](X)
    before = freeze(other)
    expected = give(clone(ESTIMATORS[name]).fit(X, y), X)
    told = give(clone(ESTIMATORS[name]).fit(other, y), other)
    assert freeze(other) == before
    # scikit-learn's scaler computes in float16 then.
    assert_same(told, expected, 0.05 if form == "float16" else 1e-4)


@pytest.mark.parametrize("name", FORMED)
@examples(2)
@given(st.sampled_from(sorted(FRAMES)), st.integers(0, 3))
def test_labels_and_kinds_of_frames_do_not_matter(name, form, seed):
    X, y = make_numbers(seed=seed)
    y = make_target(name, y)
    frame = FRAMES[form](X)
    before = freeze(frame)
    expected = give(clone(ESTIMATORS[name]).fit(X, y), X)
    told = give(clone(ESTIMATORS[name]).fit(frame, y), frame)
    assert freeze(frame) == before
    assert_same(told, expected, 1e-4)


@pytest.mark.parametrize("name", ESTIMATORS)
@examples(3)
@given(st.sampled_from(sorted(OTHERS)), st.booleans())
def test_other_tables_are_taken_or_refused_with_a_reason(name, form, fits):
    X, y = make_numbers()
    y = make_target(name, y)
    other = OTHERS[form](X)
    before = freeze(other)
    model = attempt(clone(ESTIMATORS[name]).fit, other if fits else X, y)
    if model is not None:
        attempt(give, model, other)
    assert freeze(other) == before


@pytest.mark.parametrize("name", [*FUSED, *JOINT])
@examples(1)
@given(st.permutations(COLUMNS), st.integers(0, 3))
def test_the_order_of_columns_chosen_by_name_does_not_matter(name, order, seed):
    X, y = make_numbers(seed=seed)
    y = make_target(name, y)
    X = pd.DataFrame(X, columns=COLUMNS)
    model = clone(by_name(ESTIMATORS[name])).fit(X, y)
    assert_same(give(model, X[order]), give(model, X), 1e-6)
    with pytest.raises(ValueError, match="no column"):
        model.predict(X.drop(columns=COLUMNS[0]))


@pytest.mark.parametrize("name", [*FUSED, *JOINT])
def test_a_mask_chooses_columns_of_any_names(name):
    X, y = make_numbers()
    y = make_target(name, y)
    expected = give(clone(by_name(ESTIMATORS[name], [[0, 1], [2, 3]])).fit(X, y), X)
    masked = clone(mask_columns(ESTIMATORS[name]))
    for columns in (range(4), pd.MultiIndex.from_product([["a", "b"], [1, 2]])):
        frame = pd.DataFrame(X, columns=columns)
        assert_same(give(clone(masked).fit(frame, y), frame), expected, 1e-4)


@pytest.mark.parametrize("name", [*FUSED, *JOINT])
def test_the_container_of_a_table_does_not_matter(name):
    X, y = make_numbers()
    X[::5, :2] = np.nan
    y = make_target(name, y)
    chosen = by_name(ESTIMATORS[name])
    by_position = by_name(ESTIMATORS[name], [[0, 1], [2, 3]])
    frame = CONTAINERS["pandas"]
    expected = give(clone(chosen).fit(frame(X), y), frame(X[:20]))
    for container, make in CONTAINERS.items():
        model = clone(by_position if container == "array" else chosen)
        model.fit(make(X), y)
        assert model.n_features_in_ == 4, container
        assert_same(give(model, make(X[:20])), expected, 1e-6)
        names = getattr(model, "feature_names_in_", None)
        if container != "array" and name != "co-training":
            assert names.tolist() == COLUMNS, container


@pytest.mark.parametrize("name", [*FUSED, *JOINT])
@pytest.mark.parametrize(
    "names",
    [[3, 2, 1, 0], [("a", 1), ("a", 2), ("b", 1), ("b", 2)], ["a", "c", 1, ("b", 2)]],
    ids=["integers", "pairs", "mixed"],
)
def test_columns_may_have_names_of_any_kind(name, names):
    X, y = make_numbers()
    y = make_target(name, y)
    chosen = by_name(ESTIMATORS[name], [names[:2], names[2:]])
    by_position = by_name(ESTIMATORS[name], [[0, 1], [2, 3]])
    expected = give(clone(by_position).fit(X, y), X)
    index = pd.Index(names, tupleize_cols=isinstance(names[-1], tuple))
    for table in (pd.DataFrame(X, columns=index), dict(zip(names, X.T))):
        model = clone(chosen).fit(table, y)
        assert_same(give(model, table), expected, 1e-6)
        assert not hasattr(model, "feature_names_in_")
        lacking = {n: column for n, column in zip(names, X.T) if n != names[0]}
        with pytest.raises(ValueError, match="no column"):
            model.predict(lacking)
