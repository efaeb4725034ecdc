"""One row through a fitted vote on image, sound and text, beside its parts by hand.

python -m benchmarks.bench_one_row [--quick]
"""

import tempfile
import warnings

import cv2
import numpy as np
from skimage.feature import hog
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks import harness
from benchmarks.bench_sounds import statistics_by_hand
from benchmarks.files import write_digits
from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    HOGEncoder,
    ImageLoader,
    MultimodalVotingClassifier,
    TextVectorizer,
)

NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def make_vote():
    """Image, sound and text, each with logistic regression behind its encoder."""
    image = make_pipeline(ImageLoader(), HOGEncoder(), make_linear())
    audio = make_pipeline(AudioLoader(8000), AudioStatistics(8000), make_linear())
    text = make_pipeline(TextVectorizer(), LogisticRegression())
    return MultimodalVotingClassifier(
        [("image", image, "image"), ("audio", audio, "audio"), ("text", text, "text")]
    )


def make_linear():
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))


def make_parts(vote):
    """The same by calls of OpenCV, scikit-image, librosa, one sample at a time."""
    members = dict(zip(("image", "audio", "text"), vote.estimators_))
    frame = {"n_fft": 256, "hop_length": 80}

    def image(path):
        picture = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
        picture = cv2.resize(picture, (28, 28))
        return hog(picture, pixels_per_cell=(7, 7), cells_per_block=(2, 2))[None]

    def by_hand(row):
        answers = [
            members["image"][-1].predict_proba(image(row["image"])),
            members["audio"][-1].predict_proba(
                statistics_by_hand([row["audio"]], 8000, frame)
            ),
            members["text"].predict_proba([row["text"]]),
        ]
        return vote.classes_[np.mean(answers, axis=0).argmax(axis=1)]

    return by_hand


def main(quick=False):
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        X, y = write_digits(folder)
        X["text"] = [f"the digit {NAMES[digit]}" for digit in y]
        vote = make_vote().fit(X, y)
        row = X.iloc[[0]]
        cells = [row[name] for name in X.columns]
        by_hand = make_parts(vote)
        ways = {
            "the members, one after the other": lambda: [
                member.predict_proba(cell)
                for member, cell in zip(vote.estimators_, cells)
            ],
            "OpenCV, scikit-image, librosa by hand": lambda: by_hand(X.iloc[0]),
            "vote.predict": lambda: vote.predict(row),
        }
        found = harness.compare("one row", ways, 1, 20 if quick else 200)
    ms, ratio = found["vote.predict"]
    work = "predict of one row: image, sound, text"
    harness.record(work, "its members' time", 1 / ratio, at_most=1.3, ms=ms)
    by_hand = found["OpenCV, scikit-image, librosa by hand"][0]
    harness.record(work, "libraries by hand, their time", ms / by_hand)


if __name__ == "__main__":
    harness.run(main)
