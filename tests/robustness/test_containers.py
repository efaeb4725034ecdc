"""The container of a cell and the name of a column do not change what is learned."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from sklearn_mm import MultimodalVectorizer, VectorStacker
from sklearn_mm._columns.cells import make_cells

from .containers import NAMES, VECTORS
from .hostile import examples

RNG = np.random.default_rng(0)
ROWS = 12
COLUMNS = [
    [f"{w} thing {i}" for i, w in enumerate(["good", "bad"] * (ROWS // 2))],
    RNG.normal(size=ROWS),
    [RNG.normal(size=3).astype("f4") for _ in range(ROWS)],
    ["red", "blue", "red"] * (ROWS // 3),
]
VECTORIZER = MultimodalVectorizer(cache=None, random_state=0)
PLAIN = dict(zip("pqrs", COLUMNS))
EXPECTED = clone(VECTORIZER).fit_transform(PLAIN)


@pytest.mark.parametrize("form", VECTORS)
def test_a_vector_is_the_same_in_each_container(form):
    vectors = COLUMNS[2]
    cells = [None, *map(VECTORS[form], vectors[1:])]
    expected = np.stack([np.full(3, np.nan), *vectors[1:]])
    for column in (cells, pd.Series(make_cells(cells))):
        np.testing.assert_array_equal(VectorStacker().fit_transform(column), expected)
    found = clone(VECTORIZER).fit({"cell": cells}).modalities_
    assert found == {"cell": "vector"}


@examples(20)
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(VECTORS)), st.none() | st.integers(0, 9))
    ),
)
def test_containers_may_differ_from_cell_to_cell(drawn):
    vectors = [
        None if k is None else np.arange(k, k + 3.0, dtype="f4") for _, k in drawn
    ]
    cells = [
        None if vector is None else VECTORS[form](vector)
        for (form, _), vector in zip(drawn, vectors)
    ]
    found, expected = map(VectorStacker().fit_transform, (cells, vectors))
    np.testing.assert_array_equal(found, expected)


@examples(4)
@given(
    st.lists(NAMES, min_size=4, max_size=4, unique_by=lambda name: (name,)),
    st.booleans(),
    st.permutations(range(4)),
)
def test_names_of_columns_never_change_the_numbers(names, frame, order):
    def make(chosen):
        table = {names[i]: COLUMNS[i] for i in chosen}
        if not frame:
            return table
        series = dict(enumerate(pd.Series(cells) for cells in table.values()))
        index = pd.Index(list(table), dtype=object, tupleize_cols=False)
        return pd.DataFrame(series).set_axis(index, axis=1)

    vectorizer = clone(VECTORIZER)
    features = vectorizer.fit_transform(make(range(4)))
    np.testing.assert_array_equal(features, EXPECTED)
    np.testing.assert_array_equal(vectorizer.transform(make(order)), EXPECTED)
    labels = vectorizer.get_feature_names_out()
    assert len(set(labels)) == features.shape[1]
    assert len(vectorizer.encoders_) == 3
