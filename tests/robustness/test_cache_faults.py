"""A cache under kills, full disks, damage and strangers: never a wrong value."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest

from sklearn_mm import CachedEncoder, CacheWarning, SequenceStatistics
from sklearn_mm.cache import _keys as cell_keys
from sklearn_mm.cache._memory import ArrayMemory
from sklearn_mm.cache._store import ArrayStore

from ..conftest import forget_samples
from .processes import FUZZ, run

posix = pytest.mark.skipif(sys.platform == "win32", reason="forks")
linux = pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")

#: What children share: cells by number, and what a cache of them must give.
COMMON = """
import os, random, signal, sys, time, warnings
import numpy as np
from sklearn_mm import CachedEncoder, CacheWarning, SequenceStatistics
from sklearn_mm.cache._memory import ArrayMemory
from sklearn_mm.cache._store import ArrayStore

def make(number):
    return np.random.default_rng(number).random((3, 50)).astype(np.float32)

def make_cells(n):
    return [make(number)[0] for number in range(n)]

def encode(location, cells):
    cached = CachedEncoder(SequenceStatistics(), location, batch_size=8)
    return cached.fit_transform(cells)

def fork(act, *args):
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        act(*args)
        status = 0
    except BaseException:
        import traceback
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)

def join(pids):
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * len(pids)
"""


@pytest.fixture(autouse=True)
def forget():
    """Begin as another process would: with files alone."""
    forget_samples()


def make(number):
    return np.random.default_rng(number).random((3, 50)).astype(np.float32)


CELLS = [make(number)[0] for number in range(40)]
ENCODED = SequenceStatistics().fit_transform(CELLS)


def encode(location, cells=CELLS):
    """Encode by a cache of its own, as a new process would."""
    forget_samples()
    encoder = SequenceStatistics()
    return CachedEncoder(encoder, location, batch_size=8).fit_transform(cells)


def fill(path, n=60):
    """Make a file of arrays, and let go of it."""
    store = ArrayStore(path, memory=ArrayMemory(0))
    store.put_many({b"%d" % number: make(number) for number in range(n)})
    store._disconnect()


def check(path, n=60):
    """Use a file of any state in all ways: what it gives is right, or is not there."""
    keys = [b"%d" % number for number in range(n)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", CacheWarning)
        store = ArrayStore(path, memory=ArrayMemory(2**24))
        found = store.get_many(keys)
        store.put_many({key: make(int(key)) for key in keys if key not in found})
        again = store.get_many(keys)
        counted = store.count()
        store._disconnect()
    for key, array in [*found.items(), *again.items()]:
        np.testing.assert_array_equal(array, make(int(key)))
    assert again.keys() == set(keys)
    assert counted["n_arrays"] >= 0
    return found


@posix
@pytest.mark.slow
def test_a_writer_killed_at_any_moment_leaves_right_values(tmp_path):
    code = f"""{COMMON}
import sqlite3

def write(path, ready, seed):
    store = ArrayStore(path, max_bytes=400_000, memory=ArrayMemory(0))
    os.write(ready, b".")
    for start in range(seed, 10**9, 10):
        store.put_many({{b"%d" % k: make(k) for k in range(start, start + 10)}})

path, n_kills = sys.argv[1], int(sys.argv[2])
chance = random.Random(0)
for kill in range(n_kills):
    heard, ready = os.pipe()
    pid = fork(write, path, ready, 1000 * kill)
    os.read(heard, 1)
    moment = time.monotonic() + chance.random() * 0.1
    while time.monotonic() < moment:
        pass
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(heard), os.close(ready)
    warnings.simplefilter("error")
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    keys = [b"%d" % (1000 * k + i) for k in range(kill + 1) for i in range(1000)]
    for key, array in ArrayStore(path).get_many(keys).items():
        np.testing.assert_array_equal(array, make(int(key)))
