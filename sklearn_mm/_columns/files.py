"""Read the bytes of a cell, confined to a root folder and a maximum size."""

import os
import re
import stat
from base64 import urlsafe_b64decode
from contextlib import contextmanager
from pathlib import PurePath
from tempfile import TemporaryDirectory
from urllib.parse import unquote_to_bytes

# O_NONBLOCK: a FIFO that replaces the file after it was checked must not block us.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

#: Lengths of the shortest string that may hold a file in base64, and of the longest
#: path.
_SHORTEST, _LONGEST = 40, 4096
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/\r\n]+|[A-Za-z0-9_\r\n-]+)={0,2}[\r\n]*")
_URL_SAFE = str.maketrans("+/", "-_")


def names_file(cell):
    """Whether a cell is the path of a file or its bytes."""
    return isinstance(cell, (str, bytes, bytearray, memoryview, os.PathLike))


def read_source(source, *, root=None, max_bytes=None, filesystem=None):
    """Read the encoded file that a cell holds or names.

    Parameters
    ----------
    source : bytes-like, str or PathLike
        The encoded file, also in base64 or a data URI, or a path to it.
    root : str, PathLike or None
        Folder that paths are relative to and must not leave, symbolic links resolved.
    max_bytes : int or None
        Maximum size in bytes.
    filesystem : fsspec filesystem or None
        Opens paths instead of the operating system, and decides which URLs it accepts.

    Returns
    -------
    bytes-like
        The encoded file.
    """
    embedded = decode_text(source)
    source = source if embedded is None else embedded
    if isinstance(source, (bytes, bytearray, memoryview)):
        source = source.tobytes() if isinstance(source, memoryview) else source
        _check_size(len(source), max_bytes)
        return source
    if filesystem is not None:
        return _read_remote(_check_path(source), root, max_bytes, filesystem)
    return _read_regular_file(_locate(source, root), max_bytes)


def is_base64(source):
    """Whether a string looks as if it holds a file in base64, without saying so."""
    return len(source) >= _SHORTEST and _BASE64.fullmatch(source) is not None


def decode_text(source, n_bytes=None):
    """Decode the file that a string holds as a data URI or in base64.

    Parameters
    ----------
    source : object
        The string.
    n_bytes : int or None
        Number of bytes to decode from the start. By default all.

    Returns
    -------
    bytes or None
        None if ``source`` is not such a string, or if it names a file.
    """
    if not isinstance(source, str):
        return None
    if source[:5].lower() == "data:":
        head, _, body = source.partition(",")
        if not head.endswith(";base64"):
            return unquote_to_bytes(body)[:n_bytes]
    elif len(source) >= _SHORTEST and _BASE64.fullmatch(source[:_SHORTEST]):
        body = source
        if not _BASE64.fullmatch(body):
            return None
        if len(body) < _LONGEST and os.path.exists(body):
            return None
    else:
        return None
    body = "".join(body.split()).rstrip("=").translate(_URL_SAFE)
    if n_bytes is not None:
        body = body[: 4 * n_bytes // 3]
    try:
        return urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except ValueError:
        raise ValueError("it is not a file, and its base64 is damaged") from None


def read_head(path, *, root=None, n_bytes=512):
    """Read the first bytes of a file; None if ``path`` is not a regular one."""
    try:
        embedded = decode_text(path, n_bytes)
        if embedded is not None:
            return embedded
        path = _locate(path, root)
        _check_regular(os.stat(path).st_mode)
        with open(os.open(path, _FLAGS), "rb") as file:
            return file.read(n_bytes)
    except (OSError, ValueError):
        return None


def lacks_file(path, *, root=None):
    """Whether a path names no file; one that may not be looked up is not lacking.

    A string that holds its file in base64 lacks none.
    """
    try:
        if decode_text(path, n_bytes=3) is not None:
            return False
        return not os.path.exists(_locate(path, root))
    except ValueError:
        return False


@contextmanager
def as_file(source, *, root=None, max_bytes=None, filesystem=None):
    """Yield the path of a file on disk, for decoders that cannot read from memory.

    Accepts the same arguments as :func:`read_source`. Bytes and remote files are
    written to a temporary file that exists as long as the context.
    """
    is_path = isinstance(source, (str, os.PathLike)) and decode_text(source) is None
    if filesystem is None and is_path:
        path = _locate(source, root)
        status = os.stat(path)
        _check_regular(status.st_mode)
        _check_size(status.st_size, max_bytes)
        yield os.path.abspath(path)
        return
    data = read_source(source, root=root, max_bytes=max_bytes, filesystem=filesystem)
    with TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        with open(path, "wb") as file:
            file.write(data)
        yield path


def _locate(source, root):
    path = _check_path(source)
    if "://" in path:
        raise ValueError(
            "a URL is not opened; download it, or pass filesystem= (fsspec)"
        )
    return path if root is None else _confine(path, root)


def _check_path(source):
    path = os.fsdecode(source)
    if "\0" in path:
        raise ValueError("a path cannot hold a NUL byte")
    return path


def _check_relative(path):
    if os.path.isabs(path) or ".." in PurePath(path).parts:
        raise ValueError("with root= a path must be relative and without '..'")


def _confine(path, root):
    _check_relative(path)
    root = os.path.realpath(root)
    full = os.path.realpath(os.path.join(root, path))
    if os.path.commonpath([root, full]) != root:
        raise ValueError("the path leaves root= through a symbolic link")
    return full


def _read_regular_file(path, max_bytes):
    # Check before opening: merely opening a device can have side effects.
    _check_regular(os.stat(path).st_mode)
    with open(os.open(path, _FLAGS), "rb") as file:
        status = os.fstat(file.fileno())
        _check_regular(status.st_mode)
        _check_size(status.st_size, max_bytes)
        return file.read(status.st_size)  # no more, even if the file grows meanwhile


def _check_regular(mode):
    if stat.S_ISDIR(mode):
        raise ValueError("it is a folder, not a file")
    if not stat.S_ISREG(mode):
        raise ValueError("it is not a regular file")


def _check_size(n_bytes, max_bytes):
    if n_bytes == 0:
        raise ValueError("it is empty")
    if max_bytes is not None and n_bytes > max_bytes:
        raise ValueError(f"its {n_bytes:,} bytes exceed max_bytes={max_bytes:,}")


def _read_remote(path, root, max_bytes, filesystem):
    if root is not None:
        _check_relative(path)
        path = f"{os.fspath(root).rstrip('/')}/{path}"
    with filesystem.open(path, "rb") as file:
        data = file.read() if max_bytes is None else file.read(max_bytes + 1)
    _check_size(len(data), max_bytes)
    return data
