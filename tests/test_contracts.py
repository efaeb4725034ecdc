"""The contracts of columns, arrays and vectors, on every encoder, from one table."""

import inspect
import pickle
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from joblib import parallel_config
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils._param_validation import InvalidParameterError
from torch.nn import AvgPool2d

import sklearn_mm
from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    CachedEncoder,
    ColorHistogramEncoder,
    HOGEncoder,
    ImageLoader,
    LoadError,
    LoadWarning,
    LogMelSpectrogram,
    PooledEncoder,
    PretrainedImageEncoder,
    PretrainedTextEncoder,
    SequenceKernels,
    SequencePadder,
    SequenceQuantiles,
    SequenceResampler,
    SequenceStatistics,
    TextTokenizer,
    TextVectorizer,
    VectorStacker,
    VideoLoader,
)

from .conftest import (
    LetterCounts,
    encode_audio,
    encode_image,
    encode_video,
    make_clip,
    make_photo,
    make_tone,
)


class Case:
    """An encoder with six good cells of its kind, and one that is broken."""

    def __init__(self, estimator, cells, broken, *, is_vector=True, ids=False):
        self.estimator = estimator
        self.cells = cells
        self.broken = broken
        self.is_vector = is_vector
        self.ids = ids  # integers, 0 for what is missing, instead of floats and NaN


def image_cells():
    photos = [make_photo(seed=seed) for seed in range(6)]
    return [
        encode_image(photos[0], "JPEG", quality=95),
        encode_image(photos[1], "PNG"),
        photos[2],
        photos[3][..., 0],
        photos[4] / 255,
        encode_image(photos[5][:50], "WEBP"),
    ]


def audio_cells():
    tones = [make_tone(1500 + 500 * seed, seed) for seed in range(6)]
    return [
        encode_audio(tones[0]),
        encode_audio(tones[1], "FLAC"),
        tones[2],
        (tones[3], 16000),
        encode_audio(tones[4], "OGG"),
        (np.stack([tones[5], tones[5]], axis=1), 8000),
    ]


def video_cells():
    clips = [make_clip(4 + 3 * seed, seed=seed) for seed in range(6)]
    return [
        encode_video(clips[0]),
        clips[1],
        clips[2][..., 0],
        encode_video(clips[3], "mp4"),
        clips[4] / 255,
        encode_video(clips[5], "mkv"),
    ]


def pictures(color):
    return list(ImageLoader((28, 28), color).transform(image_cells()))


def signals():
    return [make_tone(900 + 300 * seed, seed) for seed in range(6)]


TEXTS = ["A red dress", "blue shoes, red laces", "red", "", "Ä dress!", "shoes shoes"]
SEQUENCES = [np.sin(np.outer(np.arange(9 + n), [1, n + 1, 2])) for n in range(6)]
VECTORS = [np.arange(4.0) + n for n in range(6)]
HOG = make_pipeline(ImageLoader(), HOGEncoder())

