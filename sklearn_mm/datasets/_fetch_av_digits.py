"""Real spoken and written digits, downloaded once."""

import gzip
import hashlib
import io
import os
import tempfile
import zipfile
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd

from ._home import get_data_home
from ._load_av_digits import make_bunch

#: The repositories' archives at fixed commits.
SOURCES = {
    "audio": "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/26eb9aa.zip",
    "image": "https://github.com/fgnt/mnist/archive/ae608a0.zip",
}
_IMAGES = "t10k-images-idx3-ubyte.gz"
_IMAGE_BYTES = 28 * 28
#: Far above any file that is read from the archives.
_MAX_BYTES = 2**25


def fetch_av_digits(data_home=None, download_if_missing=True, *, return_X_y=False):
    """Fetch real spoken and written digits, 3,000 pairs of a sound and an image.

    The sounds are the Free Spoken Digit Dataset: six people, fifty takes of each digit.
    Each is paired with an image of its own of the same digit from the MNIST test file;
    the pairing tells nothing beyond the digit. Downloaded once (about 30 MB), verified
    file by file, and read from the data home afterwards.

    ==================   =================================================
    Samples              3,000, 300 per class
    Classes              10
    ``image``            path of a PNG, 28 x 28, gray
    ``audio``            path of a WAV, mono, 8 kHz, 0.1 to 2.3 s
    ``speaker``          str, 6 people: the groups of a split by speaker
    ``take``             int, 0 to 49
    ``split``            "test" (takes 0 to 4) or "train", the set's own
    ==================   =================================================

    Parameters
    ----------
    data_home : str, PathLike or None, default=None
        Folder that holds, or will hold, ``av_digits``; see :func:`get_data_home`.
    download_if_missing : bool, default=True
        Download the data if they are not there; otherwise raise OSError.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch, or tuple of (DataFrame, Series)
        With ``data``, ``target`` (the digit, int), ``frame`` (both),
        ``feature_names``, ``target_names`` and ``DESCR``.

    Raises
    ------
    OSError
        If the data are not there and must not be, or cannot be, downloaded, or if what
        was downloaded is not what it should be; nothing is kept then.

    See Also
    --------
    load_av_digits : A smaller set that comes with the package.

    Notes
    -----
    Sounds: Z. Jackson et al., Free Spoken Digit Dataset, CC BY-SA 4.0. Images: Y.
    LeCun, C. Cortes and C. J. C. Burges, MNIST, usually given as CC BY-SA 3.0. Of each
    digit the MNIST test indices were permuted by ``numpy.random.default_rng(0)`` and
    handed out in the order digit, speaker, take.

    Examples
    --------
    >>> from sklearn_mm.datasets import fetch_av_digits
    >>> X, y = fetch_av_digits(return_X_y=True)  # doctest: +SKIP
    >>> X.shape  # doctest: +SKIP
    (3000, 5)
    """
    folder = get_data_home(data_home) / "av_digits"
    index = read_index()
    if not (folder / "index.csv").exists():
        if not download_if_missing:
            raise OSError(
                f"The data are not in {folder}, and download_if_missing=False. Set "
                "data_home or SKLEARN_MM_DATA to the folder that holds av_digits."
            )
        _download(index, folder)
    frame = pd.DataFrame(
        {
            "image": [str(folder / name) for name in index["image"]],
            "audio": [str(folder / name) for name in index["audio"]],
            "speaker": index["speaker"],
            "take": index["take"],
            "split": index["split"],
            "digit": index["digit"],
        }
    )
    return make_bunch(frame, "digit", fetch_av_digits.__doc__, return_X_y)


def read_index():
    """Read the table of pairs and digests that comes with the package.

    Returns
    -------
    DataFrame
        One row per pair.
    """
    source = resources.files(__package__) / "data" / "av_digits_real.csv.gz"
    return pd.read_csv(io.BytesIO(source.read_bytes()), compression="gzip")


def digest(data):
    """Digest of a file's bytes, or an image's pixels: BLAKE2b, 128 bits."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _download(index, folder):
    """Build the data set aside and move it into its place in one step."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".av_digits-") as aside:
        aside = Path(aside)
        built = aside / "av_digits"
        for part, extract in (("audio", _extract_audio), ("image", _extract_images)):
            archive = _retrieve(SOURCES[part], aside, f"{part}.zip")
            (built / part).mkdir(parents=True)
            try:
                altered = extract(archive, index, built)
            except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, KeyError) as error:
                raise OSError(
                    f"{SOURCES[part]} is not the archive it should be: {error}. "
                    "Nothing was kept."
                ) from error
            if altered:
                raise OSError(
                    f"{len(altered)} of {len(index)} files in {SOURCES[part]} are not "
                    f"what they should be, {altered[0]} for one. Nothing was kept."
                )
        drop = ["audio_digest", "image_digest"]
        index.drop(columns=drop).to_csv(built / "index.csv", index=False)
        try:
            os.replace(built, folder)
        except OSError:
            if not (folder / "index.csv").exists():  # else another process was faster
                raise


def _retrieve(url, folder, name):
    import pooch

    try:
        return pooch.retrieve(url, known_hash=None, path=folder, fname=name)
    except (OSError, ValueError) as error:
        raise OSError(
            f"{url} could not be downloaded: {error}. Nothing was kept. Where there is "
            "no network, set data_home or SKLEARN_MM_DATA to a folder that holds the "
            "data already."
        ) from error


def _extract_audio(path, index, built):
    """Write the recordings; name those that are not what they should be."""
    altered = []
    with zipfile.ZipFile(path) as archive:
        members = {Path(name).name: name for name in archive.namelist()}
        for name, expected in zip(index["audio"], index["audio_digest"]):
            data = _read_member(archive, members[Path(name).name])
            if digest(data) != expected:
                altered.append(name)
            (built / name).write_bytes(data)
    return altered


def _extract_images(path, index, built):
    """Write the images; name those that are not what they should be."""
    import cv2

    with zipfile.ZipFile(path) as archive:
        members = {Path(name).name: name for name in archive.namelist()}
        packed = io.BytesIO(_read_member(archive, members[_IMAGES]))
    with gzip.open(packed) as file:
        pixels = file.read(_MAX_BYTES)[16:]  # behind the header of an IDX file
    altered = []
    columns = zip(index["image"], index["mnist_test_index"], index["image_digest"])
    for name, position, expected in columns:
        image = pixels[position * _IMAGE_BYTES : (position + 1) * _IMAGE_BYTES]
        if digest(image) != expected:
            altered.append(name)
            continue
        encoded = cv2.imencode(".png", np.frombuffer(image, np.uint8).reshape(28, 28))
        (built / name).write_bytes(encoded[1].tobytes())
    return altered


def _read_member(archive, name):
    with archive.open(name) as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise zipfile.BadZipFile(f"{name} is larger than it should be")
    return data
