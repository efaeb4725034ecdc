"""Acted emotional speech, with transcripts."""

import pandas as pd

from ._bunch import make_bunch
from ._fetch import find_data

_SOURCE = (
    "it has to be converted once from github.com/sylaschacko/voice-emotion-analysis at "
    "commit 4b0f64c, into emodb/audio/*.wav (16 kHz, without the zeros at their end) "
    "and emodb/index.csv with the columns audio (a path in the folder), text_de, "
    "text_en, sentence, speaker, gender, age and emotion."
)


def fetch_emodb(data_home=None, download_if_missing=True, *, return_X_y=False):
    """Fetch EmoDB, 535 German utterances in seven emotions by ten actors.

    The ten sentences are emotionally neutral: the emotion is in the voice alone, not in
    the text. Read from the data home and never downloaded; if it is absent, the error
    describes the source and the layout to convert it to.

    ==================   =================================================
    Samples              535
    Classes              7 emotions (46 to 127 utterances)
    ``audio``            path of a WAV, mono, 16 kHz, 1.2 to 2.0 s
    ``text``             str, the German transcript
    ``translation``      str, the transcript in English
    ``sentence``         str, code of the sentence, one of 10
    ``speaker``          str, 10 actors: the groups of a split by speaker
    ``gender``           "female" or "male"
    ``age``              int
    ==================   =================================================

    Parameters
    ----------
    data_home : str, PathLike or None, default=None
        Folder that contains ``emodb``; see :func:`get_data_home`.
    download_if_missing : bool, default=True
        Has no effect but on the error message: the data set is never downloaded.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch, or tuple of (DataFrame, Series)
        With ``data``, ``target`` (``emotion``, str), ``frame`` (both),
        ``feature_names``, ``target_names``, ``groups`` (the speakers) and ``DESCR``.

    Raises
    ------
    OSError
        If the data are absent.

    Notes
    -----
    The source's copy is cut after two seconds: results are not comparable with
    published ones on the complete recordings. The corpus is free to use.

    References
    ----------
    F. Burkhardt, A. Paeschke, M. Rolfes, W. Sendlmeier and B. Weiss (2005), "A database
    of German emotional speech", Interspeech.

    Examples
    --------
    >>> from sklearn_mm.datasets import fetch_emodb
    >>> X, y = fetch_emodb(return_X_y=True)  # doctest: +SKIP
    >>> X.shape  # doctest: +SKIP
    (535, 7)
    """
    source = _SOURCE if download_if_missing else None
    folder = find_data("emodb", data_home, needs="index.csv", source=source)
    table = pd.read_csv(folder / "index.csv", dtype={"speaker": str})
    table = table.rename(columns={"text_de": "text", "text_en": "translation"})
    columns = [
        "audio",
        "text",
        "translation",
        "sentence",
        "speaker",
        "gender",
        "age",
        "emotion",
    ]
    frame = table[columns].copy()
    frame["audio"] = [str(folder / name) for name in frame["audio"]]
    description = fetch_emodb.__doc__
    return make_bunch(frame, "emotion", description, return_X_y, groups="speaker")
