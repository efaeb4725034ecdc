"""Speech to text with and without a language model, on connected digits.

python -m benchmarks.bench_speech [part ...]

Parts: digits (recordings of one speaker joined to sequences of three to five digits;
two of six speakers are not heard in training), decoding (time). The data home
(SKLEARN_MM_DATA) must hold av_digits.
"""

import sys
import time
import warnings

import numpy as np
import soundfile

from benchmarks.harness import compare
from benchmarks.tasks import read_index
from sklearn_mm import NgramLanguageModel, SpeechRecognizer
from sklearn_mm.metrics import character_error_rate, word_error_rate
from sklearn_mm.speech._ctc import beam_search, decode_greedily

warnings.simplefilter("ignore")
RATE = 8000


def join_digits(table, n_utterances, seed):
    """Join recordings of one speaker, with short pauses, and their words."""
    rng = np.random.default_rng(seed)
    sounds = {path: soundfile.read(path, dtype="float32")[0] for path in table.audio}
    by_speaker = [rows for _, rows in table.groupby("speaker")]
    utterances, texts = [], []
    for i in range(n_utterances):
        rows = by_speaker[i % len(by_speaker)].sample(
            rng.integers(3, 6), random_state=int(rng.integers(2**31))
        )
        parts = []
        for path in rows.audio:
            parts += [sounds[path], np.zeros(rng.integers(0, RATE // 10), np.float32)]
        utterances.append(np.concatenate(parts))
        texts.append(" ".join(rows.word))
    return utterances, texts


def load_digits(n_train=1000, n_test=300):
    table = read_index("av_digits", "audio")
    unheard = table.speaker.isin(["theo", "lucas"])
    train = join_digits(table[~unheard], n_train, seed=0)
    return train, join_digits(table[unheard], n_test, seed=1)


def digits(seeds=(0, 1, 2)):
    """Error rates of one acoustic model under several ways to search."""
    (X, y), (X_test, y_test) = load_digits()
    ways = {
        "without a language model": {"lm_weight": 0},
        "characters": {},
        "characters, lm_weight=1": {"lm_weight": 1.0},
        "lexicon": {"lm_weight": 0, "lexicon": "training"},
        "characters and lexicon": {"lexicon": "training"},
    }
    errors, seconds = {name: [] for name in ways}, []
    for seed in seeds:
        model = SpeechRecognizer(sampling_rate=RATE, random_state=seed, max_epochs=40)
        start = time.perf_counter()
        model.fit(X, y)
        seconds.append(time.perf_counter() - start)
        for name, options in ways.items():
            model.set_params(lm_weight=0.5, lexicon=None).set_params(**options)
            found = model.predict(X_test)
            errors[name].append(
                (word_error_rate(y_test, found), character_error_rate(y_test, found))
            )
    print(f"\n{len(X)} utterances to learn from, {len(X_test)} of two new speakers; ")
    print(f"{np.median(seconds):.0f} s to fit, {len(seeds)} seeds\n")
    print("| language model | word error rate | character error rate |")
    print("| --- | --- | --- |")
    for name, rates in errors.items():
        (words, characters), spread = np.mean(rates, axis=0), np.std(rates, axis=0)
        print(
            f"| {name} | {words:.4f} ± {spread[0]:.4f} | {characters:.4f} ± "
            f"{spread[1]:.4f} |"
        )


def decoding():
    """Time of a search: 120 steps, 16 characters; and of a language model."""
    names = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
    ]
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(names, 4)) for _ in range(2000)]
    characters = "".join(sorted(set("".join(texts))))
    model = NgramLanguageModel().fit(texts)
    cases = [spell(text, characters, rng) for text in texts[:20]]
    ways = {
        "greedy": lambda: [decode_greedily(c, characters) for c in cases],
        "beam of 16": lambda: [beam_search(c, characters, threshold=12) for c in cases],
        "beam of 16, language model": lambda: [
            beam_search(
                c, characters, language_model=model, lm_weight=0.5, threshold=12
            )
            for c in cases
        ],
    }
    compare("Search, 120 steps, 16 characters", ways, len(cases), repeats=3)
    for smoothing in ("witten_bell", "kneser_ney"):
        start = time.perf_counter()
        NgramLanguageModel(smoothing=smoothing).fit(texts * 50)
        print(f"{smoothing}: 100,000 texts in {time.perf_counter() - start:.1f} s")


def spell(text, characters, rng):
    """Log-probabilities of a network that is rather sure of a text."""
    logits = rng.normal(0, 1, (120, 1 + len(characters)))
    logits[:, 0] += 5
    for place, character in zip(np.linspace(2, 117, len(text)).astype(int), text):
        logits[place, 1 + characters.index(character)] += 7
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


PARTS = {part.__name__: part for part in (digits, decoding)}

if __name__ == "__main__":
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
