"""Voice commands: what is heard, and what the dialogue so far makes likely.

A caller answers an automatic service with one spoken digit. The sounds come with the
package (twelve synthetic voices, four of which are tested only); the questions are made
up. A sound model and a text model are multiplied as independent evidence; either may be
missing.
"""

import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mm import (
    AbstentionWarning,
    AudioLoader,
    AudioStatistics,
    MultimodalVotingClassifier,
    TextVectorizer,
)
from sklearn_mm.datasets import load_av_digits

warnings.simplefilter("ignore", AbstentionWarning)

QUESTIONS = {
    "How many stars do you give us, from one to five?": [1, 2, 3, 4, 5],
    "From one to five, how was your stay with us?": [1, 2, 3, 4, 5],
    "Say zero for help, or nine to hear this again.": [0, 9],
    "For a group of six or more: how many of you are there?": [6, 7, 8, 9],
    "Please say the next digit of your number.": list(range(10)),
}

X, y = load_av_digits(return_X_y=True)
rng = np.random.default_rng(0)
X["question"] = [
    rng.choice([text for text, digits in QUESTIONS.items() if digit in digits])
    for digit in y
]
test = X["speaker"].isin(["derek", "diana", "eric", "edith"])

sound = make_pipeline(
    AudioLoader(8000, on_error="missing"),
    AudioStatistics(8000, n_segments=3),
    StandardScaler(),
    LogisticRegression(C=0.01),
)
text = make_pipeline(TextVectorizer(), LogisticRegression(C=10))
command = MultimodalVotingClassifier(
    [("sound", sound, "audio"), ("dialogue", text, "question")],
    voting="product",
    divide_prior=True,
)
grid = {"sound__logisticregression__C": [0.001, 0.01, 0.1]}
search = GridSearchCV(command, grid, cv=GroupKFold(4))
search.fit(X[~test], y[~test], groups=X["speaker"][~test])

lost = X[test].astype(object)
lost.loc[rng.random(len(lost)) < 0.3, "question"] = None
lost.iloc[::10, lost.columns.get_loc("audio")] = b"RIFF, and then nothing"
print("commands by four callers who were not heard before\n")
print(f"{'accuracy':<32}{'sound':>8}{'dialogue':>10}{'fused':>8}")
for title, table in (("all there", X[test]), ("30 % missing, 10 % broken", lost)):
    alone = table.assign(question=None), table.assign(audio=None), table
    scores = [search.score(part, y[test]) for part in alone]
    print(f"{title:<32}{scores[0]:>8.3f}{scores[1]:>10.3f}{scores[2]:>8.3f}")

heard = search.predict(X[test].assign(question=None)) != y[test]
asked = search.predict(X[test]) == y[test]
row = X[test][heard & asked].iloc[0]
print(f"\nasked {row['question']!r},")
without = search.predict(row.to_frame().T.assign(question=None))[0]
print(f"the caller said {y[row.name]}; the sound alone was taken for {without}.")
