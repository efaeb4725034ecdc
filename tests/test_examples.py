"""The examples run from any folder, without a network and without a data home."""

import os
import subprocess
import sys

import pytest

from .conftest import ROOT

#: The four uses, which take seconds; CI runs the README's first command, another.
EXAMPLES = ["image_and_text", "sentiment", "spoken_language", "voice_commands"]
#: Any way out of the machine raises.
GUARD = """
import runpy, socket, sys
def refuse(*args):
    raise AssertionError("an example wanted the network")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_on_what_the_package_holds(name, tmp_path):
    path = ROOT / "examples" / f"{name}.py"
    settings = {
        "MPLBACKEND": "Agg",
        "HOME": str(tmp_path),
        "SKLEARN_MM_DATA": str(tmp_path / "nothing"),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", GUARD, path],
        cwd=tmp_path,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") > 3  # a table
    assert not done.stderr
    assert not (tmp_path / "nothing").exists()
