"""Sound: files, resampling, spectrograms and statistics against librosa."""

import array
import io
import pickle
import struct
import warnings
from contextlib import nullcontext
from itertools import pairwise

import librosa
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import soundfile
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    CachedEncoder,
    LoadError,
    LogMelSpectrogram,
)
from sklearn_mm.audio._spectrum import mel_filterbank

from ..conftest import encode_audio, make_tone


def pickle_and_load(array):
    return pickle.loads(pickle.dumps(array))


FORMATS = [
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "PCM_U8"),
    ("WAV", "FLOAT"),
    ("WAVEX", "PCM_16"),
    ("NIST", "ULAW"),
    ("FLAC", "PCM_16"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
]


@pytest.mark.parametrize(("container", "subtype"), FORMATS)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("sampling_rate", [16000, 11025])
def test_files_load_as_by_librosa(
    tmp_path, container, subtype, channels, sampling_rate
):
    signal = np.stack([make_tone(9001, seed) for seed in range(channels)], axis=1)
    file = tmp_path / "a"
    soundfile.write(file, signal, 16000, format=container, subtype=subtype)
    loaded = AudioLoader(sampling_rate).transform([file])[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = librosa.load(file, sr=sampling_rate)[0]
    np.testing.assert_array_equal(loaded, expected)


@pytest.mark.parametrize("duration", [0.1, 0.25, 3.0])
def test_duration_cuts_and_pads(tmp_path, duration):
    data = encode_audio(make_tone(9000), rate=11025)
    loaded = AudioLoader(8000, duration).transform([data, None])
    assert loaded.shape == (2, round(duration * 8000))
    (tmp_path / "a.wav").write_bytes(data)
    expected = librosa.load(tmp_path / "a.wav", sr=8000, duration=duration)[0]
    valid = loaded[0][~np.isnan(loaded[0])]
    n = min(len(valid), len(expected))
    assert abs(len(valid) - len(expected)) <= 1
    np.testing.assert_array_equal(valid[:n], expected[:n])


def test_kinds_of_arrays_agree():
    tone = make_tone()
    pcm = np.round(tone * 32767).astype(np.int16)
    cells = [
        tone,
        tone.astype(float),
        (tone, 8000),
        np.pad(tone, (0, 7), constant_values=np.nan),
        np.stack([tone, tone], axis=1),
        pcm,
        pcm.astype(np.int32) << 16,
    ]
    loaded = AudioLoader(8000).transform(cells)
    assert loaded.shape == (7, 4000)
    for row in loaded:
        np.testing.assert_allclose(row, tone, atol=1e-4)


PCM = np.round(make_tone() * 20000).astype(np.int16)
WIDE = PCM.astype(np.int32) << 16


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32"])
@pytest.mark.parametrize("dtype", ["int16", "int32"])
def test_integers_are_scaled_as_soundfile_scales_them(subtype, dtype):
    data = encode_audio(make_tone(), subtype=subtype)
    expected, _ = soundfile.read(io.BytesIO(data), dtype="float32")
    integers, rate = soundfile.read(io.BytesIO(data), dtype=dtype)
    loaded = AudioLoader(8000).transform([integers, (integers.tolist(), rate)])
    np.testing.assert_allclose(loaded, [expected] * 2, atol=2**-15)


@pytest.mark.parametrize(
    "make",
    [
        lambda: [PCM.tolist()],
        lambda: [(PCM.tolist(), 8000)],
        lambda: [PCM.astype(np.int32)],
        lambda: [PCM.astype(object)],
        lambda: [array.array("h", PCM.tolist())],
        lambda: [WIDE],
        lambda: [WIDE.astype(np.int64)],
        lambda: np.stack([PCM, PCM // 1000]).astype(np.int64),
        lambda: [np.stack([PCM, PCM], axis=1).tolist()],
        lambda: pl.Series([PCM.tolist()], dtype=pl.List(pl.Int16)),
        lambda: pl.Series([WIDE.tolist()], dtype=pl.List(pl.Int32)),
        lambda: pd.Series([PCM.tolist()], dtype=pd.ArrowDtype(pa.list_(pa.int16()))),
    ],
)
def test_samples_of_16_bits_are_the_same_in_any_container(make):
    loaded = AudioLoader(8000).transform(make())
    np.testing.assert_allclose(loaded[0], PCM / 2.0**15, atol=1e-7)


def test_a_quiet_signal_is_scaled_as_a_loud_one():
    quiet = [(PCM // 1000).tolist(), [0] * len(PCM)]
    expected = [PCM // 1000 / 2.0**15, np.zeros(len(PCM))]
    np.testing.assert_allclose(AudioLoader(8000).transform(quiet), expected)


def test_bytes_are_centred_at_128():
    data = encode_audio(make_tone(), subtype="PCM_U8")
    loaded = AudioLoader(8000).transform([np.frombuffer(data[44:], np.uint8), data])
    np.testing.assert_array_equal(loaded[0], loaded[1])


def test_an_array_of_all_signals_is_a_column_and_its_own_result():
    signals = np.stack([make_tone(seed=seed) for seed in range(3)])
    signals[1] = np.nan
    signals[2, 3000:] = np.nan
    np.testing.assert_array_equal(AudioLoader(8000).transform(signals), signals)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (b"RIFF", "header|decoded"),
        (encode_audio(make_tone())[:-100], "cut off"),
        (encode_audio(make_tone())[:30], "damaged or cut off"),
        (encode_audio(make_tone(), subtype="PCM_24")[:-100], "cut off"),
        (encode_audio(make_tone(), "NIST")[:-100], "cut off"),
        (b"fLaC" + bytes(99), "FLAC header is damaged"),
        (encode_audio(make_tone(), "FLAC")[:2000], "cut off|decoded"),
        (encode_audio(make_tone()[:0]), "holds no samples"),
        (np.array([]), "holds no samples"),
        (np.array([1.0, np.nan, 2.0]), "NaN or infinite"),
        (np.array([1.0, np.inf]), "NaN or infinite"),
        (np.ones((2, 500)), r"not \(n_samples,\)"),
        (np.array(["a"]), "expected audio"),
        (7, "got int"),
        (PCM.astype(np.int64) << 7, "2[23] bits are neither 16 nor 32: divide"),
        (PCM.astype(np.uint16), "no full scale is defined for this type"),
        ((PCM // 256 + 128).tolist(), "look like 8-bit samples: convert them to uint8"),
        ([2**40, 1], "42 bits"),
        ([10**30, 1], "exceed 1e[+]12"),
        ([1, None, 2], "NaN or infinite"),
        ([[1, 2], [3]], "channels are longer than others"),
        ((80, PCM), r"not \(int, ndarray\)"),
        ((make_tone(), 0), r"\(array, sampling_rate\)"),
        ((make_tone(), 8000, 1), r"\(array, sampling_rate\)"),
        (np.ones(601 * 8000, dtype=np.float32), "601.0 seconds exceed"),
        ((np.ones(700, dtype=np.float32), 1), "700.0 seconds exceed"),
    ],
)
def test_what_is_no_sound_is_refused_with_a_reason(cell, reason):
    with pytest.raises(LoadError, match=reason):
        AudioLoader(8000).transform([cell])


def test_seconds_are_bounded_by_the_header():
    silence = encode_audio(np.zeros(8000 * 3600, dtype=np.int16), "FLAC")
    assert len(silence) < 1_000_000
    with pytest.raises(LoadError, match=r"3,600\.0 seconds exceed max_seconds=600"):
        AudioLoader(8000).transform([silence])
    assert AudioLoader(8000, duration=2).transform([silence]).shape == (1, 16000)
    unknown = silence[:21] + bytes([silence[21] & 0xF0]) + bytes(4) + silence[26:]
    with pytest.raises(LoadError, match=r"3,600\.0 seconds exceed max_seconds=600"):
        AudioLoader(8000).transform([unknown])


def test_parts_of_other_sampling_rates_are_refused():
    parts = [encode_audio(make_tone(), "OGG", rate=rate) for rate in (8000, 16000)]
    with pytest.raises(LoadError, match=r"sampling rates: \[8000, 16000\] Hz"):
        AudioLoader().transform([b"".join(parts)])


@pytest.mark.parametrize("end", [b"", b"TAG" + bytes(125), bytes(999)])
def test_nothing_is_written_to_stderr_about_mp3(end, capfd):
    data = encode_audio(make_tone(), "MP3")
    tag = b"ID3\3\0\0\0\0\0\x0a" + bytes(10)
    for damaged in (data, tag + data, data * 2, data[:-9], data[:900] + data[901:]):
        AudioLoader(on_error="missing").transform([damaged + end])
    assert capfd.readouterr().err == ""


def test_headers_that_lie_are_refused_or_read_as_far_as_they_go():
    data = bytearray(encode_audio(make_tone()))
    for rate in (0, 4_000_000_000):
        data[24:28] = struct.pack("<I", rate)
        with pytest.raises(LoadError, match="sampling rate|decoded"):
            AudioLoader(8000).transform([bytes(data)])
    streamed = bytearray(encode_audio(make_tone()))
    streamed[40:44] = b"\xff\xff\xff\xff"  # a program that streams does not know
    loaded = AudioLoader(8000).transform([bytes(streamed)])
    np.testing.assert_allclose(loaded[0], make_tone(), atol=1e-4)


def test_chunks_before_the_samples_are_skipped():
    data = encode_audio(make_tone())
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    longer = data[:12] + odd + data[12:]
    expected = AudioLoader(8000).transform([data])
    np.testing.assert_array_equal(AudioLoader(8000).transform([longer]), expected)


@pytest.mark.parametrize(
    ("rate", "n_fft", "n_mels", "fmin", "fmax"),
    [
        (8000, 256, 64, 0, 4000),
        (44100, 2048, 128, 20, 16000),
        (16000, 401, 20, 0, 8000),
    ],
)
def test_mel_filters_equal_librosas(rate, n_fft, n_mels, fmin, fmax):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = librosa.filters.mel(
            sr=rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax
        )
    ours = mel_filterbank(rate, n_fft, n_mels, fmin, fmax)
    np.testing.assert_allclose(ours.toarray(), expected, atol=1e-8)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"n_fft": 400, "hop_length": 100, "n_mels": 20},
        {"n_fft": 513, "hop_length": 512, "fmin": 50, "fmax": 3000, "top_db": 40},
        {"top_db": None},
    ],
)
def test_spectrograms_equal_librosas_clip_by_clip(options):
    clips = [make_tone(n, n) for n in (1, 79, 80, 4000, 12345)]
    clips.append(np.zeros(500, dtype=np.float32))
    batch = LogMelSpectrogram(8000, **options).transform(
        AudioLoader(8000).transform(clips)
    )
    options = {"n_fft": 256, "hop_length": 80, "n_mels": 64, **options}
    top_db = options.pop("top_db", 80)
    for clip, ours in zip(clips, batch):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            power = librosa.feature.melspectrogram(y=clip, sr=8000, **options)
        expected = librosa.power_to_db(power, top_db=top_db).T
        assert np.isnan(ours[len(expected) :]).all()
        np.testing.assert_allclose(ours[: len(expected)], expected, atol=1e-3)


def describe_by_librosa(y, rate, n_fft, hop_length, n_mels, n_mfcc):
    frame = {"n_fft": n_fft, "hop_length": hop_length}
    mfcc = librosa.feature.mfcc(y=y, sr=rate, n_mfcc=n_mfcc, n_mels=n_mels, **frame)
    wave = {"frame_length": n_fft, "hop_length": hop_length}
    return np.vstack(
        [
            mfcc,
            librosa.feature.delta(mfcc),
            librosa.feature.spectral_centroid(y=y, sr=rate, **frame),
            librosa.feature.spectral_bandwidth(y=y, sr=rate, **frame),
            librosa.feature.spectral_rolloff(y=y, sr=rate, **frame),
            librosa.feature.spectral_flatness(y=y, **frame),
            librosa.feature.zero_crossing_rate(y, **wave),
            librosa.feature.rms(y=y, **wave),
        ]
    )


@pytest.mark.parametrize(
    ("rate", "n_fft", "hop_length", "n_mfcc"),
    [(8000, 256, 80, 20), (16000, 1024, 512, 13), (8000, 301, 77, 5)],
)
def test_statistics_equal_librosas(rate, n_fft, hop_length, n_mfcc):
    clips = [make_tone(n, n) for n in (hop_length * 9, 5000, 40000)]
    clips.append(np.zeros(9000, dtype=np.float32))
    encoder = AudioStatistics(rate, n_mfcc, n_fft=n_fft, hop_length=hop_length)
    ours = encoder.fit_transform(clips)
    for clip, row in zip(clips, ours):
        frames = describe_by_librosa(clip, rate, n_fft, hop_length, 64, n_mfcc)
        expected = np.concatenate([frames.mean(axis=1), frames.std(axis=1)])
        np.testing.assert_allclose(row, expected, rtol=1e-3, atol=2e-3)


def test_segments_are_statistics_of_parts_of_the_frames():
    clip = make_tone(6000)
    encoder = AudioStatistics(8000, n_segments=3).fit([clip])
    frames = describe_by_librosa(clip, 8000, 256, 80, 64, 20)
    bounds = np.arange(4) * frames.shape[1] // 3
    expected = [
        part
        for first, last in pairwise(bounds)
        for part in (frames[:, first:last].mean(1), frames[:, first:last].std(1))
    ]
    ours = encoder.transform([clip])[0]
    np.testing.assert_allclose(ours, np.concatenate(expected), rtol=1e-3, atol=2e-3)
    assert encoder.get_feature_names_out()[[0, 46, 92]].tolist() == [
        "mfcc0_mean_0",
        "mfcc0_std_0",
        "mfcc0_mean_1",
    ]


@pytest.mark.parametrize("n_frames", [1, 2, 3, 5, 8])
def test_sounds_too_short_for_librosas_slopes_have_some(n_frames):
    clip = make_tone(80 * (n_frames - 1) + 1)
    row = AudioStatistics(8000, n_segments=2).fit_transform([clip])[0]
    assert np.isfinite(row).all()


def test_slopes_of_a_short_sound_are_those_of_a_line_through_it():
    from sklearn_mm.audio._describe import _make_deltas

    frames = np.linspace(0, 8, 5)[:, None].astype(np.float32) ** np.array([[1, 0]])
    slopes = _make_deltas(frames, np.array([0]), np.array([5]))
    np.testing.assert_allclose(slopes, np.tile([2, 0], (5, 1)), atol=1e-6)


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (LogMelSpectrogram(8000, fmin=3000, fmax=300), "fmin=3000 must be less than"),
        (LogMelSpectrogram(8000, fmin=4000), "fmin=4000 must be less than fmax=4000"),
        (LogMelSpectrogram(8000, fmax=4001), "fmax=4001 exceeds half"),
        (LogMelSpectrogram(8000, n_mels=200), "n_mels=200 is too many for n_fft=256"),
        (LogMelSpectrogram(8000, fmin=3990, n_mels=3), "n_mels=3 is too many"),
        (AudioStatistics(8000, n_mels=200), "n_mels=200 is too many for n_fft=256"),
        (AudioStatistics(8000, n_mfcc=65), "n_mfcc=65 exceeds n_mels=64"),
        (AudioStatistics(8000, n_fft=1), "'n_fft' parameter of AudioStatistics"),
        (AudioStatistics(8000, hop_length=0), "'hop_length' parameter"),
    ],
)
def test_parameters_that_contradict_each_other_are_named_in_fit(encoder, message):
    with pytest.raises(ValueError, match=message):
        encoder.fit([make_tone()])


def test_no_mel_filter_is_refused_that_librosa_fills():
    for n_mels in (40, 64, 80, 96):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            librosa.filters.mel(sr=8000, n_fft=256, n_mels=n_mels)
        encoder = LogMelSpectrogram(8000, n_mels=n_mels)
        with pytest.raises(ValueError) if caught else nullcontext():
            encoder.fit([make_tone()])


@pytest.mark.parametrize("encoder", [AudioStatistics(), LogMelSpectrogram()])
@pytest.mark.parametrize(
    "loader",
    [
        AudioLoader(8000),
        CachedEncoder(AudioLoader(8000)),
        make_pipeline(AudioLoader(8000), FunctionTransformer(lambda X: X[:, :2000])),
        make_pipeline(AudioLoader(8000), FunctionTransformer(pickle_and_load)),
    ],
)
def test_another_sampling_rate_than_the_loaders_is_an_error(loader, encoder):
    cells = [make_tone(), make_tone(2000)]
    with pytest.raises(ValueError, match="sampling_rate=16000, .* at 8000 Hz"):
        make_pipeline(loader, encoder).fit_transform(cells)
    for signals in (loader.fit_transform(cells), loader.transform(cells)[1:]):
        with pytest.raises(ValueError, match="same sampling_rate"):
            encoder.transform(signals)
    np.testing.assert_array_equal(
        clone(encoder).set_params(sampling_rate=8000).fit_transform(signals),
        clone(encoder).set_params(sampling_rate=8000).fit_transform(list(signals)),
    )


def test_signals_of_a_loader_are_resampled_by_another():
    tone = make_tone()
    signals = AudioLoader(8000).transform([tone])
    expected = AudioLoader(16000).transform([(tone, 8000)])
    np.testing.assert_array_equal(AudioLoader(16000).transform(signals), expected)


def test_encoders_refuse_what_is_no_signal():
    for encoder in (LogMelSpectrogram(), AudioStatistics()):
        with pytest.raises(ValueError, match="Put an AudioLoader before"):
            encoder.fit_transform(np.zeros((2, 3, 4)))


def test_real_speech_equals_librosa(data_home):
    files = sorted((data_home / "av_digits" / "audio").glob("*.wav"))[::150]
    if not files:
        pytest.skip("no av_digits")
    signals = AudioLoader(8000).transform(files)
    spectrograms = LogMelSpectrogram(8000).transform(signals)
    for file, signal, ours in zip(files, signals, spectrograms):
        y = librosa.load(file, sr=8000)[0]
        np.testing.assert_array_equal(signal[: len(y)], y)
        power = librosa.feature.melspectrogram(
            y=y, sr=8000, n_fft=256, hop_length=80, n_mels=64
        )
        expected = librosa.power_to_db(power).T
        np.testing.assert_allclose(ours[: len(expected)], expected, atol=1e-3)
