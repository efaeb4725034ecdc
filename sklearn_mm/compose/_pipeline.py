"""A whole multimodal pipeline in one line."""

from itertools import islice

from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import BaseCrossValidator
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from .._modalities.table import (
    TABLE_NAMES,
    detect_columns,
    list_columns,
    make_table,
    read_declarations,
)
from .._utils.versions import VersionMixin
from ..ensemble import MultimodalVotingClassifier, MultimodalVotingRegressor
from ..ensemble._folds import make_splitter
from ._impute import MeanImputer
from ._plan import declare_all
from ._selector import ModalitySelector
from ._vectorizer import MultimodalVectorizer

#: Number of rows from which one held-out fifth is enough to learn the weights.
_MANY = 10_000
_ALPHAS = tuple(10.0**power for power in range(-3, 4))


def multimodal_pipeline(
    estimator, *, vectorizer=None, pretrained=False, n_jobs=None, random_state=None
):
    """Make a pipeline that learns from a table of any modalities.

    With "classifier" or "regressor" it is a strong baseline with nothing to set. A
    linear model learns from the features of all modalities together, which are scaled
    to count the same (early fusion). For linear models on centred and scaled blocks
    this is equivalent to multiplying the per-modality probabilities, but needs only one
    fit. If there are numbers, categories or dates, gradient-boosted trees learn from
    these alone, and if there are also other columns, a linear model learns from those
    alone. The predictions are averaged with weights learned out of fold (late fusion):
    trees find thresholds and interactions that a linear model cannot, but would drown
    in the features of images and texts; and an uninformative table hurts a model of few
    samples. If one of them alone is as good, its prediction is used (``guard=True``).

    Parameters
    ----------
    estimator : {"classifier", "regressor"} or estimator
        What to learn. An estimator of your own gets the features of a
        :class:`MultimodalVectorizer`, imputed if it cannot handle NaN.
    vectorizer : MultimodalVectorizer or None, default=None
        Declares columns, a root folder or encoders. By default modalities are detected,
        a file that cannot be read counts as missing with a warning, and "classifier"
        uses all features, everything else 100 components of each column.
    pretrained : bool, default=False
        Whether to add the small pretrained models of the extra ``pretrained`` that are
        installed: all-MiniLM-L6-v2 for texts, EfficientNet lite0 for images and
        silero's speech detector for audio. Slower; worth it if labels are few and
        images are photographs.
    n_jobs : int or None, default=None
        Number of threads that load files, and of processes for out-of-fold fits.
    random_state : int, RandomState or None, default=None
        Seed of components and trees.

    Returns
    -------
    Pipeline
        Unfitted. With "classifier" and "regressor" its last step is a
        :class:`MultimodalVotingClassifier` or :class:`MultimodalVotingRegressor` of
        "all", "content" (all columns that are not part of the table) and "table".

    See Also
    --------
    MultimodalVectorizer : The features.
    MultimodalVotingClassifier : A model of your choice for each modality.

    Notes
    -----
    Missing cells are imputed by the mean of their column's features. The trees handle
    missing values themselves, and abstain where the whole table is missing. Weights are
    learned from five folds, or from one if there are 10,000 rows or more, so that
    fitting costs six or two fits of each model.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn_mm import multimodal_pipeline
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(40) % 2
    >>> table = pd.DataFrame({
    ...     "photo": list((rng.random((40, 32, 32)) * (100 + 100 * y)[:, None, None])
    ...                   .astype(np.uint8)),
    ...     "age": rng.normal(size=40) + y,
    ... })
    >>> model = multimodal_pipeline("classifier", random_state=0).fit(table, y)
    >>> model.score(table, y)
    1.0
    """
    if isinstance(estimator, str):
        return _make_default(estimator, vectorizer, pretrained, n_jobs, random_state)
    if not hasattr(estimator, "fit") or isinstance(estimator, type):
        raise TypeError(
            "multimodal_pipeline takes 'classifier', 'regressor', or an estimator, got "
            f"{estimator!r}."
        )
    vectorizer = _make_vectorizer(vectorizer, pretrained, n_jobs, random_state, 100)
    if get_tags(estimator).input_tags.allow_nan:
        return make_pipeline(vectorizer, estimator)
    return make_pipeline(vectorizer, MeanImputer(), estimator)


