"""Specs of modalities, ``(name, estimator, columns)``, as an estimator's parameter."""

from typing import NamedTuple

from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from .._columns.column import as_column
from .._columns.selection import Selection
from .._columns.table import column_names, get_column, list_names
from .._utils.imports import BaseComposition, VisualBlock
from .._utils.memo import share_results
from .._utils.versions import VersionMixin
from .columns import ModalityColumnsMixin


class Member(NamedTuple):
    """A modality's model and columns: one triple of ``estimators``."""

    name: str
    estimator: object
    columns: object


class ModalitySpecs(ModalityColumnsMixin, VersionMixin, BaseComposition):
    """An estimator with a list of triples, whose members have nested parameters."""

    @property
    def _estimators(self):
        """The specs as pairs (name, estimator), which scikit-learn can handle."""
        try:
            return [(name, estimator) for name, estimator, _ in self.estimators]
        except (TypeError, ValueError):  # not a list of triples: fit raises an error
            return self.estimators

    @_estimators.setter
    def _estimators(self, pairs):
        self.estimators = [
            (name, estimator, columns)
            for (name, estimator), (_, _, columns) in zip(pairs, self.estimators)
        ]

    def get_params(self, deep=True):
        """Get the parameters, those of the modalities' models as ``name__parameter``.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include those of the models.

        Returns
        -------
        dict
            Values by name.
        """
        return self._get_params("_estimators", deep=deep)

    def set_params(self, **params):
        """Set parameters; ``name="drop"`` leaves a modality out.

        Parameters
        ----------
        **params : dict
            Values by name, as ``get_params`` returns them.

        Returns
        -------
        self
            The estimator.
        """
        self._set_params("_estimators", **params)
        return self

    def _check_members(self, X):
        """Check the specs, and return those not dropped; call callable columns."""
        if not self.estimators or any(
            not isinstance(spec, (tuple, list)) or len(spec) != 3
            for spec in self.estimators
        ):
            raise ValueError(
                "estimators must be a non-empty list of (name, "
                f"estimator, columns), got {self.estimators!r}."
            )
        self._validate_names([name for name, _, _ in self.estimators])
        with share_results():  # a column is looked at once, whoever asks
            members = self._list_members(X)
        if not members:
            raise ValueError(self._explain_nothing(X))
        self._columns = {name: columns for name, _, columns in members}
        self._check_columns(X)
        return members

    def _explain_nothing(self, X):
        columns = column_names(X)
        cells = [as_column(get_column(X, column), "X") for column in columns]
        if all(column.missing.all() for column in cells):
            return f"Every cell of X is missing, in all of its columns {columns}."
        names = [name for name, _, _ in self.estimators]
        return (
            f"All modalities are dropped or select no column: {names}. At least one "
            f"needs a column of X, which has {columns}."
        )

    def _list_members(self, X):
        members = []
        for name, estimator, columns in self.estimators:
            if isinstance(estimator, str) and estimator == "drop":
                continue
            self._check_member(name, estimator)
            columns = columns(X) if callable(columns) else columns
            if Selection(columns, column_names(X)).is_empty:  # as ColumnTransformer
                continue
            estimator = declare_columns(estimator, X, columns)
            members.append(Member(name, estimator, columns))
        return members

    def _check_member(self, name, estimator):
        if not hasattr(estimator, "fit") or isinstance(estimator, type):
            raise TypeError(
                f"modality {name!r}: expected an estimator or 'drop', got "
                f"{estimator!r}."
            )

    @property
    def _repr_names(self):
        return [
            f"{name}: {columns}" if isinstance(columns, str) else name
            for name, _, columns in self.estimators
        ]

    def _sk_visual_block_(self):
        """Show the modalities side by side."""
        estimators = [estimator for _, estimator, _ in self.estimators]
        return VisualBlock(
            "parallel", estimators, names=self._repr_names, dash_wrapped=False
        )

    def __sklearn_tags__(self):
        """Allow NaN if every modality's model does."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        # Absent rows never reach a model, but a NaN among other cells does.
        models = [pair[1] for pair in _pairs(self._estimators)]
        tags.input_tags.allow_nan = all(
            get_tags(model).input_tags.allow_nan
            for model in models
            if isinstance(model, BaseEstimator)
        )
        return tags


def declare_columns(estimator, X, columns):
    """Let a member detect what its columns are in the whole table, once.

    Otherwise it would detect anew in each fold, and another model might be judged than
    the one that is kept.

    Parameters
    ----------
    estimator : estimator
        The member; a pipeline that may begin with a transformer that has
        ``declare_columns(X, names)``.
    X : DataFrame, ndarray or dict of arrays
        The whole table.
    columns : str, int, list, slice or mask
        The member's columns.

    Returns
    -------
    estimator
        The same, or an unfitted copy.
    """
    first = estimator
    while isinstance(first, Pipeline) and first.steps:
        first = first.steps[0][1]
    if isinstance(first, FrozenEstimator) or not hasattr(first, "declare_columns"):
        return estimator
    return _replace_first(estimator, first.declare_columns(X, list_names(X, columns)))


def _replace_first(estimator, first):
    if not isinstance(estimator, Pipeline):
        return first
    name, step = estimator.steps[0]
    return clone(estimator).set_params(**{name: _replace_first(step, first)})


def _pairs(estimators):
    return estimators if isinstance(estimators, list) else []
