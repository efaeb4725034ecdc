"""Kernels: against plain convolutions, and what must change nothing."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline

from sklearn_mm import CachedEncoder, SequenceKernels, SequencePadder
from sklearn_mm._columns.padding import PaddedArray
from sklearn_mm.sequence import _kernels

KERNELS = list(combinations(range(9), 3))
SMALL = SequenceKernels(84 * 6, max_dilations=4, random_state=0)


def walk(length, n_channels=1, seed=0):
    """A random walk over integers, whose convolutions are exact in any order."""
    rng = np.random.default_rng(seed)
    return rng.integers(-9, 10, (length, n_channels)).cumsum(axis=0).astype(np.float32)


def convolve(signal, kernel, dilation):
    """The output of one kernel, between zeros, by numpy's own convolution."""
    weights = np.zeros(8 * dilation + 1)
    weights[::dilation] = -1
    weights[[dilation * position for position in kernel]] = 2
    padded = np.pad(signal.astype(float), 4 * dilation)
    return np.convolve(padded, weights[::-1], mode="valid")


def describe(sequence, encoder):
    """The features of one sequence, one by one."""
    features = []
    for j, dilation in enumerate(encoder.dilations_):
        for k, kernel in enumerate(KERNELS):
            channels = list(encoder.channels_[j][k])
            signal = (sequence / encoder.scale_)[:, channels].sum(axis=1)
            output = convolve(signal, kernel, dilation)
            features += [np.mean(output > bias) for bias in encoder.biases_[j][k]]
    return features


@pytest.mark.parametrize("n_channels", [1, 2, 12])
def test_features_equal_plain_convolutions(n_channels):
    sequences = [walk(n, n_channels, seed=n) for n in (5, 40, 41, 70, 100, 70, 1)]
    encoder = clone(SMALL).fit(sequences[3:])
    encoder.scale_ = np.exp2(np.round(np.log2(encoder.scale_)))  # divides exactly
    for sequence, row in zip(sequences, encoder.transform(sequences)):
        np.testing.assert_allclose(row, describe(sequence, encoder), atol=1e-6)


def test_biases_are_quantiles_of_the_outputs():
    sequence = walk(60)
    encoder = clone(SMALL).fit([sequence])
    golden = (np.sqrt(5) + 1) / 2
    quantiles = iter(np.arange(1, 84 * 6 + 1) * golden % 1)
    for dilation, biases in zip(encoder.dilations_, encoder.biases_):
        for kernel, row in zip(KERNELS, biases):
            output = convolve(sequence[:, 0], kernel, dilation)
            expected = np.quantile(output, [next(quantiles) for _ in row])
            np.testing.assert_allclose(row, expected, atol=1e-4)


def test_channels_are_scaled_by_their_deviation():
    sequences = [walk(n, 3, seed=n) for n in (30, 50)]
    for sequence in sequences:
        sequence[:, 1] = 0.1
        sequence[4:9, 2] = np.nan
    encoder = clone(SMALL).fit(sequences)
    joined = np.concatenate(sequences)
    expected = [joined[:, 0].std(), 1, np.nanstd(joined[:, 2])]
    np.testing.assert_allclose(encoder.scale_, expected, rtol=1e-5)
    units = np.array([8, 1, 1 / 4])
    moved = clone(SMALL).fit([sequence * units for sequence in sequences])
    np.testing.assert_array_equal(
        moved.transform([sequences[0] * units]), encoder.transform(sequences[:1])
    )


def test_dilations_and_the_number_of_features_are_the_papers():
    encoder = SequenceKernels(random_state=0).fit([walk(500)])
    assert encoder.transform([walk(500)]).shape == (1, 9996)
    dilations = "1 2 3 4 5 6 7 8 9 11 12 14 16 18 21 24 28 32 36 41 47 54 62"
    assert " ".join(map(str, encoder.dilations_)) == dilations
    counts = [biases.shape[1] for biases in encoder.biases_]
    assert counts == [23, 12, 8, 8] + [4] * 11 + [3] * 8
    assert 8 * encoder.dilations_[-1] < 500


@pytest.mark.parametrize("length", [1, 8, 9, 10])
def test_short_sequences_have_one_dilation(length):
    encoder = clone(SMALL).fit([walk(length)])
    assert encoder.dilations_.tolist() == [1]
    assert np.isfinite(encoder.transform([walk(length), walk(200)])).all()


