"""How time and memory grow with the number of rows, for each of the five steps.

python -m benchmarks.bench_growth [--quick]

Load, encode, fit, fuse and predict pictures and sounds of digits, 1,000 to 100,000
rows; for each step the exponent of a power of the rows that fits its seconds, 1 where
twice the rows take twice the time. The last run's picture is `growth.png`.
"""

import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks import harness
from benchmarks.files import write_digits
from benchmarks.memory import measure_peak
from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    HOGEncoder,
    ImageLoader,
    MultimodalVotingClassifier,
)

STEPS = ("load", "encode", "fit", "fuse", "predict")
PICTURE = Path(__file__).with_name("growth.png")


def make_vote(widths, **options):
    """Vote on the vectors of both modalities, side by side in one array."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=20))
    start, stop = widths[0], sum(widths)
    members = [("image", model, slice(start)), ("audio", model, slice(start, stop))]
    return MultimodalVotingClassifier(members, **options)


def measure(X, y, n_rows):
    """Seconds and bytes at their peak of each step on ``n_rows`` rows."""
    rows = np.arange(n_rows) % len(y)
    X, y = X.iloc[rows], y[rows]
    figures = {}

    def run(step, action):
        (result, seconds), grown = measure_peak(lambda: take_time(action))
        figures[step] = seconds, grown
        return result

    loaders = {"image": ImageLoader(), "audio": AudioLoader(8000, duration=0.4)}
    arrays = run(
        "load", lambda: [step.transform(X[name]) for name, step in loaders.items()]
    )
    encoders = HOGEncoder(), AudioStatistics(8000)
    vectors = run("encode", lambda: [e.transform(a) for e, a in zip(encoders, arrays)])
    widths = [part.shape[1] for part in vectors]
    table = np.hstack(vectors)
    arrays.clear()
    vectors.clear()
    run("fit", lambda: make_vote(widths).fit(table, y))
    vote = run("fuse", lambda: make_vote(widths, weights="learned", cv=2).fit(table, y))
    run("predict", lambda: vote.predict_proba(table))
    return figures


def take_time(action):
    start = time.perf_counter()
    return action(), time.perf_counter() - start


def fit_exponent(sizes, seconds):
    return np.polyfit(np.log(sizes), np.log(seconds), 1)[0]


def draw(sizes, table):
    """Draw seconds and megabytes against rows."""
    try:
        import matplotlib
    except ImportError:
        print("no matplotlib here: nothing is drawn")
        return
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for part, (ax, label) in enumerate(zip(axes, ("seconds", "peak memory, MB"))):
        scale = (1, 1 / 2**20)[part]
        for step in STEPS:
            values = [max(1e-3, figures[step][part] * scale) for figures in table]
            exponent = fit_exponent(sizes, values)
            ax.loglog(sizes, values, "o-", label=f"{step} (exponent {exponent:.2f})")
        ax.set(xlabel="rows", ylabel=label)
        ax.grid(alpha=0.3)
        ax.legend()
    figure.savefig(PICTURE, dpi=100)


def main(quick=False):
    warnings.simplefilter("ignore")
    sizes = (500, 1_000, 3_000) if quick else (1_000, 10_000, 100_000)
    with TemporaryDirectory() as folder:
        X, y = write_digits(folder)
        measure(X, y, 200)  # imports, filters, thread pools
        table = [measure(X, y, n_rows) for n_rows in sizes]
    print(f"\n{'':<10}" + "".join(f"{f'{n:,} rows':>24}" for n in sizes))
    for step in STEPS:
        cells = [
            f"{figures[step][0]:.2f} s, {figures[step][1] / 2**20:,.0f} MB"
            for figures in table
        ]
        print(f"{step:<10}" + "".join(f"{cell:>24}" for cell in cells))
    for step in STEPS:
        exponent = fit_exponent(sizes, [figures[step][0] for figures in table])
        work = f"{step}, {sizes[0]:,} to {sizes[-1]:,} rows"
        harness.record(work, "exponent of rows (1 expected)", exponent, "")
    if not quick:
        draw(sizes, table)


if __name__ == "__main__":
    harness.run(main)
