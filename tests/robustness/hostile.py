"""Tables that hurt, the estimators that get them, and what an outcome may be."""

import linecache
import os
import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import HealthCheck, settings
from sklearn.base import clone
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_mm import (
    CanonicalAligner,
    ContextWindow,
    ContrastiveAligner,
    CrossModalRetriever,
    ModelSoupClassifier,
    ModelSoupRegressor,
    MultimodalVectorizer,
)
from sklearn_mm.nets import TabularMLP

from ..ensemble.test_fusion_contracts import FUSIONS
from ..test_common import JOINT, NETS, SOUPS

#: How many times as many examples as in a usual run.
FUZZ = int(os.environ.get("SKLEARN_MM_FUZZ", "1"))
#: Whose errors are meant for users.
#: Where scikit-learn lets numpy say what is no number.
CONVERSION = "/sklearn/utils/_array_api.py"
HOUSES = ("/sklearn_mm/", "/sklearn/", "/skorch/", "/skrub/", "/tests/")


def examples(n):
    """Settings of a test with ``n`` examples, the same ones in each run."""
    return settings(
        derandomize=True,
        deadline=None,
        max_examples=n * FUZZ,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def at_positions(fusion):
    """A fusion of two columns each, by trees, which take NaN."""
    regresses = isinstance(
        fusion, type(FUSIONS["mean"]) | type(FUSIONS["stacked numbers"])
    )
    tree = DecisionTreeRegressor if regresses else DecisionTreeClassifier
    members = [
        (name, tree(max_depth=3, random_state=0), columns)
        for name, columns in (("a", [0, 1]), ("b", [2, 3]))
    ]
    prefix = "fusion__" if hasattr(fusion, "fusion") else ""
    return clone(fusion).set_params(**{f"{prefix}estimators": members})


def quick(net):
    """A net that trains for two epochs."""
    inner = "net__" if isinstance(net, ModelSoupClassifier | ModelSoupRegressor) else ""
    return clone(net).set_params(**{f"{inner}max_epochs": 2})


def name_net(net):
    inner = getattr(net, "net", net)
    module = getattr(inner, "module", None)
    return "-".join(
        part for part in (type(net).__name__, getattr(module, "__name__", None)) if part
    )


COLUMNS = ["a0", "a1", "b0", "b1"]
#: Where modalities are named, by class.
SPECS = ("fusion__estimators", "estimators", "branches")
#: Of a table of four columns of numbers, all that predict or transform.
FUSED = {name: at_positions(fusion) for name, fusion in FUSIONS.items()}
TRAINED = {name_net(net): quick(net) for net in [*NETS, *JOINT, *SOUPS]}
HALVES = [("a", "passthrough", [0, 1]), ("b", "passthrough", [2, 3])]
#: Those that have no use for a target.
UNTAUGHT = {
    "MultimodalVectorizer": MultimodalVectorizer(),
    "CanonicalAligner": CanonicalAligner(HALVES),
    "CanonicalAligner-nipals": CanonicalAligner(HALVES, solver="nipals"),
    "ContrastiveAligner": ContrastiveAligner(
        HALVES,
        backbones={"a": TabularMLP, "b": TabularMLP},
        embedding_dim=3,
        max_epochs=2,
        early_stopping=False,
        random_state=0,
    ),
    "CrossModalRetriever": CrossModalRetriever(
        CanonicalAligner(HALVES), query="a", target="b", n_neighbors=2
    ),
    "ContextWindow": ContextWindow(0, before=1, after=0),
}
#: What they give is NaN where nothing is.
GAPPY = ("MultimodalVectorizer", "ContextWindow", "CrossModalRetriever")
ESTIMATORS = {**FUSED, **TRAINED, **UNTAUGHT}
#: Those to which an array is the same table as a frame, and signs are no matter.
FORMED = [*FUSED, *TRAINED, "MultimodalVectorizer", "ContrastiveAligner"]


def make_numbers(n_samples=40, seed=0):
    """Four columns that float16 holds exactly, and three classes."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_samples) % 3
    X = rng.integers(-24, 24, (n_samples, 4)) / 8 + 3 * y[:, None] * [1, 0, 1, 0.5]
    return X, y


def needs_numbers(name):
    """Whether the target is of numbers."""
    return "Regressor" in type(ESTIMATORS[name]).__name__


def make_target(name, y):
    """The classes, numbers, or a table of tasks, as an estimator takes them."""
    if name == "MultitaskNet":
        return y[:, None]
    return y + np.arange(len(y)) / 128 if needs_numbers(name) else y


def is_target(method):
    """Whether a method tells of the target, so that nothing may be missing."""
    return method.startswith("predict")


def assert_same(told, expected, tolerance):
    """Compare all that an estimator says."""
    assert told.keys() == expected.keys()
    for method, values in expected.items():
        if values.dtype.kind in "fiub":
            scale = max(1, np.nanmax(np.abs(values), initial=0))
            difference = tolerance * scale
            np.testing.assert_allclose(
                told[method], values, atol=difference, err_msg=method
            )
        else:
            np.testing.assert_array_equal(told[method], values, err_msg=method)


def by_name(estimator, choices=(COLUMNS[:2], COLUMNS[2:])):
    """The same estimator with its two modalities' columns chosen in another way."""
    key = next(k for k in SPECS if k in estimator.get_params())
    specs = estimator.get_params()[key]
    return clone(estimator).set_params(
        **{key: [(*spec[:-1], list(c)) for spec, c in zip(specs, choices)]}
    )


def mask_columns(estimator):
    """The same estimator with its two modalities' columns chosen by masks."""
    first = [True, True, False, False]
    return by_name(estimator, [first, [not chosen for chosen in first]])


def give(estimator, X):
    """All that a fitted estimator says of rows, as arrays."""
    methods = ("predict", "predict_proba", "transform", "kneighbors")
    told = {m: getattr(estimator, m)(X) for m in methods if hasattr(estimator, m)}
    return {key: value for m, v in told.items() for key, value in _flatten(m, v)}


def _flatten(name, told):
    if isinstance(told, dict | list | tuple):  # by task, or by output
        parts = told.items() if isinstance(told, dict) else enumerate(told)
        for task, part in parts:
            yield from _flatten(f"{name} {task}", part)
    else:
        yield name, np.asarray(told)


def is_on_purpose(error):
    """Whether an error was raised by a ``raise`` that speaks to the user."""
    frame = error.__traceback__
    while frame.tb_next is not None:
        frame = frame.tb_next
    path = frame.tb_frame.f_code.co_filename
    line = linecache.getline(path, frame.tb_lineno).strip()
    if path.endswith(CONVERSION):
        return isinstance(error, ValueError)
    return line.startswith("raise") and any(house in path for house in HOUSES)


def attempt(call, *args, **kwargs):
    """Give the result, or None after an error that helps; other errors come out.

    A result that comes with numpy's warnings is none.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = call(*args, **kwargs)
        except (ValueError, TypeError) as error:
            if is_on_purpose(error):
                return None
            raise
    loud = [
        w
        for w in caught
        if issubclass(w.category, RuntimeWarning) and "/externals/" not in w.filename
    ]
    assert not loud, f"{loud[0].message} ({loud[0].filename}:{loud[0].lineno})"
    return result


def freeze(*data):
    """A deep picture of data, to compare with later."""
    return pickle.dumps([_picture(part) for part in data])


def _picture(part):
    if isinstance(part, pd.DataFrame):  # which keeps caches of its own
        columns = [part.iloc[:, i] for i in range(part.shape[1])]
        return [part.columns.tolist(), [_picture(column) for column in columns]]
    if isinstance(part, pd.Series):
        return [part.index.tolist(), str(part.dtype), part.tolist()]
    if isinstance(part, pl.DataFrame):
        return [part.schema, part.rows()]
    return part
