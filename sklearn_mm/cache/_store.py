"""An array store: a share of the process's memory, backed by an SQLite database."""

import os
import sqlite3
import threading
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import numpy as np
from xxhash import xxh3_64_digest, xxh3_64_intdigest

from .._utils.notices import warn_user
from ..exceptions import CacheWarning
from ._memory import MEMORY

#: Number of keys per query.
_QUERY = 500
#: Seconds to wait for other processes that write.
_TIMEOUT = 60
# Versions of the package may share a file, so a new layout needs a new table name.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS checked_arrays
    (key BLOB PRIMARY KEY, shape BLOB NOT NULL, digest BLOB NOT NULL,
     data BLOB NOT NULL)
"""


class ArrayStore:
    """float32 arrays by key, in memory and in a file.

    The file is an SQLite database in WAL mode: writes are atomic even if the process is
    killed, and several processes may write at once. Each array has a digest, and a
    damaged array counts as not found. If the file cannot be read or written, a warning
    is issued once, and from then on only memory is used.

    Parameters
    ----------
    path : str, PathLike or None
        The file, whose folder is created if necessary. If None, only memory is used.
    max_bytes : int
        Maximum size of the file's content; the oldest arrays are evicted first.
    memory : ArrayMemory or None
        Where arrays are kept as well. By default that of the process.
    """

    def __init__(self, path=None, max_bytes=2**32, memory=None):
        self.path = None if path is None else Path(path)
        self.max_bytes = max_bytes
        self._memory = MEMORY if memory is None else memory
        self._place = None if path is None else str(path)
        self.n_hits = 0
        self.n_misses = 0
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
            The arrays that were found, read-only.
        """
        with self._lock:
            found, open_keys = {}, []
            for key in dict.fromkeys(keys):
                array = self._memory.get(self._place, key)
                if array is None:
                    open_keys.append(key)
                else:
                    found[key] = array
            read = self._try(self._read, open_keys) or {}
            for key, array in read.items():
                self._memory.put(self._place, key, array)
            found.update(read)
            self.n_hits += len(found)
            self.n_misses += len(open_keys) - len(read)
            return found

    def put_many(self, arrays):
        """Store arrays.

        Parameters
        ----------
        arrays : dict of bytes to ndarray
            Arrays by key, stored as float32.
        """
        arrays = {key: _freeze(array) for key, array in arrays.items()}
        with self._lock:
            for key, array in arrays.items():
                self._memory.put(self._place, key, array)
            self._try(self._write, arrays)

    def clear(self):
        """Delete all arrays, in memory and in the file."""
        with self._lock:
            self._memory.clear(self._place)
            self.n_hits = self.n_misses = 0
            self._try(self._erase)

    def count(self):
        """Return statistics.

        Returns
        -------
        dict of str to int
            ``n_hits`` and ``n_misses`` of this process, ``n_arrays`` and ``n_bytes`` in
            the file, or in memory if there is no file.
        """
        with self._lock:
            held = self._memory.count(self._place)
            n_arrays, n_bytes = self._try(self._measure) or held
        return {
            "n_hits": self.n_hits,
            "n_misses": self.n_misses,
            "n_arrays": n_arrays,
            "n_bytes": n_bytes,
        }

    def _try(self, action, *args):
        """Call an action on the file; if it fails, warn and stop using the file."""
        if self._broken:
            return None
        try:
            if self._pid != os.getpid():  # a connection must not be used after a fork
                self._connection, self._pid = None, os.getpid()
            return self._await_turn(action, args)
        except (sqlite3.Error, OSError) as error:
            self._broken = True
            self._disconnect()
            warn_user(
                f"the cache {str(self.path)!r} cannot be used ({error}). Encoded "
                "samples are kept in memory only.",
                CacheWarning,
            )
            return None

    def _await_turn(self, action, args):
        """Call an action as soon as other processes allow it.

        SQLite itself waits for a writer, but not while another process switches the
        file to WAL mode, creates the table, or closes the last other connection.
        """
        deadline = time.monotonic() + _TIMEOUT
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
            self.path, timeout=_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(_SCHEMA)
        return connection

    def _disconnect(self):
        """Close the file, so that no other process waits for this one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _read(self, keys):
        found = {}
        for start in range(0, len(keys), _QUERY):
            chunk = keys[start : start + _QUERY]
            marks = ",".join("?" * len(chunk))
            columns = "SELECT key, shape, digest, data FROM checked_arrays"
            rows = self._connection.execute(f"{columns} WHERE key IN ({marks})", chunk)
            for key, shape, digest, data in rows:
                if _is_intact(key, shape, digest, data):
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
            if self._connection.in_transaction:  # SQLite may have ended it already
                self._connection.execute("ROLLBACK")
            raise

    def _evict(self):
        """Delete the oldest arrays down to 90 % of the maximum, if it is exceeded."""
        if self._get_size() > self.max_bytes:
            self._drop_others()
        excess = self._get_size() - self.max_bytes
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
        """Delete the tables of other versions of the package."""
        query = (
            "SELECT name FROM sqlite_master WHERE type = 'table' "
            "AND name NOT IN ('checked_arrays', 'sqlite_sequence')"
        )
        for (name,) in self._connection.execute(query).fetchall():
            self._connection.execute(f'DROP TABLE "{name}"')

    def _get_size(self):
        """Return the bytes of the pages in use, which needs no scan of the rows."""
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
        return {"path": self.path, "max_bytes": self.max_bytes}

    def __setstate__(self, state):
        self.__init__(**state)


def _as_row(key, array):
    shape = ",".join(map(str, array.shape)).encode()
    data = array.data.cast("B") if array.size else b""
    return key, shape, _digest(key, shape, data), data


def _digest(key, shape, data):
    # Include the key, as a damaged index can lead to the row of another key.
    return xxh3_64_digest(data, xxh3_64_intdigest(key + shape))


def _is_intact(key, shape, digest, data):
    try:
        return _digest(key, shape, data) == digest
    except TypeError:  # the columns of a damaged row may have any type
        return False


def _freeze(array):
    frozen = np.array(array, dtype=np.float32, order="C")
    frozen.flags.writeable = False
    return frozen


@lru_cache(maxsize=64)
def open_store(location, max_bytes, pid):
    """Return the store of a folder, or of the memory alone; one per process."""
    path = None if location is None else Path(location) / "samples.sqlite"
    return ArrayStore(path, max_bytes)
