"""AutoGluon's fine-tuning of networks for pictures and text. https://auto.gluon.ai"""

import tempfile

from autogluon.multimodal import MultiModalPredictor

from benchmarks.peers.columns import spread_vectors

NAME = "AutoGluon, MultiModal"
REQUIREMENTS = ["autogluon.multimodal"]
CONSTRAINTS = ["torch==2.13.0"]
IMPORT = "autogluon.multimodal"
CANNOT = {"digits": "no sound"}


class MultiModal:
    """A table with its target in it, as the predictor asks for."""

    def __init__(self):
        self.native = MultiModalPredictor(label="target", path=tempfile.mkdtemp())

    def fit(self, X, y):
        self.native.fit(spread_vectors(X).assign(target=y), time_limit=300)
        return self

    def predict(self, X):
        return self.native.predict(spread_vectors(X)).to_numpy()


TASKS = {
    "reviews": MultiModal,
    "emoji": MultiModal,
    "houses": MultiModal,
    "sentiment": MultiModal,
}