def test_padding_and_batches_change_nothing(monkeypatch):
    sequences = [walk(n, 3, seed=n) for n in (30, 7, 50, 30, 12)]
    encoder = clone(SMALL).fit(sequences)
    expected = encoder.transform(sequences)
    padded = SequencePadder(max_length=90).transform([*sequences, None])
    np.testing.assert_array_equal(encoder.transform(padded)[:5], expected)
    np.testing.assert_array_equal(clone(SMALL).fit_transform(padded)[:5], expected)
    sparse = PaddedArray([*sequences, None], 90, (3,))
    np.testing.assert_array_equal(clone(SMALL).fit_transform(sparse)[:5], expected)
    for size in (1, 70, 10**6):
        monkeypatch.setattr(_kernels, "_BATCH", size)
        np.testing.assert_array_equal(encoder.transform(sequences), expected)


def test_threads_change_nothing(monkeypatch):
    monkeypatch.setattr(_kernels, "_BATCH", 100)
    sequences = [walk(20 + n, seed=n) for n in range(30)]
    expected = clone(SMALL).fit_transform(sequences)
    threads = clone(SMALL).set_params(n_jobs=2)
    np.testing.assert_array_equal(threads.fit_transform(sequences), expected)


def test_gaps_are_interpolated_and_lost_channels_count_as_zero():
    line = np.column_stack([np.arange(21), walk(21)[:, 0]])
    gappy, lost, zero = line.copy(), line.copy(), line.copy()
    gappy[[4, 5, 12], 0] = np.nan
    gappy[18:, 0] = np.nan
    filled = line.copy()
    filled[18:, 0] = line[17, 0]
    lost[:, 1], zero[:, 1] = np.nan, 0
    longer = walk(40, 2)  # so that the others are padded
    encoder = clone(SMALL).fit([line, longer])
    rows = encoder.transform([gappy, filled, lost, zero, longer])
    np.testing.assert_array_equal(rows[0], rows[1])
    np.testing.assert_array_equal(rows[2], rows[3])


def test_seeds_draw_other_examples_and_channels():
    sequences = [walk(30, 4, seed=n) for n in range(10)]
    first, again, other = (
        SequenceKernels(84, random_state=seed).fit(sequences) for seed in (0, 0, 1)
    )
    assert first.channels_ == again.channels_ != other.channels_
    np.testing.assert_array_equal(first.biases_[0], again.biases_[0])
    assert (first.biases_[0] != other.biases_[0]).any()
    sizes = {
        len(c) for c in SequenceKernels(random_state=0).fit([walk(30, 20)]).channels_[0]
    }
    assert sizes == set(range(1, 10))


def test_names_say_dilation_kernel_and_bias():
    encoder = clone(SMALL).fit([walk(100)])
    names = encoder.get_feature_names_out()
    assert names[0] == "dilation1_kernel012_bias0"
    assert names[-1] == f"dilation{encoder.dilations_[-1]}_kernel678_bias0"


def test_a_column_without_any_sequence_is_all_missing():
    assert np.isnan(clone(SMALL).fit_transform([None, None])).all()


def test_it_is_fitted_before_use():
    with pytest.raises(NotFittedError):
        clone(SMALL).transform([walk(20)])
    with pytest.raises(NotFittedError):
        clone(SMALL).get_feature_names_out()


def test_the_cache_refuses_biases_and_takes_what_comes_before(tmp_path):
    with pytest.raises(TypeError, match="SequenceKernels learns in fit"):
        CachedEncoder(SMALL, tmp_path).fit([walk(20)])
    cached = CachedEncoder(SequencePadder(), tmp_path)
    sequences = pd.Series([walk(n)[:, 0] for n in (20, 30, 25)])
    np.testing.assert_array_equal(
        make_pipeline(cached, clone(SMALL)).fit_transform(sequences),
        clone(SMALL).fit_transform(sequences),
    )


def test_real_gestures_are_told_apart(data_home):
    folder = data_home / "ucr" / "GunPoint"
    if not folder.exists():
        pytest.skip("no ucr data")
    parts = []
    for part in ("TRAIN", "TEST"):
        text = (folder / f"GunPoint_{part}.ts").read_text().split("@data", 1)[1]
        rows = [line.split(":") for line in text.strip().splitlines()]
        parts.append(np.array([row[0].split(",") for row in rows], dtype=np.float32))
        parts.append([row[1].strip() for row in rows])
    train, y_train, test, y_test = parts
    model = make_pipeline(SequenceKernels(2000, random_state=0), RidgeClassifierCV())
    assert model.fit(train, y_train).score(test, y_test) > 0.97
