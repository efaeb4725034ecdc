"""What fusing brings when modalities are missing, and what the guard does.

python -m benchmarks.bench_fusion [part ...]

Parts: missing, guard, pairs, labels; all by default.

The data home (SKLEARN_MM_DATA) must hold av_digits, emodb and houses.
"""

import sys
import warnings

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import (
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    ColorHistogramEncoder,
    CoTrainingClassifier,
    HOGEncoder,
    ImageLoader,
    MultimodalStackingClassifier,
    MultimodalStackingRegressor,
    MultimodalVotingClassifier,
    MultimodalVotingRegressor,
    TextVectorizer,
)
from sklearn_mm.datasets import fetch_av_digits, get_data_home

warnings.simplefilter("ignore")


def load_digits():
    """Vectors of written and spoken digits, encoded once."""
    X, y = fetch_av_digits(return_X_y=True)
    image = make_pipeline(ImageLoader(), HOGEncoder()).fit_transform(X["image"])
    audio = make_pipeline(
        AudioLoader(8000), AudioStatistics(8000, 13, n_segments=3)
    ).fit_transform(X["audio"])
    parts = {"image": slice(0, image.shape[1]), "audio": slice(image.shape[1], None)}
    return np.hstack([image, audio]), np.asarray(y), parts, X["speaker"].to_numpy()


def missing():
    """Accuracy with a share of each modality missing, speakers not heard."""
    X, y, parts, speakers = load_digits()
    fold = GroupShuffleSplit(1, test_size=0.34, random_state=0)
    train, test = next(fold.split(X, y, speakers))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    members = [(name, model, columns) for name, columns in parts.items()]
    fusions = {
        "voting": MultimodalVotingClassifier(members),
        "voting, learned": MultimodalVotingClassifier(members, weights="learned"),
        "voting, confidence": MultimodalVotingClassifier(members, weights="confidence"),
        "product, learned": MultimodalVotingClassifier(
            members, voting="product", weights="learned"
        ),
        "stacking": MultimodalStackingClassifier(members),
    }
    for name in parts:  # alone, with the class frequencies where it is absent
        others = {other: "drop" for other in parts if other != name}
        fusions[f"{name} alone"] = MultimodalVotingClassifier(members).set_params(
            **others
        )
    print("| missing | where |", " | ".join(fusions), "|")
    print("| --- | --- |", " | ".join("---" for _ in fusions), "|")
    for share in (0.0, 0.3, 0.5, 0.7):
        for where in ("both",) if share == 0 else ("training", "prediction", "both"):
            rng = np.random.default_rng(0)
            gaps = X.copy()
            for columns in parts.values():
                lost = np.flatnonzero(rng.random(len(X)) < share)
                where_lost = {"training": train, "prediction": test}.get(where)
                if where_lost is not None:
                    lost = np.intersect1d(lost, where_lost)
                gaps[lost, columns] = np.nan
            scores = [
                fusion.fit(gaps[train], y[train]).score(gaps[test], y[test])
                for fusion in fusions.values()
            ]
            row = " | ".join(f"{score:.3f}" for score in scores)
            print(f"| {share:.0%} | {where} | {row} |", flush=True)


def report(title, estimator, X, y, train, test):
    """Print scores out of fold, and on the test part with the guard and without."""
    guarded = clone(estimator).set_params(guard=True).fit(X[train], y[train])
    free = clone(estimator).fit(X[train], y[train])
    scores = guarded.unimodal_scores_
    best = max(scores, key=scores.get)
    low, high = guarded.fusion_gain_interval_
    alone = ", ".join(f"{name} {score:.3f}" for name, score in scores.items())
    _, model, columns = next(m for m in estimator.estimators if m[0] == best)
    single = clone(model).fit(X[train][:, columns], y[train])
    print(
        f"| {title} | {alone} | {guarded.fused_score_:.3f} | "
        f"{guarded.fusion_gain_:+.3f} ({low:+.3f} to {high:+.3f}) | "
        f"{free.score(X[test], y[test]):.3f} | {guarded.score(X[test], y[test]):.3f} | "
        f"{single.score(X[test][:, columns], y[test]):.3f} |",
        flush=True,
    )


