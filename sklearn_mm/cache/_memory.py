"""The memory of this process for encoded samples, which all caches share."""

import os
import threading
from collections import OrderedDict

#: Default size in bytes.
_MAX_BYTES = 2**30


class ArrayMemory:
    """Arrays by place and key; the least recently used are evicted first.

    Parameters
    ----------
    max_bytes : int
        Maximum size of all arrays.
    """

    def __init__(self, max_bytes=_MAX_BYTES):
        self.max_bytes = max_bytes
        self.reset()

    def reset(self):
        """Forget everything, locks of other threads included."""
        self._arrays, self._sizes = OrderedDict(), {}
        self._lock = threading.Lock()

    def get(self, place, key):
        """Return an array, or None."""
        with self._lock:
            array = self._arrays.get((place, key))
            if array is not None:
                self._arrays.move_to_end((place, key))
            return array

    def put(self, place, key, array):
        """Keep an array, and evict others to make room for it."""
        with self._lock:
            self._drop((place, key))
            self._arrays[place, key] = array
            self._add(place, 1, array.nbytes)
            self._evict()

    def clear(self, place):
        """Forget the arrays of a place."""
        with self._lock:
            for name in [name for name in self._arrays if name[0] == place]:
                self._drop(name)

    def count(self, place):
        """Return the number of a place's arrays, and of their bytes."""
        return self._sizes.get(place, (0, 0))

    def resize(self, max_bytes):
        """Set the maximum size."""
        with self._lock:
            self.max_bytes = max_bytes
            self._evict()

    def _evict(self):
        while sum(n_bytes for _, n_bytes in self._sizes.values()) > self.max_bytes:
            self._drop(next(iter(self._arrays)))

    def _drop(self, name):
        array = self._arrays.pop(name, None)
        if array is not None:
            self._add(name[0], -1, -array.nbytes)

    def _add(self, place, n_arrays, n_bytes):
        known = self._sizes.get(place, (0, 0))
        self._sizes[place] = known[0] + n_arrays, known[1] + n_bytes


#: What every :class:`CachedEncoder` of this process keeps in memory.
MEMORY = ArrayMemory()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=MEMORY.reset)


def set_memory_limit(max_bytes):
    """Set how much memory the encoded samples of this process may take.

    All encoders with a cache share it, those of :class:`MultimodalVectorizer` included;
    the samples that were not used for longest are evicted first. It is 1 GiB by
    default.

    Parameters
    ----------
    max_bytes : int
        Number of bytes; 0 keeps nothing in memory.

    See Also
    --------
    clear_memory : Frees the memory.

    Examples
    --------
    >>> from sklearn_mm.cache import set_memory_limit
    >>> set_memory_limit(2**30)
    """
    if max_bytes < 0:
        raise ValueError(f"max_bytes must not be negative, got {max_bytes!r}.")
    MEMORY.resize(max_bytes)


def clear_memory():
    """Free the memory that encoded samples of this process take.

    Files of caches are kept; models encode again what they need.

    See Also
    --------
    set_memory_limit : Bounds the memory.

    Examples
    --------
    >>> from sklearn_mm.cache import clear_memory
    >>> clear_memory()
    """
    MEMORY.reset()
