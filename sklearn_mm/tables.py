"""Tables of any kind, read the way that the estimators of this package read them."""

from ._columns.names import label_columns
from ._columns.table import (
    column_names,
    get_column,
    list_names,
    n_rows,
    read_table,
    select_columns,
    select_rows,
)

__all__ = [
    "column_names",
    "get_column",
    "label_columns",
    "list_names",
    "n_rows",
    "read_table",
    "select_columns",
    "select_rows",
]
