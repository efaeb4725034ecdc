"""All figures of speed and memory that have a target, in one table and one JSON file.

python -m benchmarks [--quick] [--json FILE] [part ...]

Each part runs in a fresh process of its own, with one thread where it says nothing
else; parts are the modules of this folder, ``loading`` for ``bench_loading``. What
needs data or measures accuracy has commands of its own: see README.md.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import format_record

PARTS = (
    "loading",
    "sounds",
    "grid_search",
    "training",
    "voting",
    "one_row",
    "start",
    "memory",
    "gpu",
    "growth",
)


def run_part(part, quick):
    """Run a part in a process of its own, and give what it recorded."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "records.json"
        command = [sys.executable, "-m", f"benchmarks.bench_{part}", "--json", file]
        print(f"\n== {part}", flush=True)
        done = subprocess.run([*command, *["--quick"] * quick])
        if done.returncode:
            print(f"{part} failed: exit status {done.returncode}", file=sys.stderr)
        return json.loads(file.read_text()) if file.exists() else None


def describe_machine():
    """Say what the figures were measured on."""
    import cv2
    import numpy
    import sklearn
    import torch

    libraries = (numpy, sklearn, cv2, torch)
    return {
        "machine": platform.machine(),
        "system": platform.platform(terse=True),
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "libraries": {lib.__name__: str(lib.__version__) for lib in libraries},
    }


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", default=PARTS, help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="few items and rounds")
    parser.add_argument("--json", type=Path, default=Path("benchmarks.json"))
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no parts {sorted(unknown)}; there are {', '.join(PARTS)}")
    machine = describe_machine()
    results = {part: run_part(part, options.quick) for part in options.parts}
    failed = [part for part, records in results.items() if records is None]
    everything = {"machine": machine, "quick": options.quick, "parts": results}
    options.json.write_text(json.dumps(everything, indent=1))
    print(f"\n{machine}\n")
    for part, records in results.items():
        print(f"{part}" if records is not None else f"{part}: FAILED")
        for entry in records or ():
            print("  " + format_record(entry))
    sys.exit(len(failed))


if __name__ == "__main__":
    main()
