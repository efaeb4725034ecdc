"""This package's one line, with the small pretrained models that its extra installs."""

from sklearn_mm import multimodal_pipeline

NAME = "sklearn_mm, pretrained"
REQUIREMENTS = [".[pretrained]"]
IMPORT = "sklearn_mm.compose._pipeline"


def classifier():
    return multimodal_pipeline("classifier", pretrained=True, random_state=0)


def regressor():
    return multimodal_pipeline("regressor", pretrained=True, random_state=0)


TASKS = {
    "reviews": classifier,
    "digits": classifier,
    "emoji": classifier,
    "houses": regressor,
    "sentiment": classifier,
}
