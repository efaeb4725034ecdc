"""An environment for each peer, made once and kept."""

import json
import re
import sys
from pathlib import Path

from benchmarks.peers import read_peer
from benchmarks.peers.processes import find_error, run_bounded, scrub

REPOSITORY = Path(__file__).parents[2]
#: Where nothing else is said: the build of torch that is not for a GPU.
TORCH = ["torch==2.13.0"]


def make_environment(peer, folder, seconds=1500):
    """Make a peer's environment, or find it made.

    Parameters
    ----------
    peer : str
        A module of this package.
    folder : Path
        Holds the environments.
    seconds : float
        The most that an installation may take.

    Returns
    -------
    python : Path
        Its interpreter.
    error : str or None
        Why it could not be made.
    """
    module = read_peer(peer)
    home, state = folder / peer, folder / f"{peer}.json"
    python = home / "bin" / "python"
    constraints = module["CONSTRAINTS"] or TORCH
    wanted = {"requirements": module["REQUIREMENTS"], "constraints": constraints}
    if state.exists():
        made = json.loads(state.read_text())
        if all(made[key] == wanted[key] for key in wanted):
            return python, made["error"]
    folder.mkdir(parents=True, exist_ok=True)
    bounds = folder / f"{peer}.constraints"
    bounds.write_text("\n".join(constraints) + "\n")
    if not python.exists():
        run_bounded([sys.executable, "-m", "venv", home], 120)
    pip = [python, "-m", "pip", "install", "--no-input", "-c", bounds]
    status, output = run_bounded(
        [*pip, *module["REQUIREMENTS"]], seconds, cwd=REPOSITORY
    )
    error = None if status == 0 else _find_pip_error(status, output, seconds)
    (folder / f"{peer}.log").write_text(output)
    state.write_text(json.dumps({**wanted, "error": error}))
    return python, error


def _find_pip_error(status, output, seconds):
    """Say in a line why pip failed: the first error of its own, or of a build."""
    if status is None:
        return f"the installation took longer than {seconds} s"
    errors = re.findall(r"^\s*(?:ERROR|error): (.+)$", output, re.MULTILINE)
    told = [e for e in errors if e != "subprocess-exited-with-error"]
    return scrub(told[0]) if told else find_error(output)


def list_versions(python):
    """List the versions of what an environment holds.

    Parameters
    ----------
    python : Path
        Its interpreter.

    Returns
    -------
    dict of str to str
        Version by package.
    """
    pip = [python, "-m", "pip", "list", "--format=json"]
    status, output = run_bounded(pip, 60)
    found = re.search(r"^\[.*\]$", output, re.MULTILINE)
    packages = json.loads(found[0]) if status == 0 and found else []
    return {package["name"]: package["version"] for package in packages}
