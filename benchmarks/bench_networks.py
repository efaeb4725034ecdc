"""Networks against hand-made encoders with logistic regression, on real data.

python -m benchmarks.bench_networks [audio] [image] [sequence] [text]

Test accuracy, mean and standard deviation over three seeds, and seconds to fit. The
data home (SKLEARN_MM_DATA) must hold av_digits, uea and clothing_reviews.
"""

import sys
import time

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.tasks import vowels
from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    HOGEncoder,
    ImageLoader,
    LogMelSpectrogram,
    NetClassifier,
    SequencePadder,
    SequenceStatistics,
    TextTokenizer,
    TextVectorizer,
)
from sklearn_mm.datasets import fetch_av_digits, get_data_home
from sklearn_mm.nets import (
    AudioCNN,
    ImageCNN,
    ImageResNet,
    SequenceRNN,
    SequenceTCN,
    TextCNN,
    TextRNN,
    TextTransformer,
)

SEEDS = (0, 1, 2)


def audio():
    """Spoken digits; two of the six speakers are not heard in training."""
    X, y = fetch_av_digits(return_X_y=True)
    test = X["speaker"].isin(["theo", "lucas"])
    loader, mel = AudioLoader(8000), LogMelSpectrogram(8000, n_mels=40)
    by_hand = make_pipeline(
        loader,
        AudioStatistics(8000, 13, n_segments=3),
        StandardScaler(),
        LogisticRegression(C=0.01, max_iter=1000),
    )
    models = {
        "AudioStatistics + logistic regression": by_hand,
        "AudioCNN": make_pipeline(
            loader,
            mel,
            NetClassifier(AudioCNN, module__n_filters=16, module__dropout=0.2),
        ),
        "SequenceRNN on the spectrogram": make_pipeline(
            loader, mel, NetClassifier(SequenceRNN, module__bidirectional=True)
        ),
    }
    cells = X["audio"]
    return models, (cells[~test], y[~test], cells[test], y[test])


def image():
    """Handwritten digits, 2,000 to train and 1,000 to test."""
    X, y = fetch_av_digits(return_X_y=True)
    loader = ImageLoader()
    models = {
        "HOGEncoder + logistic regression": make_pipeline(
            loader, HOGEncoder(), LogisticRegression(max_iter=1000)
        ),
        "ImageCNN": make_pipeline(loader, NetClassifier(ImageCNN)),
        "ImageCNN, 2 blocks, dropout": make_pipeline(
            loader,
            NetClassifier(ImageCNN, module__n_blocks=2, module__dropout=0.2),
        ),
        "ImageResNet": make_pipeline(
            loader, NetClassifier(ImageResNet, module__n_filters=16)
        ),
    }
    parts = train_test_split(X["image"], y, test_size=1000, stratify=y, random_state=0)
    return models, (parts[0], parts[2], parts[1], parts[3])


def sequence():
    """Japanese vowels of nine speakers: 12 channels, 7 to 29 steps, the set's split."""
    task = vowels()
    (train, test) = task.splits[0]
    series = task.X["series"].to_numpy()
    models = {
        "SequenceStatistics + logistic regression": make_pipeline(
            SequenceStatistics(), StandardScaler(), LogisticRegression(max_iter=1000)
        ),
        "SequenceRNN": make_pipeline(SequencePadder(), NetClassifier(SequenceRNN)),
        "SequenceRNN, bidirectional, mean_max": make_pipeline(
            SequencePadder(),
            NetClassifier(
                SequenceRNN, module__bidirectional=True, module__pooling="mean_max"
            ),
        ),
        "SequenceTCN": make_pipeline(SequencePadder(), NetClassifier(SequenceTCN)),
    }
    return models, (series[train], task.y[train], series[test], task.y[test])


def text():
    """The department of a reviewed piece of clothing: 6,000 to train, 2,000 to test."""
    table = pd.read_csv(get_data_home() / "clothing_reviews" / "reviews.csv.gz")
    table = table.dropna(subset=["Review Text", "Department Name"])
    table = table.sample(8000, random_state=0)
    cells, y = table["Review Text"].to_numpy(), table["Department Name"].to_numpy()
    tokens = TextTokenizer(max_length=100, max_tokens=5000)
    models = {
        "TextVectorizer + logistic regression": make_pipeline(
            TextVectorizer(), LogisticRegression(C=3, max_iter=1000)
        ),
        "TextCNN": make_pipeline(tokens, NetClassifier(TextCNN, n_iter_no_change=3)),
        "TextRNN": make_pipeline(tokens, NetClassifier(TextRNN, n_iter_no_change=3)),
        "TextTransformer": make_pipeline(
            tokens, NetClassifier(TextTransformer, n_iter_no_change=3)
        ),
    }
    return models, (cells[:6000], y[:6000], cells[6000:], y[6000:])


def measure(model, seed, X_train, y_train, X_test, y_test):
    """Accuracy on the test part, and seconds to fit."""
    last = model.steps[-1][0]
    model.set_params(**{f"{last}__random_state": seed})
    start = time.perf_counter()
    model.fit(X_train, y_train)
    return model.score(X_test, y_test), time.perf_counter() - start


def main():
    for task in sys.argv[1:] or ("audio", "image", "sequence", "text"):
        models, data = globals()[task]()
        print(f"\n{task}: {globals()[task].__doc__}\n")
        print("| model | accuracy | fit, s |\n| --- | --- | --- |")
        for name, model in models.items():
            runs = np.array([measure(model, seed, *data) for seed in SEEDS])
            mean, std = runs[:, 0].mean(), runs[:, 0].std()
            print(
                f"| {name} | {mean:.3f} ± {std:.3f} | {np.median(runs[:, 1]):.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
