"""Search between modalities: networks, canonical correlations and chance.

python -m benchmarks.bench_retrieval [part ...]

Parts: emoji (drawings and their names), characters (pictures and pen strokes), digits
(pictures and sounds, any of the same digit is relevant), zero_shot, search, memory; all
by default. The data home (SKLEARN_MM_DATA) must hold av_digits, omniglot and openmoji.
"""

import resource
import sys
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from benchmarks.harness import compare
from benchmarks.tasks import read_index
from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    CanonicalAligner,
    ColorHistogramEncoder,
    ContrastiveAligner,
    HOGEncoder,
    ImageLoader,
    LogMelSpectrogram,
    SequenceResampler,
    TextTokenizer,
    TextVectorizer,
    VectorStacker,
    ZeroShotClassifier,
)
from sklearn_mm.alignment import FaissNeighbors
from sklearn_mm.datasets import get_data_home
from sklearn_mm.metrics import mean_average_precision, median_rank, recall_at_k
from sklearn_mm.nets import AudioCNN, ImageCNN, TabularMLP, TextCNN

warnings.simplefilter("ignore")


def print_head(title):
    print(f"\n{title}\n")
    print("| aligner | search | R@1 | R@5 | R@10 | median rank | mAP | fit, s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")


def measure(similarity, relevant):
    recalls = [recall_at_k(similarity, relevant, k=k) for k in (1, 5, 10)]
    rank = median_rank(similarity, relevant)
    return [*recalls, rank, mean_average_precision(similarity, relevant)]


def report(name, aligner, X, train, test, y=None, seeds=(0,)):
    """Fit with each seed; print a row of means for both directions of search."""
    rows, seconds = {}, []
    relevant = None if y is None else y[test][:, None] == y[test]
    for seed in seeds:
        aligner = clone(aligner)
        if "random_state" in aligner.get_params(deep=False):
            aligner.set_params(random_state=seed)
        start = time.perf_counter()
        aligner.fit(X.iloc[train])
        seconds.append(time.perf_counter() - start)
        first, second = aligner.modalities_
        a, b = (aligner.transform(X.iloc[test], name) for name in (first, second))
        rows.setdefault(f"{second} by {first}", []).append(measure(a @ b.T, relevant))
        rows.setdefault(f"{first} by {second}", []).append(measure(b @ a.T, relevant))
    for way, values in rows.items():
        print_row(name, way, np.mean(values, axis=0), np.median(seconds))


def print_row(name, way, values, seconds):
    *recalls, rank, precision = values
    shown = " | ".join(f"{recall:.3f}" for recall in recalls)
    print(
        f"| {name} | {way} | {shown} | {rank:.0f} | {precision:.3f} | {seconds:.1f} |",
        flush=True,
    )


def report_chance(test, y=None):
    relevant = None if y is None else y[test][:, None] == y[test]
    rng = np.random.default_rng(0)
    values = [measure(rng.random((len(test), len(test))), relevant) for _ in range(3)]
    print_row("chance", "", np.mean(values, axis=0), 0)


def load_emoji():
    X = read_index("openmoji", "image").rename(columns={"annotation": "text"})
    rows = np.arange(len(X))
    train, test = train_test_split(
        rows, test_size=0.2, random_state=0, stratify=X.group
    )
    return X, train, test


def describe_pictures():
    color = ColorHistogramEncoder(grid=(2, 2))
    return make_pipeline(ImageLoader((32, 32), "rgb"), make_union(HOGEncoder(), color))


def reduce_texts():
    svd = TruncatedSVD(256, random_state=0)
    return make_pipeline(TextVectorizer(), svd, StandardScaler())


