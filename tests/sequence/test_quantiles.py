"""Quantiles over intervals against a slow loop, aeon's figures and invariances."""

import math

import numpy as np
import pytest

from sklearn_mm import CachedEncoder, SequencePadder, SequenceQuantiles
from sklearn_mm.sequence import _quantiles

#: Lengths above, equal to and far below the number of steps of the encoder.
LENGTHS = [1, 2, 3, 4, 7, 20, 39, 40, 41, 64, 150]


def represent(series, n_steps):
    """List the four representations, one number after the other."""
    steps = np.diff(series) if len(series) > 1 else np.zeros(1)
    smooth = [
        np.mean([steps[min(max(t + k, 0), len(steps) - 1)] for k in range(-2, 3)])
        for t in range(len(steps))
    ]
    second = np.diff(steps) if len(steps) > 1 else np.zeros(1)
    cycles = np.outer(np.arange(len(series) // 2 + 1), np.arange(len(series)))
    waves = np.exp(-2j * np.pi * cycles / len(series))
    spectrum = np.abs(waves @ series) * math.sqrt(n_steps / len(series))
    return [series, np.array(smooth), second, spectrum]


def divide(length, n, shifted):
    """List the intervals of a division into n, or of its shifted copy."""
    if not shifted:
        return [(i * length // n, (i + 1) * length // n) for i in range(n)]
    shift = math.ceil(length / n / 2)
    return [(a + shift, b + shift) for a, b in divide(length, n, False)[:-1]]


def describe(series, n_steps, depth, divisor):
    """The features of one channel, interval by interval."""
    features = []
    planned = represent(np.zeros(n_steps), n_steps)
    for values, plan in zip(represent(series, n_steps), map(len, planned), strict=True):
        for n in 2 ** np.arange(min(depth, int(math.log2(plan)) + 1)):
            sizes = sorted(b - a for a, b in divide(plan, n, False))
            for shifted in [False, True][: 1 + (n > 1 and sizes[(n - 1) // 2] > 1)]:
                own = divide(len(values), n, shifted)
                for (a, b), (c, d) in zip(own, divide(plan, n, shifted), strict=True):
                    a = min(a, len(values) - 1)
                    part = values[a : max(b, a + 1)]
                    features += compute_quantiles(part, 1 + (d - c - 1) // divisor)
    return features


def compute_quantiles(part, count):
    """Compute the quantiles of one interval, every other one less the mean."""
    quantiles = np.quantile(part, np.linspace(0, 1, count) if count > 1 else [0.5])
    if count > 1:
        quantiles[1::2] -= part.mean()
    return list(quantiles)


@pytest.mark.parametrize(
    ("n_steps", "depth", "divisor"),
    [(40, 6, 4), (40, 3, 1), (64, 9, 2), (5, 6, 4), (1, 1, 1), (2, 6, 1), (3, 2, 4)],
)
def test_features_equal_a_slow_loop(n_steps, depth, divisor):
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=n) for n in LENGTHS]
    ours = SequenceQuantiles(depth, divisor, n_steps=n_steps).fit_transform(sequences)
    expected = [describe(s, n_steps, depth, divisor) for s in sequences]
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)


def test_features_equal_aeons():
    # The example in the docstring of aeon 1.6's QUANTTransformer.
    series = [0, 1.43037873, 1.20552675, 1.08976637, 0.8473096, 1.29178823]
    series += [0.87517442, 1.783546, 1.92732552, 0.76688304, 1.58345008, 1.05778984]
    ours = SequenceQuantiles(depth=2, quantile_divisor=8, n_steps=12)
    expected = [0, 0.7724, 1.1476, 1.3206, 1.1908, -0.3842, 0.6883, 0.2584, 0.0102]
    expected += [0.0583, -1.6552, 2.1726, -0.1267, -0.7646, -0.7646, 1.6744, 1.7010]
    expected += [1.2805, 1.6744]
    np.testing.assert_allclose(ours.fit_transform([series])[0], expected, atol=1e-4)


def test_the_width_depends_on_no_length():
    for sequences in ([np.ones((3, 2))], [np.ones((500, 2)), np.ones((1, 2))]):
        encoder = SequenceQuantiles(n_steps=50).fit(sequences)
        assert encoder.transform([np.ones((77, 2))]).shape == (1, 2 * 583)
        assert len(set(encoder.get_feature_names_out())) == 2 * 583


def test_names_say_where_a_feature_comes_from():
    series = np.r_[np.zeros(20), np.arange(20.0)]
    encoder = SequenceQuantiles(2, 9, n_steps=40).set_output(transform="pandas")
    features = encoder.fit_transform([series]).iloc[0]
    assert features["channel0_value_1of2_quantile0"] == 0
    assert features["channel0_value_2of2_quantile2"] == 19
    assert features["channel0_value_1.5of2_quantile2"] == 9
    assert features["channel0_difference_2of2_quantile2"] == 1


def test_padding_and_batches_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(n, 2)) for n in (5, 90, 17, 90, 130, 5)]
    expected = SequenceQuantiles().fit_transform(sequences)
    padded = SequencePadder(max_length=200).transform(sequences)
    np.testing.assert_array_equal(SequenceQuantiles().fit_transform(padded), expected)
    monkeypatch.setattr(_quantiles, "_BATCH", 300)
    np.testing.assert_array_equal(
        SequenceQuantiles().fit_transform(sequences), expected
    )


def test_channels_do_not_depend_on_each_other():
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(n, 3)) for n in (60, 128, 200)]
    together = SequenceQuantiles().fit_transform(sequences)
    apart = [
        SequenceQuantiles().fit_transform([s[:, c] for s in sequences])
        for c in range(3)
    ]
    np.testing.assert_array_equal(together, np.hstack(apart))


def test_gaps_are_interpolated_and_lost_channels_stay_lost():
    whole = np.linspace(0, 1, 31)
    gappy = whole.copy()
    gappy[[4, 5, 20]] = np.nan
    both = np.column_stack([gappy, np.full(31, np.nan)])
    row = SequenceQuantiles(n_steps=31).fit_transform([both])[0].reshape(2, -1)
    expected = describe(whole, 31, 6, 4)
    np.testing.assert_allclose(row[0], expected, rtol=1e-4, atol=1e-5)
    assert np.isnan(row[1]).all()


def test_a_shape_has_similar_features_at_any_length():
    def draw(n):
        time = np.linspace(0, 1, n)
        return np.sin(9 * time) + time

    encoder = SequenceQuantiles(n_steps=64).set_output(transform="pandas")
    features = encoder.fit_transform([draw(n) for n in (64, 150, 400)])
    values = features.filter(like="channel0_value").to_numpy()
    assert np.abs(values - values[0]).max() < 0.15


def test_noise_is_as_loud_at_any_length():
    rng = np.random.default_rng(0)
    encoder = SequenceQuantiles().set_output(transform="pandas")
    features = encoder.fit_transform([rng.normal(size=n) for n in (200, 800, 3200)])
    median = features["channel0_spectrum_1of1_quantile4"]
    assert np.ptp(median) < 0.15 * median.mean()


def test_a_cache_returns_the_same():
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=n) for n in (30, 60)]
    cached = CachedEncoder(SequenceQuantiles())
    expected = SequenceQuantiles().fit_transform(sequences)
    np.testing.assert_array_equal(cached.fit_transform(sequences), expected)
    np.testing.assert_array_equal(cached.transform(sequences[::-1]), expected[::-1])