print(ArrayStore(path).count()["n_arrays"])
"""
    n_arrays = run(code, tmp_path / "c.sqlite", FUZZ or 20, patience=600)
    assert int(n_arrays) > 100


@posix
@pytest.mark.slow
def test_eight_processes_on_one_cache_get_what_one_gets(tmp_path):
    code = f"""{COMMON}
def work(location, seed):
    warnings.simplefilter("error")
    cells, expected = make_cells(120), np.load(location + "/expected.npy")
    order = np.random.default_rng(seed).permutation(len(cells))
    for part in (order[:60], order):
        found = encode(location, [cells[row] for row in part])
        np.testing.assert_array_equal(found, expected[part])

location = sys.argv[1]
expected = SequenceStatistics().fit_transform(make_cells(120))
np.save(location + "/expected.npy", expected)
join([fork(work, location, seed) for seed in range(8)])
print(ArrayStore(location + "/samples.sqlite").count()["n_arrays"])
"""
    assert int(run(code, tmp_path)) == 120


FULL = f"""{COMMON}
def fill(location, limit):
    expected = SequenceStatistics().fit_transform(make_cells(40))
    if limit:
        import resource
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            np.testing.assert_array_equal(encode(location, make_cells(40)), expected)
        store = ArrayStore(location + "/more.sqlite")
        for start in range(0, 1000, 10):
            numbers = range(start, start + 10)
            store.put_many({{b"%d" % n: make(n) for n in numbers}})
    assert {{w.category for w in caught}} == {{CacheWarning}}
    assert len(caught) <= 2  # one for each of the two stores
    keys = [b"%d" % n for n in range(99)]
    found = ArrayStore(location + "/more.sqlite").get_many(keys)
    for key, array in found.items():
        np.testing.assert_array_equal(array, make(int(key)))

SequenceStatistics().fit_transform(make_cells(1))
for limit in map(int, sys.argv[2:]):
    join([fork(fill, sys.argv[1], limit)])
"""


@linux
@pytest.mark.slow
def test_a_file_that_may_not_grow_costs_a_warning(tmp_path):
    run(FULL, tmp_path, *[4096 * n + 100 * n for n in (1, 2, 5, 9, 20, 60)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(encode(tmp_path), ENCODED)  # and heals after it


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 256 KB, where there may be one."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root mounts a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_costs_a_warning(small_disk):
    run(FULL, small_disk, 0)


@linux
def test_a_folder_that_may_only_be_read_costs_a_warning():
    code = f"""{COMMON}
def read(location):
    if os.geteuid() == 0:
        os.setgid(65534), os.setuid(65534)
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", CacheWarning)
    expected = np.load(location + "/expected.npy")
    np.testing.assert_array_equal(encode(location, make_cells(50)), expected)
    np.testing.assert_array_equal(encode(location + "/new", make_cells(50)), expected)
    assert not os.path.exists(location + "/new")

location = sys.argv[1]
expected = encode(None, make_cells(50))  # imports what another user may not
np.save(location + "/expected.npy", expected)
for prepare in (None, lambda: encode(location, make_cells(30))):
    if prepare:
        join([fork(prepare)])
    os.chmod(location, 0o555)
    for name in os.listdir(location):
        os.chmod(os.path.join(location, name), 0o444)
    join([fork(read, location)])
    os.chmod(location, 0o755)
"""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is its user's alone
        run(code, folder)


@posix
@pytest.mark.parametrize("anew", [False, True])
def test_a_folder_that_is_deleted_costs_a_warning(tmp_path, anew):
    folder = tmp_path / "cache"
    cached = CachedEncoder(SequenceStatistics(), folder, batch_size=8)
    cached.fit(CELLS[:10])
    shutil.rmtree(folder)
    if anew:
        folder.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", CacheWarning)
        for _ in range(2):
            np.testing.assert_array_equal(cached.fit_transform(CELLS), ENCODED)
    np.testing.assert_array_equal(encode(folder), ENCODED)


@posix
def test_a_folder_that_is_deleted_at_any_moment_costs_a_warning(tmp_path):
    code = f"""{COMMON}
