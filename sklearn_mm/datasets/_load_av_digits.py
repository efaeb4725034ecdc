"""Spoken and written digits that come with the package."""

import io
import zipfile
from importlib import resources

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from ._bunch import make_bunch


def load_av_digits(return_X_y=False, as_frame=True):
    """Load 600 pairs of a spoken and a written digit.

    The speech is synthetic: espeak-ng spoke the ten digits in twelve voices, five takes
    each with varied pitch and speed, and pink noise was added at a signal-to-noise
    ratio between -10 and 0 dB. Use it for demonstrations, not to measure performance on
    real speech; :func:`fetch_av_digits` has human recordings. The images are those of
    scikit-learn's :func:`~sklearn.datasets.load_digits`. Each recording is paired with
    a different image of the same digit; a pair shares nothing but the digit.

    ==================   =================================================
    Samples              600, 60 per class
    Classes              10
    ``image``            array (8, 8), uint8, 0 is white, 255 is ink
    ``audio``            bytes, Ogg Opus, mono, 8 kHz, 0.2 to 0.8 s
    ``speaker``          str, 12 voices: the groups of a split by speaker
    ==================   =================================================

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=True
        Return a DataFrame and a Series; otherwise, object arrays.

    Returns
    -------
    Bunch, or tuple of (data, target)
        With ``data``, ``target`` (the digit, int), ``frame`` (both, or None),
        ``feature_names``, ``target_names``, ``groups`` (the speakers) and ``DESCR``.

    See Also
    --------
    fetch_av_digits : A larger set of real recordings, which is downloaded.

    Notes
    -----
    Free to redistribute: the audio was made for this package and has its license; the
    images are those of the UCI digits data, CC BY 4.0.

    Examples
    --------
    >>> from sklearn_mm.datasets import load_av_digits
    >>> X, y = load_av_digits(return_X_y=True)
    >>> list(X.columns), len(X)
    (['image', 'audio', 'speaker'], 600)
    """
    source = resources.files(__package__) / "data" / "av_digits.zip"
    with zipfile.ZipFile(io.BytesIO(source.read_bytes())) as archive:
        index = pd.read_csv(io.BytesIO(archive.read("index.csv")))
        recordings = [archive.read(name) for name in index["audio"]]
    frame = pd.DataFrame(
        {
            "image": _pair_images(index["digit"].to_numpy()),
            "audio": pd.Series(recordings, dtype=object),
            "speaker": index["speaker"],
            "digit": index["digit"],
        }
    )
    description = load_av_digits.__doc__
    return make_bunch(
        frame, "digit", description, return_X_y, as_frame, groups="speaker"
    )


def _pair_images(digits):
    """Choose a different image of the same class for every digit."""
    images, labels = load_digits(return_X_y=True)
    images = np.round(images * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8)
    rng = np.random.default_rng(0)
    paired = pd.Series(index=range(len(digits)), dtype=object)
    for digit in range(10):
        rows = np.flatnonzero(digits == digit)
        chosen = rng.permutation(np.flatnonzero(labels == digit))[: len(rows)]
        for row, image in zip(rows, chosen):
            paired[row] = images[image]
    return paired
