"""One line on each task: its score and time, beside the best pipeline made by hand.

python -m benchmarks.bench_one_line [task ...]

The data home (SKLEARN_MM_DATA) must hold the sets of benchmarks/tasks.py.
"""

import sys
import time
import warnings

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import get_scorer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from skrub import tabular_pipeline

from benchmarks.tasks import TASKS
from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    ColorHistogramEncoder,
    HOGEncoder,
    ImageLoader,
    MultimodalStackingRegressor,
    MultimodalVotingClassifier,
    SequenceStatistics,
    TextVectorizer,
    VectorStacker,
    multimodal_pipeline,
)

warnings.simplefilter("ignore")


def linear(C=1.0, *encoders):
    """Encoders, scaled, and logistic regression."""
    model = LogisticRegression(C=C, max_iter=1000)
    return make_pipeline(*encoders, SimpleImputer(), StandardScaler(), model)


def vote(**members):
    """Vote by the product rule, with weights that are learned."""
    specs = [(name, model, name) for name, model in members.items()]
    return MultimodalVotingClassifier(specs, voting="product", weights="learned")


def digits():
    """HOG and statistics of three segments, as the other benchmarks have them."""
    audio = linear(0.01, AudioLoader(8000), AudioStatistics(8000, 13, n_segments=3))
    return vote(image=linear(0.01, ImageLoader(), HOGEncoder()), audio=audio)


def sentiment():
    """The published features, a support vector machine each on those of text."""
    scaled = make_pipeline(VectorStacker(), StandardScaler(), SVC(probability=True))
    names = ("text_cnn", "audio_opensmile", "video_3dcnn")
    return vote(**dict.fromkeys(names, scaled))


def reviews():
    """tf-idf of both texts, one-hot categories, logistic regression."""
    text, kinds = ["Title", "Review Text"], ["Division Name", "Department Name"]
    numbers = ["Rating", "Age", "Positive Feedback Count"]

    def pick(names, how):
        return FunctionTransformer(lambda X: how(X[names]))

    tfidf = [
        make_pipeline(
            pick(name, lambda column: column.fillna("")),
            TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True),
        )
        for name in text
    ]
    table = [
        make_pipeline(
            pick([*kinds, "Class Name"], lambda frame: frame.fillna("")),
            OneHotEncoder(handle_unknown="ignore"),
        ),
        make_pipeline(pick(numbers, lambda frame: frame), StandardScaler()),
    ]
    model = LogisticRegression(C=3, max_iter=1000)
    return make_pipeline(make_union(*tfidf, *table), model)


def emoji():
    """Gradient and colour histograms, and tf-idf of the name."""
    encode = make_union(HOGEncoder(cell_size=(8, 8)), ColorHistogramEncoder())
    image = linear(0.003, ImageLoader((64, 64), "rgb"), encode)
    text = make_pipeline(TextVectorizer(), LogisticRegression(C=10, max_iter=1000))
    return vote(image=image, annotation=text)


def characters():
    """HOG of the picture, statistics of the strokes."""
    image = linear(0.01, ImageLoader((32, 32)), HOGEncoder(cell_size=(8, 8)))
    return vote(image=image, strokes=linear(1.0, SequenceStatistics()))


def houses():
    """A forest on the table, ridge regression on the photographs, stacked."""
    photos = [
        (
            name,
            make_pipeline(
                ImageLoader((64, 64), "rgb"),
                ColorHistogramEncoder(grid=(2, 2)),
                StandardScaler(),
                RidgeCV(np.logspace(1, 5, 9)),
            ),
            name,
        )
        for name in ("frontal", "bedroom", "bathroom", "kitchen")
    ]
    forest = tabular_pipeline(RandomForestRegressor(300, random_state=0))
    names = ["bedrooms", "bathrooms", "area", "zipcode"]
    return MultimodalStackingRegressor([*photos, ("table", forest, names)])


def emotion():
    """Statistics of the sound alone: the sentences say nothing."""
    audio = linear(0.01, AudioLoader(), AudioStatistics(n_segments=5))
    return MultimodalVotingClassifier([("audio", audio, "audio")])


def series():
    """Statistics of each channel."""
    return vote(series=linear(1.0, SequenceStatistics()))


BY_HAND = {
    "digits": digits,
    "digits_heard": digits,
    "sentiment": sentiment,
    "reviews": reviews,
    "emoji": emoji,
    "characters": characters,
    "houses": houses,
    "emotion": emotion,
    "motions": series,
    "vowels": series,
}


def measure(task, make_model):
    """Give the mean score over the splits, and the seconds of a fit."""
    scores, seconds = [], []
    for train, test in task.splits:
        model = make_model()
        start = time.perf_counter()
        model.fit(task.X.iloc[train], task.y[train])
        seconds.append(time.perf_counter() - start)
        scorer = get_scorer(task.scoring)
        scores.append(scorer(model, task.X.iloc[test], task.y[test]))
    return np.mean(scores), np.median(seconds)


def main():
    """Print a row for each task."""
    print("| task | score | one line | fit, s | by hand | fit, s | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in sys.argv[1:] or TASKS:
        task = TASKS[name]()
        by_hand, slow = measure(task, BY_HAND[name])
        ours, fast = measure(
            task, lambda kind=task.kind: multimodal_pipeline(kind, random_state=0)
        )
        print(
            f"| {name} | {task.scoring} | {ours:.4f} | {fast:.1f} | {by_hand:.4f} | "
            f"{slow:.1f} | {ours / by_hand:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
