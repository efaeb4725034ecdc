"""Names of columns of any kind, and arrays in the containers of many libraries."""

import array
import collections
import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import scipy.sparse
import torch
from hypothesis import strategies as st


class Exchanged:
    """An array that only offers DLPack, as those of some other libraries."""

    def __init__(self, numbers):
        self.numbers = numbers

    def __dlpack__(self, **options):
        return self.numbers.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.numbers.__dlpack_device__()


#: One vector of float32 numbers in many containers.
VECTORS = {
    "list": np.ndarray.tolist,
    "tuple": lambda v: tuple(v.tolist()),
    "list of numpy numbers": list,
    "objects": lambda v: v.astype(object),
    "tensor": lambda v: torch.tensor(v, requires_grad=True),
    "list of tensors": lambda v: list(torch.tensor(v)),
    "Series": pd.Series,
    "index": pd.Index,
    "nullable": lambda v: pd.array(v.tolist(), dtype="Float32"),
    "polars": pl.Series,
    "arrow": pa.array,
    "arrow scalar": lambda v: pa.scalar(v.tolist(), pa.list_(pa.float32())),
    "masked": np.ma.array,
    "DLPack": Exchanged,
    "deque": collections.deque,
    "array": lambda v: array.array("f", v.tolist()),
    "buffer": memoryview,
    "sparse": lambda v: scipy.sparse.csr_array(v[None]),
}
#: Keys inside of the package, pairs that are equal after ``str``, and other names.
_WORDS = ["table", "all", "empty", "drop", "text", "x0", "a", "a_b", "a__b", "1", ""]
NAMES = st.one_of(
    st.sampled_from([*_WORDS, "True", "None", "nan", "('a', 1)", "0.5"]),
    st.sampled_from([None, True, np.nan, 0.5, b"a", ("a", 1), frozenset("a")]),
    st.integers(-3, 9),
    st.dates(datetime.date(2020, 1, 1), datetime.date(2020, 1, 9)),
    st.text(max_size=4),
)
