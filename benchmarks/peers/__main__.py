"""Other packages at the same tasks, each in an environment of its own.

python -m benchmarks.peers [PEER ...] [--tasks TASK ...] [--environments FOLDER]

Makes a peer's environment if it is not there, runs each task in a process of its
interpreter, and writes results.json and, from it, README.md after each. Needs the data
home (SKLEARN_MM_DATA) and, for environments that are not there yet, a package index.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from datetime import date
from pathlib import Path
from statistics import median

from benchmarks.peers import MODALITIES, PEERS, read_peer
from benchmarks.peers.environments import REPOSITORY, list_versions, make_environment
from benchmarks.peers.lines import count_lines
from benchmarks.peers.processes import find_error, run_bounded
from benchmarks.peers.tables import write_page

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
ENVIRONMENTS = Path(tempfile.gettempdir()) / "sklearn_mm_peers"
#: Seconds that a task may take, its checks included.
PATIENCE = 600


def time_import(python, modules):
    """Seconds that an import adds to the interpreter's start; or the error."""
    times = []
    for code in ["pass", f"import {modules}"]:
        found = []
        for _ in range(3):
            timed = f"import time; s = time.perf_counter(); {code}; "
            timed += "print('took', time.perf_counter() - s)"
            status, output = run_peer(python, ["-c", timed], 300)
            if status != 0:
                return {"error": find_error(output)}
            found.append(float(output.rpartition("took")[2]))
        times.append(median(found))
    return {"import": times[1] - times[0]}


def run_peer(python, arguments, seconds):
    """Run a peer's interpreter in an empty folder, with this repository on its path."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    with tempfile.TemporaryDirectory() as folder:
        command = [python, "-W", "ignore", *arguments]
        return run_bounded(command, seconds, cwd=folder, env=environment)


def run_task(python, peer, task):
    """Give what a task's process found out, and how it failed if it did."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        arguments = ["-m", "benchmarks.peers.run", peer, task, file]
        status, output = run_peer(python, arguments, PATIENCE)
        found = json.loads(file.read_text()) if file.exists() else {"step": "import"}
    step = found.pop("step", None)
    if status is None:
        found["error"] = f"{step}: took longer than {PATIENCE} s"
    elif status != 0:
        found["error"] = f"{step}: {find_error(output)}"
    return found


def describe_peer(peer, python, error):
    """Give what holds for all of a peer's tasks."""
    module = read_peer(peer)
    versions = list_versions(python)
    known = {name.lower().replace("_", "-"): v for name, v in versions.items()}
    names = [requirement.partition("[")[0] for requirement in module["REQUIREMENTS"]]
    names = ["sklearn_mm" if name == "." else name for name in names]
    found = {name: known.get(name.lower().replace("_", "-")) for name in names}
    described = {"name": module["NAME"], "versions": found, "tasks": {}}
    if error is not None:
        return described | {"error": f"installation: {error}"}
    return described | time_import(python, module["IMPORT"])


def run(peer, tasks, folder, results):
    """Run a peer's tasks, and keep each result at once."""
    module = read_peer(peer)
    print(f"== {peer}: environment", flush=True)
    python, error = make_environment(peer, folder)
    entry = describe_peer(peer, python, error)
    entry["tasks"] = results.get(peer, {}).get("tasks", {})
    results[peer] = entry
    for task in tasks:
        entry["tasks"].pop(task, None)
        if task in module["CANNOT"]:
            entry["tasks"][task] = {"cannot": module["CANNOT"][task]}
        elif "error" not in entry:
            print(f"   {task}", end=": ", flush=True)
            found = run_task(python, peer, task)
            found["lines"] = count_lines(HERE / f"{peer}.py", module["TASKS"][task])
            found["without"] = module["WITHOUT"].get(task, [])
            entry["tasks"][task] = found
            print(found.get("error", f"{found.get('score', 0):.3f}"), flush=True)
        save(results)


def save(results):
    """Write the results, and the page that is made of them."""
    results["machine"] = {
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "date": str(date.today()),
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    (HERE / "README.md").write_text(write_page(results))


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers")
    parser.add_argument("peers", nargs="*", default=PEERS, help=", ".join(PEERS))
    parser.add_argument("--tasks", nargs="+", choices=MODALITIES, default=MODALITIES)
    parser.add_argument("--environments", type=Path, default=ENVIRONMENTS)
    options = parser.parse_args()
    unknown = set(options.peers) - set(PEERS)
    if unknown:
        parser.error(f"no peers {sorted(unknown)}; there are {', '.join(PEERS)}")
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for peer in options.peers:
        run(peer, options.tasks, options.environments.absolute(), results)


if __name__ == "__main__":
    sys.exit(main())