def work(location, seed):
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", CacheWarning)
    store = ArrayStore(location + "/c.sqlite", memory=ArrayMemory(0))
    for start in range(0, 500, 10):
        numbers = range(start, start + 10)
        store.put_many({{b"%d" % n: make(n) for n in numbers}})
        found = store.get_many([b"%d" % n for n in range(start + 10)])
        for key, array in found.items():
            np.testing.assert_array_equal(array, make(int(key)))

import shutil
location = sys.argv[1] + "/cache"
for _ in range(int(sys.argv[2])):
    workers = [fork(work, location, seed) for seed in range(2)]
    moment = time.monotonic() + random.random() * 0.2
    while time.monotonic() < moment:
        pass
    shutil.rmtree(location, ignore_errors=True)
    join(workers)
"""
    run(code, tmp_path, FUZZ or 2, patience=600)


def damage(data, kind, rng):
    """Damage a file's bytes in some way."""
    data = bytearray(data)
    if kind == "cut":
        return data[: rng.integers(len(data))]
    if kind == "noise":
        return bytearray(rng.bytes(int(rng.integers(1, 50_000))))
    if kind == "bits":
        for position in rng.integers(len(data), size=int(rng.integers(1, 200))):
            data[position] ^= 1 << int(rng.integers(8))
        return data
    for _ in range(int(rng.integers(1, 4))):  # parts of pages
        start, size = int(rng.integers(len(data))), int(rng.integers(1, 5000))
        part = rng.bytes(size) if kind == "parts" else bytes(size)
        data[start : start + size] = part[: len(data) - start]
    return data


@pytest.mark.parametrize("kind", ["cut", "noise", "bits", "parts", "holes"])
def test_a_damaged_file_gives_right_values_or_none(tmp_path, kind):
    path = tmp_path / "c.sqlite"
    fill(path)
    whole = path.read_bytes()
    assert check(path).keys() == {b"%d" % number for number in range(60)}
    for seed in range(FUZZ or 25):
        for name in ("c.sqlite-wal", "c.sqlite-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        path.write_bytes(damage(whole, kind, np.random.default_rng(seed)))
        check(path)


def test_a_file_that_is_damaged_while_it_is_used_gives_right_values_or_none(tmp_path):
    path = tmp_path / "c.sqlite"
    for seed in range(FUZZ or 10):
        path.unlink(missing_ok=True)
        fill(path)
        rng = np.random.default_rng(seed)
        store = ArrayStore(path, memory=ArrayMemory(0))
        keys = [b"%d" % number for number in range(60)]
        assert len(store.get_many(keys[:5])) == 5
        with open(path, "r+b") as file:
            for position in rng.integers(path.stat().st_size, size=500):
                file.seek(position)
                file.write(rng.bytes(1))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CacheWarning)
            for key, array in store.get_many(keys).items():
                np.testing.assert_array_equal(array, make(int(key)))
            store.put_many({key: make(int(key)) for key in keys[:30]})
        store._disconnect()


@pytest.mark.parametrize("position", [0, 77, 599])
def test_a_bit_that_flips_in_an_array_makes_that_array_a_miss(tmp_path, position):
    path = tmp_path / "c.sqlite"
    fill(path)
    stored = sqlite3.connect(path)
    (value,) = stored.execute(
        "SELECT data FROM checked_arrays WHERE key = ?", (b"7",)
    ).fetchone()
    value = bytearray(value)
    value[position] ^= 4
    stored.execute("UPDATE checked_arrays SET data = ? WHERE key = ?", (value, b"7"))
    stored.commit()
    stored.close()
    assert check(path).keys() == {b"%d" % n for n in range(60)} - {b"7"}
    assert len(check(path)) == 60  # it was made and kept again


