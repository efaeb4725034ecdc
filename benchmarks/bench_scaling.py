"""Time and memory against rows and workers, the model of cost, and 10**9 rows on paper.

python -m benchmarks.bench_scaling [--quick]

Pictures and sounds of digits in a dask table of partitions, on a dask cluster of 1 and
of 2 processes with one thread each: load, encode to Parquet, fuse, predict. It prints
the tables of scaling.md, which says what they mean. Needs the extra `dask`.
"""

import os
import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ["OMP_NUM_THREADS"] = "1"  # here as in the workers, before numpy is loaded

import dask.dataframe as dd
import numpy as np
import pandas as pd
from dask.distributed import Client, LocalCluster
from joblib import parallel_config
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks import harness
from benchmarks.files import write_digits
from benchmarks.memory import read_status
from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    HOGEncoder,
    ImageLoader,
    MultimodalVotingClassifier,
    encode_frame,
    predict_frame,
)

STEPS = ("load", "encode", "fuse", "predict")
WORKERS = (1, 2)
PARTITION = 5_000  # rows
PAPER = 10**9  # rows
SEE = ImageLoader(), HOGEncoder()
HEAR = AudioLoader(8000, duration=0.4), AudioStatistics(8000)


def load_partition(part):
    """Load both columns of a partition, and let go of them."""
    if len(part):
        SEE[0].transform(part["image"])
        HEAR[0].transform(part["audio"])
    return pd.DataFrame({"n_rows": [len(part)]})


def make_vote(see=(), hear=(), columns=("image", "audio"), **options):
    model = StandardScaler(), LogisticRegression(C=0.01, max_iter=20)
    members = [
        ("image", make_pipeline(*see, *model), columns[0]),
        ("audio", make_pipeline(*hear, *model), columns[1]),
    ]
    return MultimodalVotingClassifier(members, **options)


def clear_peak():
    Path("/proc/self/clear_refs").write_text("5")


def measure(client, X, y, n_rows, folder):
    """Seconds, and the most bytes that one worker held, of each step."""
    rows = np.arange(n_rows) % len(y)
    n_partitions = max(2, n_rows // PARTITION)
    frame = dd.from_pandas(
        X.iloc[rows].reset_index(drop=True), npartitions=n_partitions
    )
    encode = make_column_transformer(
        (make_pipeline(*SEE), "image"), (make_pipeline(*HEAR), "audio")
    ).fit(X)
    width = sum(
        name.startswith("pipeline-1") for name in encode.get_feature_names_out()
    )
    parquet = str(Path(folder) / f"vectors_{n_rows}_{len(client.ncores())}")
    figures = {}

    def run(step, action):
        client.run(clear_peak)
        start = time.perf_counter()
        result = action()
        seconds = time.perf_counter() - start
        figures[step] = seconds, max(client.run(read_status, "VmHWM").values())
        return result

    meta = pd.DataFrame({"n_rows": [0]})
    run("load", lambda: frame.map_partitions(load_partition, meta=meta).compute())
    run("encode", lambda: encode_frame(encode, frame).to_parquet(parquet))
    vectors = pd.read_parquet(parquet).to_numpy()
    with parallel_config(backend="dask"):
        columns = slice(width), slice(width, None)
        vote = make_vote(columns=columns, weights="learned", cv=2)
        run("fuse", lambda: vote.fit(vectors, y[rows]))
    whole = make_vote(SEE, HEAR).fit(X, y)
    answers = predict_frame(whole, frame)
    told = run("predict", answers.compute)
    assert len(told) == n_rows
    return figures


def fit_cost(sizes, seconds):
    """Give seconds that do not depend on rows, and seconds a row."""
    # Errors grow with the time: equal weight to relative ones.
    design = np.column_stack([np.ones(len(sizes)), sizes]) / np.array(seconds)[:, None]
    return np.linalg.lstsq(design, np.ones(len(sizes)), rcond=None)[0].clip(0)


def print_measured(results, sizes):
    print("\n| step | workers | " + " | ".join(f"{n:,} rows" for n in sizes), end="")
    print(
        " | start, s | a row, ms | efficiency |\n" + "| --- " * (5 + len(sizes)) + "|"
    )
    costs = {}
    for step in STEPS:
        for workers in WORKERS:
            table = [results[workers][n_rows][step] for n_rows in sizes]
            start, slope = fit_cost(sizes, [seconds for seconds, _ in table])
            costs[step, workers] = start, slope, max(peak for _, peak in table)
            cells = [f"{s:.2f} s, {peak / 2**20:,.0f} MB" for s, peak in table]
            gained = costs[step, 1][1] / slope / workers
            print(f"| {step} | {workers} | " + " | ".join(cells), end="")
            print(f" | {start:.2f} | {1000 * slope:.3f} | {gained:.2f} |", flush=True)
    return costs


def print_paper(costs):
    """Extrapolate what runs by partition; fusing is done on a sample."""
    print(f"\n| step | {PAPER:,} rows, 1 worker | 100 workers | 1,000 workers |")
    print("| --- " * 4 + "|")
    for step in STEPS:
        if step == "fuse":
            start, slope, _ = costs[step, 1]
            hours = (start + slope * 10**6) / 3600
            print(f"| {step}, on 10**6 rows | {hours:.2f} h | | |")
            continue
        hours = costs[step, 1][1] * PAPER / 3600
        cells = " | ".join(f"{hours / workers:,.2f} h" for workers in (1, 100, 1000))
        print(f"| {step} | {cells} |")


def main(quick=False):
    warnings.simplefilter("ignore")
    sizes = (500, 1_000, 2_000) if quick else (1_000, 10_000, 100_000)
    results = {}
    with TemporaryDirectory() as folder:
        X, y = write_digits(folder)
        for workers in WORKERS:
            cluster = LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=None
            )
            with cluster, Client(cluster) as client:
                measure(client, X, y, 200, folder)  # imports in the workers
                results[workers] = {
                    n_rows: measure(client, X, y, n_rows, folder) for n_rows in sizes
                }
    costs = print_measured(results, sizes)
    print_paper(costs)
    for step in STEPS:
        gain = costs[step, 1][1] / costs[step, 2][1]
        harness.record(f"{step}, 2 workers", "1 worker", gain)


if __name__ == "__main__":
    harness.run(main)
