"""Real spoken and written digits, downloaded once."""

import gzip
import hashlib
import io
from functools import partial
from importlib import resources

import numpy as np
import pandas as pd

from ._bunch import make_bunch
from ._fetch import MAX_BYTES, find_data, open_archive

#: The repositories' archives at fixed commits.
SOURCES = {
    "audio": "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/26eb9aa.zip",
    "image": "https://github.com/fgnt/mnist/archive/ae608a0.zip",
}
_IMAGES = "t10k-images-idx3-ubyte.gz"
_IMAGE_BYTES = 28 * 28


def fetch_av_digits(data_home=None, download_if_missing=True, *, return_X_y=False):
    """Fetch 3,000 real pairs of a spoken and a written digit.

    The audio is the Free Spoken Digit Dataset: six speakers, fifty takes of each digit.
    Each recording is paired with a different image of the same digit from the MNIST
    test set; a pair shares nothing but the digit. Downloaded once (about 30 MB), every
    file verified, and read from the data home afterwards.

    ==================   =================================================
    Samples              3,000, 300 per class
    Classes              10
    ``image``            path of a PNG, 28 x 28, gray
    ``audio``            path of a WAV, mono, 8 kHz, 0.1 to 2.3 s
    ``speaker``          str, 6 speakers: the groups of a split by speaker
    ``take``             int, 0 to 49
    ``split``            "test" (takes 0 to 4) or "train", the official one
    ==================   =================================================

    Parameters
    ----------
    data_home : str, PathLike or None, default=None
        Folder that contains, or will contain, ``av_digits``; see :func:`get_data_home`.
    download_if_missing : bool, default=True
        Whether to download absent data; otherwise, an OSError is raised.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch, or tuple of (DataFrame, Series)
        With ``data``, ``target`` (the digit, int), ``frame`` (both),
        ``feature_names``, ``target_names``, ``split``, ``groups`` (the speakers) and
        ``DESCR``.

    Raises
    ------
    OSError
        If the data are absent and may not or cannot be downloaded, or if a downloaded
        file is not the expected one; nothing is kept in that case.

    See Also
    --------
    load_av_digits : A smaller set that comes with the package.

    Notes
    -----
    Audio: Z. Jackson et al., Free Spoken Digit Dataset, CC BY-SA 4.0. Images: Y. LeCun,
    C. Cortes and C. J. C. Burges, MNIST, usually listed as CC BY-SA 3.0. The MNIST test
    indices of each digit were permuted by ``numpy.random.default_rng(0)`` and assigned
    in the order digit, speaker, take.

    Examples
    --------
    >>> from sklearn_mm.datasets import fetch_av_digits
    >>> X, y = fetch_av_digits(return_X_y=True)  # doctest: +SKIP
    >>> X.shape  # doctest: +SKIP
    (3000, 5)
    """
    index = read_index()
    download = partial(_download, index) if download_if_missing else None
    folder = find_data("av_digits", data_home, needs="index.csv", download=download)
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
    description = fetch_av_digits.__doc__
    return make_bunch(frame, "digit", description, return_X_y, groups="speaker")


def read_index():
    """Read the table of pairs and digests, which comes with the package.

    Returns
    -------
    DataFrame
        One row per pair.
    """
    source = resources.files(__package__) / "data" / "av_digits_real.csv.gz"
    return pd.read_csv(io.BytesIO(source.read_bytes()), compression="gzip")


def digest(data):
    """Compute the 128-bit BLAKE2b digest of a file's bytes or an image's pixels."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _download(index, built):
    """Download the data set to a folder, and verify every file."""
    for part, extract in (("audio", _extract_audio), ("image", _extract_images)):
        (built / part).mkdir()
        with open_archive(SOURCES[part], built) as members:
            altered = extract(members, index, built)
        if altered:
            raise OSError(
                f"{len(altered)} of {len(index)} files in {SOURCES[part]} are not the "
                f"expected ones, among them {altered[0]}. Nothing was kept."
            )
    drop = ["audio_digest", "image_digest"]
    index.drop(columns=drop).to_csv(built / "index.csv", index=False)


def _extract_audio(members, index, built):
    """Write the recordings; return the names of those with another digest."""
    altered = []
    for name, expected in zip(index["audio"], index["audio_digest"]):
        data = members[name.replace("audio/", "recordings/")]()
        if digest(data) != expected:
            altered.append(name)
        (built / name).write_bytes(data)
    return altered


def _extract_images(members, index, built):
    """Write the images; return the names of those with another digest."""
    import cv2

    packed = io.BytesIO(members[_IMAGES]())
    with gzip.open(packed) as file:
        pixels = file.read(MAX_BYTES)[16:]  # after the header of an IDX file
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
