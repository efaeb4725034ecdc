"""AutoGluon's tables, texts as n-grams; a minute for each task. https://auto.gluon.ai"""

import tempfile

from autogluon.tabular import FeatureMetadata, TabularPredictor

from benchmarks.peers.columns import spread_vectors

NAME = "AutoGluon, tables"
REQUIREMENTS = ["autogluon.tabular[lightgbm,catboost,xgboost]"]
CONSTRAINTS = ["torch==2.14.1", "torchvision==0.29.1"]
IMPORT = "autogluon.tabular"
CANNOT = {"digits": "no sound, no pictures"}
WITHOUT = {
    "emoji": ["image"],
    "houses": ["frontal", "bedroom", "bathroom", "kitchen"],
}


class Tabular:
    """A table with its target in it, as the predictor asks for."""

    def __init__(self, metric, **texts):
        self.texts = texts  # short ones, which it takes for categories
        folder = tempfile.mkdtemp()
        self.native = TabularPredictor("target", None, metric, folder, 0)

    def fit(self, X, y):
        table = spread_vectors(X).assign(target=y)
        kinds = FeatureMetadata.from_df(table.drop(columns="target"))
        kinds = kinds.add_special_types(self.texts)
        self.native.fit(table, time_limit=60, num_cpus=2, feature_metadata=kinds)
        return self

    def predict(self, X):
        return self.native.predict(spread_vectors(X)).to_numpy()


def reviews():
    return Tabular("f1")


def emoji():
    return Tabular("accuracy", annotation=["text"])


def sentiment():
    return Tabular("accuracy")


def houses():
    return Tabular("r2")


TASKS = {
    "reviews": reviews,
    "emoji": emoji,
    "houses": houses,
    "sentiment": sentiment,
}
