"""What a fitted model does with broken and missing cells, and with scikit-learn."""

import subprocess
import sys
import tempfile
from pathlib import Path

import joblib
import numpy as np
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline

#: The row that is spoilt.
ROW = 7


def attempt(action):
    """Give what an action says, or how it failed."""
    try:
        return action()
    except Exception as error:
        kind = type(error)
        name = kind.__name__
        if name.islower():
            name = f"{kind.__module__}.{name}"
        return f"{name}: {error}"


def try_broken(model, X, column, is_file):
    """Predict with one file cut off in the middle."""
    if not is_file:
        return "no file read"
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(X[column].iloc[ROW])
        content = whole.read_bytes()
        broken = Path(folder) / f"broken{whole.suffix}"
        broken.write_bytes(content[: len(content) // 2])
        return attempt(lambda: compare_rest(model, X, column, str(broken)))


def try_missing(model, X, column):
    """Predict with one cell missing."""
    return attempt(lambda: compare_rest(model, X, column, None))


def compare_rest(model, X, column, cell):
    """Say whether all other predictions stay when one cell is replaced."""
    before = np.asarray(model.predict(X))
    spoilt = X.copy()
    spoilt[column] = [cell if n == ROW else kept for n, kept in enumerate(X[column])]
    after = np.asarray(model.predict(spoilt))
    rest = np.arange(len(X)) != ROW
    return "answers" if same(before[rest], after[rest]) else "answers, others change"


def same(a, b):
    """Whether predictions are the same."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind == "f":
        return a.shape == b.shape and np.allclose(a, b, rtol=1e-4, atol=1e-5)
    return np.array_equal(a, b)


def try_joblib(model, X):
    """Save, load in another process, and compare predictions."""

    def save_and_load():
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / name for name in ("model", "X", "answer")]
            joblib.dump(model, files[0])
            joblib.dump(X, files[1])
            code = (
                "import sys, joblib; model, X, answer = sys.argv[1:]; "
                "joblib.dump(joblib.load(model).predict(joblib.load(X)), answer)"
            )
            done = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", code, *files],
                capture_output=True,
                text=True,
            )
            if done.returncode:
                return "no: " + done.stderr.strip().splitlines()[-1]
            return (
                "yes"
                if same(model.predict(X), joblib.load(files[2]))
                else "no: predictions differ"
            )

    return _refuse(attempt(save_and_load))


def find_lack(model):
    """Say what an object lacks of an estimator; an adaptor is looked through."""
    native = getattr(model, "native", model)
    for name in ("get_params", "set_params", "fit", "predict"):
        if not hasattr(native, name):
            kind = native if isinstance(native, type) else type(native)
            return f"no: {kind.__name__} has no {name}"
    return None


def try_pipeline(model, X, y):
    """Fit and predict behind another step of a pipeline."""

    def fit_and_predict():
        made = make_pipeline("passthrough", model).fit(X, y).predict(X)
        return "yes" if len(made) == len(X) else "no: wrong length"

    return find_lack(model) or _refuse(attempt(fit_and_predict))


def try_grid_search(model, X, y):
    """Search a grid of one point in two folds."""

    def search():
        found = GridSearchCV(model, {}, cv=2, error_score="raise").fit(X, y)
        return "yes" if np.isfinite(found.best_score_) else "no: score is not finite"

    return find_lack(model) or _refuse(attempt(search))


def _refuse(words):
    """Begin with "no" what is an error."""
    return words if words.startswith(("yes", "no")) else f"no: {words}"


def pick_few(y, kind, n):
    """Pick some rows, with each class as often as in all; rare classes stay out."""
    rows = np.arange(len(y))
    if kind == "regressor":
        return rows[:n]
    classes, counts = np.unique(y, return_counts=True)
    rows = rows[np.isin(y, classes[counts >= 0.03 * len(y)])]
    return train_test_split(rows, train_size=n, stratify=y[rows], random_state=0)[0]
