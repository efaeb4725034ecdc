"""Joint networks and task fusion, beside late and early fusion, on real data.

python -m benchmarks.bench_joint [part ...]

Parts: digits, sentiment, missing, balance, tasks, all by default; and choose, which
shows how the setting of sentiment was found.

Mean and standard deviation over three seeds (five for sentiment), parameters, seconds
to fit. The data home (SKLEARN_MM_DATA) must hold av_digits, clothing_reviews and mosi.
"""

import sys
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.bench_fusion import load_digits
from sklearn_mm import (
    AudioLoader,
    ContextWindow,
    ImageLoader,
    LogMelSpectrogram,
    MultimodalNetClassifier,
    MultimodalStackingClassifier,
    MultimodalVotingClassifier,
    MultitaskNet,
    NetClassifier,
    NetEncoder,
    TextTokenizer,
    TextVectorizer,
    VectorStacker,
)
from sklearn_mm.datasets import fetch_av_digits, get_data_home
from sklearn_mm.nets import AudioCNN, ImageCNN, SequenceRNN, TabularMLP, TextCNN

warnings.simplefilter("ignore")

FUSIONS = (
    "transformer",
    "concat",
    "mean",
    "gated",
    "tensor",
    "low_rank",
    "film",
    "attention",
    "bottleneck",
)


def count_parameters(model):
    """Parameters of a net, or of the networks that a vote has."""
    if hasattr(model, "estimators_"):
        return sum(count_parameters(member[-1]) for member in model.estimators_)
    module = getattr(model, "module_", None)
    return sum(p.numel() for p in module.parameters()) if module is not None else 0


def report(name, model, X, y, train, test, seeds, key="random_state"):
    """Fit with each seed; print a row of the table."""
    scores, seconds = [], []
    for seed in seeds:
        model = clone(model).set_params(**set_seeds(model, seed))
        start = time.perf_counter()
        model.fit(X.iloc[train], y[train])
        seconds.append(time.perf_counter() - start)
        scores.append(model.score(X.iloc[test], y[test]))
    print(
        f"| {name} | {np.mean(scores):.4f} ± {np.std(scores):.4f} | "
        f"{count_parameters(model):,} | {np.median(seconds):.1f} |",
        flush=True,
    )


def set_seeds(model, seed):
    """Give all parameters that are called random_state a seed."""
    names = model.get_params()
    return {n: seed for n in names if n.split("__")[-1] == "random_state"}


def print_head(title):
    print(f"\n{title}\n")
    print("| fusion | accuracy | parameters | fit, s |\n| --- | --- | --- | --- |")


def digits():
    """Files of written and spoken digits, two of the six speakers not heard."""
    X, y = fetch_av_digits(return_X_y=True)
    y = np.asarray(y)
    unheard = X["speaker"].isin(["theo", "lucas"]).to_numpy()
    train, test = np.flatnonzero(~unheard), np.flatnonzero(unheard)
    sound = make_pipeline(AudioLoader(8000), LogMelSpectrogram(8000, n_mels=40))
    parts = {
        "image": (ImageLoader(), ImageCNN, {"n_filters": 16, "n_blocks": 2}),
        "audio": (sound, AudioCNN, {"n_filters": 16, "dropout": 0.2}),
    }
    options = {
        f"backbones__{name}__{option}": value
        for name, (_, _, given) in parts.items()
        for option, value in given.items()
    }
    quick = {"max_epochs": 15, "n_iter_no_change": 4}
    print_head("Written and spoken digits, speakers not heard")
    branches = [(name, t, name) for name, (t, _, _) in parts.items()]
    backbones = {name: b for name, (_, b, _) in parts.items()}
    for fusion in FUSIONS:
        net = MultimodalNetClassifier(
            branches, backbones=backbones, fusion=fusion, **options, **quick
        )
        report(fusion, net, X, y, train, test, range(3))
    members = [
        (
            name,
            make_pipeline(
                loader,
                NetClassifier(
                    backbone, **{f"module__{k}": v for k, v in given.items()}, **quick
                ),
            ),
            name,
        )
        for name, (loader, backbone, given) in parts.items()
    ]
    report_late(members, X, y, train, test, range(3))


def report_late(members, X, y, train, test, seeds):
    """Fuse the same networks late, and each by itself."""
    vote = MultimodalVotingClassifier(members)
    report("late: voting", vote, X, y, train, test, seeds)
    stack = MultimodalStackingClassifier(members, cv=3)
    report("late: stacking", stack, X, y, train, test, seeds)
    for name, *_ in members:
        others = {other: "drop" for other, *_ in members if other != name}
        alone = clone(vote).set_params(**others)
        report(f"{name} alone", alone, X, y, train, test, seeds)


SENTIMENT = {
    "text": "text_cnn",
    "audio": "audio_opensmile",
    "video": "video_3dcnn",
}