def guard():
    """Fuse where the text is at chance (emodb), and where the photos tell little."""
    folder = get_data_home() / "emodb"
    table = pd.read_csv(folder / "index.csv")
    audio = make_pipeline(
        AudioLoader(16000, root=folder), AudioStatistics(16000, 20, n_segments=2)
    ).fit_transform(table["audio"])
    text = TextVectorizer(sparse_output=False).fit_transform(table["text_de"])
    X, y = np.hstack([audio, text]), table["emotion"].to_numpy()
    sound = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    words = RandomForestClassifier(200, random_state=0)
    members = [
        ("audio", sound, slice(0, audio.shape[1])),
        ("text", words, slice(audio.shape[1], None)),
    ]
    fold = GroupShuffleSplit(1, test_size=0.3, random_state=0)
    train, test = next(fold.split(X, y, table["speaker"]))
    groups = table["speaker"].to_numpy()
    folds = list(GroupKFold(5).split(X[train], y[train], groups[train]))
    print("| | each, out of fold | fused | gain | test | with guard | best alone |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for title, fusion in (
        ("voting", MultimodalVotingClassifier(members)),
        ("voting, learned", MultimodalVotingClassifier(members, weights="learned")),
        ("stacking", MultimodalStackingClassifier(members)),
    ):
        fusion.set_params(cv=folds)
        report(f"emodb, {title}", fusion, X, y, train, test)
    houses()


def houses():
    """Prices of houses from a table and from photographs."""
    folder = get_data_home() / "houses"
    table = pd.read_csv(folder / "index.csv")
    loader = ImageLoader((96, 96), color="rgb", root=folder)
    photos = np.hstack(
        [
            make_pipeline(loader, ColorHistogramEncoder()).fit_transform(table[room])
            for room in ("frontal", "bedroom", "bathroom", "kitchen")
        ]
    )
    numbers = table[["bedrooms", "bathrooms", "area", "zipcode"]].to_numpy(float)
    X, y = np.hstack([numbers, photos]), np.log(table["price"].to_numpy())
    members = [
        ("table", HistGradientBoostingRegressor(random_state=0), slice(0, 4)),
        ("photos", make_pipeline(StandardScaler(), Ridge(1000)), slice(4, None)),
    ]
    train, test = train_test_split(np.arange(len(y)), test_size=0.3, random_state=0)
    for title, fusion in (
        ("voting", MultimodalVotingRegressor(members)),
        ("voting, learned", MultimodalVotingRegressor(members, weights="learned")),
        ("stacking", MultimodalStackingRegressor(members)),
    ):
        report(f"houses, {title}", fusion, X, y, train, test)


def pairs():
    """Find 5 % of images that were swapped, by the modalities' disagreement."""
    X, y, parts, _ = load_digits()
    train, test = train_test_split(np.arange(len(y)), test_size=0.5, random_state=0)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    members = [(name, model, columns) for name, columns in parts.items()]
    fusion = MultimodalVotingClassifier(members).fit(X[train], y[train])
    mixed = X[test].copy()
    rng = np.random.default_rng(0)
    swapped = rng.choice(len(test), len(test) // 20, replace=False)
    image = parts["image"]
    mixed[swapped, image] = mixed[np.roll(swapped, 1), image]
    wrong = np.zeros(len(test), dtype=bool)
    wrong[swapped] = y[test][swapped] != y[test][np.roll(swapped, 1)]
    found = fusion.disagreement(mixed)
    first = np.argsort(-found)[: wrong.sum()]
    print(
        f"\n{wrong.sum()} of {len(test)} rows hold another digit's image: of the "
        f"{wrong.sum()} rows that disagree most {wrong[first].sum()} are such (area "
        f"under the ROC curve {roc_auc_score(wrong, found):.3f})"
    )


def labels():
    """Train on 5 % of the labels, and co-train with the rest."""
    X, y, parts, _ = load_digits()
    y = y.astype(int)
    train, test = train_test_split(np.arange(len(y)), test_size=0.3, random_state=0)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
    members = [(name, model, columns) for name, columns in parts.items()]
    fusion = MultimodalVotingClassifier(members)
    print("\n| seed | labels | these alone | co-training |\n| --- | --- | --- | --- |")
    for seed in range(3):
        known = np.random.default_rng(seed).random(len(train)) < 0.05
        few = np.where(known, y[train], -1)
        alone = fusion.fit(X[train][known], few[known]).score(X[test], y[test])
        trained = CoTrainingClassifier(fusion).fit(X[train], few)
        score = trained.score(X[test], y[test])
        print(f"| {seed} | {known.sum()} | {alone:.3f} | {score:.3f} |", flush=True)


def main():
    everything = ("missing", "guard", "pairs", "labels")
    for name in sys.argv[1:] or everything:
        globals()[name]()


if __name__ == "__main__":
    main()
