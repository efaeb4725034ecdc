"""Search images by audio: two modalities in one space, learned from pairs alone.

Written and spoken digits, which come with the package; no label is used in training.
Queries and targets are of four of the twelve voices, which are unseen in training. Then
the same space classifies images by spoken examples of each class.
"""

import numpy as np
from sklearn.pipeline import make_pipeline

from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    CanonicalAligner,
    ContrastiveAligner,
    CrossModalRetriever,
    HOGEncoder,
    ImageLoader,
    ZeroShotClassifier,
)
from sklearn_mm.datasets import load_av_digits
from sklearn_mm.metrics import mean_average_precision, recall_at_k
from sklearn_mm.nets import TabularMLP

X, y = load_av_digits(return_X_y=True)
test = X["speaker"].isin(["derek", "diana", "eric", "edith"])
X_test, y_test = X[test], y[test].to_numpy()

image = make_pipeline(ImageLoader((16, 16)), HOGEncoder())
audio = make_pipeline(
    AudioLoader(8000, on_error="missing"), AudioStatistics(8000, n_segments=3)
)
linear = CanonicalAligner([("image", image, "image"), ("audio", audio, "audio")])
network = ContrastiveAligner(
    [("image", image, "image"), ("audio", audio, "audio")],
    backbones={"image": TabularMLP, "audio": TabularMLP},
    max_epochs=60,
    batch_size=64,
    random_state=0,
)

print("200 images searched by audio; any image of the same digit is relevant\n")
print(f"{'':<22}{'recall@1':>10}{'recall@5':>10}{'mAP':>8}")
relevant = y_test[:, None] == y_test
chance = np.random.default_rng(0).random(relevant.shape)
tables = {"chance": chance}
for name, aligner in (("CanonicalAligner", linear), ("ContrastiveAligner", network)):
    aligner.fit(X[~test])
    queries = aligner.transform(X_test, modality="audio")
    tables[name] = queries @ aligner.transform(X_test, modality="image").T
for name, similarity in tables.items():
    recalls = [recall_at_k(similarity, relevant, k=k) for k in (1, 5)]
    precision = mean_average_precision(similarity, relevant)
    print(f"{name:<22}{recalls[0]:>10.3f}{recalls[1]:>10.3f}{precision:>8.3f}")

retriever = CrossModalRetriever(linear, query="audio", target="image").fit(X_test)
queries = [X_test["audio"].iloc[0], b"RIFF, and then nothing", None]
found = retriever.kneighbors(queries, 5, return_distance=False)
print(f"\nnearest to a spoken {y_test[0]}:", y_test[found[0]])
print("nearest to a broken file, and to a missing cell:", found[1], found[2])

spoken = {digit: X["audio"][~test][y[~test] == digit].tolist() for digit in range(10)}
zero_shot = ZeroShotClassifier(linear, labels=spoken, query="image", target="audio")
score = zero_shot.fit().score(X_test, y_test)
print(f"\nzero-shot accuracy of images, by spoken descriptions: {score:.3f}")
