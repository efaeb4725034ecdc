"""Arrays by key: several processes, kills, bounds, files that cannot be used."""

import multiprocessing
import pickle
import signal
import sqlite3
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

from sklearn_mm.cache._memory import ArrayMemory
from sklearn_mm.cache._store import ArrayStore
from sklearn_mm.exceptions import CacheWarning

WRITER = """
import sys
import numpy as np
from sklearn_mm.cache._memory import ArrayMemory
from sklearn_mm.cache._store import ArrayStore
store = ArrayStore(sys.argv[1], memory=ArrayMemory(0))
print("ready", flush=True)
for start in range(0, int(sys.argv[2]), 10):
    keys = range(start, start + 10)
    store.put_many({b"%d" % k: np.full((3, 50), k) for k in keys})
    found = store.get_many([b"%d" % k for k in keys])
    assert all((found[b"%d" % k] == k).all() for k in keys)
"""


def make_arrays(n, size=4):
    return {b"%d" % i: np.full(size, i, dtype=np.float32) for i in range(n)}


@pytest.mark.parametrize("shape", [(), (5,), (2, 3, 4), (0, 3)])
@pytest.mark.parametrize("in_memory", [True, False])
def test_arrays_come_back_as_they_were(tmp_path, shape, in_memory):
    array = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    array = np.where(array > 1, np.nan, array)
    path = None if in_memory else tmp_path / "new" / "cache.sqlite"
    store = ArrayStore(path, memory=ArrayMemory(2**20 if in_memory else 0))
    store.put_many({b"k": array})
    found = store.get_many([b"k", b"other"])
    assert list(found) == [b"k"]
    np.testing.assert_array_equal(found[b"k"], array)
    assert found[b"k"].dtype == np.float32
    assert store.count()["n_hits"] == store.count()["n_misses"] == 1


def test_what_is_kept_is_not_what_the_caller_goes_on_writing_to():
    store, array = ArrayStore(), np.zeros(3, dtype=np.float32)
    store.put_many({b"k": array})
    array[:] = 7
    kept = store.get_many([b"k"])[b"k"]
    assert not kept.any()
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 1


def test_copies_in_other_processes_share_the_file(tmp_path):
    store = ArrayStore(tmp_path / "c.sqlite")
    store.put_many(make_arrays(1200))  # more than one query asks for
    other = pickle.loads(pickle.dumps(store))
    found = other.get_many([b"%d" % i for i in range(1200)])
    assert len(found) == 1200
    assert all((array == int(key)).all() for key, array in found.items())


def test_memory_forgets_what_was_not_used_for_longest():
    store = ArrayStore(memory=ArrayMemory(10 * 16))
    store.put_many(make_arrays(10))
    store.get_many([b"0"])
    store.put_many({b"new": np.zeros(4)})
    assert len(store.get_many([b"0", b"new"])) == 2
    assert store.get_many([b"1"]) == {}
    assert store.count()["n_bytes"] <= 160


def test_the_file_forgets_the_oldest(tmp_path):
    store = ArrayStore(tmp_path / "c.sqlite", max_bytes=400_000, memory=ArrayMemory(0))
    for start in range(0, 500, 10):
        store.put_many({b"%d" % i: np.zeros(1000) for i in range(start, start + 10)})
        assert store.count()["n_bytes"] <= 400_000
    assert (tmp_path / "c.sqlite").stat().st_size < 600_000
    assert store.count()["n_arrays"] >= 50
    assert len(store.get_many([b"%d" % i for i in range(490, 500)])) == 10
    assert store.get_many([b"0"]) == {}
    store.clear()
    assert store.count()["n_arrays"] == 0


def make_at_once(folder, barrier):
    warnings.simplefilter("error")
    for i in range(30):
        barrier.wait()
        ArrayStore(folder / f"{i}.sqlite").put_many(make_arrays(5))


def test_processes_make_the_file_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    given = (tmp_path, context.Barrier(4, timeout=60))
    makers = [context.Process(target=make_at_once, args=given) for _ in range(4)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert [maker.exitcode for maker in makers] == [0] * 4


def test_processes_write_at_once(tmp_path):
    path = tmp_path / "c.sqlite"
    command = [sys.executable, "-W", "error", "-c", WRITER, path, "300"]
    writers = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert ArrayStore(path).count()["n_arrays"] == 300


@pytest.mark.skipif(sys.platform == "win32", reason="kills by SIGKILL")
def test_a_killed_writer_leaves_whole_arrays_only(tmp_path):
    path = tmp_path / "c.sqlite"
    command = [sys.executable, "-c", WRITER, path, "1000000"]
    for _ in range(3):
        writer = subprocess.Popen(command, stdout=subprocess.PIPE)
        writer.stdout.readline()
        seen = ArrayStore(path)
        deadline = time.monotonic() + 30
        while not seen.get_many([b"50"]) and time.monotonic() < deadline:
            pass
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        check = sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone()
        assert check == ("ok",)
        store = ArrayStore(path)
        found = store.get_many([b"%d" % i for i in range(2000)])
        assert len(found) % 10 == 0  # each call's ten are there, or none of them
        assert len(found) >= 60
        assert all((array == int(key)).all() for key, array in found.items())


def test_a_file_that_cannot_be_used_is_one_warning(tmp_path):
    broken = tmp_path / "c.sqlite"
    broken.write_bytes(b"this is no database" * 100)
    below_a_file = tmp_path / "c.sqlite" / "folder" / "c.sqlite"
    for path in (broken, below_a_file):
        store = ArrayStore(path)
        with pytest.warns(CacheWarning, match="kept in memory only"):
            store.put_many(make_arrays(3))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert len(store.get_many(make_arrays(3))) == 3
            store.put_many(make_arrays(5))
            assert store.count()["n_arrays"] == 5
    assert broken.read_bytes().startswith(b"this is no database")


def test_a_full_disk_is_one_warning_and_loses_nothing(tmp_path):
    store = ArrayStore(tmp_path / "c.sqlite")
    store.put_many(make_arrays(3))
    store._connection.execute("PRAGMA max_page_count=5")  # sqlite's own "disk is full"
    with pytest.warns(CacheWarning, match="full"):
        store.put_many({b"large": np.zeros(100_000)})
    assert len(store.get_many([b"0", b"large"])) == 2
    assert ArrayStore(tmp_path / "c.sqlite").count()["n_arrays"] == 3
