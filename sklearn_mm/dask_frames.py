"""Encode and predict tables larger than memory, which dask splits into partitions."""

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.utils.validation import check_is_fitted

from ._utils.imports import import_extra


def encode_frame(encoder, frame):
    """Encode a dask table or one of its columns, partition by partition.

    Evaluation is lazy: nothing is computed until the result is computed or written to
    Parquet. Only the partitions being processed are held in memory.

    Parameters
    ----------
    encoder : transformer or Pipeline
        Fitted. Takes a partition, a pandas DataFrame or Series, and returns vectors.
    frame : dask.dataframe.DataFrame or dask.dataframe.Series
        The table, or one of its columns.

    Returns
    -------
    dask.dataframe.DataFrame
        The vectors, float32, in columns named by ``encoder.get_feature_names_out()``,
        with the index and the partitions of ``frame``.

    Raises
    ------
    LoadError
        While the result is computed, if a loader with ``on_error="raise"`` cannot read
        a cell.

    See Also
    --------
    predict_frame : Predict for a dask table.
    CachedEncoder : Stores vectors, so that an interrupted run can be resumed.

    Notes
    -----
    The threads of dask's default scheduler share one interpreter; encoders written in
    Python run faster in the processes of a ``dask.distributed.Client``. dask converts
    columns of bytes or arrays to strings unless ``dataframe.convert-string`` is off;
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
    """Predict for a dask table, partition by partition.

    Evaluation is lazy: nothing is computed until the result is computed or written to
    Parquet, except the prediction for the first row, which determines the columns and
    dtypes of the result.

    Parameters
    ----------
    model : estimator or Pipeline
        Fitted. Takes a partition, a pandas DataFrame or Series.
    frame : dask.dataframe.DataFrame or dask.dataframe.Series
        The table, or one of its columns.
    method : str, default="predict"
        The method to call: "predict", "predict_proba", "decision_function", or another
        one that returns one or several numbers or labels per row.

    Returns
    -------
    dask.dataframe.Series or dask.dataframe.DataFrame
        The predictions, with the index and the partitions of ``frame``: a Series with
        the name of the method, or a DataFrame; its columns are the classes, if there is
        one column per class.

    See Also
    --------
    encode_frame : Encode a dask table.

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
    meta = _compute_predictions(first, model, method).iloc[:0]
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
    vectors = _call_with_note(encoder.transform, part)
    if issparse(vectors):
        raise TypeError(
            "encode_frame: the encoder returns a sparse matrix, which Parquet cannot "
            "store. End it in TruncatedSVD, or pass a whole pipeline to predict_frame."
        )
    vectors = np.asarray(vectors, dtype=np.float32)
    if vectors.shape != (len(part), meta.shape[1]):
        raise ValueError(
            f"encode_frame: the encoder returned an array of shape {vectors.shape} for "
            f"{len(part)} rows, but names {meta.shape[1]} features. It must end in an "
            "encoder that returns one vector per row."
        )
    return pd.DataFrame(vectors, index=part.index, columns=meta.columns)


def _predict_partition(part, model, meta, method):
    if len(part) == 0:
        return meta.reindex(part.index)
    predictions = _compute_predictions(part, model, method)
    dtypes = meta.dtypes.to_dict() if isinstance(meta, pd.DataFrame) else meta.dtype
    return predictions.astype(dtypes)


def _compute_predictions(part, model, method):
    predictions = _call_with_note(getattr(model, method), part)
    if isinstance(predictions, pd.DataFrame):
        return predictions.set_axis(part.index).rename(columns=str)
    predictions = np.asarray(predictions)
    if predictions.ndim == 1:
        return pd.Series(predictions, index=part.index, name=method)
    if predictions.ndim != 2 or len(predictions) != len(part):
        raise TypeError(
            f"predict_frame: {type(model).__name__}.{method} must return one row per "
            f"row of the table, got an array of shape {predictions.shape} for "
            f"{len(part)} rows."
        )
    names = getattr(model, "classes_", ())
    if len(names) != predictions.shape[1]:
        names = range(predictions.shape[1])
    return pd.DataFrame(predictions, index=part.index, columns=[str(n) for n in names])


def _call_with_note(method, part):
    """Call with a partition; errors name its place in the table."""
    try:
        return method(part)
    except Exception as error:
        first, last = part.index[0], part.index[-1]
        error.add_note(f"in the partition from index {first!r} to {last!r}")
        raise
