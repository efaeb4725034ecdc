"""One task of one peer, run by the peer's own interpreter.

python -m benchmarks.peers.run PEER TASK FILE

FILE gets the figures as JSON, anew after each step, so that what was found before a
step that takes too long is kept.
"""

import json
import sys
import threading
import time
from importlib import import_module
from pathlib import Path

from sklearn.metrics import accuracy_score, f1_score, r2_score

from benchmarks.memory import read_status
from benchmarks.peers import MODALITIES, judge
from benchmarks.peers.processes import scrub
from benchmarks.tasks import TASKS

SCORES = {"accuracy": accuracy_score, "f1": f1_score, "r2": r2_score}


class Notes(dict):
    """Figures that are written to a file with each step."""

    def __init__(self, file):
        super().__init__()
        self.file = file

    def begin(self, step):
        """Write what there is, and what is being done."""
        self.file.write_text(json.dumps(self | {"step": step}))

    def finish(self):
        """Write that all is done."""
        self.file.write_text(json.dumps(self))


class Children(threading.Thread):
    """Watch the most memory that processes started by this one hold together."""

    def __init__(self):
        super().__init__(daemon=True)
        self.peak = 0

    def run(self):
        """Look twice a second."""
        while True:
            self.peak = max(self.peak, sum(map(read_held, list_children("self"))))
            time.sleep(0.5)


def list_children(process):
    """List a process's children and theirs."""
    found = []
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = file.read_text().split()
        except OSError:
            continue
        for child in children:
            found += [child, *list_children(child)]
    return found


def read_held(process):
    """Read the memory of a process, of what it shares its share, in bytes."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0
    return 1024 * int(text.split("\nPss:")[1].split()[0])


def run(peer, name, file):
    """Measure a peer at a task."""
    notes = Notes(file)
    notes.begin("import")
    module = import_module(f"benchmarks.peers.{peer}")
    task = TASKS[name]()
    X = task.X.drop(columns=getattr(module, "WITHOUT", {}).get(name, []))
    make = module.TASKS[name]
    model = measure(notes, make, task, X)
    train, test = task.splits[0]
    few = train[judge.pick_few(task.y[train], task.kind, 120)]
    check(notes, name, model, make, X.iloc[test[:20]], X.iloc[few], task.y[few])
    notes.finish()


def measure(notes, make, task, X):
    """Fit, predict and score; give the model."""
    train, test = task.splits[0]
    children = Children()
    children.start()
    notes.begin("fit")
    start = time.perf_counter()
    model = make().fit(X.iloc[train], task.y[train])
    notes["fit"] = time.perf_counter() - start
    notes.begin("predict")
    start = time.perf_counter()
    answers = model.predict(X.iloc[test])
    notes["predict"] = time.perf_counter() - start
    notes["memory"] = read_status("VmHWM") + children.peak
    notes["score"] = float(SCORES[task.scoring](task.y[test], answers))
    return model


def check(notes, name, model, make, sample, X, y):
    """Try what goes wrong, and what scikit-learn does with estimators."""
    column, is_file = next(pair for pair in MODALITIES[name] if pair[0] in X)
    checks = {
        "broken": lambda: judge.try_broken(model, sample, column, is_file),
        "missing": lambda: judge.try_missing(model, sample, column),
        "joblib": lambda: judge.try_joblib(model, sample),
        "pipeline": lambda: judge.try_pipeline(make(), X, y),
        "grid": lambda: judge.try_grid_search(make(), X, y),
    }
    for what, judgement in checks.items():
        notes.begin(what)
        notes[what] = scrub(judgement(), 120)


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
