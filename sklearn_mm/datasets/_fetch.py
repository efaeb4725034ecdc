"""What the ``fetch_*`` functions share: find a data set, or build it in one step."""

import gzip
import os
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path

from ._home import get_data_home

#: Far above any file that is read from an archive.
MAX_BYTES = 2**25
_NO_ARCHIVE = (
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    EOFError,
    LookupError,
    ValueError,
)


def find_data(name, data_home, *, needs, download=None, source=None):
    """Find a data set in the data home; build it there if it is not.

    Parameters
    ----------
    name : str
        Name of the data set's folder.
    data_home : str, PathLike or None
        As in the fetch functions.
    needs : str
        File without which the data set is not there.
    download : callable or None
        Called with a new folder that lies beside the data set's, it fills the latter's
        likeness in there, a folder ``name``. None if nothing is to be downloaded.
    source : str or None
        A sentence about where the data are from, and in which layout they are read,
        where no ``download`` can bring them.

    Returns
    -------
    Path
        The data set's folder, absolute.

    Raises
    ------
    OSError
        If the data are not there and cannot be brought.
    """
    folder = get_data_home(data_home) / name
    if (folder / needs).exists():
        return folder
    if download is None:
        how = source or "download_if_missing=False."
        raise OSError(
            f"{folder / needs} is not there: {how} Set data_home or SKLEARN_MM_DATA to "
            f"the folder that holds {name}."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as aside:
        built = Path(aside) / name
        built.mkdir()
        download(built)
        try:
            os.replace(built, folder)
        except OSError:
            if not (folder / needs).exists():  # else another process was faster
                raise
    return folder


@contextmanager
def open_archive(url, folder):
    """Download a ZIP archive of a repository, and open it.

    Parameters
    ----------
    url : str
        Where it is.
    folder : Path
        Where it is kept while it is read.

    Yields
    ------
    dict of str to callable
        For each file, by its path in the repository, a function that reads it.

    Raises
    ------
    OSError
        If it cannot be downloaded, or is not the archive that it should be.
    """
    path = Path(_retrieve(url, folder))
    try:
        with zipfile.ZipFile(path) as archive:
            yield {
                name.partition("/")[2]: lambda name=name: _read_member(archive, name)
                for name in archive.namelist()
            }
    except (
        zipfile.BadZipFile,
        gzip.BadGzipFile,
        EOFError,
        LookupError,
        ValueError,
    ) as error:
        raise OSError(
            f"{url} is not the archive it should be: {error}. Nothing was kept."
        ) from error
    finally:
        path.unlink()


def _retrieve(url, folder):
    import pooch

    try:
        return pooch.retrieve(url, known_hash=None, path=folder, fname=".archive")
    except (OSError, ValueError) as error:
        raise OSError(
            f"{url} could not be downloaded: {error}. Nothing was kept. Where there is "
            "no network, set data_home or SKLEARN_MM_DATA to a folder that holds the "
            "data already."
        ) from error


def _read_member(archive, name):
    with archive.open(name) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise zipfile.BadZipFile(f"{name} is larger than it should be")
    return data
