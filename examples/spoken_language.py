"""
Spoken language understanding: what is said, and how it is meant
================================================================

Learned here: one fusion that fills two slots at once, from a recording and its
transcript. Ten sentences were spoken in seven emotions (EmoDB, real actors): the text
tells the sentence and nothing of the emotion, the voice tells both, not perfectly.
Nobody says which is good for what, and where one is missing the other answers. Where
EmoDB is not in the data home, the package's own digits take its place: the digit is
what is said, and a high or a low voice is how.
"""

import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sklearn_mm as mm
from sklearn_mm.datasets import fetch_emodb, load_av_digits

warnings.simplefilter("ignore", mm.AbstentionWarning)

try:
    X, how = fetch_emodb(download_if_missing=False, return_X_y=True)
    said, unheard = X["sentence"], ["08", "10", "14", "15"]
except OSError:
    X, said = load_av_digits(return_X_y=True)
    X["text"] = "the digit d" + said.astype(str)  # as a word of its own
    is_high = X["speaker"].isin(["anna", "bella", "clara", "diana", "edith", "fiona"])
    how = is_high.map({True: "high", False: "low"})
    unheard = ["derek", "diana", "eric", "edith"]
y = np.column_stack([said, how]).astype(str)
test = X["speaker"].isin(unheard).to_numpy()


def classify_both(C):
    return MultiOutputClassifier(LogisticRegression(C=C, max_iter=1000))


sound = make_pipeline(mm.AudioLoader(16000), mm.AudioStatistics(16000, n_segments=6))
voice = make_pipeline(sound, StandardScaler(), classify_both(0.01))
text = make_pipeline(mm.TextVectorizer(), classify_both(10))
members = [("voice", voice, "audio"), ("text", text, "text")]
rule = mm.ensemble.LogLinearPool(divide_prior=True)
model = mm.MultimodalVotingClassifier(members, voting=rule)
model.fit(X[~test], y[~test])

X_test, y_test = X[test].astype(object), y[test]
lost = X_test.copy()
rng = np.random.default_rng(0)
for column in ("audio", "text"):
    lost.loc[rng.random(len(lost)) < 0.3, column] = None
print(f"{len(y_test)} utterances by {len(unheard)} speakers not heard before\n")
print(f"{'accuracy':<32}{'said':>8}{'how':>8}{'both':>8}")
for title, table in {
    "voice alone, all texts gone": X_test.assign(text=None),
    "text alone, all sounds gone": X_test.assign(audio=None),
    "fused": X_test,
    "fused, 30 % of each missing": lost,
}.items():
    right = model.predict(table) == y_test
    scores = [*right.mean(axis=0), right.all(axis=1).mean()]
    print(f"{title:<32}" + "".join(f"{score:>8.3f}" for score in scores))

try:
    import matplotlib.pyplot as plt
except ImportError:
    raise SystemExit from None
look = {"normalize": "true", "values_format": ".0%", "cmap": "Blues"}
pair = y_test[:, 1], model.predict(X_test)[:, 1]
display = ConfusionMatrixDisplay.from_predictions(*pair, **look, colorbar=False)
display.ax_.set(title="How it is meant", xlabel="understood", ylabel="meant")
display.figure_.autofmt_xdate()
display.figure_.tight_layout()
plt.show()
