"""
Spoken language understanding: what is said, and how it is meant
================================================================

Learned here: one fusion that fills two slots at once, from a recording and its
transcript. Ten sentences were spoken in seven emotions (EmoDB, real actors): the text
tells the sentence and nothing of the emotion, the voice tells both, not perfectly.
Neither is told which it is good for, and where one is missing the other answers.
Where EmoDB is not in the data home, the package's own digits take its place: the digit
is what is said, and a high or low voice is how.
"""

import warnings

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mm import AbstentionWarning, AudioLoader, AudioStatistics
from sklearn_mm import MultimodalVotingClassifier, TextVectorizer
from sklearn_mm.datasets import fetch_emodb, load_av_digits

warnings.simplefilter("ignore", AbstentionWarning)

try:
    X, how = fetch_emodb(download_if_missing=False, return_X_y=True)
    said, unheard = X["sentence"], ["08", "10", "14", "15"]
except OSError:
    X, digit = load_av_digits(return_X_y=True)
    said = X["text"] = digit.map(
        "zero one two three four five six seven eight nine".split().__getitem__
    )
    how = (
        X["speaker"]
        .isin("anna bella clara diana edith fiona".split())
        .map({True: "high", False: "low"})
    )
    unheard = ["derek", "diana", "eric", "edith"]
y = np.column_stack([said, how]).astype(str)
test = X["speaker"].isin(unheard).to_numpy()


def classifier(C):
    return MultiOutputClassifier(LogisticRegression(C=C, max_iter=1000))


voice = make_pipeline(
    AudioLoader(16000),
    AudioStatistics(16000, n_segments=6),
    StandardScaler(),
    classifier(0.01),
)
text = make_pipeline(TextVectorizer(), classifier(10))
model = MultimodalVotingClassifier(
    [("voice", voice, "audio"), ("text", text, "text")],
    voting="product",
    divide_prior=True,
)
model.fit(X[~test], y[~test])

X_test, y_test = X[test], y[test]
rng = np.random.default_rng(0)
lost = X_test.astype(object)
for column in ("audio", "text"):
    lost.loc[rng.random(len(lost)) < 0.3, column] = None
tables = {
    "the voice alone": X_test.assign(text=None),
    "the text alone": X_test.assign(audio=None),
    "fused": X_test,
    "fused, 30 % of each missing": lost,
}
print(f"{test.sum()} utterances by {len(unheard)} speakers who were not heard before\n")
print(f"{'accuracy':<30}{'said':>8}{'how':>8}{'both':>8}")
for title, table in tables.items():
    right = model.predict(table) == y_test
    print(
        f"{title:<30}{right[:, 0].mean():>8.3f}{right[:, 1].mean():>8.3f}{right.all(axis=1).mean():>8.3f}"
    )
