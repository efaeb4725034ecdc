"""Processes that tests start, watch and interrupt."""

import os
import subprocess
import sys
import time
from pathlib import Path

from ..conftest import ROOT

#: More rounds, by a number, than there is time for in every run of the tests.
FUZZ = int(os.environ.get("SKLEARN_MM_FUZZ", 0))
#: Seconds after which a child counts as hanging.
PATIENCE = 300


def start(code, *args, **options):
    """Start Python on some code, with this package on its path."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.Popen(
        command, env=env, text=True, stdout=subprocess.PIPE, **options
    )


def run(code, *args, patience=PATIENCE, **options):
    """Run code in a process of its own, and give what it printed."""
    with start(code, *args, stderr=subprocess.PIPE, **options) as child:
        try:
            output, errors = child.communicate(timeout=patience)
        finally:
            child.kill()
    assert child.returncode == 0, f"exit status {child.returncode}\n{errors}"
    return output


def wait_until(condition, patience=10):
    """Ask until something holds, or patience ends; say whether it holds."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def list_group(group):
    """List the processes of a group (or session) that run, by their command."""
    running = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it has just ended
            continue
        state, _, its_group, its_session = fields[:4]
        if group in (int(its_group), int(its_session)) and state not in "ZX":
            running.append(f"{entry.name} {command}")
    return running
