"""Tables in every container, and columns by names of any kind or by position."""

import datetime
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.sparse import csr_array, dok_array
from skorch.dataset import Dataset
from skorch.helper import SliceDict

from sklearn_mm._columns.table import (
    column_names,
    get_column,
    n_rows,
    read_table,
    select_columns,
    select_rows,
)

CELLS = {"a": [1.0, 2.0, None], "b": ["x", None, "z"], "c": [[1, 2], [3], None]}
DAY = datetime.date(2020, 1, 1)
#: One table whose columns are named "a" and "b" in every container.
CONTAINERS = {
    "pandas": pd.DataFrame,
    "polars": lambda cells: pl.DataFrame(cells, strict=False),
    "pyarrow": pa.table,
    "record batch": pa.RecordBatch.from_pydict,
    "dict": dict,
    "dict of Series": lambda cells: {n: pd.Series(c) for n, c in cells.items()},
    "dict of polars": lambda cells: {n: pl.Series(c) for n, c in cells.items()},
    "dict of arrow": lambda cells: {n: pa.array(c) for n, c in cells.items()},
    "SliceDict": lambda cells: SliceDict(
        **{n: np.array([*c, None], object)[:-1] for n, c in cells.items()}
    ),
}


def to_lists(column):
    values = column.to_list() if hasattr(column, "to_list") else list(column)
    lists = [list(v) if hasattr(v, "__len__") else v for v in values]
    return [None if v is None or v is pd.NA or v != v else v for v in lists]


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_is_the_same_table(container):
    X = read_table(CONTAINERS[container](CELLS))
    assert column_names(X) == ["a", "b", "c"]
    assert n_rows(X) == 3
    for name, cells in CELLS.items():
        expected = [list(c) if isinstance(c, str) else c for c in cells]
        assert to_lists(get_column(X, name)) == expected
        assert to_lists(select_columns(X, name)) == expected
        rows = select_rows(get_column(X, name), np.array([2, 0]))
        assert to_lists(rows) == [expected[2], expected[0]]
    part = select_columns(X, ["c", "a"])
    assert column_names(part) == ["c", "a"]
    rows = select_rows(X, np.array([2, 0]))
    assert n_rows(rows) == 2
    assert to_lists(get_column(rows, "a")) == [None, 1.0]
    assert read_table(X) is X


def test_frames_and_arrays_are_not_copied():
    for X in (pd.DataFrame(CELLS), pl.DataFrame({"a": [1]})):
        assert read_table(X) is X
    X = np.zeros((2, 3))
    assert np.shares_memory(read_table(X), X)


def test_arrow_tables_keep_what_pandas_can_hold():
    table = pa.table(
        {
            "exact": pa.array([2**60 + 1, None, 3]),
            "small": pa.array([1, None, 3], pa.uint8()),
            "whole": pa.array([1, 2, 3]),
            "kind": pa.array(["x", "y", None]).dictionary_encode(),
            "nested": pa.array([[1.0, 2.0], [3.0], None]),
        }
    )
    frame = read_table(table)
    assert frame["exact"][0] == 2**60 + 1
    assert [str(t) for t in frame.dtypes[:4]] == ["Int64", "UInt8", "int64", "category"]
    assert isinstance(frame["nested"][0], np.ndarray)
    indexed = pd.DataFrame({"u": [1, 2]}, index=["r", "s"])
    pd.testing.assert_frame_equal(read_table(pa.Table.from_pandas(indexed)), indexed)


