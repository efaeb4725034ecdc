"""Drawings of emoji and their names."""

import pandas as pd

from ._bunch import make_bunch
from ._fetch import find_data

_SOURCE = (
    "it has to be rendered once from npm's openmoji 17.0.0 (CC BY-SA 4.0), into "
    "openmoji/index.csv with the columns image (a path in the folder), annotation, "
    "tags and group of data/openmoji.csv, without skin tones, extras and components, "
    "and openmoji/image/*.png, which are color/svg on white, 64 x 64."
)


def fetch_openmoji(data_home=None, download_if_missing=True, *, return_X_y=False):
    """Fetch OpenMoji, 1,914 drawings with their name, keywords and group.

    Vector graphics by many authors in one style, rendered at 64 x 64. Read from the
    data home and never downloaded, because rendering needs another program; if it is
    absent, the error describes the source and the layout to convert it to.

    ==================   =================================================
    Samples              1,914
    Classes              9, Unicode's groups (85 to 388 drawings)
    ``image``            path of a PNG, 64 x 64, color on white
    ``annotation``       str, the Unicode name
    ``tags``             str, keywords
    ==================   =================================================

    Parameters
    ----------
    data_home : str, PathLike or None, default=None
        Folder that contains ``openmoji``; see :func:`get_data_home`.
    download_if_missing : bool, default=True
        Has no effect but on the error message: the data set is never downloaded.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch, or tuple of (DataFrame, Series)
        With ``data``, ``target`` (``group``, str), ``frame`` (both),
        ``feature_names``, ``target_names`` and ``DESCR``.

    Raises
    ------
    OSError
        If the data are absent.

    Notes
    -----
    OpenMoji, HfG Schwäbisch Gmünd, CC BY-SA 4.0. There is no fixed split.

    Examples
    --------
    >>> from sklearn_mm.datasets import fetch_openmoji
    >>> X, y = fetch_openmoji(return_X_y=True)  # doctest: +SKIP
    >>> X.shape  # doctest: +SKIP
    (1914, 3)
    """
    source = _SOURCE if download_if_missing else None
    folder = find_data("openmoji", data_home, needs="index.csv", source=source)
    table = pd.read_csv(folder / "index.csv", keep_default_na=False)
    frame = table[["image", "annotation", "tags", "group"]].copy()
    frame["image"] = [str(folder / name) for name in frame["image"]]
    return make_bunch(frame, "group", fetch_openmoji.__doc__, return_X_y)
