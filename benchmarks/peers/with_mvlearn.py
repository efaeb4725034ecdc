"""mvlearn: generalised canonical correlations of views. https://mvlearn.github.io"""

import numpy as np
from mvlearn.embed import GCCA
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from benchmarks.peers.columns import stack_vectors

NAME = "mvlearn"
REQUIREMENTS = ["mvlearn", "pandas"]
IMPORT = "mvlearn"
CANNOT = {
    "reviews": "vectors only",
    "digits": "vectors only",
    "emoji": "vectors only",
    "houses": "vectors only",
}
WITHOUT = {"sentiment": ["text"]}


class Views:
    """Logistic regression on what the views of a row have in common."""

    def __init__(self):
        self.native = GCCA(n_components=20)

    def fit(self, X, y):
        views = [stack_vectors(X[name]) for name in X]
        self.scalers = [StandardScaler().fit(view) for view in views]
        vectors = self.native.fit_transform(self.scale(views))
        self.model = LogisticRegression(max_iter=1000).fit(np.hstack([*vectors]), y)
        return self

    def predict(self, X):
        views = self.scale([stack_vectors(X[name]) for name in X])
        return self.model.predict(np.hstack([*self.native.transform(views)]))

    def scale(self, views):
        return [scaler.transform(view) for scaler, view in zip(self.scalers, views)]


TASKS = {"sentiment": Views}