def load_sentiment():
    """Utterances: features of text, voice and face, and the published split."""
    home = get_data_home() / "mosi"
    table = pd.read_csv(home / "utterances.csv")
    features = np.load(home / "features.npz")
    X = table[["video_id", "segment"]].copy()
    for column in SENTIMENT.values():
        X[column] = list(features[column])
    part = table["split"].to_numpy()
    return (
        X,
        table["label"].to_numpy(),
        np.flatnonzero(part == "train"),
        np.flatnonzero(part == "test"),
    )


def sentiment():
    """Sentiment of utterances by themselves, and among their neighbours."""
    X, y, train, test = load_sentiment()
    options = {f"backbones__{name}__dropout": 0.5 for name in SENTIMENT}
    options |= {f"backbones__{name}__hidden_sizes": (64,) for name in SENTIMENT}
    branches = [(name, "passthrough", column) for name, column in SENTIMENT.items()]
    backbones = dict.fromkeys(SENTIMENT, TabularMLP)
    print_head("Sentiment, one utterance at a time")
    for fusion in FUSIONS:
        net = MultimodalNetClassifier(
            branches, backbones=backbones, fusion=fusion, **options
        )
        report(fusion, net, X, y, train, test, range(5))
    net = NetClassifier(TabularMLP, module__hidden_sizes=(64,), module__dropout=0.5)
    members = [
        (name, make_pipeline(VectorStacker(), net), column)
        for name, column in SENTIMENT.items()
    ]
    report_late(members, X, y, train, test, range(5))
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    wide = pd.DataFrame(np.hstack([np.stack(X[c]) for c in SENTIMENT.values()]))
    report("early: logistic regression", linear, wide, y, train, test, range(1))
    print_head("Sentiment, with five utterances before and after")
    for fusion in FUSIONS:
        seeds = range(5 if fusion == "concat" else 3)
        report(fusion, make_context_net(fusion), X, y, train, test, seeds)


def make_context_net(fusion, k=5):
    """Take each modality's utterances around one as a sequence.

    The features were learned from the labels of the training part, which they tell
    almost without error, so that nothing can be chosen by cross-validation on them.
    Window and weight decay were chosen on the training part by features of the
    transcripts that were learned, fold by fold, from the other videos' labels.
    """
    near = ContextWindow("video_id", order="segment", before=k, after=k)
    given = {"bidirectional": True, "pooling": k, "hidden_size": 32}
    return MultimodalNetClassifier(
        [
            (name, near, ["video_id", "segment", column])
            for name, column in SENTIMENT.items()
        ],
        backbones=dict.fromkeys(SENTIMENT, SequenceRNN),
        fusion=fusion,
        optimizer__weight_decay=0.06,
        **{f"backbones__{n}__{key}": v for n in SENTIMENT for key, v in given.items()},
    )


def choose():
    """Choose window and weight decay for ``sentiment`` on its training part alone.

    In each fold a network learns vectors of the transcripts from the other videos'
    labels: like the published features they tell the labels that they were learned
    from, and less about others.
    """
    X, y, train, _ = load_sentiment()
    X, y = X.iloc[train].reset_index(drop=True), y[train]
    table = pd.read_csv(get_data_home() / "mosi" / "utterances.csv")
    words = TextVectorizer(analyzer="char_wb", ngram_range=(2, 5), sparse_output=False)
    words = 10 * words.fit_transform(table["text"].fillna("").str.lower()[train])
    folds = GroupKFold(5, shuffle=True, random_state=0).split(X, y, X["video_id"])
    encoded = []
    for seed, (fit, held) in enumerate(folds):
        encoder = NetEncoder(
            TabularMLP,
            module__hidden_sizes=(100,),
            module__dropout=0.5,
            optimizer__weight_decay=1e-4,
            early_stopping=False,
            max_epochs=30,
            random_state=seed,
        ).fit(words[fit], y[fit])
        encoded.append((fit, held, list(encoder.transform(words))))
    print("\n| window | weight decay | accuracy |\n| --- | --- | --- |")
    for k in (2, 5, 10):
        for decay in (0.0, 0.01, 0.03, 0.06, 0.1):
            net = make_context_net("concat", k).set_params(
                audio="drop",
                video="drop",
                optimizer__weight_decay=decay,
                random_state=0,
            )
            scores = [
                clone(net)
                .fit(X.assign(text_cnn=vectors).iloc[fit], y[fit])
                .score(X.assign(text_cnn=vectors).iloc[held], y[held])
                for fit, held, vectors in encoded
            ]
            print(f"| {k} | {decay} | {np.mean(scores):.4f} |", flush=True)