def test_a_row_under_another_key_or_shape_is_a_miss(tmp_path):
    path = tmp_path / "c.sqlite"
    fill(path)
    stored = sqlite3.connect(path)
    stored.executescript(
        """
        UPDATE checked_arrays SET key = X'41' WHERE key = X'31';
        UPDATE checked_arrays SET key = X'31' WHERE key = X'32';
        UPDATE checked_arrays SET shape = CAST('50,3' AS BLOB) WHERE key = X'33';
        UPDATE checked_arrays SET shape = 7 WHERE key = X'34';
        UPDATE checked_arrays SET data = 'text' WHERE key = X'35';
        UPDATE checked_arrays SET digest = 0.5 WHERE key = X'36';
        """
    )
    stored.close()
    missed = {b"%d" % number for number in range(1, 7)}
    assert check(path).keys() == {b"%d" % n for n in range(60)} - missed


@pytest.mark.parametrize("kind", ["noise", "stale", "cut", "bits"])
def test_a_strange_log_beside_the_file_gives_right_values_or_none(tmp_path, kind):
    path = tmp_path / "c.sqlite"
    other = tmp_path / "other.sqlite"
    writer = ArrayStore(other, memory=ArrayMemory(0))  # keeps its log while it is open
    for number in range(100, 160):
        writer.put_many({b"%d" % number: make(number)})
    log = (tmp_path / "other.sqlite-wal").read_bytes()
    assert len(log) > 10_000
    writer._disconnect()
    fill(path)
    whole = path.read_bytes()
    for seed in range(FUZZ or 10):
        path.write_bytes(whole)
        rng = np.random.default_rng(seed)
        strange = log if kind == "stale" else damage(log, kind, rng)
        (tmp_path / "c.sqlite-wal").write_bytes(strange)
        (tmp_path / "c.sqlite-shm").unlink(missing_ok=True)
        check(path)


def test_two_versions_of_the_package_do_not_see_each_others_values(
    tmp_path, monkeypatch
):
    np.testing.assert_array_equal(encode(tmp_path), ENCODED)
    find = cell_keys.get_version
    monkeypatch.setattr(
        cell_keys,
        "get_version",
        lambda name: "99" if name == "sklearn_mm" else find(name),
    )
    own = SequenceStatistics._encode
    monkeypatch.setattr(
        SequenceStatistics, "_encode", lambda self, array: 2 * own(self, array)
    )
    np.testing.assert_array_equal(encode(tmp_path), 2 * ENCODED)
    monkeypatch.undo()
    np.testing.assert_array_equal(encode(tmp_path), ENCODED)
    store = ArrayStore(tmp_path / "samples.sqlite")
    assert store.count()["n_arrays"] == 2 * len(CELLS)


def test_a_table_of_an_older_version_is_left_alone_until_its_room_is_needed(tmp_path):
    path = tmp_path / "c.sqlite"
    older = sqlite3.connect(path)
    older.execute("CREATE TABLE arrays (key BLOB PRIMARY KEY, shape TEXT, data BLOB)")
    older.executemany(
        "INSERT INTO arrays VALUES (?, '3,50', ?)",
        [(b"%d" % n, np.full((3, 50), -1, np.float32).tobytes()) for n in range(60)],
    )
    older.commit()
    assert check(path) == {}
    assert len(check(path)) == 60
    assert older.execute("SELECT count(*) FROM arrays").fetchone() == (60,)
    store = ArrayStore(path, max_bytes=90_000)
    store.put_many({b"60": make(60)})
    tables = older.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    assert tables.fetchall() == [("checked_arrays",)]
    assert len(store.get_many([b"%d" % n for n in range(61)])) == 61


def test_a_table_of_that_name_and_of_other_columns_costs_a_warning(tmp_path):
    path = Path(tmp_path) / "samples.sqlite"
    stranger = sqlite3.connect(path)
    stranger.execute("CREATE TABLE checked_arrays (key BLOB, wisdom TEXT)")
    stranger.commit()
    with pytest.warns(CacheWarning, match="no such column"):
        np.testing.assert_array_equal(encode(tmp_path), ENCODED)
