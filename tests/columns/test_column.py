"""Columns: what is missing, padding and lengths, and how bad cells are reported."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sklearn_mm import LoadError, SequencePadder, TextVectorizer, VectorStacker
from sklearn_mm._columns.column import as_column, find_missing
from sklearn_mm._columns.padding import pad_samples, valid_lengths


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["a", None, "c"]),
        pd.Series(["a", np.nan, "c"], dtype=object),
        pd.Series(["a", pd.NA, "c"], dtype="string"),
        pd.Series(["a", None, "c"], dtype="string[pyarrow]"),
        pd.Series(["a", None, "c"], dtype="category"),
        pd.Series([b"a", None, b"c"]),
        pl.Series(["a", None, "c"]),
        pl.Series(["a", None, "c"], dtype=pl.Categorical),
        pl.Series([b"a", None, b"c"]),
        np.array(["a", None, "c"], dtype=object),
        ["a", float("nan"), "c"],
        pd.DataFrame({"x": ["a", None, "c"]}),
        pl.DataFrame({"x": ["a", None, "c"]}),
    ],
)
def test_missing_cells_are_found_in_every_container(column):
    column = as_column(column, "test")
    assert column.missing.tolist() == [False, True, False]
    assert column.cells[2] in ("c", b"c")
    assert len(column) == 3


def test_columns_of_lists_and_arrays_keep_their_cells():
    nested = pl.Series([[1.0, 2.0], None, [3.0, 4.0]])
    expected = [[1, 2], [np.nan, np.nan], [3, 4]]
    np.testing.assert_array_equal(VectorStacker().fit_transform(nested), expected)
    fixed = nested.cast(pl.Array(pl.Float64, 2))
    np.testing.assert_array_equal(VectorStacker().fit_transform(fixed), expected)
    arrow = pd.Series(nested.to_list(), dtype=pd.ArrowDtype(nested.to_arrow().type))
    np.testing.assert_array_equal(VectorStacker().fit_transform(arrow), expected)


def test_a_sample_of_an_array_is_missing_if_all_of_it_is_nan():
    array = np.zeros((4, 2, 3))
    array[1] = np.nan
    array[2, 0, 0] = np.nan
    assert find_missing(array).tolist() == [False, True, False, False]
    assert not find_missing(np.zeros((4, 2, 3), dtype=int)).any()
    assert find_missing(np.array([1.0, np.nan])).tolist() == [False, True]


def test_empty_strings_are_texts():
    assert not as_column(["", "a"], "test").missing.any()
    assert TextVectorizer().fit(["a word", ""]).transform([""]).nnz == 0


def test_lengths_undo_padding():
    rng = np.random.default_rng(0)
    for shape in ((), (3,)):
        samples = [rng.random((n, *shape)) for n in (4, 1, 7)] + [None]
        padded = pad_samples(samples, sample_shape=shape)
        assert padded.shape == (4, 7, *shape)
        assert valid_lengths(padded).tolist() == [4, 1, 7, 0]
        for sample, row in zip(samples[:3], padded):
            np.testing.assert_allclose(row[: len(sample)], sample, rtol=1e-6)
    gap = np.array([[1, np.nan, 2, np.nan]])
    assert valid_lengths(gap).tolist() == [3]
    assert valid_lengths(np.ones((2, 0))).tolist() == [0, 0]


def test_rows_are_named_by_their_labels():
    frame = pd.DataFrame({"x": [[1, 2], "no", [3, 4]]}, index=[30, 10, 20])
    with pytest.raises(LoadError, match=r"row 10 \('no'\) could not be used: .*array"):
        VectorStacker().fit(frame)
    with pytest.raises(LoadError, match="row 1 "):
        VectorStacker().fit(frame["x"].tolist())


def test_long_sources_are_cut_in_errors():
    with pytest.raises(LoadError) as caught:
        SequencePadder().fit(["x" * 5000])
    assert len(str(caught.value)) < 500
