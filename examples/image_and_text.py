"""
Image and text: tell the group of a drawing, and name a drawing by retrieval
============================================================================

Learned here: fusing a drawing with its name to classify it, and one space for both, in
which a drawing without a name is described by the closest names. The drawings are
OpenMoji's; where these are not in the data home, written digits and a few words about
each take their place. All is scored on drawings that were not trained on.
"""

import textwrap
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

import sklearn_mm as mm
from sklearn_mm.datasets import fetch_openmoji, load_av_digits
from sklearn_mm.metrics import recall_at_k

warnings.simplefilter("ignore", mm.AbstentionWarning)

try:
    X, y = fetch_openmoji(download_if_missing=False, return_X_y=True)
except OSError:
    X, y = load_av_digits(return_X_y=True)
    sizes, kinds = ["small", "large"], ["even", "odd"]
    X["annotation"] = [f"{sizes[d // 5]} {kinds[d % 2]} number" for d in y]
X = X[["image", "annotation"]].astype(object)
X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)

look = make_union(mm.HOGEncoder(cell_size=(8, 8)), mm.ColorHistogramEncoder())
look = make_pipeline(mm.ImageLoader((32, 32), color="rgb"), look, StandardScaler())
words = mm.TextVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
image = make_pipeline(look, LogisticRegression(C=0.001, max_iter=1000))
text = make_pipeline(words, LogisticRegression(C=10, max_iter=1000))
model = mm.MultimodalVotingClassifier(
    [("image", image, "image"), ("text", text, "annotation")], voting="product"
).fit(X, y)

rng = np.random.default_rng(0)
lost = X_test.copy()
for column in lost:
    lost.loc[rng.random(len(lost)) < 0.3, column] = None
print(f"{len(X_test)} drawings, {y.nunique()} groups; accuracy\n")
for title, table in {
    "image alone, all texts gone": X_test.assign(annotation=None),
    "text alone, all images gone": X_test.assign(image=None),
    "fused": X_test,
    "fused, 30 % of each missing": lost,
}.items():
    print(f"{title:<32}{model.score(table, y_test):>8.3f}")

estimators = [("image", look, "image"), ("text", words, "annotation")]
aligner = mm.CanonicalAligner(estimators).fit(X)
seen, named = (aligner.transform(X_test, modality=m) for m in ("image", "text"))
right = X_test["annotation"].to_numpy()[:, None] == X_test["annotation"].to_numpy()
print(f"\n{'name a drawing among all':<32}{'recall@1':>8}{'@10':>8}")
tables = {"chance": rng.random(right.shape), "by image": seen @ named.T}
for title, table in tables.items():
    recalls = [recall_at_k(table, right, k=k) for k in (1, 10)]
    print(f"{title:<32}{recalls[0]:>8.3f}{recalls[1]:>8.3f}")

try:
    import matplotlib.pyplot as plt
except ImportError:
    raise SystemExit from None
namer = mm.CrossModalRetriever(aligner, query="image", target="text").fit(X_test)
found = namer.predict(X_test["image"][:10])
pictures = mm.ImageLoader((64, 64), color="rgb").transform(X_test["image"][:10])
figure, axes = plt.subplots(2, 5, figsize=(10, 5.4), layout="constrained")
figure.suptitle("The first ten test drawings, and the closest of all test names")
for axis, picture, name in zip(axes.flat, pictures, found):
    axis.imshow(picture)
    axis.set_title(textwrap.fill(name, 20), fontsize=10)
    axis.axis("off")
plt.show()
