"""Transcripts: texts of a column, and their characters as padded numbers."""

import numpy as np
from sklearn.utils import check_consistent_length

from .._columns.texts import read_texts
from .._utils.targets import require_target


class TranscriptTask:
    """Spell texts.

    Parameters
    ----------
    texts : list of str
        Transcripts from which the characters are learned.
    """

    _trusted = True

    def __init__(self, texts):
        self.characters = "".join(sorted(set().union(*texts)))
        self.n_outputs = 1 + len(self.characters)  # the blank first

    @staticmethod
    def check(y, samples, owner):
        """Return transcripts as a list of str, None where missing; raise if all are."""
        require_target(y, owner)
        texts = read_texts(y, "y")
        check_consistent_length(samples, texts)
        if all(text is None for text in texts):
            raise ValueError("all transcripts are missing: nothing to train on.")
        return texts

    def encode(self, texts):
        """Return the characters of texts as numbers, starting from 1.

        Parameters
        ----------
        texts : list of (str or None)
            The texts.

        Returns
        -------
        ndarray of shape (n_texts, n_characters), int64
            Numbers, padded with 0; a row of -1 where a text is missing.
        """
        known = [text for text in texts if text is not None]
        unknown = sorted(set().union(*known) - set(self.characters))
        if unknown:
            raise ValueError(
                f"y holds the characters {unknown}, but the network was fitted on "
                f"{self.characters!r}."
            )
        numbers = {character: i for i, character in enumerate(self.characters, 1)}
        longest = max((len(text) for text in known), default=0)
        codes = np.zeros((len(texts), max(1, longest)), np.int64)
        for row, text in zip(codes, texts):
            if text is None:
                row[:] = -1
            else:
                row[: len(text)] = [numbers[character] for character in text]
        return codes


def arrange_for_ctc(y_pred, codes):
    """Arrange the arguments of a CTC loss: time first, and the numbers of steps."""
    log_probs, lengths = y_pred
    return log_probs.transpose(0, 1), codes, lengths, (codes > 0).sum(dim=1)


def count_too_short(codes, lengths):
    """Count rows with fewer steps than characters, and blanks between equal ones."""
    repeats = ((codes[:, 1:] == codes[:, :-1]) & (codes[:, 1:] > 0)).sum(dim=1)
    return int(((codes > 0).sum(dim=1) + repeats > lengths).sum())
