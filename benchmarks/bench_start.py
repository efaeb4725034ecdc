"""Time of imports, in fresh processes.

python -m benchmarks.bench_start [--quick]
"""

import subprocess
import sys

from benchmarks import harness


def main(quick=False):
    def start(code):
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)

    ways = {
        "nothing": start("pass"),
        "import sklearn.base": start("import sklearn.base"),
        "import sklearn_mm": start("import sklearn_mm"),
        "from sklearn_mm import ImageLoader": start(
            "from sklearn_mm import ImageLoader"
        ),
    }
    found = harness.compare("start", ways, 1, 3 if quick else 9)
    times = {name: ms - found["nothing"][0] for name, (ms, _) in found.items()}
    base, own = times["import sklearn.base"], times["import sklearn_mm"]
    work = "import sklearn_mm"
    harness.record(work, "import sklearn.base, its time", own / base, at_most=0.1)
    harness.record(work, "the empty interpreter, more", own, "ms")


if __name__ == "__main__":
    harness.run(main)
