"""Damaged files through a loader, in a process of its own, so that a crash is seen.

python -m tests.robustness.fuzz {image,audio,video} N

Prints a line of JSON for each container. What crashes or hangs leaves a traceback and
the number of the mutation that did it.
"""

import faulthandler
import json
import sys
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.base import clone

from benchmarks.memory import measure_peak
from sklearn_mm import AudioLoader, ImageLoader, LoadError, LoadWarning, VideoLoader

from .media import CONTAINERS, mutate

#: Bounds far below the defaults, so that what exceeds them stands out.
LOADERS = {
    "image": [
        ImageLoader((16, 16), max_pixels=2**22),
        ImageLoader((16, 16), "rgb", decode="exact", scale=False, max_pixels=2**22),
    ],
    "audio": [AudioLoader(8000, max_seconds=60), AudioLoader(8000, 0.3)],
    "video": [
        VideoLoader(4, (16, 16), max_seconds=60, max_pixels=2**20),
        VideoLoader(4, (16, 16), "rgb", "middle", max_seconds=60, max_pixels=2**20),
    ],
}
ON_ERROR = ("raise", "warn", "missing")
#: After which a cell counts as hanging, in seconds.
HANGS = 60


def load(loader, column):
    """Load a column: what came of it, its failures, and what should not be there."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            loaded, failed = loader.transform(column), []
        except LoadError as error:
            loaded, failed = None, [row for row, _, _ in error.failures]
        except Exception as error:
            return None, [], [repr(error)]
    strays = [str(w.message) for w in caught if w.category is not LoadWarning]
    if len(caught) > 1 or (caught and loader.on_error != "warn"):
        strays.append(f"{len(caught)} warnings")
    return loaded, failed, strays


def list_faults(loader, column, clean):
    """Load good cells around a bad one: whether it was read, and what is wrong."""
    loaded, failed, faults = load(loader, column)
    if loaded is None:
        return False, faults + [f"rows {failed} are named"] * (failed not in ([], [1]))
    for row, expected in zip((0, 2), clean):
        there = loaded[row][: len(expected)]
        if not np.array_equal(there, expected, equal_nan=True):
            faults.append(f"row {row} has changed")
    missing = np.isnan(loaded[1])
    _, named, more = load(clone(loader).set_params(on_error="raise"), column[1:2])
    if missing.all() != (named == [0]):
        faults.append(f"it is NaN: {missing.all()}, but {named} are named")
    if not missing.all() and missing[0].any():
        faults.append("it begins with NaN")
    return not missing.all(), faults + more


def run(container, data, loaders, n_mutations, folder):
    """Load mutations one by one; count and measure."""
    report = {"container": container, "mutations": n_mutations, "read": 0}
    report |= {"faults": [], "slowest": 0.0, "peak": 0}
    clean = [loader.transform([data, data]) for loader in loaders]
    for seed in range(n_mutations):
        cell = mutate(data, container, seed)
        if seed % 4 == 0:  # some on disk
            path = Path(folder) / f"cell.{container}"
            path.write_bytes(cell)
            cell = path
        which, column = seed % len(loaders), [data, cell, data]
        loader = clone(loaders[which]).set_params(on_error=ON_ERROR[seed % 3])
        load_it = partial(list_faults, loader, column, clean[which])
        print(f"{container} {seed}", file=sys.stderr, flush=True)
        faulthandler.dump_traceback_later(HANGS, exit=True)
        start = time.perf_counter()
        (read, faults), peak = measure(load_it)
        seconds = time.perf_counter() - start
        faulthandler.cancel_dump_traceback_later()
        report["faults"] += [f"{container} {seed}: {fault}" for fault in faults]
        report["read"] += bool(read)
        report["slowest"] = max(report["slowest"], seconds)
        report["peak"] = max(report["peak"], peak)
    return report


def measure(action):
    """Run something; give its result, and the memory it took, 0 where unknown."""
    if not Path("/proc/self/clear_refs").exists():
        return action(), 0
    return measure_peak(action)


def main(modality, n_mutations):
    faulthandler.enable()
    with tempfile.TemporaryDirectory() as folder:
        for container, make in CONTAINERS[modality].items():
            report = run(container, make(), LOADERS[modality], n_mutations, folder)
            print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
