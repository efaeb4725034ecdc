"""Which columns of a table are encoded together, and what their encoder sees."""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from .._columns.column import as_column, find_missing
from .._columns.names import label_columns
from .._modalities.table import (
    DROP,
    TABLE_NAMES,
    detect_columns,
    is_content,
    join_columns,
    make_table,
    pick_columns,
    read_declarations,
)
from .._utils.imports import VisualBlock

#: The name of what numbers, categories, dates and booleans are encoded as together.
TABLE = "table"


class Block(NamedTuple):
    """Columns that are encoded together, and as what."""

    _trusted = True

    key: object  # the column's name, or the tuple of their names
    names: list
    modality: str
    lists: bool = False

    @property
    def is_table(self):
        """Whether these are the numbers, categories, dates and booleans."""
        return self.modality == TABLE

    def find_encoder(self, encoders, columns):
        """Return the encoder for a block in a dict by column or modality, or None."""
        encoders = encoders or {}
        given = None if self.modality in columns else encoders.get(self.modality)
        return given if self.is_table else encoders.get(self.key, given)


def plan_blocks(types, groups):
    """Say which columns are encoded together.

    Parameters
    ----------
    types : dict of name to ColumnType
        All columns.
    groups : list of tuple
        Names of the columns that the user declared as one block.

    Returns
    -------
    list of Block
        One for each column and group, and then the table's, if it has a column.
    """
    group_of = {name: group for group in groups for name in group}
    blocks, table = [], []
    for name, (modality, _, lists, _) in types.items():
        group = group_of.get(name)
        if group is not None:
            if name == group[0]:
                blocks.append(Block(group, list(group), modality))
        elif is_content(modality):
            blocks.append(Block(name, [name], modality, lists))
        elif modality not in (DROP, "empty"):
            table.append(name)
    return blocks + [Block(tuple(table), table, TABLE)] * bool(table)


def check_encoder_keys(encoders, columns, modalities):
    """Refuse encoders of columns and modalities that do not exist."""
    for key in encoders or {}:
        if key not in (*modalities, TABLE) and not _is_in(key, columns):
            raise ValueError(
                f"encoders has the key {key!r}, which is neither a column "
                f"({list(columns)}) nor one of {[*modalities, TABLE]}."
            )


def check_present(blocks, columns):
    """Refuse a table that lacks columns."""
    lacking = [n for block in blocks for n in block.names if n not in columns]
    if lacking:
        raise ValueError(
            f"X has no column {lacking}, only {list(columns)}. Fill it with None to "
            "say that it is missing."
        )


def declare_all(vectorizer, X, names=None):
    """Return a vectorizer's ``columns`` and ``encoders`` for all columns of a table.

    Parameters
    ----------
    vectorizer : MultimodalVectorizer
        Has declarations already, perhaps also of columns that the table lacks.
    X : DataFrame, dict of arrays, or ndarray of shape (n_samples, n_columns)
        The table.
    names : list or None
        Names or positions of those columns that the vectorizer will see.

    Returns
    -------
    columns : dict
        What was declared, and what was detected with the reason.
    encoders : dict or None
        Without those of columns that the table lacks.
    """
    known = pick_columns(X, names)
    columns = {k: v for k, v in (vectorizer.columns or {}).items() if _is_in(k, known)}
    declared = read_declarations(columns, known)[0]
    owner = type(vectorizer).__name__
    types = detect_columns(X, declared, names=names, root=vectorizer.root, owner=owner)
    for key in [key for key in columns if key not in known]:
        if columns[key] in TABLE_NAMES:  # a tuple of names: declare each of them
            del columns[key]
    columns |= {
        name: (found.modality, found.reason, found.form)
        for name, found in types.items()
        if name not in declared or found.modality in TABLE_NAMES
    }
    lacking = set(vectorizer.columns or {}) - set(columns)
    encoders = {
        key: encoder
        for key, encoder in (vectorizer.encoders or {}).items()
        if key not in lacking
    }
    return columns, encoders or None


def select_cells(block, columns, types, on_error):
    """Return what a block's encoder sees, and whether its cells are lists.

    Parameters
    ----------
    block : Block
        The columns to encode together.
    columns : dict of name to Series or ndarray
        All columns.
    types : dict of name to ColumnType
        What the columns are.
    on_error : {"raise", "warn", "missing"}
        What to do about cells of the table that cannot be read.

    Returns
    -------
    Series, ndarray or DataFrame
        A column; of the table a frame.
    bool
        Whether cells are lists.
    """
    if block.is_table:
        chosen = {name: types[name] for name in block.names}
        return make_table(columns, chosen, on_error), False
    if len(block.names) > 1:
        return join_columns(columns, block.names, on_error)
    return columns[block.key], block.lists


def find_missing_rows(blocks, columns, types, encoded, owner):
    """Say which rows of each column are missing, or could not be read.

    Returns
    -------
    dict of name to ndarray of shape (n_samples,), bool
        By column.
    """
    missing = {
        name: as_column(columns[name], owner).missing
        for block in blocks
        for name in block.names
    }
    for block, features in zip(blocks, encoded):
        if block.is_table:
            frame, _ = select_cells(block, columns, types, "missing")
            for name, label in label_columns(block.names).items():
                missing[name] = frame[label].isna().to_numpy()
        elif len(block.names) == 1 and not sparse.issparse(features):
            missing[block.key] = find_missing(features)
    return missing


def join_blocks(parts, indicators=()):
    """Put blocks of features side by side, sparse if one of them is.

    Parameters
    ----------
    parts : list of ndarray or sparse matrix of shape (n_samples, n_features)
        The features.
    indicators : list of ndarray of shape (n_samples,), bool
        Columns to append.

    Returns
    -------
    ndarray or sparse matrix of shape (n_samples, n_features), float32
        All of them.
    """
    if indicators:
        parts = [*parts, np.column_stack(indicators).astype(np.float32)]
    if any(map(sparse.issparse, parts)):
        return sparse.hstack(parts, format="csr", dtype=np.float32)
    return np.hstack(parts).astype(np.float32, copy=False)


def show_blocks(blocks, encoders, modalities):
    """Show encoders side by side, each with its columns.

    Parameters
    ----------
    blocks : list of Block
        The columns that are encoded together.
    encoders : list of transformer
        One for each block.
    modalities : dict of name to str
        The modality of each column.

    Returns
    -------
    VisualBlock
        For the HTML representation of an estimator.
    """
    names = [TABLE if block.is_table else str(block.key) for block in blocks]
    details = [
        ", ".join(f"{name} ({modalities[name]})" for name in block.names)
        for block in blocks
    ]
    return VisualBlock("parallel", encoders, names=names, name_details=details)


def _is_in(key, columns):
    """Whether a column, or each of a block's, is among the columns."""
    return key in columns or (
        isinstance(key, tuple) and all(name in columns for name in key)
    )
