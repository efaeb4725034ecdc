"""Which columns a spec means: names, positions, a slice or a mask."""

from numbers import Integral

import numpy as np


class Selection:
    """Columns chosen out of a table, as in ``ColumnTransformer``.

    An integer is a name if any column's name is an integer, else a position. In an
    array, and in a frame whose columns are 0, 1, ..., both are the same. Booleans are a
    mask, unless each of a list is a column's name.

    Parameters
    ----------
    columns : hashable, list, slice or mask
        The spec. A tuple is one name if a column has that name, else a list. A slice
        of integers means positions; a slice of names includes both ends.
    names : list of hashable
        Names of the table's columns; of an array, its positions.

    Attributes
    ----------
    is_scalar : bool
        Whether one column is chosen as such, and not as a table of one.
    by_name : bool
        Whether all columns are chosen by their names.
    lacking : list of hashable
        Names in the spec that the table does not have.
    """

    def __init__(self, columns, names):
        self._spec = columns
        self._names = names
        self._known = {name: position for position, name in enumerate(names)}
        self._is_unnamed = names == list(range(len(names)))
        self._has_integers = any(map(_is_integer, names))
        self._flags = {name for name in names if _is_flag(name)}
        self.is_scalar = self._is_one(columns)
        chosen = [columns] if self.is_scalar else self._list(columns)
        chosen = list(map(read_name, chosen))
        self._is_mask = self._chooses_by_mask(chosen)
        named = [column for column in chosen if self._is_name(column)]
        self.lacking = [column for column in named if column not in self._known]
        self.by_name = 0 < len(named) == len(chosen) and not isinstance(columns, slice)
        self._chosen = chosen

    @property
    def is_empty(self):
        """Whether no column is chosen."""
        return not (self.is_scalar or self.lacking or self.positions)

    @property
    def positions(self):
        """Positions of the columns; raises an error for those that do not exist."""
        if self.lacking:
            raise ValueError(f"X has no column {self.lacking}, only {self._names}.")
        n_columns = len(self._names)
        chosen = self._chosen
        if self._is_mask:
            if len(chosen) != n_columns:
                raise ValueError(
                    f"the mask of columns has {len(chosen)} entries, but X has "
                    f"{n_columns} columns."
                )
            return np.flatnonzero(chosen).tolist()
        if isinstance(self._spec, slice):
            return list(self._slice_positions())
        positions = [
            self._known[column] if self._is_name(column) else int(column)
            for column in chosen
        ]
        if any(not -n_columns <= position < n_columns for position in positions):
            raise ValueError(f"X has {n_columns} columns, but not {self._spec!r}.")
        return [position % n_columns for position in positions]

    def _is_one(self, columns):
        if isinstance(columns, tuple):
            return columns in self._known
        is_several = hasattr(columns, "__iter__") or isinstance(columns, slice)
        return isinstance(columns, str | bytes) or not is_several

    def _is_name(self, column):
        if _is_flag(column):
            return not self._is_mask
        if _is_integer(column):
            return self._has_integers and not self._is_unnamed
        return True

    def _chooses_by_mask(self, chosen):
        is_named = not hasattr(self._spec, "dtype") and self._flags.issuperset(chosen)
        return bool(chosen) and all(map(_is_flag, chosen)) and not is_named

    def _list(self, columns):
        if isinstance(columns, slice):
            ends = [end for end in (columns.start, columns.stop) if end is not None]
            return [end for end in ends if not _is_integer(end)]
        return columns.tolist() if hasattr(columns, "tolist") else list(columns)

    def _slice_positions(self):
        start, stop = self._spec.start, self._spec.stop
        if self._chosen:  # ends are names
            start = None if start is None else self._known[start]
            stop = None if stop is None else self._known[stop] + 1
        return range(len(self._names))[start : stop : self._spec.step]


def read_name(name):
    """Return a column's name; NaN, which equals nothing, as numpy's NaN."""
    return np.nan if isinstance(name, float) and name != name else name


def _is_integer(name):
    return isinstance(name, Integral) and not _is_flag(name)


def _is_flag(name):
    return isinstance(name, bool | np.bool_)
