"""The audio modality: its files, cells and default encoder."""

from numbers import Number

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .._columns.modality import Modality
from ._disturbances import DISTURBANCES
from ._drawing import draw
from ._loader import AudioLoader
from ._statistics import AudioStatistics

_EXTENSIONS = "wav flac ogg oga opus mp3 aiff aif au m4a"


def make_encoder(**loading):
    """Return the default encoder: scaled statistics of five parts at 16 kHz."""
    loading.pop("sparse", None)
    statistics = AudioStatistics(n_segments=5)
    return make_pipeline(AudioLoader(**loading), statistics, StandardScaler())


def sniff(head):
    """Whether a file is audio, by its first bytes."""
    if head[:4] == b"RIFF":
        return head[8:12] == b"WAVE"
    if head[:4] == b"OggS":
        return b"theora" not in head[:64]
    is_mpeg = head[:1] == b"\xff" and head[1:2] >= b"\xe0"
    return (
        is_mpeg
        or head[4:11] == b"ftypM4A"
        or head.startswith((b"fLaC", b"ID3", b"FORM", b".snd"))
    )


def detect(cells):
    """Return why cells are audio, or None: pairs (array, sampling rate)."""
    is_pair = all(
        isinstance(cell, tuple) and len(cell) == 2 and isinstance(cell[1], Number)
        for cell in cells
    )
    return "pairs (array, sampling rate)" if is_pair else None


AUDIO = Modality(
    "audio",
    make_encoder=make_encoder,
    extensions=tuple(_EXTENSIONS.split()),
    sniff=sniff,
    detect=detect,
    disturbances=DISTURBANCES,
    draw=draw,
)
