"""Keys of functions and classes: whatever they use is in them, or they are refused."""

import functools
import importlib
import os
import subprocess
import sys
import textwrap
import threading
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import FunctionTransformer
from torch import nn, no_grad, tensor

from sklearn_mm import CachedEncoder
from sklearn_mm.cache._contents import digest_content

CELLS = np.arange(12.0).reshape(3, 4) + 1


class Scale:
    """Multiplies by its factor, as a callable and by a method."""

    def __init__(self, by):
        self.by = by

    def __call__(self, X):
        return X * self.by

    def scale(self, X):
        return X * self.by


def define(code, **names):
    """Run code as a module of a user's, and return its globals."""
    names = {"__name__": "script", "np": np, **names}
    exec(textwrap.dedent(code), names)
    return names


def share(factors):
    return lambda X: X * factors[0]


def scale_by(factors):
    def decorate(function):
        @functools.wraps(function)
        def scaled(X):
            return function(X) * factors[0]

        return scaled

    return decorate


def make_changes():
    """Return functions, and for each a change in what it depends on."""
    plain = define(
        """
        BY, DEEP = 2, {"a": [2]}
        def double(X): return X * BY
        def call(X): return double(X)
        def nested(X): return X * DEEP["a"][0]
        def default(X, by=2, *, to=1): return X * by * to
        def own(X): return X * own.by
        own.by = 2
        inner = lambda X: (lambda x: x * BY)(X)
        """
    )
    other = define("def double(X): return X * 7")
    yield "global", plain["double"], lambda: plain.update(BY=3)
    yield "global of a helper", plain["call"], lambda: plain.update(BY=4)
    yield "global of an inner function", plain["inner"], lambda: plain.update(BY=5)
    yield "helper", plain["call"], lambda: plain.update(double=other["double"])
    partial = functools.partial(other["double"])
    body = other["double"]
    new = define("def double(X): return X * 9")["double"]
    yield "code", partial, lambda: setattr(body, "__code__", new.__code__)
    yield "nested", plain["nested"], lambda: plain["DEEP"]["a"].__setitem__(0, 3)
    default = plain["default"]
    yield "default", default, lambda: setattr(default, "__defaults__", (3,))
    yield "keyword", default, lambda: default.__kwdefaults__.update(to=3)
    yield "attribute", plain["own"], lambda: setattr(plain["own"], "by", 3)
    factors = [2]
    yield "closure", share(factors), lambda: factors.__setitem__(0, 3)
    decorated = scale_by(factors)(plain["own"])
    yield "decorator", decorated, lambda: factors.__setitem__(0, 4)
    scale = Scale(2)
    yield "callable", scale, lambda: setattr(scale, "by", 3)
    yield "method", scale.scale, lambda: setattr(scale, "by", 4)
    array, frame = np.ones(4), pd.DataFrame({"a": np.ones(4)})
    settings, model = SimpleNamespace(by=2), LinearRegression()
    model.fit(np.eye(4), np.arange(4))
    used = define(
        """
        def by_array(X): return X * array
        def by_frame(X): return X * frame["a"].to_numpy()
        def by_settings(X): return X * settings.by
        def by_model(X): return model.predict(X)[:, None]
        """,
        **{"array": array, "frame": frame, "settings": settings, "model": model},
    )
    yield "array", used["by_array"], lambda: array.__imul__(2)
    yield "frame", used["by_frame"], lambda: frame.__imul__(2)
    yield "object", used["by_settings"], lambda: setattr(settings, "by", 3)
    doubled = 2 * model.coef_
    yield "estimator", used["by_model"], lambda: setattr(model, "coef_", doubled)
    layer = nn.Linear(4, 4)

    def embed(X):
        with no_grad():
            return layer(tensor(X).float()).numpy()

    yield "network", embed, lambda: layer.weight.data.mul_(2)


@pytest.mark.parametrize(("kind", "function", "change"), list(make_changes()))
def test_what_a_function_uses_is_in_the_key(kind, function, change):
    cached = CachedEncoder(FunctionTransformer(function))
    before = cached.fit_transform(CELLS)
    np.testing.assert_array_equal(before, np.float32(function(CELLS)))
    change()
    after = cached.fit_transform(CELLS)
    np.testing.assert_array_equal(after, np.float32(function(CELLS)))
    assert not np.array_equal(before, after)


def test_a_module_that_was_edited_is_noticed(tmp_path, monkeypatch):
    path = tmp_path / "helpers_of_a_user.py"
    path.write_text("BY = 2\ndef scale(X): return X * BY")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = importlib.import_module("helpers_of_a_user")
    call = define("def call(X): return helpers.scale(X)", helpers=module)["call"]
    cached = CachedEncoder(FunctionTransformer(call))
    np.testing.assert_array_equal(cached.fit_transform(CELLS), 2 * CELLS)
    module.BY = 3
    np.testing.assert_array_equal(cached.fit_transform(CELLS), 3 * CELLS)
    path.write_text("def scale(X): return X * 44.")
    importlib.reload(module)
    np.testing.assert_array_equal(cached.fit_transform(CELLS), 44 * CELLS)


def test_the_code_of_a_class_of_the_user_is_in_the_key(monkeypatch):
    class Doubler(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return X * 2

        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.requires_fit = False
            return tags

    cached = CachedEncoder(Doubler())
    np.testing.assert_array_equal(cached.fit_transform(CELLS), 2 * CELLS)
    monkeypatch.setattr(Doubler, "transform", lambda self, X: X * 3)
    np.testing.assert_array_equal(cached.fit_transform(CELLS), 3 * CELLS)


def test_a_function_whose_globals_cannot_be_compared_is_refused():
    names = define(
        """
        def wait(X):
            with lock:
                return X
        def fall(X, n=3):
            return X if n == 0 else fall(X * 2, n - 1)
        """,
        lock=threading.Lock(),
    )
    with pytest.raises(TypeError, match="wait(?s:.*)lock(?s:.*)plain data"):
        CachedEncoder(FunctionTransformer(names["wait"])).fit(CELLS)
    recursive = CachedEncoder(FunctionTransformer(names["fall"]))
    np.testing.assert_array_equal(recursive.fit_transform(CELLS), 8 * CELLS)
    assert digest_content(np.log1p) != digest_content(np.exp)


def test_another_process_finds_the_same_key():
    code = (
        "import numpy as np\n"
        "from sklearn_mm.cache._contents import digest_content\n"
        "NAMES, BY = {'a', 'b', 'c'}, {'x': np.arange(3), 'y': {1, 2}}\n"
        "def scale(X): return [X * BY['x'] for name in NAMES]\n"
        "class Scale:\n"
        "    by = property(lambda self: scale)\n"
        "print(digest_content([scale, Scale, Scale()]))"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", "\n" * n + code],
            env={**os.environ, "PYTHONHASHSEED": str(n)},
            **{"capture_output": True, "check": True},
        ).stdout
        for n in (1, 2)
    }
    assert len(digests) == 1