CASES = {
    "ImageLoader-gray": Case(ImageLoader(), image_cells(), b"no", is_vector=False),
    "ImageLoader-rgb": Case(
        ImageLoader((20, 30), "rgb", aspect="crop"),
        image_cells(),
        encode_image(make_photo())[:500],
        is_vector=False,
    ),
    "AudioLoader": Case(AudioLoader(8000), audio_cells(), b"RIFF", is_vector=False),
    "VideoLoader": Case(
        VideoLoader(6, (20, 24)),
        video_cells(),
        encode_video(make_clip(20))[:3000],
        is_vector=False,
    ),
    "HOGEncoder": Case(HOGEncoder(), pictures("gray"), np.ones(3)),
    "ColorHistogramEncoder": Case(
        ColorHistogramEncoder(grid=(2, 1)), pictures("rgb"), np.ones(3)
    ),
    "LogMelSpectrogram": Case(
        LogMelSpectrogram(8000, n_mels=16), signals(), "text", is_vector=False
    ),
    "AudioStatistics": Case(AudioStatistics(8000), signals(), "text"),
    "AudioStatistics-segments": Case(
        AudioStatistics(8000, n_segments=3), signals(), "text"
    ),
    "TextVectorizer": Case(TextVectorizer(), TEXTS, 3.5),
    "TextVectorizer-dense": Case(TextVectorizer(sparse_output=False), TEXTS, 3.5),
    "TextTokenizer": Case(TextTokenizer(), TEXTS, 3.5, is_vector=False, ids=True),
    "SequencePadder": Case(
        SequencePadder(), SEQUENCES, np.ones((4, 2)), is_vector=False
    ),
    "SequencePadder-cut": Case(
        SequencePadder(max_length=11), SEQUENCES, np.ones(0), is_vector=False
    ),
    "SequenceKernels": Case(SequenceKernels(168, random_state=0), SEQUENCES, "text"),
    "SequenceStatistics": Case(SequenceStatistics(), SEQUENCES, "text"),
    "SequenceQuantiles": Case(SequenceQuantiles(3, 2, n_steps=10), SEQUENCES, "text"),
    "SequenceResampler": Case(SequenceResampler(5), SEQUENCES, "text"),
    "VectorStacker": Case(VectorStacker(), VECTORS, np.ones(3)),
    "CachedEncoder": Case(CachedEncoder(HOG, batch_size=2), image_cells(), b"no"),
    "CachedEncoder-padded": Case(
        CachedEncoder(
            make_pipeline(AudioLoader(8000), LogMelSpectrogram(8000)), batch_size=4
        ),
        audio_cells(),
        b"no",
        is_vector=False,
    ),
    "PooledEncoder": Case(
        PooledEncoder(HOG),
        [[cell, make_photo()] for cell in image_cells()],
        [make_photo(), b"no"],
    ),
    "PooledEncoder-frames": Case(
        PooledEncoder(HOGEncoder(), split_arrays=True),
        list(VideoLoader(6, (28, 28)).transform(video_cells())),
        [b"no"],
    ),
}
CASES["PretrainedTextEncoder"] = Case(PretrainedTextEncoder(LetterCounts()), TEXTS, 3.5)
CASES["PretrainedImageEncoder"] = Case(
    PretrainedImageEncoder(
        AvgPool2d(8), input_size=32, loader=ImageLoader(), batch_size=4
    ),
    image_cells(),
    b"no",
)
#: Public estimators whose contracts are others, and who holds them.
ELSEWHERE = {
    "MultimodalVectorizer": "test_common.py and test_compose.py",
    "CoTrainingClassifier": "test_common.py and ensemble/",
    "ModelSoupClassifier": "test_common.py and ensemble/",
    "ModelSoupRegressor": "test_common.py and ensemble/",
    "ContextWindow": "test_context.py",
    "CanonicalAligner": "test_alignment.py",
    "ContrastiveAligner": "test_alignment.py",
    "CrossModalRetriever": "test_retrieval.py",
    "MultimodalNetClassifier": "test_common.py and neural/",
    "MultimodalNetRegressor": "test_common.py and neural/",
    "MultitaskNet": "test_common.py and neural/",
    "PretrainedAligner": "test_pretrained.py",
    "PretrainedAudioEncoder": "test_pretrained.py",
    "PretrainedTokenizer": "test_pretrained.py",
    "MultimodalStackingClassifier": "test_common.py and ensemble/",
    "MultimodalStackingRegressor": "test_common.py and ensemble/",
    "MultimodalVotingClassifier": "test_common.py and ensemble/",
    "MultimodalVotingRegressor": "test_common.py and ensemble/",
    "NetClassifier": "test_common.py and neural/",
    "NetEncoder": "test_common.py and neural/",
    "NetRegressor": "test_common.py and neural/",
    "NgramLanguageModel": "test_language_model.py",
    "SpeechRecognizer": "neural/test_speech.py",
    "ZeroShotClassifier": "test_retrieval.py",
}
STATELESS = [
    name for name, c in CASES.items() if not get_tags(c.estimator).requires_fit
]
#: How an encoder is told to forgive: by its own parameter, or by that of its loader.
FORGIVING = {
    name: option
    for name, c in CASES.items()
    for option in ("on_error", "loader__on_error")
    if option in c.estimator.get_params()
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def fit(case, cells=None):
    return clone(case.estimator).fit(case.cells if cells is None else cells)


def dense(output):
    return output.toarray() if sparse.issparse(output) else np.asarray(output)


def is_missing(case, output):
    """Say of each row whether it is what a missing sample becomes."""
    flat = dense(output).reshape(len(dense(output)), -1)
    return (flat == 0).all(axis=1) if case.ids else np.isnan(flat).all(axis=1)


def assert_same_sample(case, sample, other):
    """Compare samples up to what padding their ends have."""
    pad = 0 if case.ids else np.nan
    length = max(len(sample), len(other))

    def lengthen(array):
        width = [(0, length - len(array))] + [(0, 0)] * (array.ndim - 1)
        return np.pad(array, width, constant_values=pad)

    np.testing.assert_array_equal(lengthen(sample), lengthen(other))


def test_every_public_estimator_has_a_row_here():
    public = {
        name
        for name in dir(sklearn_mm)
        if inspect.isclass(getattr(sklearn_mm, name))
        and issubclass(getattr(sklearn_mm, name), BaseEstimator)
    }
    rows = {type(case.estimator).__name__ for case in CASES.values()}
    assert public == rows | set(ELSEWHERE)


def object_array(cells):
    array = np.empty(len(cells), dtype=object)
    for i, cell in enumerate(cells):
        array[i] = cell
    return array


CONTAINERS = {
    "object array": object_array,
    "object table": lambda cells: object_array(cells)[:, None],
    "Series": lambda cells: pd.Series(object_array(cells), index=range(10, 16)),
    "DataFrame": lambda cells: pd.DataFrame({"a": object_array(cells)}),
    "polars Series": lambda cells: pl.Series("a", cells, dtype=pl.Object),
    "polars DataFrame": lambda cells: pl.DataFrame(
        {"a": pl.Series(cells, dtype=pl.Object)}
    ),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_any_column_gives_what_a_list_gives(case, container):
    column = CONTAINERS[container](case.cells)
    expected = dense(fit(case).transform(case.cells))
    np.testing.assert_array_equal(dense(fit(case, column).transform(column)), expected)


def test_output_is_float32_or_ids(case):
    output = fit(case).transform(case.cells)
    assert output.dtype == (np.int64 if case.ids else np.float32)
    assert output.ndim == 2 or not case.is_vector
    assert not is_missing(case, output)[[0, 1, 2, 4, 5]].any()


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_missing_cells_are_missing_rows_and_change_no_other(case, missing):
    encoder = fit(case)
    complete = dense(encoder.transform(case.cells))
    cells = list(case.cells)
    cells[0] = cells[4] = missing
    output = dense(encoder.transform(cells))
    assert is_missing(case, output)[[0, 4]].all()
    for row in (1, 2, 3, 5):
        assert_same_sample(case, output[row], complete[row])


def test_a_table_of_missing_cells_keeps_its_width(case):
    encoder = fit(case)
    output = dense(encoder.transform([None, None]))
    assert is_missing(case, output).all()
    assert len(output) == 2
    if case.is_vector:
        assert output.shape[1] == encoder.transform(case.cells).shape[1]


def test_an_empty_column_gives_no_rows(case):
    encoder = fit(case)
    for empty in ([], pd.Series([], dtype=object), np.array([], dtype=object)):
        output = encoder.transform(empty)
        assert output.shape[0] == 0
        if case.is_vector:
            assert output.shape[1] == encoder.transform(case.cells).shape[1]


def test_a_row_does_not_depend_on_its_neighbours(case):
    encoder = fit(case)
    together = dense(encoder.transform(case.cells))
    for row, cell in enumerate(case.cells):
        assert_same_sample(case, dense(encoder.transform([cell]))[0], together[row])
    backwards = dense(encoder.transform(case.cells[::-1]))[::-1]
    for row in range(len(case.cells)):
        assert_same_sample(case, backwards[row], together[row])


@pytest.mark.parametrize("name", STATELESS)
def test_a_stateless_encoder_needs_no_fit_and_learns_nothing(name):
    case = CASES[name]
    expected = dense(clone(case.estimator).transform(case.cells))
    for cells in (case.cells[:2], case.cells[3:]):
        np.testing.assert_array_equal(
            dense(fit(case, cells).transform(case.cells)), expected
        )


def test_a_broken_cell_is_named(case):
    column = pd.Series(object_array(case.cells), index=list("abcdef"))
    column = pd.concat([column[:3], pd.Series([case.broken], ["X"]), column[3:]])
    with pytest.raises(LoadError, match="row X") as caught:
        fit(case).transform(column)
    assert [row for row, _, _ in caught.value.failures] == ["X"]
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.failures == caught.value.failures


@pytest.mark.parametrize("name", FORGIVING)
def test_a_broken_cell_can_be_treated_as_missing(name):
    case, option = CASES[name], FORGIVING[name]
    clean = dense(fit(case).transform(case.cells))
    cells = [*case.cells[:3], case.broken, *case.cells[3:]]
    encoder = fit(case).set_params(**{option: "missing"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        output = dense(encoder.transform(cells))
    empty = [4] if case.ids else []  # the ids of an empty text are all 0 as well
    assert is_missing(case, output).nonzero()[0].tolist() == [3, *empty]
    np.testing.assert_array_equal(np.delete(output, 3, axis=0), clean)
    encoder.set_params(**{option: "warn"})
    for action in (encoder.transform, clone(encoder).fit_transform):
        with pytest.warns(LoadWarning, match="row 3") as caught:
            action(cells)
        assert len(caught) == 1


def test_many_broken_cells_are_one_error_with_ten_names_and_the_count(case):
    cells = [case.cells[0]] + [case.broken] * 14
    with pytest.raises(LoadError, match=r"14 of \d+ cells(?s:.)*and 4 more") as caught:
        fit(case).transform([*cells, None] if case.ids else cells)
    assert len(caught.value.failures) == 14


def test_what_is_no_column_is_refused(case):
    encoder = fit(case)
    table = pd.DataFrame({"a": object_array(case.cells), "b": 1})
    with pytest.raises(ValueError, match="expected one column"):
        encoder.transform(table)
    with pytest.raises(ValueError, match="expected one column"):
        clone(case.estimator).fit(pl.DataFrame({"a": ["x"], "b": ["y"]}))
    with pytest.raises(TypeError, match="Put it into a list"):
        encoder.transform("a.png")


def test_input_is_not_modified(case):
    before = pickle.dumps(case.cells)
    fit(case).transform(case.cells)
    assert pickle.dumps(case.cells) == before


def test_read_only_and_non_contiguous_arrays_are_read(case):
    cells = [
        np.lib.stride_tricks.as_strided(cell, cell.shape, cell.strides, writeable=False)
        if isinstance(cell, np.ndarray)
        else cell
        for cell in case.cells
    ]
    wide = [
        np.repeat(cell, 2, axis=0)[::2] if isinstance(cell, np.ndarray) else cell
        for cell in case.cells
    ]
    expected = dense(fit(case).transform(case.cells))
    for other in (cells, wide):
        np.testing.assert_array_equal(dense(fit(case).transform(other)), expected)


def test_threads_change_nothing(case):
    expected = dense(fit(case).transform(case.cells * 20))
    with parallel_config(backend="threading", n_jobs=2):
        output = dense(fit(case).transform(case.cells * 20))
    np.testing.assert_array_equal(output, expected)


def test_vectors_have_names_and_obey_set_output(case):
    if not case.is_vector:
        encoder = fit(case).set_output(transform="pandas")
        assert isinstance(encoder.transform(case.cells), np.ndarray)
        assert encoder.get_feature_names_out(["photo"]).tolist() == ["photo"]
        return
    encoder = fit(case)
    names = encoder.get_feature_names_out()
    assert len(set(names)) == len(names) == encoder.transform(case.cells).shape[1]
    column = pd.Series(object_array(case.cells), index=range(10, 16))
    frame = encoder.set_output(transform="pandas").transform(column)
    assert frame.columns.tolist() == names.tolist()
    assert frame.index.tolist() == column.index.tolist()
    frame = encoder.set_output(transform="polars").transform(column)
    assert frame.columns == names.tolist()


@pytest.mark.parametrize("library", [pd, pl])
def test_a_global_output_container_wraps_dense_vectors_only(case, library):
    expected = fit(case).transform(case.cells)
    with config_context(transform_output=library.__name__):
        output = fit(case).transform(case.cells)
    is_framed = case.is_vector and not sparse.issparse(expected)
    assert isinstance(output, library.DataFrame if is_framed else type(expected))
    np.testing.assert_array_equal(dense(output), dense(expected))


def test_wrong_parameters_are_refused_by_name(case):
    for name in case.estimator.get_params(deep=False):
        if name in ("filesystem", "preprocessor", "vocabulary"):
            continue
        encoder = clone(case.estimator).set_params(**{name: object()})
        with pytest.raises(InvalidParameterError, match=name):
            encoder.fit(case.cells)


def test_another_process_gives_the_same(tmp_path):
    fitted = {name: (fit(case), case.cells) for name, case in CASES.items()}
    joblib.dump(fitted, tmp_path / "fitted.joblib")
    code = (
        "import joblib, sys; fitted = joblib.load(sys.argv[1]); joblib.dump("
        "{k: e.transform(c) for k, (e, c) in fitted.items()}, sys.argv[1])"
    )
    file = str(tmp_path / "fitted.joblib")
    subprocess.run([sys.executable, "-c", code, file], check=True)
    for name, output in joblib.load(file).items():
        expected = dense(fitted[name][0].transform(CASES[name].cells))
        np.testing.assert_array_equal(dense(output), expected, err_msg=name)


CHECKS = [
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_mixin_order",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
]


@pytest.mark.parametrize("check", CHECKS)
def test_scikit_learns_checks_that_need_no_table_pass(case, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        checked = getattr(estimator_checks, check)
        checked(type(case.estimator).__name__, clone(case.estimator))
