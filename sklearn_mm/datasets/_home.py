"""Where downloaded data sets are kept."""

import os
from pathlib import Path


def get_data_home(data_home=None):
    """Give the folder that ``fetch_*`` functions keep their data sets in.

    Parameters
    ----------
    data_home : str, PathLike or None, default=None
        The folder. By default the environment variable ``SKLEARN_MM_DATA``, and where
        that is not set ``~/sklearn_mm_data``.

    Returns
    -------
    Path
        The folder, which need not exist yet.

    Examples
    --------
    >>> from sklearn_mm.datasets import get_data_home
    >>> get_data_home("data").name
    'data'
    """
    if data_home is None:
        data_home = os.environ.get("SKLEARN_MM_DATA") or "~/sklearn_mm_data"
    return Path(data_home).expanduser().absolute()
