"""Transcripts as a network sees them: characters' numbers, padded."""

import numpy as np


def encode_texts(texts, characters):
    """Give the characters of texts as numbers from 1 on.

    Parameters
    ----------
    texts : list of (str or None)
        The texts.
    characters : str
        The characters.

    Returns
    -------
    ndarray of shape (n_texts, n_characters), int64
        Numbers, padded with 0; -1 throughout where a text is missing.
    """
    numbers = {character: i for i, character in enumerate(characters, 1)}
    longest = max((len(text) for text in texts if text is not None), default=0)
    codes = np.zeros((len(texts), max(1, longest)), np.int64)
    for row, text in zip(codes, texts):
        if text is None:
            row[:] = -1
        else:
            row[: len(text)] = [numbers[character] for character in text]
    return codes


def arrange_for_ctc(y_pred, y_true):
    """Give the arguments of a CTC loss: time first, and the numbers of steps."""
    log_probs, lengths = y_pred
    return log_probs.transpose(0, 1), y_true, lengths, (y_true > 0).sum(dim=1)


def count_too_short(y_true, lengths):
    """Count rows with fewer steps than characters, and blanks between equal ones."""
    repeats = ((y_true[:, 1:] == y_true[:, :-1]) & (y_true[:, 1:] > 0)).sum(dim=1)
    return int(((y_true > 0).sum(dim=1) + repeats > lengths).sum())
