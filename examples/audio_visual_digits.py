"""Recognise digits that are seen and heard, also where one of the two is missing.

Learned here: one column per modality, an encoder and a classifier for each, their
fusion by vote, what happens to missing cells and broken files, tuning, and saving.

    python examples/audio_visual_digits.py          # digits that come with the package
    python examples/audio_visual_digits.py --real   # recordings of people, downloaded
"""

import subprocess
import sys
import tempfile
import warnings

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mm import AudioLoader, AudioStatistics, HOGEncoder, ImageLoader
from sklearn_mm.datasets import fetch_av_digits, load_av_digits
from sklearn_mm.ensemble import MultimodalVotingClassifier
from sklearn_mm.exceptions import AbstentionWarning

image = make_pipeline(
    ImageLoader(size=(28, 28), on_error="missing"),
    HOGEncoder(cell_size=(7, 7)),
    LogisticRegression(C=0.1, max_iter=1000),
)
audio = make_pipeline(
    AudioLoader(sampling_rate=8000, on_error="missing"),
    AudioStatistics(sampling_rate=8000, n_mfcc=13, n_segments=3),
    StandardScaler(),
    LogisticRegression(C=0.01, max_iter=1000),
)
fusion = MultimodalVotingClassifier(
    [("image", image, "image"), ("audio", audio, "audio")]
)

load = fetch_av_digits if "--real" in sys.argv else load_av_digits
X, y = load(return_X_y=True)
speaker = X["speaker"]

rng = np.random.default_rng(0)
damaged = X.astype(object)
for column in ("image", "audio"):
    damaged.loc[rng.random(len(X)) < 0.3, column] = None
broken = damaged.index[damaged["audio"].notna()][:3]
damaged.loc[broken, "audio"] = [b"RIFF", b"OggS\0", "nowhere.wav"]
# Of some rows nothing is left, and they get the classes' frequencies, as expected.
warnings.simplefilter("ignore", AbstentionWarning)

print(f"{len(X)} digits, {speaker.nunique()} speakers, tested on speakers not heard\n")
print(f"{'accuracy':<28}{'image':>8}{'audio':>8}{'fused':>8}", flush=True)
for title, table in (("complete", X), ("30 % missing, 3 broken", damaged)):
    print(f"{title:<28}", end="", flush=True)
    for without in ({"audio": "drop"}, {"image": "drop"}, {}):
        model = MultimodalVotingClassifier(fusion.estimators).set_params(**without)
        folds = {"groups": speaker, "cv": GroupKFold(4), "n_jobs": 2}
        print(f"{cross_val_score(model, table, y, **folds).mean():>8.3f}", end="")
        sys.stdout.flush()
    print()

grid = {"image__logisticregression__C": [0.1, 1], "weights": [[1, 1], [2, 1]]}
search = GridSearchCV(fusion, grid, cv=GroupKFold(3), n_jobs=2, verbose=1)
search.fit(damaged, y, groups=speaker)
print(f"best of the grid: {search.best_score_:.3f} with {search.best_params_}")

with tempfile.NamedTemporaryFile(suffix=".joblib") as file:
    joblib.dump((search.best_estimator_, damaged), file.name)
    code = "import joblib, sys; model, X = joblib.load(sys.argv[1]); "
    code += "joblib.dump(model.predict_proba(X), sys.argv[1])"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, file.name], check=True)
    same = np.array_equal(joblib.load(file.name), search.predict_proba(damaged))
print(f"saved, and loaded by a fresh process, it predicts the same: {same}")
