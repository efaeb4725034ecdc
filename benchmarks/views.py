"""Tables of several views, encoded once, on which fusion rules are compared."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    ColorHistogramEncoder,
    HOGEncoder,
    ImageLoader,
)
from sklearn_mm.datasets import get_data_home


def make_linear_model():
    """Make a model of a wide view that fits in less than 100 ms."""
    return make_pipeline(
        StandardScaler(),
        PCA(40, random_state=0),
        LogisticRegression(C=0.01, max_iter=300),
    )


@dataclass
class Views:
    """Vectors by view, classes, splits into train and test rows, groups, models."""

    arrays: dict
    y: np.ndarray
    splits: list
    groups: np.ndarray | None = None
    models: dict = field(default_factory=dict)

    @property
    def X(self):
        """The vectors side by side."""
        return np.hstack(list(self.arrays.values()))

    @property
    def columns(self):
        """The columns of ``X`` by view."""
        ends = np.cumsum([array.shape[1] for array in self.arrays.values()])
        starts = [0, *ends[:-1]]
        return {n: slice(*ends) for n, *ends in zip(self.arrays, starts, ends)}

    def make_members(self):
        """Make the members of a fusion, one per view."""
        return [
            (name, self.models.get(name, make_linear_model()), columns)
            for name, columns in self.columns.items()
        ]


@lru_cache(maxsize=1)
def encode_digits():
    """Read the digits, and encode images, recordings and photographs of hand signs."""
    home = get_data_home() / "av_digits"
    table = pd.read_csv(home / "index.csv")
    signs = pd.read_csv(home / "sign_index.csv")
    image = make_pipeline(ImageLoader(root=home), HOGEncoder())
    sign = make_pipeline(ImageLoader((32, 32), root=home), HOGEncoder())
    audio = make_pipeline(
        AudioLoader(8000, root=home), AudioStatistics(8000, 13, n_segments=3)
    )
    encoded = (
        image.fit_transform(table.image),
        audio.fit_transform(table.audio),
        sign.fit_transform(signs.sign_image),
    )
    return table, signs, encoded


def pair_signs(digit, digit_part, signs, sign_part, rng):
    """Draw a photograph of the same digit for each row, from the row's part."""
    paired = np.zeros(len(digit), dtype=int)
    for value in np.unique(digit):
        for part in np.unique(digit_part):
            rows = np.flatnonzero((digit == value) & (digit_part == part))
            choice = np.flatnonzero((signs.digit == value) & (sign_part == part))
            paired[rows] = rng.choice(choice, len(rows))
    return paired


def digits(seed):
    """Digits: written, spoken and signed, two of six speakers unseen in training.

    The numbers of the photographs follow the people, each of whom signed all digits. A
    sixth of them in a row is paired with each speaker, so that folds by speaker hold
    the people who sign apart, too.
    """
    table, signs, (image, audio, sign) = encode_digits()
    y, groups = table.digit.to_numpy(), table.speaker.astype("category").cat.codes
    groups, rng = groups.to_numpy(), np.random.default_rng(seed)
    sixth = np.ceil(signs.shot.rank(pct=True).to_numpy() * 6).astype(int) - 1
    paired = pair_signs(y, groups, signs, rng.permutation(6)[sixth], rng)
    fold = GroupShuffleSplit(1, test_size=2, random_state=seed)
    arrays = {"image": image, "audio": audio, "sign": sign[paired]}
    return Views(arrays, y, list(fold.split(y, y, groups)), groups)


def digits_heard(seed):
    """Digits: written, spoken and signed, a random third to test."""
    table, signs, (image, audio, sign) = encode_digits()
    y, rng = table.digit.to_numpy(), np.random.default_rng(seed)
    is_test, is_test_sign = (rng.random(len(each)) < 1 / 3 for each in (y, signs))
    paired = pair_signs(y, is_test, signs, is_test_sign, rng)
    arrays = {"image": image, "audio": audio, "sign": sign[paired]}
    return Views(arrays, y, [(np.flatnonzero(~is_test), np.flatnonzero(is_test))])


def mosi(seed):
    """Sentiment of utterances: features of words, voice and face.

    The features were learned from the labels of the published training part, which they
    tell (from the face, 91 % of them out of fold, 53 % of the others): only the
    published test part is used; a third of its videos tests.
    """
    home = get_data_home() / "mosi"
    table = pd.read_csv(home / "utterances.csv")
    features = np.load(home / "features.npz")
    rows = np.flatnonzero(table.split == "test")
    names = {"text": "text_cnn", "audio": "audio_opensmile", "video": "video_3dcnn"}
    arrays = {name: features[key][rows] for name, key in names.items()}
    y, groups = table.label.to_numpy()[rows], table.video_no.to_numpy()[rows]
    fold = GroupShuffleSplit(1, test_size=1 / 3, random_state=seed)
    return Views(arrays, y, list(fold.split(y, y, groups)), groups)


@lru_cache(maxsize=1)
def encode_houses():
    """Read the houses, and encode the photographs of outside and inside."""
    home = get_data_home() / "houses"
    table = pd.read_csv(home / "index.csv")
    colors = make_pipeline(
        ImageLoader((96, 96), color="rgb", root=home), ColorHistogramEncoder()
    )
    edges = make_pipeline(
        ImageLoader((64, 64), root=home), HOGEncoder(cell_size=(16, 16))
    )
    photos = {
        room: [colors.fit_transform(table[room]), edges.fit_transform(table[room])]
        for room in ("frontal", "bedroom", "bathroom", "kitchen")
    }
    outside = np.hstack(photos.pop("frontal"))
    return (
        table,
        outside,
        np.hstack([part for room in photos.values() for part in room]),
    )


def houses(seed):
    """Quarter of the price of a house: table, photographs of outside and inside."""
    table, outside, inside = encode_houses()
    y = pd.qcut(table.price, 4, labels=False).to_numpy()
    numbers = table[["bedrooms", "bathrooms", "area", "zipcode"]].to_numpy(float)
    folds = StratifiedKFold(3, shuffle=True, random_state=seed).split(y, y)
    forest = RandomForestClassifier(50, min_samples_leaf=5, random_state=0)
    arrays = {"table": numbers, "outside": outside, "inside": inside}
    return Views(arrays, y, list(folds), models={"table": forest})
