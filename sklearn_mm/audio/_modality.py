"""The audio modality: its files, cells and default encoder."""

from numbers import Number

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .._columns.modality import Modality
from ._disturbances import DISTURBANCES
from ._drawing import draw
from ._formats import is_audio
from ._loader import AudioLoader
from ._statistics import AudioStatistics

_EXTENSIONS = (
    "wav wave bwf rf64 w64 flac ogg oga opus spx mp1 mp2 mp3 mpga aiff aif aifc au snd "
    "caf sph nist voc m4a m4b aac wma amr awb ape wv tta mpc dsf dff mka weba ac3 mid"
)


def make_encoder(**loading):
    """Return the default encoder: scaled statistics of five parts at 16 kHz."""
    loading.pop("sparse", None)
    statistics = AudioStatistics(n_segments=5)
    return make_pipeline(AudioLoader(**loading), statistics, StandardScaler())


def detect(cells):
    """Return why cells are audio, or None: pairs (array, sampling rate)."""
    is_pair = all(
        isinstance(cell, tuple)
        and len(cell) == 2
        and isinstance(cell[1], Number)
        and not isinstance(cell[0], Number)
        for cell in cells
    )
    return "pairs (array, sampling rate)" if is_pair else None


AUDIO = Modality(
    "audio",
    make_encoder=make_encoder,
    extensions=tuple(_EXTENSIONS.split()),
    sniff=is_audio,
    detect=detect,
    disturbances=DISTURBANCES,
    draw=draw,
)
