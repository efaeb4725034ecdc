"""skrub's one line for tables. https://skrub-data.org"""

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skrub import tabular_pipeline

from benchmarks.peers.columns import spread_vectors

NAME = "skrub"
REQUIREMENTS = ["skrub"]
IMPORT = "skrub"
CANNOT = {"digits": "no sound, no pictures"}
WITHOUT = {
    "emoji": ["image"],
    "houses": ["frontal", "bedroom", "bathroom", "kitchen"],
}


def classifier():
    return tabular_pipeline("classifier")


def regressor():
    return tabular_pipeline("regressor")


def sentiment():
    return make_pipeline(FunctionTransformer(spread_vectors), classifier())


TASKS = {
    "reviews": classifier,
    "emoji": classifier,
    "houses": regressor,
    "sentiment": sentiment,
}
