"""Instants, durations and codes in the types of many libraries, and their tables."""

import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from hypothesis import strategies as st

ZONES = [datetime.timezone(datetime.timedelta(hours=h)) for h in (-5, 0, 2)]


def each(function, dtype=object):
    """A column of what a function makes of each cell that is there."""
    return lambda cells: pd.Series(
        [None if cell is None else function(cell) for cell in cells], dtype=dtype
    )


def write(pattern):
    return each(lambda moment: moment.strftime(pattern))


def with_zone(moment):
    return moment.replace(tzinfo=datetime.UTC)


def as_arrow(kind):
    return lambda cells: pd.Series(cells, dtype=pd.ArrowDtype(kind))


INSTANTS = {
    "pandas": lambda cells: pd.Series(cells, dtype="M8[ns]"),
    "pandas seconds": lambda cells: pd.Series(cells, dtype="M8[s]"),
    "pandas in Berlin": lambda cells: (
        pd.Series(cells, dtype="M8[us]")
        .dt.tz_localize("UTC")
        .dt.tz_convert("Europe/Berlin")
    ),
    "objects": lambda cells: pd.Series(cells, dtype=object),
    "objects in zones": each(lambda m: with_zone(m).astimezone(ZONES[m.minute % 3])),
    "naive and aware": each(lambda m: with_zone(m) if m.minute % 2 else m),
    "numpy": lambda cells: np.array(cells, "M8[s]"),
    "numpy nanoseconds": lambda cells: np.array(cells, "M8[ns]"),
    "numpy objects": each(lambda m: np.datetime64(m, "ms")),
    "list": list,
    "periods": each(lambda m: pd.Period(m, "s")),
    "polars": lambda cells: pl.Series(cells, dtype=pl.Datetime("us")),
    "polars in New York": lambda cells: pl.Series(
        cells, dtype=pl.Datetime("ms", "UTC")
    ).dt.convert_time_zone("America/New_York"),
    "arrow": lambda cells: pa.array(cells, pa.timestamp("ns", "Europe/Berlin")),
    "arrow in pandas": as_arrow(pa.timestamp("us")),
    "strings in pandas": lambda cells: write("%Y-%m-%dT%H:%M:%S")(cells).astype("str"),
    "strings in polars": lambda cells: pl.Series(
        write("%Y-%m-%d %H:%M:%SZ")(cells).to_list(), dtype=pl.String
    ),
    "strings in zones": each(
        lambda m: str(with_zone(m).astimezone(ZONES[m.minute % 3]))
    ),
    "with a fraction": write("%Y-%m-%d %H:%M:%S.%f"),
    "names of months": write("%B %d, %Y %H:%M:%S"),
    "of the C library": write("%a %b %d %H:%M:%S %Y"),
    "of e-mails": write("%a, %d %b %Y %H:%M:%S +0000"),
    "bytes": each(lambda m: m.isoformat().encode()),
}
DURATIONS = {
    "pandas": lambda cells: pd.Series(cells, dtype="m8[ns]"),
    "pandas seconds": lambda cells: pd.Series(cells, dtype="m8[s]"),
    "objects": lambda cells: pd.Series(cells, dtype=object),
    "Timedelta": each(pd.Timedelta),
    "numpy": lambda cells: np.array(cells, "m8[s]"),
    "numpy objects": each(lambda cell: np.timedelta64(cell, "us")),
    "list": list,
    "polars": lambda cells: pl.Series(cells, dtype=pl.Duration("ms")),
    "arrow": lambda cells: pa.array(cells, pa.duration("us")),
    "arrow in pandas": as_arrow(pa.duration("ns")),
    "seconds": each(datetime.timedelta.total_seconds, "float64"),
    "nullable seconds": each(lambda cell: int(cell.total_seconds()), "Int64"),
    "strings": each(lambda cell: str(int(cell.total_seconds()))),
    "decimals": each(lambda cell: Decimal(int(cell.total_seconds()))),
    "fractions": each(lambda cell: Fraction(int(cell.total_seconds()))),
}
CODES = {
    "integers": lambda cells: pd.Series(cells, dtype="Int64"),
    "floats": lambda cells: pd.Series(cells, dtype="float64"),
    "float32": lambda cells: np.array(cells, dtype=np.float32),
    "objects": lambda cells: pd.Series(cells, dtype=object),
    "strings": each(str),
    "strings of floats": each(lambda cell: str(float(cell))),
    "bytes": each(lambda cell: str(cell).encode()),
    "decimals": each(Decimal),
    "category of integers": lambda cells: pd.Series(pd.Categorical(cells)),
    "category of strings": lambda cells: each(str)(cells).astype("category"),
    "category with others": lambda cells: pd.Series(
        pd.Categorical(cells, categories=range(1000))
    ),
    "category alone": pd.Categorical,
    "polars category": lambda cells: pl.Series(
        each(str)(cells).to_list(), dtype=pl.Categorical
    ),
    "polars enum": lambda cells: pl.Series(
        each(str)(cells).to_list(), dtype=pl.Enum([str(i) for i in range(1000)])
    ),
    "arrow dictionary": lambda cells: pa.array(cells, pa.int64()).dictionary_encode(),
    "arrow dictionary in pandas": lambda cells: each(str)(cells).astype(
        pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
    ),
}
#: Forms of the same cells by the kind of their column.
FORMS = {"datetime": INSTANTS, "numeric": DURATIONS, "category": CODES}


def put_in_table(column):
    """A table, in the container that fits, with a column "cell" and another one."""
    n = len(column)
    columns = {"cell": column, "other": np.arange(n)}
    if isinstance(column, pd.Series):
        return pd.DataFrame(columns)
    if isinstance(column, pl.Series):
        return pl.DataFrame(columns)
    return pa.table(columns) if isinstance(column, pa.Array) else columns


def expect(kind, cells):
    """What the column is for skrub, computed by pandas."""
    if kind == "datetime":
        return pd.Series(cells, dtype="M8[us]")
    if kind == "numeric":
        return pd.to_timedelta(pd.Series(cells)).dt.total_seconds()
    return pd.Series([None if cell is None else str(cell) for cell in cells])


def draw_cells():
    """Draw a kind of column and its cells, some of which are missing."""
    moments = st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1))
    present = {
        "datetime": moments.map(lambda moment: moment.replace(microsecond=0)),
        "numeric": st.integers(-(10**6), 10**6).map(
            lambda seconds: datetime.timedelta(seconds=seconds)
        ),
        "category": st.integers(0, 999),
    }
    return st.one_of(
        [
            st.tuples(
                st.just(kind),
                st.lists(st.none() | cells, min_size=3, max_size=9).filter(any),
            )
            for kind, cells in present.items()
        ]
    )
