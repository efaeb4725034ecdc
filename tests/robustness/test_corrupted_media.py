"""Files that were damaged on their way, many of each container, through the loaders.

SKLEARN_MM_FUZZ says how many of each; see benchmarks/README.md, "Robustness".
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_mm import LoadError, LoadWarning

from ..conftest import ROOT
from .fuzz import LOADERS
from .media import CONTAINERS, mutate

N_MUTATIONS = int(os.environ.get("SKLEARN_MM_FUZZ", 8))
#: Of one damaged cell among two good ones. Seconds are generous: they find what hangs.
SECONDS, MEBIBYTES = 5, 128


@pytest.fixture(scope="module", params=CONTAINERS)
def reports(request):
    """What a process of its own says of one modality's containers."""
    command = [sys.executable, "-m", "tests.robustness.fuzz", request.param]
    run = subprocess.run(
        [*command, str(N_MUTATIONS)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120 + N_MUTATIONS * 5,
    )
    assert run.returncode == 0, run.stderr[-3000:]  # its end names the mutation
    reports = [json.loads(line) for line in run.stdout.splitlines()]
    for report in reports:
        shown = ("container", "mutations", "read", "slowest", "peak")
        print({name: report[name] for name in shown})
    return reports


def test_every_damaged_file_is_read_or_named_and_moves_no_row(reports):
    assert reports
    assert [fault for report in reports for fault in report["faults"]] == []
    for report in reports:
        assert 0 <= report["read"] < report["mutations"]


def test_no_damaged_file_hangs_or_fills_the_memory(reports):
    for report in reports:
        assert report["slowest"] < SECONDS, report["container"]
        assert report["peak"] < MEBIBYTES * 2**20, report["container"]


@pytest.mark.parametrize("modality", CONTAINERS)
def test_all_failures_of_a_column_are_the_rows_that_are_nan(modality):
    cells, good = [], []
    for container, make in CONTAINERS[modality].items():
        data = make()
        for seed in range(6):
            good.append(len(cells))
            cells += [data, mutate(data, container, seed)]
    loader = clone(LOADERS[modality][0])
    with pytest.raises(LoadError) as caught:
        loader.transform(cells)
    named = [row for row, _, _ in caught.value.failures]
    with pytest.warns(LoadWarning, match=f"{len(named)} of {len(cells)} cells"):
        warned = loader.set_params(on_error="warn").transform(cells)
    loaded = loader.set_params(on_error="missing", n_jobs=2).transform(cells)
    nan = np.isnan(loaded).all(axis=tuple(range(1, loaded.ndim)))
    assert np.flatnonzero(nan).tolist() == named
    assert not set(named) & set(good)
    np.testing.assert_array_equal(loaded, warned)
    clean = loader.transform([cells[row] for row in good])
    np.testing.assert_array_equal(loaded[good, : clean.shape[1]], clean)


@pytest.mark.parametrize(
    "container", [c for kinds in CONTAINERS.values() for c in kinds]
)
def test_mutations_depend_on_the_seed_alone(container):
    (make,) = (kinds[container] for kinds in CONTAINERS.values() if container in kinds)
    data = make()
    mutated = [mutate(data, container, seed) for seed in range(40)]
    assert mutated == [mutate(data, container, seed) for seed in range(40)]
    assert len(set(mutated)) > 30