def missing():
    """Accuracy with a share of each modality missing in training and prediction."""
    X, y, parts, speakers = load_digits()
    fold = GroupShuffleSplit(1, test_size=0.34, random_state=0)
    train, test = next(fold.split(X, y, speakers))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    members = [(name, model, columns) for name, columns in parts.items()]
    branches = [(name, "passthrough", columns) for name, columns in parts.items()]
    backbones = dict.fromkeys(parts, TabularMLP)
    options = {f"backbones__{name}__dropout": 0.5 for name in parts}
    models = {"voting": MultimodalVotingClassifier(members)}
    for fusion in ("transformer", "concat", "mean", "gated"):
        for share in (0.0, 0.3):
            models[f"{fusion}, modality dropout {share:.0%}"] = MultimodalNetClassifier(
                branches,
                backbones=backbones,
                fusion=fusion,
                modality_dropout=share,
                random_state=0,
                **options,
            )
    cases = [(0.0, "both")]
    cases += [(s, w) for s in (0.3, 0.5, 0.7) for w in ("prediction", "both")]
    tables = []
    for share, where in cases:
        rng = np.random.default_rng(0)
        gaps = X.copy()
        for columns in parts.values():
            lost = np.flatnonzero(rng.random(len(X)) < share)
            lost = np.intersect1d(lost, test) if where == "prediction" else lost
            gaps[lost, columns] = np.nan
        tables.append(gaps)
    print("\nMissing modalities\n\n| fusion |", end="")
    print("".join(f" {share:.0%} {where} |" for share, where in cases))
    print("| --- |" + " --- |" * len(cases))
    for name, model in models.items():
        scores = [
            clone(model).fit(table[train], y[train]).score(table[test], y[test])
            for table in tables
        ]
        print(f"| {name} |" + "".join(f" {s:.3f} |" for s in scores), flush=True)


def balance():
    """What gradient modulation does where one modality leads."""
    X, y, parts, speakers = load_digits()
    fold = GroupShuffleSplit(1, test_size=0.34, random_state=0)
    train, test = next(fold.split(X, y, speakers))
    branches = [(name, "passthrough", columns) for name, columns in parts.items()]
    backbones = dict.fromkeys(parts, TabularMLP)
    table = pd.DataFrame(X)
    print_head("Gradient modulation and auxiliary losses, digits as vectors")
    for name, given in {
        "concat": {},
        "concat, ogm": {"balance": "ogm"},
        "concat, ogm with noise": {"balance": "ogm", "balance__noise": True},
        "concat, auxiliary loss": {"auxiliary_loss": 1.0},
    }.items():
        net = MultimodalNetClassifier(
            branches, backbones=backbones, fusion="concat", **given
        )
        report(name, net, table, y, train, test, range(3))


def tasks():
    """Whether a second task helps: few labels of one, many of others."""
    table = pd.read_csv(get_data_home() / "clothing_reviews" / "reviews.csv.gz")
    table = table.dropna(subset=["Review Text"]).sample(5000, random_state=0)
    targets = {"recommended": "Recommended IND", "department": "Department Name"}
    targets["stars"] = "Rating"
    y = table[list(targets.values())].set_axis(list(targets), axis=1)
    y = y.astype({"stars": float}).reset_index(drop=True)
    X = table[["Review Text"]].reset_index(drop=True)
    rows = np.arange(len(X))
    train, test = train_test_split(rows, test_size=2000, random_state=0)
    print("\nTasks: accuracy, R2 of stars, three seeds\n")
    print("| labels of recommended | tasks | weights | recommended | fit, s |")
    print("| --- | --- | --- | --- | --- |")
    text = TextTokenizer(max_length=60, max_tokens=3000)
    small = {"backbones__text__n_filters": 32, "backbones__text__embedding_dim": 50}
    for n_labels in (200, 1000):
        few = y.copy()
        few.loc[train[n_labels:], "recommended"] = np.nan
        for names, weights in (
            (["recommended"], None),
            (["recommended", "stars"], None),
            (["recommended", "stars"], "uncertainty"),
            (["recommended", "stars"], "gradnorm"),
            (["recommended", "department"], None),
            (list(targets), None),
        ):
            net = MultitaskNet(
                [("text", text, "Review Text")],
                backbones={"text": TextCNN},
                fusion="concat",
                task_kinds={"stars": "regression"} if "stars" in names else None,
                task_weights=weights,
                n_iter_no_change=3,
                **small,
            )
            known = train if len(names) > 1 else train[:n_labels]
            report_task(net, X, few[names], y[names], known, test, n_labels)


def report_task(net, X, few, y, train, test, n_labels):
    scores, seconds = [], []
    for seed in range(3):
        net = clone(net).set_params(random_state=seed)
        start = time.perf_counter()
        net.fit(X.iloc[train], few.iloc[train])
        seconds.append(time.perf_counter() - start)
        scores.append(net.score_by_task(X.iloc[test], y.iloc[test])["recommended"])
    print(
        f"| {n_labels} | {', '.join(y)} | {net.task_weights or 'equal'} | "
        f"{np.mean(scores):.3f} ± {np.std(scores):.3f} | {np.median(seconds):.1f} |",
        flush=True,
    )


def main():
    everything = ("digits", "sentiment", "missing", "balance", "tasks")
    for name in sys.argv[1:] or everything:
        globals()[name]()


if __name__ == "__main__":
    main()
