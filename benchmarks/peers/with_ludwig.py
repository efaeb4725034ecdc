"""Ludwig: networks for all kinds of columns, by a configuration. https://ludwig.ai"""

import logging
import tempfile

import numpy as np
from ludwig.api import LudwigModel

NAME = "Ludwig"
REQUIREMENTS = ["ludwig", "torchcodec"]  # which it reads sounds by
CONSTRAINTS = ["torch==2.14.1", "torchvision==0.29.1"]
IMPORT = "ludwig.api"


class Declared:
    """A model of a configuration, with the target in the table."""

    def __init__(self, target="category", **kinds):
        self.target = target
        inputs = [{"name": name, "type": kind} for name, kind in kinds.items()]
        config = {
            "input_features": inputs,
            "output_features": [{"name": "target", "type": target}],
            "trainer": {"epochs": 10, "batch_size": 64},
        }
        self.native = LudwigModel(config, logging_level=logging.ERROR)

    def fit(self, X, y):
        kinds = ("description", "statistics")
        skip = [f"training_{kind}" for kind in kinds]
        skip = [*skip, "model", "progress", "log", "processed_input"]
        self.native.train(
            dataset=as_words(X).assign(target=y),
            output_directory=tempfile.mkdtemp(),
            **{f"skip_save_{what}": True for what in skip},
        )
        return self

    def predict(self, X):
        answers, _ = self.native.predict(dataset=as_words(X))
        answers = answers["target_predictions"].to_numpy()
        return answers if self.target == "number" else [as_label(a) for a in answers]


def as_words(X):
    """Vectors as the texts that a configuration reads."""
    X = X.copy()
    for name in X:
        if isinstance(X[name].iloc[0], np.ndarray):
            X[name] = [v if v is None else " ".join(map(str, v)) for v in X[name]]
    return X


def as_label(answer):
    """Numbers that came back as texts."""
    return int(answer) if str(answer).lstrip("-").isdigit() else answer


def reviews():
    names = ["Division Name", "Department Name", "Class Name"]
    numbers = ["Rating", "Age", "Positive Feedback Count"]
    texts = ["Title", "Review Text"]
    kinds = dict.fromkeys(names, "category") | dict.fromkeys(numbers, "number")
    return Declared(**kinds, **dict.fromkeys(texts, "text"))


def digits():
    return Declared(image="image", audio="audio")


def emoji():
    return Declared(image="image", annotation="text")


def houses():
    photos = dict.fromkeys(["frontal", "bedroom", "bathroom", "kitchen"], "image")
    numbers = dict.fromkeys(["bedrooms", "bathrooms", "area"], "number")
    return Declared("number", zipcode="category", **numbers, **photos)


def sentiment():
    names = ["text_cnn", "audio_opensmile", "video_3dcnn"]
    return Declared(text="text", **dict.fromkeys(names, "vector"))


TASKS = {
    "reviews": reviews,
    "digits": digits,
    "emoji": emoji,
    "houses": houses,
    "sentiment": sentiment,
}
