"""The tasks on real data that one-line pipelines and others are compared on."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold

from sklearn_mm.datasets import get_data_home


@dataclass
class Task:
    """A table, a target, and how it is split and scored."""

    X: pd.DataFrame
    y: np.ndarray
    splits: list  # of (train rows, test rows)
    scoring: str = "accuracy"

    @property
    def kind(self):
        """What ``multimodal_pipeline`` is asked for."""
        return "regressor" if self.scoring == "r2" else "classifier"


def by_column(table, column="split"):
    """One split, by a column that says "train" or "test"."""
    rows = np.arange(len(table))
    part = table[column].to_numpy()
    return [(rows[part == "train"], rows[part == "test"])]


def read_index(name, *paths):
    """Read a set's index, with paths that can be opened from anywhere."""
    home = get_data_home() / name
    table = pd.read_csv(home / "index.csv", dtype={"zipcode": str, "speaker": str})
    for path in paths:
        table[path] = [str(home / cell) for cell in table[path]]
    return table


def digits():
    """Spoken and written digits; two of six speakers are not heard in training."""
    table = read_index("av_digits", "audio", "image")
    table["split"] = np.where(table.speaker.isin(["theo", "lucas"]), "test", "train")
    return Task(table[["audio", "image"]], table.digit.to_numpy(), by_column(table))


def digits_heard():
    """Spoken and written digits, the recordings' own split."""
    table = read_index("av_digits", "audio", "image")
    return Task(table[["audio", "image"]], table.digit.to_numpy(), by_column(table))


def sentiment():
    """Sentiment of utterances: transcript, features of voice and face."""
    home = get_data_home() / "mosi"
    table = pd.read_csv(home / "utterances.csv")
    features = np.load(home / "features.npz")
    X = pd.DataFrame({"text": table.text})
    for name in ("text_cnn", "audio_opensmile", "video_3dcnn"):
        X[name] = list(features[name])
    return Task(X, table.label.to_numpy(), by_column(table))


def reviews():
    """Whether a review recommends: texts, numbers, categories."""
    table = pd.read_csv(get_data_home() / "clothing_reviews" / "reviews.csv.gz")
    y = table["Recommended IND"].to_numpy()
    X = table.drop(columns=["row", "Recommended IND", "split"])
    return Task(X, y, by_column(table), "f1")


def emoji():
    """The group of an emoji: drawing and name."""
    table = read_index("openmoji", "image")
    y = table.group.to_numpy()
    folds = StratifiedKFold(5, shuffle=True, random_state=0).split(table, y)
    return Task(table[["image", "annotation"]], y, list(folds))


def characters():
    """Which of 136 characters: picture and pen strokes of drawers not seen."""
    table = read_index("omniglot", "image")
    strokes = np.load(get_data_home() / "omniglot" / "strokes.npz")
    ends = np.cumsum(strokes["lengths"])
    points = np.stack([strokes["x"], strokes["y"]], axis=1).astype(np.float32)
    X = pd.DataFrame({"image": table.image})
    X["strokes"] = np.split(points, ends[:-1])
    table["split"] = np.where(table.drawer <= 14, "train", "test")
    return Task(X, table.character_id.to_numpy(), by_column(table))


def houses():
    """The logarithm of a house's price: table and four photographs."""
    photos = ["frontal", "bedroom", "bathroom", "kitchen"]
    table = read_index("houses", *photos)
    X = table.drop(columns=["house", "price"])
    folds = KFold(5, shuffle=True, random_state=0).split(X)
    return Task(X, np.log(table.price.to_numpy()), list(folds), "r2")


def emotion():
    """The emotion of an utterance, by speakers not heard: sound and sentence."""
    table = read_index("emodb", "audio")
    folds = GroupKFold(5).split(table, groups=table.speaker)
    return Task(table[["audio", "text_de"]], table.emotion.to_numpy(), list(folds))


def motions():
    """What a wrist does: six channels of motion."""
    return read_series("BasicMotions")


def vowels():
    """Who speaks two Japanese vowels: twelve channels of unequal length."""
    return read_series("JapaneseVowels")


def read_series(name):
    """Read the two files of a set of series in the archive's own format."""
    home = get_data_home() / "uea" / name
    series, labels, split = [], [], []
    for part in ("train", "test"):
        lines = (home / f"{name}_{part.upper()}.ts").read_text().splitlines()
        start = [line.lower().strip() for line in lines].index("@data") + 1
        for line in filter(str.strip, lines[start:]):
            *channels, label = line.split(":")
            numbers = [np.array(c.split(","), dtype=np.float32) for c in channels]
            series.append(np.stack(numbers, axis=1))
            labels.append(label.strip())
            split.append(part)
    table = pd.DataFrame({"split": split})
    X = pd.DataFrame({"series": pd.Series(series, dtype=object)})
    return Task(X, np.array(labels), by_column(table))


TASKS = {
    task.__name__: task
    for task in (
        digits,
        digits_heard,
        sentiment,
        reviews,
        emoji,
        characters,
        houses,
        emotion,
        motions,
        vowels,
    )
}
