"""Sounds loaded and encoded, against librosa file by file.

python -m benchmarks.bench_sounds [--quick]

BLAS has one thread in all ways: librosa's products of matrices gain nothing by a
second, which then waits for work in the way of what comes next.
"""

import tempfile
from functools import partial

import librosa
import numpy as np
import soundfile
import soxr
from threadpoolctl import threadpool_limits

from benchmarks import harness
from benchmarks.files import write_sounds
from sklearn_mm import AudioLoader, AudioStatistics, LogMelSpectrogram


def decode_sounds(paths, rate):
    """Read and resample, and do nothing else: the limit."""
    for path in paths:
        signal, own = soundfile.read(path, dtype="float32")
        if own != rate:
            soxr.resample(signal, own, rate, quality="HQ")


def spectrograms_by_hand(paths, rate, frame):
    spectrograms = []
    for path in paths:
        y = librosa.load(path, sr=rate)[0]
        mel = librosa.feature.melspectrogram(y=y, sr=rate, n_mels=64, **frame)
        spectrograms.append(librosa.power_to_db(mel).T)
    return np.array(spectrograms)


def statistics_by_hand(paths, rate, frame):
    wave = {"frame_length": frame["n_fft"], "hop_length": frame["hop_length"]}
    statistics = []
    for path in paths:
        y = librosa.load(path, sr=rate)[0]
        mfcc = librosa.feature.mfcc(y=y, sr=rate, n_mfcc=20, n_mels=64, **frame)
        rows = [
            mfcc,
            librosa.feature.delta(mfcc),
            librosa.feature.spectral_centroid(y=y, sr=rate, **frame),
            librosa.feature.spectral_bandwidth(y=y, sr=rate, **frame),
            librosa.feature.spectral_rolloff(y=y, sr=rate, **frame),
            librosa.feature.spectral_flatness(y=y, **frame),
            librosa.feature.zero_crossing_rate(y, **wave),
            librosa.feature.rms(y=y, **wave),
        ]
        rows = np.vstack(rows)
        statistics.append(np.concatenate([rows.mean(axis=1), rows.std(axis=1)]))
    return np.array(statistics)


def compare_ways(title, paths, rate, frame, by_hand, encoder, target, repeats):
    """Encode by librosa, file by file, and by loader and encoder."""
    loader = AudioLoader(rate)

    def ours():
        return encoder.transform(loader.transform(paths))

    ways = {
        "librosa, file by file": partial(by_hand, paths, rate, frame),
        "AudioLoader, then encoder": ours,
        "read and resample alone (limit)": partial(decode_sounds, paths, rate),
    }
    work = f"{title}, {type(encoder).__name__}"
    found = harness.compare(work, ways, len(paths), repeats)
    ms, ratio = found["AudioLoader, then encoder"]
    harness.record(work, "librosa file by file", ratio, at_least=target, ms=ms)
    some = paths[:100]
    own, theirs = encoder.transform(loader.transform(some)), by_hand(some, rate, frame)
    gap = np.abs(own - theirs)
    if isinstance(encoder, LogMelSpectrogram):
        harness.record(work, "librosa, difference", gap.max(), "dB", at_most=0.001)
    else:
        share = (gap / np.maximum(1, np.abs(theirs))).max()
        harness.record(work, "librosa, relative difference", share, "")


@threadpool_limits.wrap(limits=1, user_api="blas")
def main(quick=False):
    for seconds, rate, target, n_fft, n_all, n_few, least in (
        (0.5, 8000, 8000, 256, 3000, 500, (8, 8)),
        (5, 44100, 16000, 512, 300, 40, (2.2, 1.8)),
    ):
        with tempfile.TemporaryDirectory() as folder:
            paths = write_sounds(folder, seconds, rate, n_few if quick else n_all)
            frame = {"n_fft": n_fft, "hop_length": target // 100}
            for by_hand, encoder, bound in (
                (spectrograms_by_hand, LogMelSpectrogram(target), least[0]),
                (statistics_by_hand, AudioStatistics(target), least[1]),
            ):
                title = f"{len(paths)} x {seconds} s, {rate} to {target} Hz"
                repeats = 1 if quick else 3
                compare_ways(
                    title, paths, target, frame, by_hand, encoder, bound, repeats
                )


if __name__ == "__main__":
    harness.run(main)
