"""One network over images and sounds, and what it does when one of them is missing.

Shows MultimodalNetClassifier: branches, ways to fuse, modality dropout, a grid search.
It takes about a minute on two cores.
"""

from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_mm import (
    AudioLoader,
    ImageLoader,
    LogMelSpectrogram,
    MultimodalNetClassifier,
)
from sklearn_mm.datasets import load_av_digits
from sklearn_mm.nets import AudioCNN, ImageCNN

X, y = load_av_digits(return_X_y=True)
test = X["speaker"].isin(["derek", "diana", "eric", "edith"])

sound = make_pipeline(AudioLoader(8000), LogMelSpectrogram(8000, n_mels=20))
net = MultimodalNetClassifier(
    [
        ("image", ImageLoader(), "image"),
        ("sound", sound, "audio"),
    ],
    backbones={"image": ImageCNN, "sound": AudioCNN},
    backbones__image__n_filters=8,
    backbones__sound__n_filters=8,
    max_epochs=30,
    random_state=0,
)

lost = X[test].astype(object)
lost.iloc[::3, 0] = None  # a third of the images and a third of the sounds are gone
lost.iloc[1::3, 1] = None

print(f"{'fusion':<32}{'complete':>10}{'a third of each missing':>26}")
for fusion in ("transformer", "concat", "gated"):
    for share in (0.0, 0.3):
        net.set_params(fusion=fusion, modality_dropout=share).fit(X[~test], y[~test])
        title = f"{fusion}, modality dropout {share}"
        complete, gaps = net.score(X[test], y[test]), net.score(lost, y[test])
        print(f"{title:<32}{complete:>10.3f}{gaps:>26.3f}")

grid = {"fusion": ["concat", "mean"], "backbones__sound__n_blocks": [2, 3]}
search = GridSearchCV(net.set_params(max_epochs=5), grid, cv=2, n_jobs=2)
search.fit(X[~test], y[~test])
print(f"best of the grid: {search.best_score_:.3f} with {search.best_params_}")
