"""scikit-learn, scikit-image, OpenCV and librosa, as one who knows them writes it.

https://scikit-learn.org, https://scikit-image.org, https://opencv.org,
https://librosa.org
"""

import cv2
import librosa
import numpy as np
from skimage import feature
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from benchmarks.peers.columns import spread_vectors

NAME = "by hand"
REQUIREMENTS = [
    "scikit-learn",
    "pandas",
    "opencv-python-headless",
    "librosa",
    "scikit-image",
]
IMPORT = "sklearn, cv2, librosa, skimage"
WITHOUT = {"sentiment": ["text"]}


def hog(paths, size=32):
    """Histograms of gradients of grey pictures."""
    rows = []
    for path in paths:
        pixels = cv2.resize(cv2.imread(path, cv2.IMREAD_GRAYSCALE), (size, size))
        rows.append(feature.hog(pixels, 9, (8, 8), (2, 2)))
    return np.stack(rows)


def colors(paths):
    """Histograms of colours, eight levels each."""
    rows = []
    for path in paths:
        pixels = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2HSV)
        counts = cv2.calcHist(
            [pixels], [0, 1, 2], None, [8, 4, 4], [0, 180, 0, 256, 0, 256]
        )
        rows.append(counts.ravel() / counts.sum())
    return np.sqrt(np.stack(rows))


def mfcc(paths, n_segments=3):
    """Means and deviations of cepstral coefficients in three thirds of a sound."""
    rows = []
    for path in paths:
        samples, rate = librosa.load(path, sr=8000)
        frames = librosa.feature.mfcc(
            y=samples, sr=rate, n_mfcc=13, n_fft=256, hop_length=80
        )
        parts = np.array_split(frames, n_segments, axis=1)
        rows.append(np.concatenate([[p.mean(axis=1), p.std(axis=1)] for p in parts]))
    return np.stack(rows).reshape(len(rows), -1)


def encode(function):
    """A step that turns a column into vectors."""
    return make_pipeline(FunctionTransformer(function), StandardScaler())


def fill(column):
    """Empty strings for missing texts."""
    return column.fillna("")


def words(**options):
    """Weighted counts of the words of a column."""
    return make_pipeline(
        FunctionTransformer(fill), TfidfVectorizer(sublinear_tf=True, **options)
    )


def reviews():
    text = {"ngram_range": (1, 2), "min_df": 3}
    kinds = make_pipeline(
        FunctionTransformer(fill), OneHotEncoder(handle_unknown="ignore")
    )
    features = make_column_transformer(
        (words(**text), "Title"),
        (words(**text), "Review Text"),
        (kinds, ["Division Name", "Department Name", "Class Name"]),
        (StandardScaler(), ["Rating", "Age", "Positive Feedback Count"]),
    )
    return make_pipeline(features, LogisticRegression(C=3, max_iter=1000))


def digits():
    features = make_column_transformer((encode(hog), "image"), (encode(mfcc), "audio"))
    return make_pipeline(features, LogisticRegression(C=0.01, max_iter=1000))


def emoji():
    features = make_column_transformer(
        (encode(hog), "image"), (encode(colors), "image"), (words(), "annotation")
    )
    return make_pipeline(features, LogisticRegression(C=0.1, max_iter=1000))


def houses():
    photos = ["frontal", "bedroom", "bathroom", "kitchen"]
    features = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["zipcode"]),
        ("passthrough", ["bedrooms", "bathrooms", "area"]),
        *((FunctionTransformer(colors), photo) for photo in photos),
    )
    return make_pipeline(features, RandomForestRegressor(300, n_jobs=2, random_state=0))


def sentiment():
    spread = FunctionTransformer(spread_vectors)
    return make_pipeline(spread, StandardScaler(), LogisticRegression(max_iter=1000))


TASKS = {
    "reviews": reviews,
    "digits": digits,
    "emoji": emoji,
    "houses": houses,
    "sentiment": sentiment,
}
