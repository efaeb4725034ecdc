"""Sentiment of spoken film reviews: transcripts, and features of voice and face."""

import hashlib
import io

import numpy as np
import pandas as pd

from ._bunch import make_bunch
from ._fetch import find_data, open_archive

#: The repository's archive at a fixed commit.
SOURCE = (
    "https://github.com/declare-lab/"
    "contextual-utterance-level-multimodal-sentiment-analysis/archive/3874cf2.zip"
)
_FEATURES = {"text": "text_cnn", "audio": "audio_opensmile", "video": "video_3dcnn"}
#: SHA-256 of the data read from the archive.
DIGESTS = {
    "utterances": "60bc7dc9398f7cab6dddf102bcb3429be386b7f2f918f4b804fb95d204110ab6",
    "text_cnn": "1e975c36c15d3c35c4fab25d1968effbcfc8f4bdffdbb488c32d0f992b9ad9e9",
    "audio_opensmile": (
        "e3edf11351e3101ab9e11d89b08955e24ef62ab6ce8d95c4b4ed1119e9a3f724"
    ),
    "video_3dcnn": "13a3011296ee9b0e09483471b6480e03f376cfe3885c8ae64bc504eeb15cd780",
}


def fetch_mosi(data_home=None, download_if_missing=True, *, return_X_y=False):
    """Fetch CMU-MOSI, the sentiment of 2,199 utterances in spoken film reviews.

    Each utterance has its transcript, and the text, voice and video features of Poria
    et al. [2]_ with their split, which keeps each video on one side. Downloaded once,
    verified, and read from the data home afterwards.

    ==================   =================================================
    Samples              2,199, of 93 videos
    Classes              2: 0 is negative (1,023), 1 is positive (1,176)
    ``text``             str, the transcript in upper case
    ``text_features``    array (100,), float32, from a CNN
    ``audio_features``   array (73,), float32, from openSMILE
    ``video_features``   array (100,), float32, from a 3-D CNN
    ``video``            str, the video: the groups of a split
    ``segment``          int, position of the utterance in the video
    ``split``            "train" (1,447) or "test" (752), the published one
    ==================   =================================================

    Parameters
    ----------
    data_home : str, PathLike or None, default=None
        Folder that contains, or will contain, ``mosi``; see :func:`get_data_home`.
    download_if_missing : bool, default=True
        Whether to download absent data; otherwise, an OSError is raised.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch, or tuple of (DataFrame, Series)
        With ``data``, ``target`` (``sentiment``, int), ``frame`` (both),
        ``feature_names``, ``target_names``, ``split``, ``groups`` (the videos) and
        ``DESCR``.

    Raises
    ------
    OSError
        If the data are absent and may not or cannot be downloaded, or if a downloaded
        file is not the expected one; nothing is kept in that case.

    Notes
    -----
    The text features come from a network trained on the labels of the training split,
    where they look better than they are, also in cross-validation. The repository's
    files are under the MIT license; the corpus [1]_ is for research.

    References
    ----------
    .. [1] A. Zadeh, R. Zellers, E. Pincus and L.-P. Morency (2016), "Multimodal
       sentiment intensity analysis in videos: facial gestures and verbal messages",
       IEEE Intelligent Systems 31.
    .. [2] S. Poria et al. (2017), "Context-dependent sentiment analysis in
       user-generated videos", ACL.

    Examples
    --------
    >>> from sklearn_mm.datasets import fetch_mosi
    >>> X, y = fetch_mosi(return_X_y=True)  # doctest: +SKIP
    >>> X.shape  # doctest: +SKIP
    (2199, 7)
    """
    download = _download if download_if_missing else None
    folder = find_data("mosi", data_home, needs="features.npz", download=download)
    table = pd.read_csv(folder / "utterances.csv", keep_default_na=False)
    with np.load(folder / "features.npz") as features:
        vectors = {part: list(features[name]) for part, name in _FEATURES.items()}
    frame = pd.DataFrame(
        {
            "text": table["text"],
            **{f"{part}_features": cells for part, cells in vectors.items()},
            "video": table["video_id"],
            "segment": table["segment"],
            "split": table["split"],
            "sentiment": table["label"],
        }
    )
    description = fetch_mosi.__doc__
    return make_bunch(frame, "sentiment", description, return_X_y, groups="video")


def _download(built):
    """Download the data set to a folder, and verify it."""
    with open_archive(SOURCE, built) as members:
        table, features = _assemble(members)
    parts = {"utterances": table.to_csv(index=False).encode()}
    parts.update({name: array.tobytes() for name, array in features.items()})
    for name, data in parts.items():
        if hashlib.sha256(data).hexdigest() != DIGESTS[name]:
            raise OSError(
                f"{name} of {SOURCE} is not the expected one. Nothing was kept."
            )
    (built / "utterances.csv").write_bytes(parts["utterances"])
    np.savez_compressed(built / "features.npz", **features)


def _assemble(members):
    """Join the files, whose rows are those of ``text_train.csv`` and ``text_test.csv``.

    The first column of these is the index of a row in ``transcripts.csv``.
    """
    transcripts = io.BytesIO(members["data/transcripts.csv"]())
    names = ["utterance_id", "text", "video_no", "label"]
    table = pd.read_csv(transcripts, names=names, keep_default_na=False)
    names = table["utterance_id"].str.rsplit("_", n=1, expand=True)
    table["video_id"], table["segment"] = names[0], names[1].astype(int)
    rows, parts = [], {name: [] for name in _FEATURES}
    for split in ("train", "test"):
        split_rows = _read_numbers(members[f"data/text_{split}.csv"])[:, 0].astype(int)
        table.loc[split_rows, "split"] = split
        rows.append(split_rows)
        for name, part in parts.items():
            values = _read_numbers(members[f"data/{name}/{name}_{split}0.csv"])
            part.append(values[:, :-1].astype("<f4"))  # the last column is the label
    rows = np.concatenate(rows)
    order = table.iloc[rows].reset_index().sort_values(["video_no", "segment"]).index
    columns = [
        "utterance_id",
        "video_id",
        "segment",
        "video_no",
        "text",
        "label",
        "split",
    ]
    features = {
        _FEATURES[name]: np.concatenate(part)[order] for name, part in parts.items()
    }
    return table.iloc[rows[order]][columns], features


def _read_numbers(read):
    return np.loadtxt(io.BytesIO(read()), delimiter=",", quotechar='"', ndmin=2)
