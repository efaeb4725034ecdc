"""Each row with its neighbours: utterances of a dialogue, visits of a patient."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from .._columns.arrays import as_samples
from .._columns.base import ArrayOutputMixin, ColumnTransformerMixin
from .._columns.table import column_names, read_table, select_columns
from .._utils.imports import Interval, fit_context, num_samples
from .._utils.versions import VersionMixin


class ContextWindow(
    ArrayOutputMixin,
    ColumnTransformerMixin,
    TransformerMixin,
    VersionMixin,
    BaseEstimator,
):
    """Turn rows of vectors into short sequences: each row among its neighbours.

    Neighbours are the rows before and after it in the same group, in the order of a
    column, wherever they are in the table. Rows of other groups are never used.

    Parameters
    ----------
    group : str, int or list of them
        Columns that say which rows belong together: a dialogue, a video, a session.
    order : str, int or None, default=None
        Column to sort a group by; by default rows are in order already. Rows with the
        same value keep theirs.
    before : int, default=2
        Number of rows before.
    after : int, default=2
        Number of rows after; 0 looks at the past only.

    Attributes
    ----------
    sample_shape_ : tuple of int
        Shape of what a row holds: ``(n_features,)``.

    Notes
    -----
    The other columns are the vectors: numbers, or one column of arrays. Neighbours must
    be in the table at prediction too: a row that is predicted on its own has none, and
    rows of other cross-validation folds do not count. Split by group
    (:class:`~sklearn.model_selection.GroupKFold`), and predict whole groups. The row
    itself is step ``before`` of the window, which recurrent networks can select with
    ``pooling=before``.

    References
    ----------
    S. Poria, E. Cambria, D. Hazarika, N. Majumder, A. Zadeh and L.-P. Morency (2017),
    "Context-dependent sentiment analysis in user-generated videos", ACL.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_mm import ContextWindow
    >>> X = pd.DataFrame(
    ...     {"video": ["a", "b", "a"], "turn": [2, 1, 1], "x": [12, 21, 11]}
    ... )
    >>> ContextWindow("video", order="turn", before=1, after=0).fit_transform(X)[..., 0]
    array([[11., 12.],
           [nan, 21.],
           [nan, 11.]], dtype=float32)
    """

    _parameter_constraints: dict = {
        "group": [str, Integral, list],
        "order": [str, Integral, None],
        "before": [Interval(Integral, 0, None, closed="left")],
        "after": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, group, *, order=None, before=2, after=2):
        self.group = group
        self.order = order
        self.before = before
        self.after = after

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the columns, and remember the shape of what a row holds.

        Parameters
        ----------
        X : DataFrame or ndarray of shape (n_samples, n_columns)
            Groups, order and vectors.
        y : None
            Ignored.

        Returns
        -------
        self
            The transformer.
        """
        X = read_table(X)
        self._number_groups(X)
        self._number_order(X)
        self.sample_shape_ = self._take_vectors(X).shape[1:]
        return self

    def transform(self, X):
        """Return each row with its neighbours.

        Parameters
        ----------
        X : DataFrame or ndarray of shape (n_samples, n_columns)
            Groups, order and vectors.

        Returns
        -------
        ndarray of shape (n_samples, before + 1 + after, n_features), float32
            All NaN where there is no such neighbour, or where its vector is missing.
        """
        X = read_table(X)
        groups, order = self._number_groups(X), self._number_order(X)
        vectors = self._take_vectors(X)
        shape = getattr(self, "sample_shape_", vectors.shape[1:])
        if len(vectors) == 0:  # no row shows how long vectors are
            vectors = vectors.reshape(0, *shape)
        if vectors.shape[1:] != shape:
            raise ValueError(
                f"ContextWindow was fitted on rows of shape {shape}, got "
                f"{vectors.shape[1:]}."
            )
        by_group = np.lexsort((order, groups))
        place = np.empty_like(by_group)
        place[by_group] = np.arange(len(by_group))
        steps = np.arange(-self.before, self.after + 1)
        near = place[:, None] + steps  # (n_samples, n_steps), in sorted places
        inside = (near >= 0) & (near < len(near))
        rows = by_group[near.clip(0, max(len(near) - 1, 0))] if len(near) else near
        inside &= groups[rows] == groups[:, None]
        windows = np.full((*near.shape, *vectors.shape[1:]), np.nan, np.float32)
        windows[inside] = vectors[rows[inside]]
        return windows

    def _group_columns(self):
        return self.group if isinstance(self.group, list) else [self.group]

    def _number_groups(self, X):
        """Return the number of each row's group."""
        columns = self._group_columns()
        codes = [self._number(X, column, "group") for column in columns]
        return np.unique(np.stack(codes), axis=1, return_inverse=True)[1].reshape(-1)

    def _number_order(self, X):
        if self.order is None:
            return np.arange(num_samples(X))
        return self._number(X, self.order, "order")

    def _number(self, X, column, parameter):
        """Return the rank of each row's value in a column; raise if one is missing."""
        known = column_names(X)
        if column not in known:
            raise ValueError(
                f"ContextWindow: X has no column {column!r} ({parameter}), only "
                f"{known}."
            )
        values = np.asarray(select_columns(X, column))
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        codes, _ = pd.factorize(values, sort=True)
        if (codes < 0).any():
            rows = np.flatnonzero(codes < 0)
            raise ValueError(
                f"ContextWindow: column {column!r} ({parameter}) is missing from "
                f"{len(rows)} rows, the first at position {rows[0]}. Every row needs a "
                "group, and a value to sort it by."
            )
        return codes

    def _take_vectors(self, X):
        special = [*self._group_columns(), self.order]
        columns = [column for column in column_names(X) if column not in special]
        if not columns:
            raise ValueError(
                f"ContextWindow: X has only the columns {special}, none with vectors."
            )
        chosen = columns[0] if len(columns) == 1 else columns
        return as_samples(select_columns(X, chosen), type(self).__name__)

    def __sklearn_tags__(self):
        """Declare that ``transform`` needs no ``fit``."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags
