"""Find a data set in the data home, or download it: shared by ``fetch_*``."""

import gzip
import os
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path

from ._home import get_data_home

#: Maximal size of a file that is read from an archive, far above any that is needed.
MAX_BYTES = 2**25
#: Errors of reading an archive that is not what it should be.
_BAD_ARCHIVE = (
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    EOFError,
    LookupError,
    ValueError,
)


def find_data(name, data_home, *, needs, download=None, source=None):
    """Find a data set in the data home; download it if it is not there.

    Parameters
    ----------
    name : str
        Name of the data set's folder.
    data_home : str, PathLike or None
        The data home, see :func:`get_data_home`.
    needs : str
        A file of the data set; without it, the data set counts as absent.
    download : callable or None, default=None
        Called with an empty temporary folder, which it fills with the data set. None if
        nothing may be downloaded.
    source : str or None, default=None
        Where a data set comes from that cannot be downloaded, and the layout to convert
        it to: a clause of the error message.

    Returns
    -------
    Path
        The data set's folder, absolute.

    Raises
    ------
    OSError
        If the data set is absent and cannot be downloaded.
    """
    folder = get_data_home(data_home) / name
    if (folder / needs).exists():
        return folder
    if download is None:
        how = source or "download_if_missing=False."
        raise OSError(
            f"{folder / needs} does not exist: {how} Set data_home or SKLEARN_MM_DATA "
            f"to the folder that contains {name}."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as aside:
        built = Path(aside) / name
        built.mkdir()
        download(built)
        try:
            os.replace(built, folder)
        except OSError:
            if not (folder / needs).exists():  # unless another process was faster
                raise
    return folder


@contextmanager
def open_archive(url, folder):
    """Download and open a ZIP archive of a repository.

    Parameters
    ----------
    url : str
        Address of the archive.
    folder : Path
        Folder for the archive, which is deleted afterwards.

    Yields
    ------
    dict of str to callable
        A function that reads the file, for each path in the repository.

    Raises
    ------
    OSError
        If the archive cannot be downloaded or read.
    """
    path = Path(_retrieve(url, folder))
    try:
        with zipfile.ZipFile(path) as archive:
            yield {
                name.partition("/")[2]: lambda name=name: _read_member(archive, name)
                for name in archive.namelist()
            }
    except _BAD_ARCHIVE as error:
        raise OSError(
            f"{url} is not the expected archive: {error}. Nothing was kept."
        ) from error
    finally:
        path.unlink()


def _retrieve(url, folder):
    import pooch

    try:
        return pooch.retrieve(url, known_hash=None, path=folder, fname=".archive")
    except (OSError, ValueError) as error:
        raise OSError(
            f"{url} could not be downloaded: {error}. Nothing was kept. Without a "
            "network, set data_home or SKLEARN_MM_DATA to a folder that already has "
            "the data."
        ) from error


def _read_member(archive, name):
    with archive.open(name) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise zipfile.BadZipFile(f"{name} is larger than {MAX_BYTES} bytes")
    return data
