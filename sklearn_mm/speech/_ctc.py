"""Decoding by connectionist temporal classification: from probabilities to texts."""

from heapq import nlargest
from math import exp, inf, log1p

import numpy as np


def decode_greedily(log_probs, characters):
    """Decode the most probable path: merge repeats, drop blanks.

    Parameters
    ----------
    log_probs : ndarray of shape (n_steps, 1 + n_characters)
        Natural logarithms, the blank first.
    characters : str
        The characters.

    Returns
    -------
    str
        The text.
    """
    path = np.asarray(log_probs).argmax(axis=1) if len(log_probs) else []
    last, text = 0, []
    for symbol in path:
        if symbol not in (0, last):
            text.append(characters[symbol - 1])
        last = symbol
    return "".join(text)


def beam_search(
    log_probs,
    characters,
    *,
    beam_width=16,
    n_best=1,
    language_model=None,
    lm_weight=0.0,
    word_bonus=0.0,
    lexicon=None,
    threshold=inf,
):
    """Find the best texts by prefix beam search.

    The score of a text is its log-probability, summed over all alignments, plus
    ``lm_weight`` times its log-probability in the language model, including the end,
    plus ``word_bonus`` for each word.

    Parameters
    ----------
    log_probs : ndarray of shape (n_steps, 1 + n_characters)
        Natural logarithms, the blank first.
    characters : str
        The characters.
    beam_width : int, default=16
        Number of prefixes to keep after each step.
    n_best : int, default=1
        Maximal number of texts to return.
    language_model : NgramLanguageModel or None, default=None
        A model of characters, applied at each character, or of words, applied at the
        end of each word.
    lm_weight : float, default=0.0
        Weight of the language model.
    word_bonus : float, default=0.0
        Added to the score for each word.
    lexicon : collection of str or None, default=None
        The allowed words, separated by single spaces in the text.
    threshold : float, default=inf
        Characters whose log-probability is lower than the best of the step by more than
        this are skipped.

    Returns
    -------
    list of (str, float)
        Texts and scores, best first; only the empty text if the lexicon excludes all
        others.

    References
    ----------
    A. Y. Hannun, A. L. Maas, D. Jurafsky and A. Y. Ng (2014), "First-pass large
    vocabulary continuous speech recognition using bi-directional recurrent DNNs",
    arXiv:1408.2873.
    """
    scorer = _Scorer(characters, language_model, lm_weight, word_bonus, lexicon)
    root = scorer.begin()
    beam = {root: (0.0, -inf)}  # log-probabilities: ending in a blank, or not
    for row in np.asarray(log_probs, dtype=float).tolist():
        beam = _advance(beam, row, scorer, threshold)
        if len(beam) > beam_width:
            beam = dict(nlargest(beam_width, beam.items(), key=_rank))
    texts = []
    for node, (blank, other) in beam.items():
        total, ending = add_logs(blank, other), scorer.compute_ending_score(node)
        if ending is not None and total > -inf:
            texts.append((node.text, total + node.bonus + ending))
    if not texts:
        blanks = float(np.sum(np.asarray(log_probs)[:, 0]))
        texts = [("", blanks + scorer.compute_ending_score(root))]
    return nlargest(n_best, texts, key=lambda pair: pair[1])


def add_logs(a, b):
    """Compute ``log(exp(a) + exp(b))``."""
    if a < b:
        a, b = b, a
    return a if b == -inf else a + log1p(exp(b - a))


def _rank(item):
    node, (blank, other) = item
    return add_logs(blank, other) + node.bonus


def _advance(beam, row, scorer, threshold):
    """Compute the log-probabilities of all prefixes after one more step."""
    floor = max(row) - threshold
    tried = [i for i, p in enumerate(row[1:], 1) if p >= floor and p > -inf]
    later = {}
    for node, (blank, other) in beam.items():
        total = add_logs(blank, other)
        if total == -inf:
            continue
        stay_blank, stay_other = later.get(node, (-inf, -inf))
        stay_blank = add_logs(stay_blank, total + row[0])
        if node.symbol:  # the last character is repeated, and merged
            stay_other = add_logs(stay_other, other + row[node.symbol])
        later[node] = stay_blank, stay_other
        for symbol in tried:
            before = blank if symbol == node.symbol else total
            if before == -inf:
                continue
            child = scorer.extend(node, symbol)
            if child is not None:
                known = later.get(child, (-inf, -inf))
                later[child] = known[0], add_logs(known[1], before + row[symbol])
    return later


class _Node:
    """A prefix of a text, with its states in the language model and the lexicon."""

    __slots__ = ("bonus", "children", "place", "start", "state", "symbol", "text")

    def __init__(self, text, symbol, bonus, state, place, start):
        self.text = text
        self.symbol = symbol  # index of the last character
        self.bonus = bonus
        self.state = state  # of the language model
        self.place = place  # in the lexicon
        self.start = start  # where the last word begins; None after a space
        self.children = {}


class _Scorer:
    """Extends prefixes by one character, and caches the results."""

    def __init__(self, characters, language_model, lm_weight, word_bonus, lexicon):
        self.characters = characters
        self.model = language_model if lm_weight else None
        self.by_word = self.model is not None and self.model.unit == "word"
        self.lm_weight = lm_weight
        self.word_bonus = word_bonus
        self.words = None if lexicon is None else _make_trie(lexicon)

    def begin(self):
        state = None if self.model is None else self.model.begin()
        return _Node("", 0, 0.0, state, self.words, None)

    def extend(self, node, symbol):
        """Return the prefix with one more character; None if no text starts with it."""
        if symbol not in node.children:
            node.children[symbol] = self._make_child(node, symbol)
        return node.children[symbol]

    def _make_child(self, node, symbol):
        character = self.characters[symbol - 1]
        is_space = character.isspace()
        place = self._move(node, character, is_space)
        if self.words is not None and place is None:
            return None
        bonus, state, start = node.bonus, node.state, node.start
        if not is_space and start is None:
            start, bonus = len(node.text), bonus + self.word_bonus
        if self.by_word and is_space and start is not None:
            change, state = self.model.advance(state, node.text[start:])
            bonus += self.lm_weight * change
        elif self.model is not None and not self.by_word:
            change, state = self.model.advance(state, character)
            bonus += self.lm_weight * change
        start = None if is_space else start
        return _Node(node.text + character, symbol, bonus, state, place, start)

    def _move(self, node, character, is_space):
        """Return the place in the lexicon after a character; None if there is none."""
        if self.words is None:
            return None
        if is_space:  # after a whole word only
            return self.words if _WHOLE in node.place else None
        return node.place.get(character)

    def compute_ending_score(self, node):
        """Compute what the end adds to the score; None if the text cannot end here."""
        if self.words is not None and node.text and _WHOLE not in node.place:
            return None
        if self.model is None:
            return 0.0
        total, state = 0.0, node.state
        if self.by_word and node.start is not None:
            total, state = self.model.advance(state, node.text[node.start :])
        return self.lm_weight * (total + self.model.advance(state, None)[0])


_WHOLE = ""  # key of a place where a word may end


def _make_trie(words):
    trie = {}
    for word in words:
        place = trie
        for character in word:
            place = place.setdefault(character, {})
        if word:
            place[_WHOLE] = True
    return trie
