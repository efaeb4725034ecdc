"""Convert texts to the token ids of a pretrained model, for its backbone."""

import os
from numbers import Integral
from os import PathLike

import numpy as np

from .._columns.base import ArrayTransformer
from .._columns.texts import read_texts
from .._utils.hub import explain_loading
from .._utils.imports import Interval, StrOptions, import_extra
from ._engines import share_engine


class PretrainedTokenizer(ArrayTransformer):
    """Convert texts to the token ids of a pretrained model.

    Parameters
    ----------
    model : str or PathLike
        Name in the Hugging Face hub, or folder, of a model with a tokenizer.
    max_length : int, default=128
        Maximum number of tokens per text; longer texts are cut.
    revision : str or None, default=None
        Branch, tag or commit in the hub.
    local_files_only : bool, default=False
        Whether to use local files only, without any download.
    on_error : {"raise", "warn", "missing"}, default="raise"
        What to do about cells that are not texts: raise :class:`LoadError` after all
        cells have been tried, or treat them as missing, with or without a warning.

    See Also
    --------
    sklearn_mm.nets.PretrainedTextBackbone : The model itself.

    Notes
    -----
    Ids are those of the model's tokenizer plus one, so that 0 is always padding.

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
        "on_error": [StrOptions({"raise", "warn", "missing"})],
    }

    def __init__(
        self,
        model,
        *,
        max_length=128,
        revision=None,
        local_files_only=False,
        on_error="raise",
    ):
        self.model = model
        self.max_length = max_length
        self.revision = revision
        self.local_files_only = local_files_only
        self.on_error = on_error

    def transform(self, X):
        """Convert each text to token ids.

        Parameters
        ----------
        X : column of str
            Texts.

        Returns
        -------
        ndarray of shape (n_samples, length), int64
            Token ids plus one, padded with 0; all 0 where a text is missing.
        """
        texts = read_texts(X, type(self).__name__, self.on_error)
        tokenizer = self._open()
        options = {"truncation": True, "max_length": self.max_length}
        samples = [
            [] if text is None else tokenizer(text, **options)["input_ids"]
            for text in texts
        ]
        length = max(map(len, samples), default=1)
        ids = np.zeros((len(samples), max(1, length)), np.int64)
        for row, tokens in zip(ids, samples):
            row[: len(tokens)] = np.add(tokens, 1)
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
