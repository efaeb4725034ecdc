"""Samples of different lengths in one array, and what it costs."""

import pickle
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from benchmarks.memory import measure_peak
from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    CachedEncoder,
    LogMelSpectrogram,
    MultimodalVectorizer,
    SequencePadder,
    SequenceQuantiles,
    SequenceResampler,
    SequenceStatistics,
)
from sklearn_mm._columns import padding
from sklearn_mm._columns.padding import PaddedArray, pad_samples

from ..conftest import make_tone

TONES = [make_tone(n, n) for n in (900, 4000, 1200, 700, 2500)]
SPEECH = make_pipeline(AudioLoader(8000), LogMelSpectrogram(8000, n_mels=20))
ENCODERS = {
    "audio": make_pipeline(AudioLoader(8000), AudioStatistics(8000)),
    "spectrogram": SPEECH,
    "flattened": make_pipeline(SPEECH, SequenceStatistics()),
    "cached": CachedEncoder(SPEECH),
    "cached signals": make_pipeline(
        CachedEncoder(AudioLoader(8000)), AudioStatistics(8000)
    ),
    "sequence": make_pipeline(
        SequencePadder(),
        FeatureUnion([("a", SequenceStatistics()), ("b", SequenceResampler())]),
    ),
    "arrays": SequenceStatistics(),
    "quantiles": make_pipeline(SPEECH, SequenceQuantiles(3, n_steps=20)),
    "cut": make_pipeline(SequencePadder(3000), SequenceResampler()),
}


@pytest.fixture
def lazily(monkeypatch):
    """Pad no array before it is used."""
    monkeypatch.setattr(padding, "_SMALL", 0)
    monkeypatch.setattr(padding, "_SPARSE", 0)


@pytest.mark.parametrize("name", ENCODERS)
def test_arrays_that_are_padded_later_are_encoded_as_others(name, request):
    cells = [*TONES, None, TONES[0]]
    encoder = ENCODERS[name]
    expected = encoder.fit_transform(cells)
    request.getfixturevalue("lazily")
    encoded = encoder.fit_transform(cells)
    assert encoded.shape == expected.shape
    np.testing.assert_array_equal(encoded, expected)
    np.testing.assert_array_equal(encoder.transform(cells[:2])[1], encoded[1])


def test_arrays_that_are_padded_later_act_as_arrays(lazily):
    samples = [np.array([1.0, 2]), None, np.array([3.0]), np.array([4, 5, 6, np.nan])]
    array = pad_samples(samples)
    assert isinstance(array, PaddedArray)
    dense = np.array(array)
    expected = [[1, 2, np.nan, np.nan], [np.nan] * 4, [3] + [np.nan] * 3]
    np.testing.assert_array_equal(dense, [*expected, [4, 5, 6, np.nan]])
    mask = np.array([True, False, True, True])
    keys = (0, -1, slice(1, 3), [2, 0], mask, (slice(None), 1), (1, ...), dense > 2)
    for key in (*keys, (mask, ...), (2, 0), (slice(2), slice(2)), None):
        np.testing.assert_array_equal(array[key], dense[key])
    np.testing.assert_array_equal(array + 1, dense + 1)
    np.testing.assert_array_equal(np.concatenate([array, array]), [*dense, *dense])
    np.testing.assert_array_equal(list(array), dense)
    assert np.nansum(array) == np.nansum(dense)
    assert (array.ndim, array.dtype, len(array), array.size) == (2, "f4", 4, 16)
    assert array.T.shape == (4, 4)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(array)), dense)
    double = make_pipeline(FunctionTransformer(lambda X: 2 * X), SequenceStatistics())
    np.testing.assert_array_equal(
        double.fit_transform(array), double.fit_transform(dense)
    )
    y = [0, 1, 0, 1] * 2
    model = make_pipeline(SequenceStatistics(), LogisticRegression())
    both = pad_samples([samples[i] for i in (0, 2, 3, 3)] * 2)
    np.testing.assert_array_equal(
        cross_val_predict(model, both, y, cv=2),
        cross_val_predict(model, np.asarray(both), y, cv=2),
    )


def test_signals_that_are_padded_later_know_their_sampling_rate(lazily):
    signals = AudioLoader(8000).transform(TONES)
    assert isinstance(signals, PaddedArray)
    for part in (
        signals,
        signals[1:],
        signals[[2, 0]],
        pickle.loads(pickle.dumps(signals)),
    ):
        with pytest.raises(ValueError, match="at 8000 Hz"):
            AudioStatistics().fit_transform(part)
    expected = AudioLoader(16000).transform([(tone, 8000) for tone in TONES])
    np.testing.assert_array_equal(AudioLoader(16000).transform(signals), expected)


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_faults_are_found_in_arrays_that_are_padded_later(lazily, value):
    tones = [TONES[0], TONES[1].copy(), None]
    tones[1][7] = value
    reason = "infinity" if np.isinf(value) else "NaN"
    with pytest.raises(ValueError, match=f"row 1 .*{reason}"):
        AudioStatistics(8000).fit(tones)
    with pytest.raises(ValueError, match="samples exceed"):
        AudioStatistics(8000).fit([TONES[0], TONES[1] * 1e13])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    "make",
    [
        lambda: make_pipeline(AudioLoader(), AudioStatistics()),
        lambda: make_pipeline(AudioLoader(), LogMelSpectrogram()),
        lambda: CachedEncoder(make_pipeline(AudioLoader(), AudioStatistics())),
        lambda: make_pipeline(CachedEncoder(AudioLoader()), AudioStatistics()),
        lambda: SequenceResampler(),
        lambda: make_pipeline(SequencePadder(), SequenceResampler()),
        lambda: MultimodalVectorizer({"a": "audio"}, n_components=2),
    ],
)
def test_one_long_sample_costs_no_more_than_its_own_length(make):
    cells = [make_tone(800, seed) for seed in range(299)]
    encoder = make()
    is_table = isinstance(encoder, MultimodalVectorizer)

    def encode(cells):
        column = pd.Series(cells, dtype=object)
        return encoder.fit_transform(column.to_frame("a") if is_table else column)

    encode(cells)
    long = make_tone(16000 * 10, seed=300)
    _, grown = measure_peak(lambda: encode([*cells, long]))
    assert len(cells) * long.nbytes > 180 * 2**20
    assert grown < 40 * 2**20
