"""What fusing costs, what it brings when modalities are missing, and the guard.

python -m benchmarks.bench_fusion [part ...]

Parts: weights, overhead, missing, guard, pairs, labels; all by default.

The data home (SKLEARN_MM_DATA) must hold av_digits, emodb and houses.
"""

import sys
import warnings

import numpy as np
import pandas as pd
from scipy.optimize import minimize
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

from benchmarks.harness import compare
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
from sklearn_mm.ensemble._weights import (
    learn_weights,
    log_loss_of,
    make_pool_objective,
)

warnings.simplefilter("ignore")


def weights():
    """Learn the weights of 5 modalities from 100,000 rows of 10 classes."""
    rng = np.random.default_rng(0)
    y = rng.integers(10, size=100_000)
    logits = rng.normal(size=(5, len(y), 10))
    strength = np.array([0.2, 0.5, 1.0, 1.5, 2.0])
    logits[:, np.arange(len(y)), y] += strength[:, None]
    answers = np.exp(logits)
    answers /= answers.sum(axis=2, keepdims=True)
    some = answers.copy()
    some[rng.random(some.shape[:2]) < 0.3] = np.nan

    def by_hand():
        def loss(weights):
            fused = np.tensordot(weights, answers, 1)
            return -np.log(fused[np.arange(len(y)), y]).mean()

        total = {"type": "eq", "fun": lambda weights: weights.sum() - 1}
        return minimize(loss, np.full(5, 0.2), bounds=[(0, 1)] * 5, constraints=total)

    def ours(answers=answers):
        true = answers[:, np.arange(len(y)), y]
        floor = np.full(len(y), 0.1)
        return learn_weights(make_pool_objective(true, log_loss_of, floor), 5)

    ways = {
        "SLSQP by hand, numeric gradient": by_hand,
        "learned weights": ours,
        "learned weights, 30 % abstain": lambda: ours(some),
    }
    compare("weights, ms in all", ways, 1)
    print(f"gap to the optimum: {ours()[1]:.1e}")


def load_digits():
    """Vectors of written and spoken digits, encoded once."""
    X, y = fetch_av_digits(return_X_y=True)
    image = make_pipeline(ImageLoader(), HOGEncoder()).fit_transform(X["image"])
    audio = make_pipeline(
        AudioLoader(8000), AudioStatistics(8000, 13, n_segments=3)
    ).fit_transform(X["audio"])
    parts = {"image": slice(0, image.shape[1]), "audio": slice(image.shape[1], None)}
    return np.hstack([image, audio]), np.asarray(y), parts, X["speaker"].to_numpy()


def overhead():
    """Fit and predict a vote, against its members one after the other."""
    X, y, parts, _ = load_digits()
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    members = [(name, model, columns) for name, columns in parts.items()]
    compare_members("vectors", members, X, y, lambda columns: X[:, columns])
    X, y = fetch_av_digits(return_X_y=True)
    image = make_pipeline(ImageLoader(), HOGEncoder(), clone(model))
    audio = make_pipeline(AudioLoader(8000), AudioStatistics(8000, 13), clone(model))
    members = [("image", image, "image"), ("audio", audio, "audio")]
    compare_members("files", members, X, y, lambda column: X[column])


def compare_members(title, members, X, y, select):
    fusion = MultimodalVotingClassifier(members).fit(X, y)
    fitted = list(zip(fusion.estimators_, members))
    compare(
        f"fit, {len(X)} rows of {title}",
        {
            "the members": lambda: [
                clone(model).fit(select(columns), y) for _, model, columns in members
            ],
            "voting": lambda: fusion.fit(X, y),
        },
        len(X),
    )
    compare(
        f"predict_proba, {len(X)} rows of {title}",
        {
            "the members": lambda: [
                model.predict_proba(select(columns))
                for model, (_, _, columns) in fitted
            ],
            "voting": lambda: fusion.predict_proba(X),
        },
        len(X),
        repeats=9,
    )


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
    everything = ("weights", "overhead", "missing", "guard", "pairs", "labels")
    for name in sys.argv[1:] or everything:
        globals()[name]()


if __name__ == "__main__":
    main()
