"""Early fusion: from a table of any modalities to one matrix of features."""

import os
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from .._columns.column import as_column, find_missing
from .._modalities.known import NAMES as OWN
from .._modalities.known import TABLE_NAMES as TABLE
from .._modalities.table import (
    find_dates,
    find_modalities,
    list_columns,
    make_table,
    name_features,
)
from .._utils.imports import (
    HasMethods,
    Interval,
    StrOptions,
    VisualBlock,
    check_feature_names,
    check_n_features,
    fit_context,
)
from .._utils.versions import VersionMixin
from ._blocks import Reducer, as_block, find_scale, make_default_encoder

#: The key of the encoder that numbers, categories, dates and booleans share.
_TABLE = "table"
_COLUMNS = [str, list, tuple, None]
_ENCODER = [HasMethods(["fit", "transform"]), None]


class MultimodalVectorizer(TransformerMixin, VersionMixin, BaseEstimator):
    """Turn a table of images, sounds, texts, series and numbers into features.

    Each column's modality is found, its cells are encoded, and the modalities' blocks
    of features are reduced and scaled so that each counts the same, whatever its width
    (data fusion). Numbers, categories, dates and booleans form one block, which is
    skrub's.

    Parameters
    ----------
    image, audio, video, sequence, vector, text : str, list of str or None, default=None
        Columns that are of this modality, whatever they look like.
    category, numeric, datetime : str, list of str or None, default=None
        The same; category columns are read as strings.
    drop : str, list of str or None, default=None
        Columns to leave out.
    image_encoder, audio_encoder, video_encoder : transformer or None, default=None
        Encodes each column of the modality, from cells to vectors. None takes the
        default: gradient and colour histograms at 64 x 64 pixels; means and standard
        deviations of MFCC and spectral features over five parts of the sound at 16
        kHz; those of images, averaged over eight frames.
    sequence_encoder, vector_encoder, text_encoder : transformer or None, default=None
        The same. Defaults: statistics of each channel and its values at 16 moments;
        the numbers themselves; tf-idf of words and pairs of words.
    table_encoder : transformer or None, default=None
        Encodes the frame of all other columns. Default: skrub's ``TableVectorizer`` and
        ``SquashingScaler``.
    n_components : int or None, default=100
        Principal components (of sparse tf-idf: its truncated SVD) that a column's
        features are reduced to if they are more; the table's are not. None keeps all,
        and then the result is sparse if a block is.
    block_scaling : {"frobenius", "sqrt"} or None, default="frobenius"
        What a modality's block is divided by: the square root of its total variance, or
        of its number of features.
    add_indicator : bool, default=False
        Append a feature ``column__missing`` for each column that has missing cells, or
        cells that could not be read, in ``fit``.
    root : str, PathLike or None, default=None
        Folder that paths are relative to and must stay in.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What default encoders do about cells that cannot be read.
    cache : "memory", str, PathLike or None, default="memory"
        Where default encoders of images, sounds, videos, series and vectors keep what
        they made of a cell, so that it is made once in a grid search: this process's
        memory (at most 1 GiB), or a folder. See :class:`CachedEncoder`.
    random_state : int, RandomState or None, default=None
        Seed of the reduction of wide blocks.
    n_jobs : int or None, default=None
        Number of threads that load files.
    verbose : int, default=0
        1 prints what was found.

    Attributes
    ----------
    modalities_ : dict of str to str
        Each column's modality; "drop" where it was left out, "empty" where no cell was
        there to learn from.
    reasons_ : dict of str to str
        Why.
    encoders_ : dict of str to transformer
        The fitted encoders by column, and the table's by "table".
    scales_ : dict of str to float
        What each modality's block is multiplied by.

    See Also
    --------
    multimodal_pipeline : A whole pipeline in one line.

    Notes
    -----
    A missing cell is a row of NaN in its column's features, for what comes next to see;
    with ``n_components=None`` a missing text is an empty one, all zero, instead. Files
    are known by their first bytes and extensions. URLs are never opened; a column of
    them counts as text or categories.

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
        **dict.fromkeys((*OWN, "category", "numeric", "datetime", "drop"), _COLUMNS),
        **{f"{modality}_encoder": _ENCODER for modality in (*OWN, "table")},
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

    def __init__(
        self,
        *,
        image=None,
        audio=None,
        video=None,
        sequence=None,
        vector=None,
        text=None,
        category=None,
        numeric=None,
        datetime=None,
        drop=None,
        image_encoder=None,
        audio_encoder=None,
        video_encoder=None,
        sequence_encoder=None,
        vector_encoder=None,
        text_encoder=None,
        table_encoder=None,
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
        self.image = image
        self.audio = audio
        self.video = video
        self.sequence = sequence
        self.vector = vector
        self.text = text
        self.category = category
        self.numeric = numeric
        self.datetime = datetime
        self.drop = drop
        self.image_encoder = image_encoder
        self.audio_encoder = audio_encoder
        self.video_encoder = video_encoder
        self.sequence_encoder = sequence_encoder
        self.vector_encoder = vector_encoder
        self.text_encoder = text_encoder
        self.table_encoder = table_encoder
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
        """Find the modalities, and fit their encoders.

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
    @np.errstate(over="ignore")
    def fit_transform(self, X, y=None):
        """Find the modalities, fit their encoders, and encode the table.

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
        check_feature_names(self, X, reset=True)
        self.n_features_in_ = len(columns)
        self.modalities_, self.reasons_, self._lists = find_modalities(self, columns)
        self._kinds = dict(self.modalities_)
        if not self._list_keys():
            raise ValueError(f"X has no column to learn from: {self.modalities_}.")
        self.encoders_, self._reducers = {}, {}
        encoded = {key: self._fit_one(key, columns, y) for key in self._list_keys()}
        self.scales_ = self._find_scales(encoded)
        missing = self._find_missing(columns, encoded)
        self._with_missing = [name for name, rows in missing.items() if rows.any()]
        return self._join(encoded, missing)

    @np.errstate(over="ignore")  # what float32 cannot hold is infinite, and squashed
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
        used = [n for n, m in self.modalities_.items() if m in (*OWN, *TABLE)]
        lacking = [name for name in used if name not in columns]
        if lacking:
            raise ValueError(
                f"X has no column {lacking}, only {list(columns)}. Fill it with None "
                "to say that it is missing."
            )
        encoded = {}
        for key, encoder in self.encoders_.items():
            block = as_block(encoder.transform(self._select(key, columns)))
            encoded[key] = self._reducers[key].transform(block)
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
        names = []
        for key, encoder in self.encoders_.items():
            own = self._reducers[key].name(encoder.get_feature_names_out())
            names += name_features(own, self._columns_of(key), key == _TABLE)
        if self.add_indicator:
            names += [f"{name}__missing" for name in self._with_missing]
        return np.array(names, dtype=object)

    def __sklearn_tags__(self):
        """Say that columns may hold anything."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _sk_visual_block_(self):
        encoders = getattr(self, "encoders_", None) or {
            m: self._make_encoder(m, m) for m in (*OWN, "table")
        }
        details = [
            ", ".join(f"{c} ({self.modalities_[c]})" for c in self._columns_of(key))
            for key in encoders
        ]
        parts = list(encoders.values())
        return VisualBlock("parallel", parts, names=[*encoders], name_details=details)

    def _list_keys(self):
        """Columns that have an encoder each, then the table if there is one."""
        own = [name for name, m in self.modalities_.items() if m in OWN]
        return own + [_TABLE] * any(m in TABLE for m in self.modalities_.values())

    def _columns_of(self, key):
        modalities = getattr(self, "modalities_", {})
        if key == _TABLE:
            return [name for name, m in modalities.items() if m in TABLE]
        return [key] if key in modalities else []

    def _modality_of(self, key):
        return "table" if key == _TABLE else self.modalities_[key]

    # Encoding.

    def _make_encoder(self, key, modality):
        own = getattr(self, f"{modality}_encoder")
        if own is not None:
            return clone(own)
        return make_default_encoder(
            modality,
            lists=key in getattr(self, "_lists", ()),
            sparse_text=self.n_components is None,
            cache=self.cache,
            root=self.root,
            on_error=self.on_error,
            n_jobs=self.n_jobs,
        )

    def _fit_one(self, key, columns, y):
        encoder = self.encoders_[key] = self._make_encoder(key, self._modality_of(key))
        block = as_block(encoder.fit_transform(self._select(key, columns), y))
        if key == _TABLE:  # dates that are written as strings
            for name in find_dates(encoder):
                self.modalities_[name] = "datetime"
        n_components = None if key == _TABLE else self.n_components
        self._reducers[key] = Reducer(n_components, self.random_state)
        return self._reducers[key].fit_transform(block)

    def _select(self, key, columns):
        if key != _TABLE:
            return columns[key]
        kinds = {name: self._kinds[name] for name in self._columns_of(key)}
        return make_table(columns, kinds)

    def _find_scales(self, encoded):
        blocks = {}
        for key, block in encoded.items():
            blocks.setdefault(self._modality_of(key), []).append(block)
        return {m: find_scale(b, self.block_scaling) for m, b in blocks.items()}

    def _find_missing(self, columns, encoded):
        """Say which rows of each column are missing, or could not be read."""
        if not self.add_indicator:
            return {}
        names = [name for key in encoded for name in self._columns_of(key)]
        missing = {n: as_column(columns[n], type(self).__name__).missing for n in names}
        for key, block in encoded.items():
            if key != _TABLE and not sparse.issparse(block):
                missing[key] = find_missing(block)
        return missing

    def _join(self, encoded, missing):
        parts = [b * self.scales_[self._modality_of(k)] for k, b in encoded.items()]
        if self._with_missing:
            rows = [missing[name] for name in self._with_missing]
            parts.append(np.column_stack(rows).astype(np.float32))
        if any(map(sparse.issparse, parts)):
            return sparse.hstack(parts, format="csr", dtype=np.float32)
        return np.hstack(parts).astype(np.float32, copy=False)