def test_a_dict_holds_arrays_of_any_shape_and_is_split_and_batched():
    images = np.arange(12.0).reshape(3, 2, 2)
    X = read_table({"image": images, DAY: [1, 2, 3], 7: images[:, 0]})
    assert X.shape == (3,)
    assert len(Dataset(X)) == 3
    np.testing.assert_array_equal(X[np.array([2])]["image"], images[2:])
    np.testing.assert_array_equal(select_columns(X, 7), images[:, 0])
    part = select_columns(X, ["image", DAY])
    assert list(part) == ["image", DAY]
    assert n_rows(part) == 3
    assert pickle.loads(pickle.dumps(X)).keys() == X.keys()


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ({"a": [1, 2], "b": [1]}, ValueError, "differ in length: {'a': 2, 'b': 1}"),
        ({"a": "text"}, TypeError, "column 'a' of X: expected a column"),
        (csr_array(np.eye(2)), TypeError, "sparse"),
        (dok_array(np.eye(2)), TypeError, "sparse"),
        (pd.DataFrame(np.eye(2), columns=["a", "a"]), ValueError, "unique column name"),
        (pa.table([[1], [2]], names=["a", "a"]), ValueError, "unique column names"),
        (pd.Series([1, 2]), ValueError, "X is one column"),
        (pl.Series([1, 2]), ValueError, "X is one column"),
        (np.zeros(3), ValueError, "2D array"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(X, error, message):
    with pytest.raises(error, match=message):
        read_table(X)


NAMES = {
    "strings": ["p", "q", "r"],
    "integers": [2, 0, 1],
    "others": [5, 6, 7],
    "dates": [DAY, DAY.replace(year=2021), DAY.replace(year=2022)],
    "pairs": [("a", 1), ("a", 2), ("b", 1)],
    "mixed": ["p", 1, ("b", 2)],
}


@pytest.mark.parametrize("is_frame", [True, False])
@pytest.mark.parametrize("kind", NAMES)
def test_names_of_any_kind_choose_columns(kind, is_frame):
    names, cells = NAMES[kind], np.arange(6).reshape(2, 3)
    X = {name: cells[:, i] for i, name in enumerate(names)}
    if is_frame:
        index = pd.MultiIndex.from_tuples if kind == "pairs" else list
        X = pd.DataFrame(cells, columns=index(names))
    X = read_table(X)
    assert column_names(X) == names
    for position, name in enumerate(names):
        assert select_columns(X, name).tolist() == cells[:, position].tolist()
        assert get_column(X, name).tolist() == cells[:, position].tolist()
    part = select_columns(X, names[:0:-1])
    assert column_names(part) == names[:0:-1]
    np.testing.assert_array_equal(part, cells[:, :0:-1])
    choices = [slice(1, None), [False, True, True]]
    if not isinstance(names[1], int):
        choices.append(slice(names[1], names[2]))
    for columns in choices:
        np.testing.assert_array_equal(select_columns(X, columns), cells[:, 1:])


@pytest.mark.parametrize("kind", ["strings", "dates", "pairs"])
def test_integers_are_positions_where_no_name_is_an_integer(kind):
    cells = np.arange(6).reshape(2, 3)
    X = read_table(dict(zip(NAMES[kind], cells.T)))
    np.testing.assert_array_equal(select_columns(X, 1), cells[:, 1])
    np.testing.assert_array_equal(select_columns(X, [0, -1]), cells[:, [0, 2]])
    array = read_table(cells)
    np.testing.assert_array_equal(select_columns(array, 1), cells[:, 1])
    np.testing.assert_array_equal(select_columns(array, [0, -1]), cells[:, [0, 2]])


@pytest.mark.parametrize("columns", [0, [0], [6, 1], "p", slice("p", None)])
def test_an_integer_name_is_never_a_position(columns):
    X = read_table(dict(zip(NAMES["others"], np.arange(6).reshape(3, 2))))
    with pytest.raises(ValueError, match=r"X has no column \[.*only \[5, 6, 7\]"):
        select_columns(X, columns)


@pytest.mark.parametrize("columns", [3, [0, 3], [-4], [True], "p"])
def test_columns_that_an_array_lacks_are_refused(columns):
    with pytest.raises(ValueError, match="columns|no column"):
        select_columns(np.zeros((2, 3)), columns)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([{"a": 1}, {"a": 2}], r"a list of dict; .* pandas.DataFrame\(X\)"),
        (["red shoe", "hat"], "a list of str; .* {'name': X}"),
        ([None, "hat"], "a list of NoneType"),
        ("table.csv", "a str; expected a frame"),
        (None, "a NoneType; expected a frame"),
    ],
)
def test_what_is_not_a_table_is_named_without_its_data(X, message):
    with pytest.raises(TypeError, match=message):
        read_table(X)