def emoji():
    """Drawings and their names: 1,531 pairs to learn from, 383 to search among."""
    X, train, test = load_emoji()
    print_head("Emoji, drawings and their names, 383 new ones")
    image = ("image", describe_pictures(), "image")
    text = ("text", TextVectorizer(), "text")
    report_chance(test)
    linear = CanonicalAligner([image, text], n_components=128)
    report("CanonicalAligner", linear, X, train, test)
    reduced = [
        (name, make_pipeline(steps, PCA(64, random_state=0)), name)
        for name, steps in (("image", describe_pictures()), ("text", reduce_texts()))
    ]
    nipals = CanonicalAligner(reduced, solver="nipals", n_components=32)
    report('CanonicalAligner("nipals")', nipals, X, train, test)
    vectors = [
        ("image", describe_pictures(), "image"),
        ("text", reduce_texts(), "text"),
    ]
    for options in ({}, {"temperature": 0.2}, {"loss": "siglip"}):
        net = ContrastiveAligner(
            vectors, backbones=dict.fromkeys(["image", "text"], TabularMLP), **options
        )
        shown = ", ".join(f"{k}={v!r}" for k, v in options.items())
        report(
            f"ContrastiveAligner({shown}), MLPs", net, X, train, test, None, range(3)
        )
    raw = [
        ("image", ImageLoader((32, 32), "rgb"), "image"),
        ("text", TextTokenizer(), "text"),
    ]
    net = ContrastiveAligner(
        raw,
        backbones={"image": ImageCNN, "text": TextCNN},
        backbones__image__n_blocks=3,
    )
    report("ContrastiveAligner, CNNs", net, X, train, test)


def characters():
    """Pictures of handwritten characters, and the strokes that made them."""
    X = read_index("omniglot", "image")
    parts = np.load(get_data_home() / "omniglot" / "strokes.npz")
    strokes = np.stack([parts["x"], parts["y"], parts["stroke"]], axis=1)
    ends = np.cumsum(parts["lengths"])[:-1]
    X["strokes"] = np.split(strokes.astype(np.float32), ends)
    seen = X["drawer"].to_numpy() <= 14
    train, test = np.flatnonzero(seen), np.flatnonzero(~seen)
    print_head("Characters, pictures and pen strokes, 816 by six new drawers")
    report_chance(test)
    hog = make_pipeline(ImageLoader((32, 32)), HOGEncoder())
    steps = SequenceResampler(24)
    linear = CanonicalAligner(
        [
            ("image", hog, "image"),
            ("strokes", make_pipeline(steps, StandardScaler()), "strokes"),
        ]
    )
    report("CanonicalAligner", linear, X, train, test)
    vectors = [
        ("image", hog, "image"),
        ("strokes", steps, "strokes"),
    ]
    report(
        "ContrastiveAligner, MLPs",
        ContrastiveAligner(
            vectors, backbones=dict.fromkeys(["image", "strokes"], TabularMLP)
        ),
        X,
        train,
        test,
        None,
        range(3),
    )
    raw = [
        ("image", ImageLoader((32, 32)), "image"),
        ("strokes", steps, "strokes"),
    ]
    options = {"backbones__image__n_blocks": 2, "backbones__image__n_filters": 16}
    for loss in ("clip", "siglip"):
        net = ContrastiveAligner(
            raw,
            backbones={"image": ImageCNN, "strokes": TabularMLP},
            loss=loss,
            **options,
        )
        report(
            f"ContrastiveAligner({loss!r}), CNN and MLP",
            net,
            X,
            train,
            test,
            None,
            range(3),
        )


def digits():
    """Written and spoken digits, with two of six speakers unseen in training."""
    X = read_index("av_digits", "audio", "image")
    y = X["digit"].to_numpy()
    unseen = X["speaker"].isin(["theo", "lucas"]).to_numpy()
    train, test = np.flatnonzero(~unseen), np.flatnonzero(unseen)
    print_head("Digits, pictures and sounds of 1,000 by two new speakers")
    report_chance(test, y)
    image = make_pipeline(ImageLoader(), HOGEncoder())
    sound = make_pipeline(AudioLoader(8000), AudioStatistics(8000, n_segments=5))
    linear = CanonicalAligner([("image", image, "image"), ("audio", sound, "audio")])
    report("CanonicalAligner", linear, X, train, test, y)
    vectors = [
        ("image", image, "image"),
        ("audio", sound, "audio"),
    ]
    report(
        "ContrastiveAligner, MLPs",
        ContrastiveAligner(
            vectors, backbones=dict.fromkeys(["image", "audio"], TabularMLP)
        ),
        X,
        train,
        test,
        y,
        range(3),
    )
    spectrum = make_pipeline(AudioLoader(8000), LogMelSpectrogram(8000, n_mels=40))
    net = ContrastiveAligner(
        [
            ("image", ImageLoader(), "image"),
            ("audio", spectrum, "audio"),
        ],
        backbones={"image": ImageCNN, "audio": AudioCNN},
        backbones__image__n_blocks=2,
        backbones__image__n_filters=16,
        backbones__audio__n_filters=16,
        backbones__audio__dropout=0.2,
        max_epochs=30,
        n_iter_no_change=5,
    )
    report("ContrastiveAligner, CNNs", net, X, train, test, y)


