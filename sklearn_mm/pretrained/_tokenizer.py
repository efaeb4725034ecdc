"""Token ids of a pretrained model, for its backbone."""

import os
from numbers import Integral
from os import PathLike

import numpy as np

from .._columns.base import ArrayTransformer
from .._columns.column import as_column
from .._columns.loading import load_cells
from .._utils.hub import explain_loading
from .._utils.imports import Interval, import_extra
from ._engines import share_engine


class PretrainedTokenizer(ArrayTransformer):
    """Turn texts into the token ids of a pretrained model.

    Parameters
    ----------
    model : str or PathLike
        A name in the Hugging Face hub, or a folder, with a tokenizer.
    max_length : int, default=128
        Tokens of a text, at most; what is longer is cut.
    revision : str or None, default=None
        Branch, tag or commit in the hub.
    local_files_only : bool, default=False
        Whether nothing may be downloaded.

    See Also
    --------
    sklearn_mm.nets.PretrainedTextBackbone : The model itself.

    Notes
    -----
    Ids are one more than the tokenizer's, so that 0 is padding whatever the model has
    for it.

    Examples
    --------
    >>> from sklearn_mm import PretrainedTokenizer
    >>> tokenizer = PretrainedTokenizer("google/bert_uncased_L-2_H-128_A-2")
    >>> tokenizer.transform(["a text"]).shape  # doctest: +SKIP
    (1, 4)
    """

    _parameter_constraints: dict = {
        "model": [str, PathLike],
        "max_length": [Interval(Integral, 1, None, closed="left")],
        "revision": [str, None],
        "local_files_only": ["boolean"],
    }

    def __init__(self, model, *, max_length=128, revision=None, local_files_only=False):
        self.model = model
        self.max_length = max_length
        self.revision = revision
        self.local_files_only = local_files_only

    def transform(self, X):
        """Tokenize each text.

        Parameters
        ----------
        X : column of str
            Texts.

        Returns
        -------
        ndarray of shape (n_samples, length), int64
            Ids plus one, padded with 0; all 0 where a text is missing.
        """
        column = as_column(X, type(self).__name__)
        tokenizer, found = self._open(), {}

        def load(row, cell):
            if not isinstance(cell, str):
                raise TypeError(f"a {type(cell).__name__} is no text")
            found[row] = tokenizer(
                str(cell), truncation=True, max_length=self.max_length
            )["input_ids"]

        load_cells(column, load, owner=type(self).__name__)
        length = max(map(len, found.values()), default=1)
        ids = np.zeros((len(column), max(1, length)), np.int64)
        for row, tokens in found.items():
            ids[row, : len(tokens)] = np.add(tokens, 1)
        return ids

    def _open(self):
        name = os.fspath(self.model)
        key = (type(self), name, self.revision, self.local_files_only)
        if vars(self).get("_key") != key:
            self._tokenizer, self._key = share_engine(key, self._load), key
        return self._tokenizer

    def _load(self):
        transformers = import_extra("transformers", "hf")
        with explain_loading(type(self).__name__, self.model, "hf"):
            return transformers.AutoTokenizer.from_pretrained(
                self.model,
                revision=self.revision,
                local_files_only=self.local_files_only,
                trust_remote_code=False,
            )

    def __getstate__(self):
        state = dict(super().__getstate__())
        for name in ("_tokenizer", "_key"):
            state.pop(name, None)
        return state
