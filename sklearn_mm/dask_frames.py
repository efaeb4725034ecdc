"""Tables larger than memory: encode and predict dask tables, partition by partition."""

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.utils.validation import check_is_fitted

from ._utils.imports import import_extra


def encode_frame(encoder, frame):
    """Encode a dask table or one of its columns, partition by partition.

    Nothing is computed until the result is, or is written to Parquet; then memory holds
    the partitions that are worked on and what is made of them.

    Parameters
    ----------
    encoder : transformer or Pipeline
        Fitted. It takes what a partition is, a pandas DataFrame or Series, and returns
        vectors.
    frame : dask.dataframe.DataFrame or dask.dataframe.Series
        The table, or the column of a modality.

    Returns
    -------
    dask.dataframe.DataFrame
        The vectors, float32: a column for each of ``encoder.get_feature_names_out()``,
        with the index and the partitions of ``frame``.

    Raises
    ------
    LoadError
        When it is computed, and a loader with ``on_error="raise"`` cannot read a cell.

    See Also
    --------
    predict_frame : Ask a model about such a table.
    CachedEncoder : Keeps what was encoded, so that an interrupted run goes on.

    Notes
    -----
    The threads of dask's default scheduler share one interpreter; encoders written in
    Python run faster in the processes of a ``dask.distributed.Client``. dask turns
    columns of bytes or arrays into strings unless ``dataframe.convert-string`` is off;
    columns of paths are strings anyway.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import pandas as pd
    >>> from sklearn_mm import TextVectorizer, encode_frame
    >>> from sklearn.decomposition import TruncatedSVD
    >>> from sklearn.pipeline import make_pipeline
    >>> texts = pd.DataFrame({"text": ["red car", "blue car", "red house"] * 20})
    >>> encoder = make_pipeline(TextVectorizer(), TruncatedSVD(2))
    >>> frame = dd.from_pandas(texts, npartitions=3)
    >>> vectors = encode_frame(encoder.fit(texts["text"]), frame["text"])
    >>> vectors.npartitions, vectors.compute().shape
    (3, (60, 2))
    """
    _check_frame(frame)
    check_is_fitted(encoder)
    names = [str(name) for name in encoder.get_feature_names_out()]
    meta = pd.DataFrame(np.empty((0, len(names)), np.float32), columns=names)
    return _map_partitions(_encode_partition, encoder, frame, meta)


def predict_frame(model, frame, method="predict"):
    """Ask a model about a dask table, partition by partition.

    Nothing is computed until the result is, or is written to Parquet, but for the first
    row, by whose answer the result's columns and dtypes are known.

    Parameters
    ----------
    model : estimator or Pipeline
        Fitted. It takes what a partition is, a pandas DataFrame or Series.
    frame : dask.dataframe.DataFrame or dask.dataframe.Series
        The table, or a column of it.
    method : str, default="predict"
        The method that is asked: "predict_proba", "decision_function" and what else
        gives a number or a label for each row, or several.

    Returns
    -------
    dask.dataframe.Series or dask.dataframe.DataFrame
        The answers, with the index and the partitions of ``frame``: a Series called
        as the method, or columns; those of "predict_proba" are called as the classes.

    See Also
    --------
    encode_frame : The vectors of such a table.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_mm import TextVectorizer, predict_frame
    >>> texts = pd.Series(["red car", "blue car", "red house", "blue house"] * 20)
    >>> model = make_pipeline(TextVectorizer(), LogisticRegression())
    >>> model = model.fit(texts, texts.str.contains("red"))
    >>> frame = dd.from_pandas(texts, npartitions=3)
    >>> predict_frame(model, frame).compute().tolist()[:3]
    [True, False, True]
    """
    _check_frame(frame)
    first = frame.head(1, npartitions=-1, compute=True)
    if len(first) == 0:
        raise ValueError("predict_frame: the table has no rows.")
    meta = _ask_partition(first, model, method).iloc[:0]
    return _map_partitions(_predict_partition, model, frame, meta, method)


def _check_frame(frame):
    dd = import_extra("dask.dataframe", "dask")
    if not isinstance(frame, dd.DataFrame | dd.Series):
        raise TypeError(
            f"frame must be a dask DataFrame or Series, got {type(frame).__name__}; "
            "dask.dataframe.from_pandas(frame, npartitions=...) makes one."
        )


def _map_partitions(function, estimator, frame, meta, *arguments):
    from dask import delayed

    # One node of the graph for the estimator, whatever the number of partitions.
    shared = delayed(estimator, traverse=False)
    return frame.map_partitions(
        function, shared, meta, *arguments, meta=meta, enforce_metadata=False
    )


def _encode_partition(part, encoder, meta):
    if len(part) == 0:
        return meta.set_index(part.index)
    vectors = _ask(encoder.transform, part)
    if issparse(vectors):
        raise TypeError(
            "encode_frame: the encoder returns a sparse matrix, which Parquet cannot "
            "hold. End it in TruncatedSVD, or give the whole pipeline to predict_frame."
        )
    vectors = np.asarray(vectors, dtype=np.float32)
    if vectors.shape != (len(part), meta.shape[1]):
        raise ValueError(
            f"encode_frame: the encoder made an array of shape {vectors.shape} of "
            f"{len(part)} rows, but names {meta.shape[1]} features. It must end in an "
            "encoder that gives a vector for each row."
        )
    return pd.DataFrame(vectors, index=part.index, columns=meta.columns)


def _predict_partition(part, model, meta, method):
    if len(part) == 0:
        return meta.reindex(part.index)
    answers = _ask_partition(part, model, method)
    kinds = meta.dtypes.to_dict() if isinstance(meta, pd.DataFrame) else meta.dtype
    return answers.astype(kinds)


def _ask_partition(part, model, method):
    answers = _ask(getattr(model, method), part)
    if isinstance(answers, pd.DataFrame):
        return answers.set_axis(part.index).rename(columns=str)
    answers = np.asarray(answers)
    if answers.ndim == 1:
        return pd.Series(answers, index=part.index, name=method)
    if answers.ndim != 2 or len(answers) != len(part):
        raise TypeError(
            f"predict_frame: {type(model).__name__}.{method} gives no row of answers "
            f"for each row of the table, but an array of shape {answers.shape}."
        )
    names = getattr(model, "classes_", ())
    if len(names) != answers.shape[1]:
        names = range(answers.shape[1])
    return pd.DataFrame(answers, index=part.index, columns=[str(n) for n in names])


def _ask(method, part):
    """Call with a partition; errors say where it lies in the table."""
    try:
        return method(part)
    except Exception as error:
        first, last = part.index[0], part.index[-1]
        error.add_note(f"in the partition from index {first!r} to {last!r}")
        raise
