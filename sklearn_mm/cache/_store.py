"""Arrays kept by key: a bounded dictionary in front of sqlite, for many processes."""

import os
import sqlite3
import threading
import time
import warnings
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

import numpy as np
from xxhash import xxh3_64_digest, xxh3_64_intdigest

from ..exceptions import CacheWarning

#: Keys that one query asks for.
_QUERY = 500
#: Seconds to wait for other processes that write.
_PATIENCE = 60
# A table of another layout has another name: versions of the package share a file.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS checked_arrays
    (key BLOB PRIMARY KEY, shape BLOB NOT NULL, digest BLOB NOT NULL,
     data BLOB NOT NULL)
"""


class ArrayStore:
    """float32 arrays by key, in memory and in a file.

    The file is a database of sqlite in WAL mode: what a process writes is there as a
    whole or not at all, wherever it is killed, and several may write at once. Each
    array has a digest, and one that was damaged since is not found. If the file cannot
    be read or written, one warning says so, and memory alone is used from then on.

    Parameters
    ----------
    path : str, PathLike or None
        The file, in a folder that is made if need be; None for memory alone.
    max_bytes : int
        Bound on what the file holds; the oldest arrays go first.
    memory_bytes : int
        Bound on the arrays in memory; those not used for longest go first.
    """

    def __init__(self, path=None, max_bytes=2**32, memory_bytes=2**28):
        self.path = None if path is None else Path(path)
        self.max_bytes = max_bytes
        self.memory_bytes = memory_bytes
        self.n_hits = 0
        self.n_misses = 0
        self._memory = OrderedDict()
        self._held = 0
        self._lock = threading.RLock()
        self._connection = None
        self._broken = self.path is None
        self._pid = os.getpid()

    def get_many(self, keys):
        """Look arrays up.

        Parameters
        ----------
        keys : iterable of bytes
            The keys.

        Returns
        -------
        dict of bytes to ndarray
            The arrays that there are, not to be written to.
        """
        with self._lock:
            found, open_keys = {}, []
            for key in dict.fromkeys(keys):
                array = self._memory.get(key)
                if array is None:
                    open_keys.append(key)
                else:
                    self._memory.move_to_end(key)
                    found[key] = array
            read = self._try(self._read, open_keys) or {}
            for key, array in read.items():
                self._hold(key, array)
            found.update(read)
            self.n_hits += len(found)
            self.n_misses += len(open_keys) - len(read)
            return found

    def put_many(self, arrays):
        """Keep arrays.

        Parameters
        ----------
        arrays : dict of bytes to ndarray
            Arrays by key, stored as float32.
        """
        arrays = {key: _freeze(array) for key, array in arrays.items()}
        with self._lock:
            for key, array in arrays.items():
                self._hold(key, array)
            self._try(self._write, arrays)

    def clear(self):
        """Forget all arrays, in memory and in the file."""
        with self._lock:
            self._memory.clear()
            self._held = self.n_hits = self.n_misses = 0
            self._try(self._erase)

    def count(self):
        """Say what is kept.

        Returns
        -------
        dict of str to int
            ``n_hits`` and ``n_misses`` of this process, ``n_arrays`` and ``n_bytes`` in
            the file, or in memory where there is none.
        """
        with self._lock:
            n_arrays, n_bytes = self._try(self._measure) or (
                len(self._memory),
                self._held,
            )
        return {
            "n_hits": self.n_hits,
            "n_misses": self.n_misses,
            "n_arrays": n_arrays,
            "n_bytes": n_bytes,
        }

    # Memory.

    def _hold(self, key, array):
        known = self._memory.pop(key, None)
        self._held += array.nbytes - (0 if known is None else known.nbytes)
        self._memory[key] = array
        while self._held > self.memory_bytes:
            self._held -= self._memory.popitem(last=False)[1].nbytes

    # The file.

    def _try(self, action, *args):
        """Act on the file; if that fails, warn once and leave it alone."""
        if self._broken:
            return None
        try:
            if self._pid != os.getpid():  # a connection must not be used behind a fork
                self._connection, self._pid = None, os.getpid()
            return self._await_turn(action, args)
        except (sqlite3.Error, OSError) as error:
            self._broken = True
            self._disconnect()
            warnings.warn(
                f"the cache {str(self.path)!r} cannot be used ({error}); what is "
                "encoded is kept in memory alone.",
                CacheWarning,
                stacklevel=5,
            )
            return None

    def _await_turn(self, action, args):
        """Act once no other process is in the way.

        Sqlite waits by itself for a writer, but not while another process changes the
        file to WAL mode, makes the table, or closes the last connection but this.
        """
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                return action(*args)
            except sqlite3.OperationalError as error:
                code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
                busy = code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                if not busy or time.monotonic() > deadline:
                    raise
            time.sleep(0.01)

    def _connect(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(_SCHEMA)
        return connection

    def _disconnect(self):
        """Let go of the file, so that no other process waits for this one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _read(self, keys):
        found = {}
        for start in range(0, len(keys), _QUERY):
            some = keys[start : start + _QUERY]
            marks = ",".join("?" * len(some))
            columns = "SELECT key, shape, digest, data FROM checked_arrays"
            rows = self._connection.execute(f"{columns} WHERE key IN ({marks})", some)
            for key, shape, digest, data in rows:
                if _is_whole(key, shape, digest, data):
                    shape = tuple(int(n) for n in shape.split(b",") if n)
                    found[key] = np.frombuffer(data, np.float32).reshape(shape)
        return found

    def _write(self, arrays):
        rows = [_as_row(key, array) for key, array in arrays.items()]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "INSERT OR REPLACE INTO checked_arrays VALUES (?, ?, ?, ?)", rows
            )
            self._evict()
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # sqlite ends some by itself
                self._connection.execute("ROLLBACK")
            raise

    def _evict(self):
        """Delete the oldest, down to nine tenths of the bound, if it is exceeded."""
        if self._find_size() > self.max_bytes:
            self._drop_others()
        excess = self._find_size() - self.max_bytes
        if excess <= 0:
            return
        excess += 0.1 * self.max_bytes
        oldest = "SELECT rowid, length(data) FROM checked_arrays ORDER BY rowid"
        for last, size in self._connection.execute(oldest):
            excess -= size or 0
            if excess <= 0:
                delete = "DELETE FROM checked_arrays WHERE rowid <= ?"
                self._connection.execute(delete, (last,))
                return
        self._connection.execute("DELETE FROM checked_arrays")

    def _drop_others(self):
        """Forget what other versions of the package keep in this file."""
        query = (
            "SELECT name FROM sqlite_master WHERE type = 'table' "
            "AND name NOT IN ('checked_arrays', 'sqlite_sequence')"
        )
        for (name,) in self._connection.execute(query).fetchall():
            self._connection.execute(f'DROP TABLE "{name}"')

    def _find_size(self):
        """Bytes of the pages in use, which sqlite knows without a look at the rows."""
        numbers = [
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        ]
        return (numbers[0] - numbers[1]) * numbers[2]

    def _measure(self):
        query = "SELECT count(*), coalesce(sum(length(data)), 0) FROM checked_arrays"
        return self._connection.execute(query).fetchone()

    def _erase(self):
        self._drop_others()
        self._connection.execute("DELETE FROM checked_arrays")
        self._connection.execute("VACUUM")

    def __getstate__(self):
        kept = ("path", "max_bytes", "memory_bytes")
        return {name: getattr(self, name) for name in kept}

    def __setstate__(self, state):
        self.__init__(**state)


def _as_row(key, array):
    shape = ",".join(map(str, array.shape)).encode()
    data = array.data.cast("B") if array.size else b""
    return key, shape, _digest(key, shape, data), data


def _digest(key, shape, data):
    # The key too: a damaged index leads to another key's row.
    return xxh3_64_digest(data, xxh3_64_intdigest(key + shape))


def _is_whole(key, shape, digest, data):
    try:
        return _digest(key, shape, data) == digest
    except TypeError:  # a damaged row may hold anything
        return False


def _freeze(array):
    frozen = np.array(array, dtype=np.float32, order="C")
    frozen.flags.writeable = False
    return frozen
