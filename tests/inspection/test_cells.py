"""Cells that change places or go missing, in every kind of table."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from skorch.helper import SliceDict

from sklearn_mm.inspection._cells import (
    blank_cells,
    find_absent,
    move_cells,
    put_cells,
    take_column,
)
from sklearn_mm.tables import n_rows, read_table, select_rows

ARRAY = np.arange(3.0)
CELLS = {
    "numbers": [1, 2, 3],
    "floats": [1.0, 2.0, 3.0],
    "flags": [True, False, True],
    "words": ["x", "y", "z"],
    "arrays": [ARRAY, ARRAY + 1, ARRAY + 2],
    "bytes": [b"1", b"2", b"3"],
}


def make_pandas():
    frame = pd.DataFrame({name: pd.Series(cells) for name, cells in CELLS.items()})
    frame["category"] = pd.Categorical(["p", "q", "p"])
    frame["nullable"] = pd.array([1, 2, 3], dtype="Int64")
    frame["date"] = pd.to_datetime(["2020-01-01", "2021-01-01", "2022-01-01"])
    frame.index = [7, 7, 9]
    return frame


def make_polars():
    columns = {n: pl.Series(c) for n, c in CELLS.items() if n != "arrays"}
    arrays = pl.Series(CELLS["arrays"], dtype=pl.Object)
    return pl.DataFrame({**columns, "arrays": arrays})


def make_dict():
    columns = {n: np.array(c) for n, c in CELLS.items()}
    columns["images"] = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    return read_table(SliceDict(**columns))


TABLES = {
    "pandas": make_pandas,
    "polars": make_polars,
    "dict": make_dict,
    "objects": lambda: make_pandas().to_numpy(dtype=object),
    "floats": lambda: np.arange(6.0).reshape(3, 2),
    "integers": lambda: np.arange(6).reshape(3, 2),
}


@pytest.fixture(params=TABLES)
def table(request):
    return TABLES[request.param]()


def list_keys(X):
    return list(X) if isinstance(X, dict) else range(X.shape[1])


def as_cells(column):
    return [np.asarray(cell).tolist() for cell in column]


def test_blanked_rows_are_missing_and_the_others_as_they_were(table):
    for key in list_keys(table):
        before = as_cells(take_column(table, key))
        blanked = blank_cells(table, [key], np.array([1]))
        assert type(blanked) is type(table)
        column = take_column(blanked, key)
        assert find_absent(column).tolist() == [False, True, False]
        kept = select_rows(blanked, np.array([0, 2]))
        assert as_cells(take_column(kept, key)) == [before[0], before[2]]
        assert as_cells(take_column(table, key)) == before
        others = [other for other in list_keys(table) if other != key]
        for other in others:
            assert not find_absent(take_column(blanked, other)).any()


def test_moved_cells_are_those_of_other_rows(table):
    order = np.array([2, 0, 1])
    moved = move_cells(table, list(list_keys(table)), order)
    for key in list_keys(table):
        before = as_cells(take_column(table, key))
        assert as_cells(take_column(moved, key)) == [before[row] for row in order]


def test_the_index_and_the_types_that_can_hold_gaps_stay():
    X = make_pandas()
    blanked = blank_cells(X, list(range(X.shape[1])))
    assert blanked.index.tolist() == [7, 7, 9]
    assert blanked["numbers"].dtype == float
    for name in ["category", "nullable", "date"]:
        assert blanked[name].dtype == X[name].dtype
    assert blanked["arrays"].tolist() == [None] * 3
    assert find_absent(blanked).all()


def test_pixels_stay_bytes_where_others_are_blanked():
    blanked = blank_cells(make_dict(), ["images"], np.array([0]))
    assert blanked["images"][1].dtype == np.uint8
    assert blanked["images"][0] is None


def test_new_cells_may_be_of_another_type():
    X = make_pandas()
    assert put_cells(X["bytes"], CELLS["arrays"])[7].iloc[1] is CELLS["arrays"][1]
    assert put_cells(X["numbers"], [0.5, 1, 2]).tolist() == [0.5, 1, 2]
    assert put_cells(X["nullable"], [0.5, 1, pd.NA]).dtype == "Float64"
    column = put_cells(make_polars()["bytes"], [ARRAY, None, b"3"])
    assert column.to_list()[1:] == [None, b"3"]
    assert put_cells(make_polars()["numbers"], [0.5, 1, None]).to_list()[0] == 0.5


def test_what_is_no_table_is_refused():
    with pytest.raises(ValueError, match="to_frame"):
        read_table(pd.Series([1, 2]))
    with pytest.raises(TypeError, match="sparse"):
        read_table(csr_array(np.eye(3)))
    assert n_rows(read_table([[1, 2], [3, 4]])) == 2
