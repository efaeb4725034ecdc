"""Early fusion: from a table of any modalities to one matrix of features."""

import os
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from .._columns.base import SparseOutputMixin
from .._columns.names import label_columns, make_header, tell_apart
from .._columns.table import read_table
from .._modalities.kinds import make_table_encoder
from .._modalities.known import NAMES
from .._modalities.table import (
    detect_columns,
    get_modality,
    list_columns,
    name_features,
    read_declarations,
    refuse_unknown,
)
from .._utils.imports import (
    Interval,
    StrOptions,
    VisualBlock,
    check_feature_names,
    check_n_features,
    fit_context,
)
from .._utils.params import DictParamsMixin
from .._utils.versions import VersionMixin
from ._blocks import (
    Reducer,
    as_block,
    compute_scales,
    encode_arrays,
    make_default_encoder,
)
from ._plan import (
    TABLE,
    Block,
    check_encoder_keys,
    check_present,
    declare_all,
    find_missing_rows,
    join_blocks,
    plan_blocks,
    select_cells,
    show_blocks,
)


class MultimodalVectorizer(
    SparseOutputMixin, DictParamsMixin, TransformerMixin, VersionMixin, BaseEstimator
):
    """Turn a table of images, audio, texts, sequences and numbers into features.

    The modality of each column is detected, its cells are encoded, and the modalities'
    blocks of features are reduced and scaled so that each counts the same, whatever its
    width (data fusion). Numbers, categories, dates and booleans are encoded together by
    skrub.

    Parameters
    ----------
    columns : dict or None, default=None
        What columns are, whatever they look like: ``{"photo": "image", "zip":
        "category", "id": "drop"}``. Values are "image", "audio", "video", "sequence",
        "vector", "text", "category", "numeric", "datetime", "boolean", "drop", or a
        :class:`Modality` of your own. A tuple of names is one block: ``{("emb_0",
        "emb_1"): "vector"}`` makes one vector of two columns. Other columns are
        detected.
    encoders : dict or None, default=None
        Encoders in place of the default ones, from a column of cells to vectors, by
        modality or by column: ``{"image": encoder, "title": other}``; a column wins
        over its modality, and a key that is both is the column alone. The key "table"
        is for the frame of numbers, categories, dates and booleans. Defaults: gradient
        and colour histograms at 64 x 64 pixels (images, and eight frames of videos);
        means and standard deviations of MFCC and spectral features over five parts
        (audio, at 16 kHz); statistics of each channel and its values at 16 moments
        (sequences); the numbers themselves (vectors); tf-idf of words and pairs of
        words (texts); skrub's ``TableVectorizer`` and ``SquashingScaler`` (table).
    n_components : int or None, default=100
        Number of principal components (of sparse tf-idf: truncated SVD) to which a
        column's features are reduced if there are more; the table's are not. None keeps
        all, and then the result is sparse if a block is.
    block_scaling : {"frobenius", "sqrt"} or None, default="frobenius"
        What the features of a modality are divided by: the square root of their total
        variance, or of their number.
    add_indicator : bool, default=False
        Append a feature ``column__missing`` for each column that has missing or
        unreadable cells in ``fit``.
    root : str, PathLike or None, default=None
        Folder that paths are relative to and must stay in.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that default encoders cannot read, or that are not what
        their column of numbers, categories, dates or booleans is.
    cache : "memory", str, PathLike or None, default="memory"
        Where default encoders that learn nothing keep the features of a cell, so that
        a grid search computes them once: the memory of this process (at most 1 GiB), or
        a folder. See :class:`CachedEncoder`.
    random_state : int, RandomState or None, default=None
        Seed of the reduction of wide blocks.
    n_jobs : int or None, default=None
        Number of threads that load files.
    verbose : int, default=0
        1 prints the modality of each column.

    Attributes
    ----------
    modalities_ : dict of str to str
        The modality of each column, or "drop", or "empty" if it had no cell in ``fit``.
    reasons_ : dict of str to str
        Why.
    encoders_ : dict of str or tuple to transformer
        The fitted encoders by column, or by the tuple of columns that are encoded
        together: a declared block, and those of the table.
    scales_ : dict of str to float
        What each modality's features are multiplied by; the table's name is "table".
    n_features_in_ : int
        Number of columns of the table.
    feature_names_in_ : ndarray of str
        Their names, if all are strings.

    See Also
    --------
    multimodal_pipeline : A whole pipeline in one line.

    Notes
    -----
    A missing cell is a row of NaN in its column's features, except that with
    ``n_components=None`` a missing text is a row of zeros. Files are recognised by
    their first bytes and extensions. URLs are never opened; they are text or
    categories. ``encoders__title__ngram_range`` is the name of a nested parameter.

    References
    ----------
    B. Escofier and J. Pagès (1994), "Multiple factor analysis (AFMULT package)",
    Computational Statistics and Data Analysis 18.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn_mm import MultimodalVectorizer
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({
    ...     "photo": list(rng.integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)),
    ...     "pulse": [rng.normal(size=n) for n in range(20, 26)],
    ...     "price": [3.5, 2.0, 8.0, None, 1.0, 4.0],
    ... })
    >>> vectorizer = MultimodalVectorizer(n_components=2)
    >>> vectorizer.fit_transform(table).shape
    (6, 5)
    >>> vectorizer.modalities_
    {'photo': 'image', 'pulse': 'sequence', 'price': 'numeric'}
    >>> vectorizer.get_feature_names_out()[1:4].tolist()
    ['photo__component1', 'pulse__component0', 'pulse__component1']
    """

    _parameter_constraints: dict = {
        "columns": [dict, None],
        "encoders": [dict, None],
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "block_scaling": [StrOptions({"frobenius", "sqrt"}), None],
        "add_indicator": ["boolean"],
        "root": [str, os.PathLike, None],
        "on_error": [StrOptions({"raise", "warn", "missing"})],
        "cache": [str, os.PathLike, None],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }
    _dict_params = ("columns", "encoders")

    def __init__(
        self,
        columns=None,
        encoders=None,
        *,
        n_components=100,
        block_scaling="frobenius",
        add_indicator=False,
        root=None,
        on_error="raise",
        cache="memory",
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.columns = columns
        self.encoders = encoders
        self.n_components = n_components
        self.block_scaling = block_scaling
        self.add_indicator = add_indicator
        self.root = root
        self.on_error = on_error
        self.cache = cache
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X, y=None):
        """Detect the modalities, and fit their encoders.

        Parameters
        ----------
        X : DataFrame, dict of arrays, or ndarray of shape (n_samples, n_columns)
            The table.
        y : array-like of shape (n_samples,) or None
            Target, for encoders that learn from it.

        Returns
        -------
        self
            The fitted vectorizer.
        """
        self.fit_transform(X, y)
        return self

    @fit_context(prefer_skip_nested_validation=False)
    @encode_arrays()
    def fit_transform(self, X, y=None):
        """Detect the modalities, fit their encoders, and encode the table.

        Parameters
        ----------
        X : DataFrame, dict of arrays, or ndarray of shape (n_samples, n_columns)
            The table.
        y : array-like of shape (n_samples,) or None
            Target, for encoders that learn from it.

        Returns
        -------
        ndarray or sparse matrix of shape (n_samples, n_features), float32
            The features, in the order of :meth:`get_feature_names_out`.
        """
        columns = list_columns(X)
        check_feature_names(self, make_header(read_table(X)), reset=True)
        self.n_features_in_ = len(columns)
        self._find_blocks(X, columns)
        encoded = [self._fit_block(block, columns, y) for block in self._blocks]
        self.scales_ = compute_scales(self._blocks, encoded, self.block_scaling)
        missing = self._find_missing(columns, encoded)
        self._with_missing = [name for name, rows in missing.items() if rows.any()]
        self._is_sparse = any(map(sparse.issparse, encoded))
        return self._join(encoded, missing)

    @encode_arrays()
    def transform(self, X):
        """Encode a table.

        Parameters
        ----------
        X : DataFrame, dict of arrays, or ndarray of shape (n_samples, n_columns)
            A table with the columns that ``fit`` saw; their order does not matter.

        Returns
        -------
        ndarray or sparse matrix of shape (n_samples, n_features), float32
            The features.
        """
        check_is_fitted(self)
        columns = list_columns(X)
        if not isinstance(X, dict) and not hasattr(X, "columns"):
            check_n_features(self, X, reset=False)  # an array's columns have no names
        check_present(self._blocks, columns)
        encoded = []
        for block, encoder, reducer in self._iter_blocks():
            cells, _ = select_cells(block, columns, self._types, self.on_error)
            encoded.append(reducer.transform(as_block(encoder.transform(cells))))
        return self._join(encoded, self._find_missing(columns, encoded))

    def get_feature_names_out(self, input_features=None):
        """Name the features ``column__feature``.

        Parameters
        ----------
        input_features : array-like of str or None
            Ignored.

        Returns
        -------
        ndarray of str
            Names of the features.
        """
        check_is_fitted(self)
        names, labels = [], label_columns(self.modalities_)
        for block, encoder, reducer in self._iter_blocks():
            features = reducer.name(encoder.get_feature_names_out())
            names += name_features(features, block.names, labels, block.is_table)
        if self.add_indicator:
            names += [f"{labels[name]}__missing" for name in self._with_missing]
        return np.array(tell_apart(names), dtype=object)

    @property
    def encoders_(self):
        """The fitted encoders by column, or by tuple of columns encoded together."""
        check_is_fitted(self)
        return {block.key: encoder for block, encoder, _ in self._iter_blocks()}

    def declare_columns(self, X, names=None):
        """Return an unfitted copy whose ``columns`` declares all columns of a table.

        Fusion estimators call this before they fit, so that all folds agree.

        Parameters
        ----------
        X : DataFrame, dict of arrays, or ndarray of shape (n_samples, n_columns)
            The table.
        names : list or None, default=None
            Names of the columns that the copy will see, or positions in an array; all
            by default. Declarations and encoders of others are left out.

        Returns
        -------
        MultimodalVectorizer
            The copy.
        """
        columns, encoders = declare_all(self, X, names)
        return clone(self).set_params(columns=columns, encoders=encoders)

    def __sklearn_tags__(self):
        """Allow anything in a column."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _sk_visual_block_(self):
        """Show the encoders side by side, after ``fit`` with their columns."""
        blocks = getattr(self, "_blocks", None)
        if blocks is None:
            names = [*NAMES, TABLE]
            parts = [self._make_encoder(Block(n, [], n)) for n in names]
            return VisualBlock("parallel", parts, names=names)
        return show_blocks(blocks, self._encoders, self.modalities_)

    def _iter_blocks(self):
        return zip(self._blocks, self._encoders, self._reducers)

    def _find_blocks(self, X, columns):
        """Say what the columns are, and which are encoded together."""
        owner = type(self).__name__
        declared, groups, self._own = read_declarations(self.columns, columns)
        check_encoder_keys(self.encoders, columns, [*NAMES, *self._own])
        types = detect_columns(X, declared, root=self.root, owner=owner)
        self.modalities_ = {name: kind.modality for name, kind in types.items()}
        self.reasons_ = {name: kind.reason for name, kind in types.items()}
        for name, kind in types.items() if self.verbose else ():
            print(f"[{owner}] {name}: {kind.modality} ({kind.reason})")
        refuse_unknown(types)
        self._types = types
        self._blocks = plan_blocks(types, groups)
        if not self._blocks:
            raise ValueError(f"X has no column to learn from: {self.modalities_}.")
        self._encoders, self._reducers = [], []

    def _fit_block(self, block, columns, y):
        """Fit a block's encoder and its reduction; return the reduced features."""
        cells, lists = select_cells(block, columns, self._types, self.on_error)
        encoder = self._make_encoder(block._replace(lists=lists))
        encoded = as_block(encoder.fit_transform(cells, y))
        n_components = None if block.is_table else self.n_components
        reducer = Reducer(n_components, self.random_state)
        self._encoders.append(encoder)
        self._reducers.append(reducer)
        return reducer.fit_transform(encoded)

    def _make_encoder(self, block):
        given = block.find_encoder(self.encoders, getattr(self, "modalities_", ()))
        if given is not None:
            return clone(given)
        if block.modality == TABLE:
            return make_table_encoder()
        return make_default_encoder(
            get_modality(block.modality, getattr(self, "_own", None)),
            lists=block.lists,
            sparse=self.n_components is None,
            cache=self.cache,
            root=self.root,
            on_error=self.on_error,
            n_jobs=self.n_jobs,
        )

    def _join(self, encoded, missing):
        scales = [self.scales_[block.modality] for block in self._blocks]
        parts = [features * scale for features, scale in zip(encoded, scales)]
        missing = [missing[name] for name in self._with_missing]
        return self._make_framable(join_blocks(parts, missing))

    def _find_missing(self, columns, encoded):
        blocks = self._blocks if self.add_indicator else []
        owner = type(self).__name__
        return find_missing_rows(blocks, columns, self._types, encoded, owner)