class FoldsByNeed(BaseCrossValidator):
    """Five shuffled folds, or as many as few rows allow; only the first of many rows.

    Parameters
    ----------
    stratify : bool
        Whether to preserve the class frequencies in each fold.
    """

    _trusted = True

    def __init__(self, stratify):
        self.stratify = stratify

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of folds for these rows."""
        if y is None:
            return 5
        return 1 if len(y) >= _MANY else self._make(y, groups).get_n_splits()

    def split(self, X, y=None, groups=None):
        """Yield training and test rows; groups stay together."""
        folds = self._make(y, groups).split(X, y, groups)
        yield from islice(folds, self.get_n_splits(X, y, groups))

    def _make(self, y, groups):
        return make_splitter(y, self.stratify, groups, shuffle=True, random_state=0)

    def __repr__(self):
        """Show the constructor call."""
        return f"{type(self).__name__}(stratify={self.stratify})"


class TableReader(TransformerMixin, VersionMixin, BaseEstimator):
    """Make a pandas frame of numbers, categories, dates and booleans for skrub.

    Parameters
    ----------
    columns : dict or None, default=None
        What columns are, as in :class:`MultimodalVectorizer`; others are detected.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that cannot be read as what their column is.
    """

    _trusted = True

    encoders = root = None

    def __init__(self, columns=None, *, on_error="raise"):
        self.columns = columns
        self.on_error = on_error

    def fit(self, X, y=None):
        """Detect the kinds of the columns."""
        declared = read_declarations(self.columns, list_columns(X))[0]
        types = detect_columns(X, declared, owner=type(self).__name__)
        self.types_ = {
            name: found
            for name, found in types.items()
            if found.modality in TABLE_NAMES
        }
        return self

    @property
    def modalities_(self):
        """The kind of each column."""
        check_is_fitted(self)
        return {name: found.modality for name, found in self.types_.items()}

    def transform(self, X):
        """Read the columns as the kinds that were detected."""
        check_is_fitted(self)
        return make_table(list_columns(X), self.types_, self.on_error)

    def declare_columns(self, X, names=None):
        """Return an unfitted copy that declares all columns of a table."""
        return clone(self).set_params(columns=declare_all(self, X, names)[0])


def _make_default(kind, vectorizer, pretrained, n_jobs, random_state):
    # RidgeCV does not take wide sparse matrices; components are dense and few.
    width = {"classifier": None, "regressor": 100}
    if kind not in width:
        raise ValueError(
            "estimator must be 'classifier', 'regressor' or an estimator, got "
            f"{kind!r}."
        )
    vectorizer = _make_vectorizer(
        vectorizer, pretrained, n_jobs, random_state, width[kind]
    )
    trees = {"categorical_features": "from_dtype", "random_state": random_state}
    if kind == "classifier":
        linear = LogisticRegression(C=10, max_iter=1000)
        trees = HistGradientBoostingClassifier(**trees)
        fusion = MultimodalVotingClassifier
    else:
        linear, trees = RidgeCV(_ALPHAS), HistGradientBoostingRegressor(**trees)
        fusion = MultimodalVotingRegressor
    members = _make_members(vectorizer, linear, trees)
    folds = FoldsByNeed(stratify=kind == "classifier")
    voting = fusion(members, weights="learned", guard=True, cv=folds, n_jobs=n_jobs)
    return Pipeline([("fusion", voting)])


def _make_members(vectorizer, linear, trees):
    from skrub import tabular_pipeline

    reader = TableReader(vectorizer.columns, on_error=vectorizer.on_error)
    quiet = clone(vectorizer).set_params(verbose=0)
    models = {
        "all": make_pipeline(vectorizer, MeanImputer(), linear),
        "content": make_pipeline(quiet, MeanImputer(), clone(linear)),
        "table": make_pipeline(reader, *tabular_pipeline(trees).named_steps.values()),
    }
    parts = {"all": ("content", "table"), "content": ("content",), "table": ("table",)}
    return [
        (
            part,
            model,
            ModalitySelector(
                parts[part],
                columns=vectorizer.columns,
                root=vectorizer.root,
                only_beside="table" if part == "content" else None,
            ),
        )
        for part, model in models.items()
    ]


def _make_vectorizer(vectorizer, pretrained, n_jobs, random_state, n_components):
    if vectorizer is not None:
        vectorizer = clone(vectorizer)
    else:
        vectorizer = MultimodalVectorizer(
            n_components=n_components,
            on_error="warn",
            n_jobs=n_jobs,
            random_state=random_state,
        )
    if pretrained:
        from ._pretrained import add_pretrained

        add_pretrained(vectorizer)
    return vectorizer
