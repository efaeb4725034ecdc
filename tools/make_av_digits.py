"""Make the sound that ``sklearn_mm.datasets.load_av_digits`` ships: synthetic speech.

Ten digits spoken by espeak-ng (1.51) in twelve voices, five takes each, with pitch and
speed varied from take to take. Every clip is trimmed, resampled to 8 kHz, mixed with
noise at a signal-to-noise ratio drawn uniformly from SNR, and stored as Ogg Opus in one
zip file, index.csv beside them.

    apt-get install espeak-ng
    python tools/make_av_digits.py sklearn_mm/datasets/data/av_digits.zip
"""

import csv
import io
import subprocess
import sys
import zipfile

import numpy as np
import soundfile
import soxr

WORDS = ["zero", "one", "two", "three", "four"]
WORDS += ["five", "six", "seven", "eight", "nine"]
#: Accent, voice variant and mean pitch of each speaker.
SPEAKERS = {
    "alan": ("en-us", "m1", 40),
    "bruce": ("en-gb", "m3", 30),
    "callum": ("en-gb-scotland", "m5", 45),
    "derek": ("en-029", "m7", 35),
    "eric": ("en-gb-x-rp", "m2", 50),
    "frank": ("en-gb-x-gbcwmd", "m4", 40),
    "anna": ("en-us", "f1", 55),
    "bella": ("en-gb", "f2", 65),
    "clara": ("en-gb-scotland", "f3", 60),
    "diana": ("en-029", "f4", 70),
    "edith": ("en-gb-x-rp", "f5", 55),
    "fiona": ("en-gb-x-gbclan", "f1", 75),
}
N_TAKES = 5
RATE = 8000  # Hz
SNR = (-10, 0)  # dB, lowest and highest
SEED = 0


def speak(word, accent, variant, pitch, speed):
    """Return a mono signal at espeak-ng's own rate, and that rate."""
    command = ["espeak-ng", "--stdout", "-v", f"{accent}+{variant}"]
    command += ["-p", str(pitch), "-s", str(speed), word]
    wav = subprocess.run(command, check=True, capture_output=True).stdout
    return soundfile.read(io.BytesIO(wav), dtype="float32")


def trim(signal, rate):
    """Cut silence at both ends down to 30 ms."""
    loud = np.flatnonzero(np.abs(signal) > 0.02 * np.abs(signal).max())
    margin = int(0.03 * rate)
    return signal[max(0, loud[0] - margin) : loud[-1] + margin]


def add_noise(signal, snr, rng):
    """Add pink noise at a signal-to-noise ratio in dB, then scale to a peak of 0.9."""
    white = np.fft.rfft(rng.standard_normal(len(signal)))
    pink = np.fft.irfft(white / np.sqrt(np.arange(len(white)) + 1), len(signal))
    gain = np.sqrt((signal**2).mean() / (pink**2).mean() / 10 ** (snr / 10))
    noisy = signal + gain * pink
    return (0.9 * noisy / np.abs(noisy).max()).astype(np.float32)


def main(path):
    rng = np.random.default_rng(SEED)
    rows = []
    with zipfile.ZipFile(path, "w") as archive:

        def store(name, data):
            # A fixed date: the same input makes the same file.
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data)

        for speaker, (accent, variant, pitch) in SPEAKERS.items():
            for digit, word in enumerate(WORDS):
                for take in range(N_TAKES):
                    speed = int(rng.integers(120, 230))
                    bent = int(np.clip(pitch + rng.integers(-12, 13), 0, 99))
                    signal, rate = speak(word, accent, variant, bent, speed)
                    signal = soxr.resample(trim(signal, rate), rate, RATE)
                    snr = rng.uniform(*SNR)
                    clip = io.BytesIO()
                    soundfile.write(
                        clip,
                        add_noise(signal, snr, rng),
                        RATE,
                        format="OGG",
                        subtype="OPUS",
                        compression_level=0.93,
                    )
                    name = f"{digit}_{speaker}_{take}.ogg"
                    store(name, clip.getvalue())
                    rows.append([name, digit, speaker, take, speed, bent, f"{snr:.1f}"])
        index = io.StringIO()
        writer = csv.writer(index, lineterminator="\n")
        writer.writerow(["audio", "digit", "speaker", "take", "speed", "pitch", "snr"])
        writer.writerows(rows)
        store("index.csv", index.getvalue())


if __name__ == "__main__":
    main(sys.argv[1])
