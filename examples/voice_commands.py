"""
Voice commands: what is heard, and what the dialogue makes likely
=================================================================

Learned here: a sound model and a text model multiplied as independent evidence; either
may be missing. A caller answers an automatic service with one spoken digit. The sounds
are recordings of people (FSDD) where these are in the data home, else the package's
synthetic voices; the questions are made up. The test is by voices not heard before.
"""

import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sklearn_mm as mm
from sklearn_mm.datasets import fetch_av_digits, load_av_digits

warnings.simplefilter("ignore", mm.AbstentionWarning)

QUESTIONS = {
    "How many stars do you give us, from one to five?": [1, 2, 3, 4, 5],
    "From one to five, how was your stay with us?": [1, 2, 3, 4, 5],
    "Say zero for help, or nine to hear this again.": [0, 9],
    "For a group of six or more: how many of you are there?": [6, 7, 8, 9],
    "Please say the next digit of your number.": list(range(10)),
}

try:
    X, y = fetch_av_digits(download_if_missing=False, return_X_y=True)
    X, y = X[X["take"] < 20], y[X["take"] < 20]
except OSError:
    X, y = load_av_digits(return_X_y=True)
rng = np.random.default_rng(0)
asked = [rng.choice([q for q, digits in QUESTIONS.items() if d in digits]) for d in y]
X = X[["audio", "speaker"]].assign(question=asked).astype(object)
test = X["speaker"].isin(["lucas", "theo", "derek", "diana", "eric", "edith"])
X_test, y_test = X[test], y[test]
loader = mm.AudioLoader(8000, on_error="missing")
vector = make_pipeline(loader, mm.AudioStatistics(8000, n_segments=3))
vector = mm.CachedEncoder(vector)  # each sound is loaded once in all folds
sound = make_pipeline(vector, StandardScaler(), LogisticRegression(C=0.01))
text = make_pipeline(mm.TextVectorizer(), LogisticRegression(C=10))
members = [("sound", sound, "audio"), ("dialogue", text, "question")]
rule = mm.ensemble.LogLinearPool(divide_prior=True)
command = mm.MultimodalVotingClassifier(members, voting=rule)
grid = {"sound__logisticregression__C": [0.001, 0.01, 0.1]}
search = GridSearchCV(command, grid, cv=GroupKFold(4))
search.fit(X[~test], y[~test], groups=X["speaker"][~test])
lost = X_test.copy()
lost.loc[rng.random(len(lost)) < 0.3, "question"] = None
lost.loc[rng.random(len(lost)) < 0.3, "audio"] = b"RIFF, and then nothing"
print(f"{len(X_test)} commands by callers who were not heard before\n")
print(f"{'accuracy':<28}{'sound':>8}{'dialogue':>10}{'fused':>8}")
for title, table in {"all there": X_test, "30 % missing, 30 % broken": lost}.items():
    alone = table.assign(question=None), table.assign(audio=None), table
    scores = [search.score(part, y_test) for part in alone]
    print(f"{title:<28}{scores[0]:>8.3f}{scores[1]:>10.3f}{scores[2]:>8.3f}")

tables = X_test.assign(question=None), X_test.assign(audio=None), X_test
answers = [search.predict_proba(table) for table in tables]
heard, _, fused = [answer.argmax(axis=1) for answer in answers]
row = np.flatnonzero((heard != y_test) & (fused == y_test))[0]
print(f"\nasked {X_test['question'].iloc[row]!r},")
print(f"the caller said {y_test.iloc[row]}; the sound alone tells {heard[row]}.")

try:
    import matplotlib.pyplot as plt
except ImportError:
    raise SystemExit from None
axis = plt.figure(figsize=(9, 4), layout="constrained").gca()
for i, (name, answer) in enumerate(zip(("sound", "dialogue", "fused"), answers)):
    axis.bar(np.arange(10) + (i - 1) * 0.27, answer[row], 0.27, label=name)
axis.set(xticks=range(10), xlabel="digit", ylabel="probability")
axis.set_title(f"{X_test['question'].iloc[row]}  ({y_test.iloc[row]} was said)")
axis.legend()
plt.show()