def zero_shot():
    """Groups of emoji by a description, without learning from the groups."""
    X, train, test = load_emoji()
    y = X["group"].to_numpy()
    labels = {group: list(X.text[train][y[train] == group]) for group in np.unique(y)}
    described = {group: group.replace("-", " ") for group in labels}
    estimators = [
        ("image", describe_pictures(), "image"),
        ("text", TextVectorizer(), "text"),
    ]
    aligner = CanonicalAligner(estimators, n_components=128).fit(X.iloc[train])
    print("\nEmoji, nine groups, accuracy on 383 new ones\n")
    print("| classifier | accuracy |\n| --- | --- |")
    print(f"| the largest group | {(y[test] == 'people-body').mean():.3f} |")
    for name, given in (
        ("the group's name", described),
        ("names of its members", labels),
    ):
        classifier = ZeroShotClassifier(aligner, given, query="image").fit()
        score = classifier.score(X.iloc[test], y[test])
        print(f"| zero-shot, described by {name} | {score:.3f} |")
    learned = make_pipeline(describe_pictures(), LogisticRegression(max_iter=1000))
    learned.fit(X.image[train], y[train])
    print(f"| learned from labels | {learned.score(X.image[test], y[test]):.3f} |")


def search():
    """Exact and approximate search: 128 dimensions, 1,000 queries, one thread."""
    rng = np.random.default_rng(0)
    places = rng.standard_normal((50, 128))
    for size in (10_000, 100_000):
        vectors = places[rng.integers(0, 50, size)] + rng.standard_normal((size, 128))
        vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(
            "f4"
        )
        start = time.perf_counter()
        graph = FaissNeighbors().fit(vectors)
        seconds = time.perf_counter() - start
        exact = NearestNeighbors(algorithm="brute").fit(vectors)
        queries = vectors[:1000]
        ways = {
            "numpy: matrix product and argpartition": lambda v=vectors, q=queries: (
                np.argpartition(-(q @ v.T), 10, axis=1)
            ),
            "exact": lambda e=exact, q=queries: e.kneighbors(q, 10),
            "faiss": lambda g=graph, q=queries: g.kneighbors(q, 10),
        }
        compare(f"{size:,} targets; the graph was built in {seconds:.1f} s", ways, 1000)
        pairs = zip(graph.kneighbors(queries, 10)[1], exact.kneighbors(queries, 10)[1])
        found = np.mean([len(np.intersect1d(one, other)) / 10 for one, other in pairs])
        print(f"share of the ten nearest that faiss finds: {found:.3f}")


def memory():
    """Peak memory of a batch of 2,048 pictures, with and without gradient caching."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"image": list(rng.integers(0, 255, (2048, 64, 64), np.uint8))})
    X["number"] = [image[::8, ::8].ravel() / 255 for image in X["image"]]
    branches = [
        ("image", ImageLoader((64, 64)), "image"),
        ("number", VectorStacker(), "number"),
    ]
    print("\nBatch of 2,048 pictures 64x64, one epoch\n")
    print("| chunk_size | peak memory, MB | s |\n| --- | --- | --- |")
    for chunk_size in (64, 256, None):  # the peak only grows: small ones first
        aligner = ContrastiveAligner(
            branches,
            backbones={"image": ImageCNN, "number": TabularMLP},
            batch_size=2048,
            chunk_size=chunk_size,
            early_stopping=False,
            max_epochs=1,
        )
        start = time.perf_counter()
        aligner.fit(X)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| {chunk_size} | {peak:,.0f} | {seconds:.1f} |", flush=True)


PARTS = {
    part.__name__: part
    for part in (memory, emoji, characters, digits, zero_shot, search)
}

if __name__ == "__main__":
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
