"""Sequences: padding, and statistics against plain loops over scipy and numpy."""

import numpy as np
import pytest
from scipy import signal, stats

from sklearn_mm import LoadError, SequencePadder, SequenceStatistics


def describe(channel, sampling_rate):
    """The statistics of one channel, one by one."""
    time = np.arange(len(channel))
    frequency, power = signal.periodogram(channel, fs=sampling_rate)
    peak = np.argmax(power[1:]) + 1
    return [
        np.mean(channel),
        np.std(channel),
        np.min(channel),
        np.max(channel),
        *np.quantile(channel, [0.25, 0.5, 0.75]),
        stats.linregress(time, channel).slope,
        np.mean(np.abs(np.diff(channel))),
        frequency[peak],
        power[peak] / power[1:].sum(),
    ]


@pytest.mark.parametrize("sampling_rate", [1.0, 50.0])
def test_statistics_equal_scipys(sampling_rate):
    rng = np.random.default_rng(0)
    sequences = [rng.random((n, 3)).cumsum(axis=0) for n in (2, 3, 10, 11, 64, 10)]
    ours = SequenceStatistics(sampling_rate).fit_transform(sequences)
    for sequence, row in zip(sequences, ours):
        expected = [describe(channel, sampling_rate) for channel in sequence.T]
        np.testing.assert_allclose(row, np.ravel(expected), rtol=1e-4, atol=1e-5)


def test_a_sine_has_its_frequency():
    time = np.arange(400) / 100
    wave = 3 + np.sin(2 * np.pi * 12.5 * time)
    frame = SequenceStatistics(100).set_output(transform="pandas").fit_transform([wave])
    assert frame["channel0_dominant_frequency"][0] == 12.5
    assert frame["channel0_dominant_power"][0] > 0.99


def test_padding_changes_nothing():
    sequences = [np.arange(5.0), np.arange(9.0) ** 2]
    padded = SequencePadder(max_length=30).transform(sequences)
    np.testing.assert_array_equal(
        SequenceStatistics().fit_transform(padded),
        SequenceStatistics().fit_transform(sequences),
    )


def test_one_step_and_constants_have_no_frequency():
    rows = SequenceStatistics().fit_transform([[5.0], [0.1] * 7])
    assert rows[:, 9:].tolist() == [[0, 0], [0, 0]]
    assert rows[0, [0, 1, 7, 8]].tolist() == [5, 0, 0, 0]


def test_gaps_are_interpolated_and_lost_channels_stay_lost():
    whole = np.linspace(0, 1, 11)
    gappy = whole.copy()
    gappy[[0, 4, 5]] = np.nan
    both = np.column_stack([gappy, np.full(11, np.nan)])
    row = SequenceStatistics().fit_transform([both])[0]
    filled = np.r_[whole[1], whole[1:]]
    np.testing.assert_allclose(row[:11], describe(filled, 1.0), rtol=1e-4, atol=1e-6)
    assert np.isnan(row[11:18]).all()


@pytest.mark.parametrize("length", [1, 3, 8])
def test_max_length_cuts_and_pads(length):
    padded = SequencePadder(length).transform([np.arange(1.0, 6), None, np.ones(2)])
    assert padded.shape == (3, length)
    expected = np.full(8, np.nan)
    expected[:5] = np.arange(1, 6)
    np.testing.assert_array_equal(padded[0], expected[:length])
    array = SequencePadder(length).transform(np.ones((2, 5, 3)))
    assert array.shape == (2, length, 3)
    assert np.nansum(array) == 2 * 3 * min(5, length)


def test_channels_are_those_of_fit():
    padder = SequencePadder().fit([np.ones((4, 3))])
    assert padder.transform([None]).shape == (1, 1, 3)
    with pytest.raises(LoadError, match=r"its shape \(4, 2\) is not \(length, 3\)"):
        padder.transform([np.ones((4, 2))])
    with pytest.raises(LoadError, match="single number"):
        SequencePadder().transform([3.0])
    with pytest.raises(LoadError, match="not an array of numbers"):
        SequencePadder().transform(["abc"])
    with pytest.raises(LoadError, match=r"its shape \(3, 2, 2\) is not \(time,\)"):
        SequencePadder().transform([np.ones((3, 2, 2))])


def test_real_series_of_unequal_length(data_home):
    file = data_home / "uea" / "JapaneseVowels" / "JapaneseVowels_TRAIN.ts"
    if not file.exists():
        pytest.skip("no uea data")
    body = file.read_text().split("@data", 1)[1].strip().splitlines()
    sequences = [
        np.array([[float(v) for v in c.split(",")] for c in line.split(":")[:-1]]).T
        for line in body
    ]
    ours = SequenceStatistics().fit_transform(sequences)
    assert ours.shape == (270, 12 * 11)
    expected = np.ravel([describe(channel, 1.0) for channel in sequences[17].T])
    np.testing.assert_allclose(ours[17], expected, rtol=1e-3, atol=1e-4)
