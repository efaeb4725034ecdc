"""What voting costs: learning its weights, and its fit and predict beside its members.

python -m benchmarks.bench_voting [--quick]
"""

import tempfile
import warnings

import numpy as np
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks import harness
from benchmarks.files import write_digits
from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    HOGEncoder,
    ImageLoader,
    MultimodalVotingClassifier,
)
from sklearn_mm.ensemble._weights import (
    learn_weights,
    make_log_loss,
    make_pool_objective,
)


def make_answers(n_rows, n_classes=10):
    """Make probabilities of five modalities, the first nearly as bad as chance."""
    rng = np.random.default_rng(0)
    y = rng.integers(n_classes, size=n_rows)
    logits = rng.normal(size=(5, n_rows, n_classes))
    strength = np.array([0.2, 0.5, 1.0, 1.5, 2.0])
    logits[:, np.arange(n_rows), y] += strength[:, None]
    answers = np.exp(logits)
    answers /= answers.sum(axis=2, keepdims=True)
    some = answers.copy()
    some[rng.random(some.shape[:2]) < 0.3] = np.nan
    return y, answers, some


def compare_weights(n_rows, repeats):
    """Learn the weights of 5 modalities from rows of 10 classes."""
    y, answers, some = make_answers(n_rows)
    rows = np.arange(n_rows)

    def by_hand():
        def loss(weights):
            fused = np.tensordot(weights, answers, 1)
            return -np.log(fused[rows, y]).mean()

        total = {"type": "eq", "fun": lambda weights: weights.sum() - 1}
        return minimize(loss, np.full(5, 0.2), bounds=[(0, 1)] * 5, constraints=total)

    def ours(answers=answers):
        complete = answers is not some
        loss, floor = make_log_loss(n_rows), np.full(n_rows, 0.1)
        objective = make_pool_objective(answers[:, rows, y], loss, floor)
        return learn_weights(objective, 5, n_rows, complete)

    ways = {
        "SLSQP by hand, numeric gradient": by_hand,
        "learned weights": ours,
        "learned weights, 30 % abstain": lambda: ours(some),
    }
    work = f"weights of 5 models, {n_rows:,} rows, 10 classes"
    ms, ratio = harness.compare(f"{work} (ms in all)", ways, 1, repeats)[
        "learned weights"
    ]
    harness.record(work, "SLSQP, numeric gradient", ratio, at_least=12, ms=ms)
    harness.record(work, "the optimum, at most above", ours()[1], "", at_most=1e-6)


def load_members(folder, n_copies):
    """Members and rows: digits' files, and vectors of them, encoded once."""
    X, y = write_digits(folder)
    image, audio = make_encoders()
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    vectors = image.fit_transform(X["image"]), audio.fit_transform(X["audio"])
    n_first = vectors[0].shape[1]
    parts = {"image": slice(0, n_first), "audio": slice(n_first, None)}
    rng = np.random.default_rng(0)
    rows = np.tile(np.hstack(vectors), (n_copies, 1))
    rows += rng.normal(0, 0.01, rows.shape).astype(rows.dtype)
    members = [(name, model, columns) for name, columns in parts.items()]
    yield "vectors", members, rows, np.tile(y, n_copies), lambda part: rows[:, part]
    members = [
        ("image", make_pipeline(image, clone(model)), "image"),
        ("audio", make_pipeline(audio, clone(model)), "audio"),
    ]
    yield "files", members, X, y, lambda column: X[column]


def make_encoders():
    image = make_pipeline(ImageLoader(), HOGEncoder())
    return image, make_pipeline(AudioLoader(8000), AudioStatistics(8000, 13))


def compare_members(title, members, X, y, select, repeats):
    """Fit and predict a vote, and its members one after the other."""
    fusion = MultimodalVotingClassifier(members).fit(X, y)
    fitted = list(zip(fusion.estimators_, members))

    def fit_members():
        for _, model, columns in members:
            clone(model).fit(select(columns), y)

    def ask_members():
        return [model.predict_proba(select(part)) for model, (_, _, part) in fitted]

    for method, alone, together in (
        ("fit", fit_members, lambda: fusion.fit(X, y)),
        ("predict_proba", ask_members, lambda: fusion.predict_proba(X)),
    ):
        work = f"voting, {method}, {len(X)} rows of {title}"
        ways = {"the members": alone, "voting": together}
        ms, ratio = harness.compare(work, ways, len(X), repeats)["voting"]
        harness.record(work, "its members' time", 1 / ratio, at_most=1.03, ms=ms)


def main(quick=False):
    warnings.simplefilter("ignore")
    compare_weights(100_000, 3 if quick else 9)
    with tempfile.TemporaryDirectory() as folder:
        for case in load_members(folder, 2 if quick else 5):
            compare_members(*case, repeats=3 if quick else 15)


if __name__ == "__main__":
    harness.run(main)
