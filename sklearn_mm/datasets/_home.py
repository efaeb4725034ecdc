"""The folder of downloaded data sets."""

import os
from pathlib import Path


def get_data_home(data_home=None):
    """Get the folder in which the ``fetch_*`` functions store data sets.

    Parameters
    ----------
    data_home : str, PathLike or None, default=None
        The folder. By default, the environment variable ``SKLEARN_MM_DATA``, or
        ``~/sklearn_mm_data`` if it is not set.

    Returns
    -------
    Path
        The absolute path of the folder, which need not exist yet.

    Examples
    --------
    >>> from sklearn_mm.datasets import get_data_home
    >>> get_data_home("data").name
    'data'
    """
    if data_home is None:
        data_home = os.environ.get("SKLEARN_MM_DATA") or "~/sklearn_mm_data"
    return Path(data_home).expanduser().absolute()
