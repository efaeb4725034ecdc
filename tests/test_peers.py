"""What the comparison with other packages counts, and what it writes."""

import ast

import pytest

from benchmarks.peers import MODALITIES, PEERS, read_peer
from benchmarks.peers.lines import count_lines
from benchmarks.peers.processes import find_error, run_bounded, scrub
from benchmarks.peers.tables import write_page

from .conftest import ROOT

FOLDER = ROOT / "benchmarks" / "peers"
CODE = '''
"""A module."""

import os
import sys  # not needed

LIMIT = 3


def helper(x):
    """Does something."""
    # a comment

    return os.fspath(x)[:LIMIT]


def unused():
    return 1


def task():
    return helper("a")
'''


def test_lines_are_those_that_a_task_needs(tmp_path):
    file = tmp_path / "peer.py"
    file.write_text(CODE)
    # import os; LIMIT; two of helper; two of task
    assert count_lines(file, "task") == 6
    assert count_lines(file, "unused") == 2


@pytest.mark.parametrize("peer", PEERS)
def test_each_peer_does_each_task_or_says_why_not(peer):
    module = read_peer(peer)
    assert set(module["TASKS"]) | set(module["CANNOT"]) == set(MODALITIES)
    assert not set(module["TASKS"]) & set(module["CANNOT"])
    defined = {
        node.name
        for node in ast.parse((FOLDER / f"{peer}.py").read_text()).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    assert set(module["TASKS"].values()) <= defined
    assert any("torch" in c for c in module["CONSTRAINTS"] or ["torch"])


def test_a_command_that_hangs_is_ended_with_its_children():
    status, output = run_bounded(["sh", "-c", "echo begun; sleep 100 & sleep 100"], 1)
    assert status is None
    assert output == "begun\n"


def test_errors_tell_no_folders_and_addresses():
    output = "Traceback\n  File\nOSError: /home/me/x/model.bin at https://a.b/c\nbye\n"
    assert find_error(output) == "OSError: model.bin at <address>"
    assert len(scrub("word " * 100, 50)) == 50


def test_the_page_shows_figures_and_reasons():
    machine = dict.fromkeys(["date", "system", "machine", "cores", "python"], "x")
    figures = {"score": 0.5, "fit": 1.0, "predict": 2.0, "memory": 2**20, "lines": 3}
    checks = {"broken": "answers", "missing": "no", "pipeline": "yes", "joblib": "yes"}
    done = {**figures, **checks, "grid": "ValueError: a | b", "without": ["image"]}
    first = {"name": "One", "versions": {"one": "1.0"}, "import": 0.25}
    other = {"name": "Two", "versions": {}, "error": "installation: no wheel"}
    page = write_page(
        {
            "machine": machine,
            PEERS[0]: {**first, "tasks": {"emoji": done}},
            PEERS[1]: {**other, "tasks": {"emoji": {"cannot": "no pictures"}}},
        }
    )
    assert "| One | 3 | 0.500 | 1.0 | 2.00 | 1 | without image |" in page
    assert "| One | answers | no | yes | ValueError: a / b | yes |" in page
    assert "| Two |  |  |  |  |  | no pictures |" in page
    assert "| Two |  |  | installation: no wheel |" in page
