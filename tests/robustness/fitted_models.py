"""Every public estimator, fitted, and what to ask it: quick ones, in one table."""

from functools import cache

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sklearn_mm as mm
from sklearn_mm import nets

from ..conftest import encode_image, make_clip, make_photo, make_tone
from ..pretrained.models import save_bert, save_speech, save_vision, towers

RNG = np.random.default_rng(0)
N = 24
LABELS = np.array(["no", "yes"])[np.arange(N) % 2]
NUMBERS = RNG.normal(size=N) + np.arange(N) % 2
TEXTS = [f"a {'red' if i % 2 else 'blue'} dress {i % 3}" for i in range(N)]
TABLE = pd.DataFrame(
    {
        "photo": [make_photo(28, 28, seed) for seed in range(N)],
        "text": TEXTS,
        "sound": [make_tone(2000, seed) for seed in range(N)],
        "path": list(RNG.normal(size=(N, 12, 2))),
        "age": RNG.normal(size=N) + np.arange(N) % 2,
        "city": ["Ulm", "Bonn"] * (N // 2),
    }
)
X = RNG.normal(size=(N, 6)) + (np.arange(N) % 2)[:, None]
QUICK = {"max_epochs": 2, "batch_size": 8, "random_state": 0, "device": "cpu"}
SOUND = make_pipeline(mm.AudioLoader(8000), mm.LogMelSpectrogram(8000, n_mels=16))
NUMERIC = [("a", LogisticRegression(), slice(0, 3)), ("b", GaussianNB(), [3, 4, 5])]
RIDGES = [
    ("a", Ridge(), slice(0, 3)),
    ("b", make_pipeline(StandardScaler(), Ridge()), [4]),
]
HALVES = [
    ("upper", "passthrough", slice(0, 3)),
    ("lower", StandardScaler(), slice(3, 6)),
]
TWO = {"backbones": {"upper": nets.TabularMLP, "lower": nets.TabularMLP}, **QUICK}
BRANCHES = [
    ("photo", mm.ImageLoader(), "photo"),
    ("sound", SOUND, "sound"),
    ("text", mm.TextTokenizer(), "text"),
    ("path", mm.SequencePadder(), "path"),
    ("table", "passthrough", ["age"]),
]
BACKBONES = {
    "photo": nets.ImageCNN,
    "sound": nets.AudioCNN,
    "text": nets.TextTransformer,
    "path": nets.SequenceRNN,
    "table": nets.TabularMLP,
}
PAIRS = [
    ("photo", make_pipeline(mm.ImageLoader(), mm.HOGEncoder()), "photo"),
    ("text", mm.TextVectorizer(), "text"),
]


def column(name):
    return TABLE[name].tolist()


def aligned(aligner):
    return aligner.transform(X[:, :3], modality="upper")


def tower(home, kind="CLIP"):
    folder = home / "towers"
    if not folder.exists():
        model, parts = towers(kind, home)
        model.save_pretrained(folder)
        parts.tokenizer.save_pretrained(folder)
        parts.image_processor.save_pretrained(folder)
    return str(folder)


def by(method, data):
    return lambda model: getattr(model, method)(data)


def transformer(make, data, y=None):
    return lambda home: make().fit(data, y), by("transform", data)


def predictor(make, data, y, method="predict"):
    return lambda home: make().fit(data, y), by(method, data)


def pretrained(make, data):
    return lambda home: make(home).fit(data), by("transform", data)


CASES = {
    "ImageLoader": transformer(
        mm.ImageLoader, [*column("photo"), encode_image(make_photo())]
    ),
    "HOGEncoder": transformer(
        lambda: make_pipeline(mm.ImageLoader(), mm.HOGEncoder()), column("photo")
    ),
    "ColorHistogramEncoder": transformer(
        lambda: make_pipeline(mm.ImageLoader(color="rgb"), mm.ColorHistogramEncoder()),
        column("photo"),
    ),
    "AudioLoader": transformer(lambda: mm.AudioLoader(8000), column("sound")),
    "LogMelSpectrogram": transformer(lambda: SOUND, column("sound")),
    "AudioStatistics": transformer(lambda: mm.AudioStatistics(8000), column("sound")),
    "TextTokenizer": transformer(mm.TextTokenizer, TEXTS),
    "TextVectorizer": transformer(mm.TextVectorizer, TEXTS),
    "SequenceKernels": transformer(
        lambda: mm.SequenceKernels(168, random_state=0), column("path")
    ),
    "SequencePadder": transformer(mm.SequencePadder, column("path")),
    "SequenceQuantiles": transformer(mm.SequenceQuantiles, column("path")),
    "SequenceResampler": transformer(mm.SequenceResampler, column("path")),
    "SequenceStatistics": transformer(mm.SequenceStatistics, column("path")),
    "VideoLoader": transformer(lambda: mm.VideoLoader(3, (20, 24)), [make_clip(5)] * 2),
    "VectorStacker": transformer(mm.VectorStacker, list(X)),
    "PooledEncoder": transformer(
        lambda: mm.PooledEncoder(make_pipeline(mm.ImageLoader(), mm.HOGEncoder())),
        [[make_photo(28, 28), make_photo(28, 28, 1)], None],
    ),
    "CachedEncoder": transformer(
        lambda: mm.CachedEncoder(make_pipeline(mm.ImageLoader(), mm.HOGEncoder())),
        column("photo"),
    ),
    "ContextWindow": transformer(
        lambda: mm.ContextWindow("city", order="age", before=1, after=0),
        TABLE[["city", "age"]].assign(x=X[:, 0]),
    ),
    "MultimodalVectorizer": transformer(
        lambda: mm.MultimodalVectorizer(n_components=4, random_state=0),
        TABLE.drop(columns="sound"),
        LABELS,
    ),
    "NgramLanguageModel": (
        lambda home: mm.NgramLanguageModel(order=3).fit(TEXTS),
        by("score_samples", TEXTS),
    ),
    "CanonicalAligner": (
        lambda home: mm.CanonicalAligner(PAIRS).fit(TABLE),
        lambda model: model.transform(TEXTS, modality="text"),
    ),
    "CrossModalRetriever": (
        lambda home: mm.CrossModalRetriever(
            mm.CanonicalAligner(PAIRS), query="photo", target="text"
        ).fit(TABLE),
        by("predict", column("photo")),
    ),
    "FaissNeighbors": (
        lambda home: mm.alignment.FaissNeighbors(n_neighbors=3).fit(X),
        lambda model: model.kneighbors(X)[1],
    ),
    "ZeroShotClassifier": (
        lambda home: mm.ZeroShotClassifier(
            mm.CanonicalAligner(PAIRS), labels={0: "a blue dress", 1: "a red dress"}
        ).fit(TABLE),
        by("predict", column("photo")),
    ),
    "MultimodalVotingClassifier": predictor(
        lambda: mm.MultimodalVotingClassifier(
            NUMERIC, weights="learned", calibration="sigmoid", cv=2
        ),
        X,
        LABELS,
        "predict_proba",
    ),
    "MultimodalVotingClassifier of columns": predictor(
        lambda: mm.MultimodalVotingClassifier(
            [
                (name, make_pipeline(*encoder, LogisticRegression()), name)
                for name, encoder in {
                    "photo": [mm.CachedEncoder(PAIRS[0][1])],
                    "text": [mm.TextVectorizer()],
                    "sound": [mm.AudioStatistics(8000)],
                }.items()
            ]
        ),
        TABLE,
        LABELS,
        "predict_proba",
    ),
    "MultimodalVotingRegressor": predictor(
        lambda: mm.MultimodalVotingRegressor(RIDGES, weights="learned", cv=2),
        X,
        NUMBERS,
    ),
    "MultimodalStackingClassifier": predictor(
        lambda: mm.MultimodalStackingClassifier(NUMERIC, cv=2),
        X,
        LABELS,
        "predict_proba",
    ),
    "MultimodalStackingRegressor": predictor(
        lambda: mm.MultimodalStackingRegressor(RIDGES, cv=2), X, NUMBERS
    ),
    "CoTrainingClassifier": predictor(
        lambda: mm.CoTrainingClassifier(mm.MultimodalVotingClassifier(NUMERIC)),
        X,
        np.where(np.arange(N) < 12, np.arange(N) % 2, -1),
        "predict_proba",
    ),
    "NetClassifier": predictor(
        lambda: mm.NetClassifier(nets.TabularMLP, **QUICK), X, LABELS, "predict_proba"
    ),
    "NetRegressor": predictor(
        lambda: mm.NetRegressor(nets.TabularMLP, **QUICK), X, NUMBERS
    ),
    "NetEncoder": transformer(
        lambda: mm.NetEncoder(nets.TabularMLP, cross_fit=False, **QUICK), X, LABELS
    ),
    "MultimodalNetClassifier": predictor(
        lambda: mm.MultimodalNetClassifier(
            BRANCHES, backbones=BACKBONES, auxiliary_loss=0.1, **QUICK
        ),
        TABLE,
        LABELS,
        "predict_proba",
    ),
    "MultimodalNetRegressor": predictor(
        lambda: mm.MultimodalNetRegressor(
            HALVES, fusion=nets.GatedFusion, balance=None, **TWO
        ),
        X,
        NUMBERS,
    ),
    "MultitaskNet": predictor(
        lambda: mm.MultitaskNet(HALVES, fusion="concat", **TWO),
        X,
        pd.DataFrame({"label": LABELS, "number": NUMBERS}),
    ),
    "ContrastiveAligner": (
        lambda home: mm.ContrastiveAligner(HALVES, **TWO).fit(X),
        aligned,
    ),
    "ModelSoupClassifier": predictor(
        lambda: mm.ModelSoupClassifier(
            mm.NetClassifier(nets.TabularMLP, **QUICK), settings=2, random_state=0
        ),
        X,
        LABELS,
        "predict_proba",
    ),
    "ModelSoupRegressor": predictor(
        lambda: mm.ModelSoupRegressor(
            mm.NetRegressor(nets.TabularMLP, **QUICK), settings=2, random_state=0
        ),
        X,
        NUMBERS,
    ),
    "SpeechRecognizer": predictor(
        lambda: mm.SpeechRecognizer(
            sampling_rate=8000,
            language_model=mm.NgramLanguageModel(order=2).fit(TEXTS),
            **QUICK,
        ),
        column("sound"),
        LABELS.tolist(),
    ),
    "PretrainedTextEncoder": pretrained(
        lambda home: mm.PretrainedTextEncoder(str(save_bert(home / "bert"))), TEXTS
    ),
    "PretrainedTokenizer": pretrained(
        lambda home: mm.PretrainedTokenizer(str(save_bert(home / "words"))), TEXTS
    ),
    "PretrainedImageEncoder": pretrained(
        lambda home: mm.PretrainedImageEncoder(str(save_vision("ViT", home / "vit"))),
        column("photo"),
    ),
    "PretrainedAudioEncoder": pretrained(
        lambda home: mm.PretrainedAudioEncoder(
            str(save_speech("Wav2Vec2", home / "wav2vec2"))
        ),
        column("sound"),
    ),
    "PretrainedAligner": (
        lambda home: mm.PretrainedAligner(tower(home)).fit(
            TABLE[["photo", "text"]].rename(columns={"photo": "image"})
        ),
        lambda model: model.transform(TEXTS, modality="text"),
    ),
    "multimodal_pipeline": (
        lambda home: (
            mm.multimodal_pipeline("classifier", random_state=0)
            .set_params(fusion__table__histgradientboostingclassifier__max_iter=3)
            .fit(TABLE[["age", "city"]], LABELS)
        ),
        by("predict_proba", TABLE[["age", "city"]]),
    ),
}
#: What cases need beyond the package's own dependencies.
NEEDED = {
    "FaissNeighbors": "faiss",
    "PretrainedTextEncoder": "sentence_transformers",
    "PretrainedTokenizer": "transformers",
    "PretrainedImageEncoder": "transformers",
    "PretrainedAudioEncoder": "transformers",
    "PretrainedAligner": "transformers",
}
#: Those with trees or graphs in them.
WITH_TREES = {"FaissNeighbors", "multimodal_pipeline"}


@cache
def fit(name, home):
    """Fit once in a session; tests leave it as it is."""
    return CASES[name][0](home)
