"""One line from any table: what is found in it, and what a missing cell costs.

Images and sounds of digits, which come with the package, and a column of numbers beside
them. Nothing is declared. Then some images are missing and one file is broken.
"""

import warnings

import numpy as np
from sklearn.model_selection import train_test_split

from sklearn_mm import FusionWarning, LoadWarning, multimodal_pipeline
from sklearn_mm.datasets import load_av_digits

warnings.simplefilter("ignore", FusionWarning)

X, y = load_av_digits(return_X_y=True)
X = X[["image", "audio"]].assign(seconds=[len(sound) / 16000 for sound in X["audio"]])
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

model = multimodal_pipeline("classifier", random_state=0).fit(X_train, y_train)
fusion = model[-1]
print("found:", fusion.named_estimators_["all"][0].modalities_)
print("weights:", dict(zip(fusion.named_estimators_, fusion.weights_.round(2))))
print(f"accuracy, all there: {model.score(X_test, y_test):.3f}")

X_less = X_test.astype(object)
rows = np.random.default_rng(0).random(len(X_less)) < 0.3
X_less.loc[rows, "image"] = None
X_less.iloc[0, 1] = b"RIFF, and then nothing"
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", LoadWarning)
    score = model.score(X_less, y_test)
print(f"accuracy, 30 % of the images missing: {score:.3f}")
print("warning:", str(caught[0].message).splitlines()[0])
