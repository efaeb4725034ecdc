"""This package's one line, the same for every task."""

from sklearn_mm import multimodal_pipeline

NAME = "sklearn_mm"
REQUIREMENTS = ["."]
IMPORT = "sklearn_mm.compose"  # what the import above loads


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
