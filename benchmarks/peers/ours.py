"""This package's one line, the same for every task."""

from sklearn_mm import multimodal_pipeline

NAME = "sklearn_mm"
REQUIREMENTS = ["."]
CONSTRAINTS = ["torch==2.13.0"]
IMPORT = "sklearn_mm.pipeline"  # what the import below loads


def classifier():
    return multimodal_pipeline("classifier", random_state=0)


def regressor():
    return multimodal_pipeline("regressor", random_state=0)


TASKS = {
    "reviews": classifier,
    "digits": classifier,
    "emoji": classifier,
    "houses": regressor,
    "sentiment": classifier,
}
