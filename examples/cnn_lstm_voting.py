"""The textbook system: images into a CNN, sequences into an LSTM, and a vote of both.

Learned here: networks as classifiers of a fusion, and the same networks as encoders in
front of any other classifier.

    python examples/cnn_lstm_voting.py
"""

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mm import (
    AudioLoader,
    ImageLoader,
    LogMelSpectrogram,
    MultimodalVotingClassifier,
    NetClassifier,
    NetEncoder,
)
from sklearn_mm.datasets import load_av_digits
from sklearn_mm.nets import ImageCNN, SequenceRNN

X, y = load_av_digits(return_X_y=True)  # images and sounds of digits, 12 speakers
test = X["speaker"].isin(["derek", "diana", "eric", "edith"])  # not heard in training

images = ImageLoader(size=(28, 28), color="gray")
frames = make_pipeline(AudioLoader(8000), LogMelSpectrogram(8000, n_mels=20))
options = {"max_epochs": 60, "random_state": 0}
cnn = {"module": ImageCNN, **options}
lstm = {"module": SequenceRNN, "module__pooling": "mean_max", "lr": 0.003, **options}


def encode(net):
    """Classify by what a network's last layer would see."""
    return make_pipeline(NetEncoder(**net), StandardScaler(), LogisticRegression(C=0.1))


print(f"{'accuracy':<36}{'image':>8}{'sound':>8}{'fused':>8}")
for title, model in (
    ("the networks' own classes", lambda net: NetClassifier(**net)),
    ("as encoders + logistic regression", encode),
):
    image = make_pipeline(images, model(cnn))
    sound = make_pipeline(frames, model(lstm))
    fusion = MultimodalVotingClassifier(
        [("image", image, "image"), ("sound", sound, "audio")], voting="soft"
    )
    fusion.fit(X[~test], y[~test])
    print(f"{title:<36}", end="")
    for name, column in (("image", "image"), ("sound", "audio")):
        alone = fusion.named_estimators_[name]
        print(f"{alone.score(X[test][column], y[test]):>8.3f}", end="")
    print(f"{fusion.score(X[test], y[test]):>8.3f}")
