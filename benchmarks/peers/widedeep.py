"""pytorch-widedeep: a network for each kind of column, trained together.

https://pytorch-widedeep.readthedocs.io
"""

import numpy as np
from pytorch_widedeep import Trainer
from pytorch_widedeep.models import BasicRNN, TabMlp, Vision, WideDeep
from pytorch_widedeep.preprocessing import (
    ImagePreprocessor,
    TabPreprocessor,
    TextPreprocessor,
)

from benchmarks.peers.columns import spread_vectors

NAME = "pytorch-widedeep"
REQUIREMENTS = ["pytorch-widedeep"]
CONSTRAINTS = ["torch==2.14.1", "torchvision==0.29.1"]
IMPORT = "pytorch_widedeep"
CANNOT = {"digits": "no sound"}
WITHOUT = {"houses": ["bedroom", "bathroom", "kitchen"]}


class Wide:
    """Preprocessors, networks and the trainer, from one table to predictions."""

    native = Trainer

    def __init__(self, text=None, image=None, kinds=(), spread=False, epochs=10):
        self.text, self.image, self.kinds = text, image, [*kinds]
        self.spread, self.epochs = spread, epochs

    def fit(self, X, y):
        X = self.prepare(X)
        numbers = X.select_dtypes("number").columns.tolist()
        self.preprocessors, parts, networks = {}, {}, {}
        if numbers or self.kinds:
            tab = TabPreprocessor(self.kinds or None, numbers or None, scale=True)
            parts["X_tab"] = tab.fit_transform(X)
            networks["deeptabular"] = TabMlp(
                column_idx=tab.column_idx,
                cat_embed_input=tab.cat_embed_input if self.kinds else None,
                continuous_cols=numbers or None,
            )
            self.preprocessors["X_tab"] = tab
        if self.text:
            text = TextPreprocessor(self.text, min_freq=2, verbose=0)
            parts["X_text"] = text.fit_transform(X)
            networks["deeptext"] = BasicRNN(len(text.vocab.itos), 64, n_layers=1)
            self.preprocessors["X_text"] = text
        if self.image:
            image = ImagePreprocessor(self.image, "", 64, 64, verbose=0)
            parts["X_img"] = image.fit_transform(X)
            networks["deepimage"] = Vision(channel_sizes=[32, 64, 128])
            self.preprocessors["X_img"] = image
        is_regression = np.issubdtype(y.dtype, np.floating)
        self.classes, target = np.unique(y, return_inverse=True)
        self.classes = None if is_regression else self.classes
        outputs = 1 if is_regression or len(self.classes) == 2 else len(self.classes)
        objective = "binary" if outputs == 1 else "multiclass"
        self.native = Trainer(
            WideDeep(**networks, pred_dim=outputs),
            objective="regression" if is_regression else objective,
            verbose=0,
        )
        self.mean, self.std = (y.mean(), y.std()) if is_regression else (0, 1)
        target = np.float32((y - self.mean) / self.std) if is_regression else target
        options = {"n_epochs": self.epochs, "batch_size": 64}
        self.native.fit(**parts, target=target, **options)
        return self

    def predict(self, X):
        X = self.prepare(X)
        parts = {name: p.transform(X) for name, p in self.preprocessors.items()}
        answers = self.native.predict(**parts, batch_size=256)
        if self.classes is None:
            return answers * self.std + self.mean
        return self.classes[answers.astype(int)]

    def prepare(self, X):
        X = spread_vectors(X) if self.spread else X.copy()
        return X.fillna({name: "" for name in [self.text, *self.kinds] if name})


def reviews():
    return Wide("Review Text", kinds=["Division Name", "Department Name", "Class Name"])


def emoji():
    return Wide("annotation", "image")


def houses():
    return Wide(image="frontal", kinds=["zipcode"])


def sentiment():
    return Wide("text", spread=True)


TASKS = {
    "reviews": reviews,
    "emoji": emoji,
    "houses": houses,
    "sentiment": sentiment,
}
