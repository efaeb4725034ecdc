"""How likely a text is: n-grams of characters or words, smoothed."""

from collections import Counter
from itertools import chain, pairwise
from math import log
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .._columns.column import as_column
from .._utils.imports import Interval, StrOptions, fit_context
from .._utils.versions import VersionMixin

#: Tokens are numbered, and a text is a string of these numbers as code points.
_BEGIN, _END, _UNKNOWN = map(chr, range(3))
#: Probabilities that are remembered, at most.
_REMEMBERED = 1_000_000


class NgramLanguageModel(VersionMixin, BaseEstimator):
    """Probabilities of each next character or word, by the few before it.

    Parameters
    ----------
    order : int, default=5
        Length of the longest n-gram: a token depends on ``order - 1`` before it.
    unit : {"character", "word"}, default="character"
        What a token is; words are what whitespace separates.
    smoothing : {"witten_bell", "kneser_ney"}, default="witten_bell"
        How orders are interpolated: by the number of different tokens that were seen
        behind the same context [1]_, or by absolute discounting, with lower orders that
        count in how many contexts a token was seen [2]_, [3]_.

    Attributes
    ----------
    vocabulary_ : list of str
        Tokens that were seen, sorted.

    Notes
    -----
    The end of a text is a token like others. The lowest order is interpolated with
    equal probabilities of all tokens, the end, and one token that stands for all
    unknown ones, so that nothing is impossible and probabilities sum to one in any
    context. The discounts of Kneser-Ney, ``n1 / (n1 + 2 * n2)`` of each order, are kept
    between 0.05 and 0.95.

    References
    ----------
    .. [1] I. H. Witten and T. C. Bell (1991), "The zero-frequency problem: estimating
       the probabilities of novel events in adaptive text compression", IEEE
       Transactions on Information Theory 37.
    .. [2] R. Kneser and H. Ney (1995), "Improved backing-off for m-gram language
       modeling", ICASSP.
    .. [3] S. F. Chen and J. Goodman (1999), "An empirical study of smoothing techniques
       for language modeling", Computer Speech and Language 13.

    Examples
    --------
    >>> from sklearn_mm import NgramLanguageModel
    >>> model = NgramLanguageModel(order=2, unit="word")
    >>> model.fit(["turn it on", "turn it off", "switch it on"]).vocabulary_
    ['it', 'off', 'on', 'switch', 'turn']
    >>> likely, unlikely = model.score_samples(["turn it off", "off it turn"])
    >>> bool(likely > unlikely)
    True
    """

    _parameter_constraints: dict = {
        "order": [Interval(Integral, 1, None, closed="left")],
        "unit": [StrOptions({"character", "word"})],
        "smoothing": [StrOptions({"witten_bell", "kneser_ney"})],
    }

    def __init__(self, order=5, unit="character", smoothing="witten_bell"):
        self.order = order
        self.unit = unit
        self.smoothing = smoothing

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Count n-grams.

        Parameters
        ----------
        X : column of str
            Texts; those that are missing are left out.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted model.
        """
        texts = [text for text in self._split(X) if text is not None]
        if not texts:
            raise ValueError("NgramLanguageModel: there is no text to learn from.")
        self.vocabulary_ = sorted(set(chain.from_iterable(texts)))
        self._numbers = {t: chr(i) for i, t in enumerate(self.vocabulary_, 3)}
        self._counts = self._count_ngrams(texts)
        self._discounts = [0.0] * self.order
        if self.smoothing == "kneser_ney":
            self._counts = _count_continuations(self._counts)
            self._discounts = [_find_discount(counts) for counts in self._counts]
        self._contexts = [_sum_up(counts) for counts in self._counts]
        self._memory = {}
        return self

    def _count_ngrams(self, texts):
        """Count n-grams of each length, of texts that begin and end."""
        counts = [Counter() for _ in range(self.order)]
        for text in texts:
            coded = "".join([_BEGIN, *map(self._numbers.__getitem__, text), _END])
            for n, counter in enumerate(counts, 1):
                # The beginning is no token that is predicted.
                first = 1 if n == 1 else 0
                counter.update(
                    [coded[i : i + n] for i in range(first, len(coded) - n + 1)]
                )
        return counts

    def begin(self):
        """Give the state before a text, for :meth:`advance`.

        Returns
        -------
        str
            The state.
        """
        return _BEGIN if self.order > 1 else ""

    def advance(self, state, token):
        """Give the log-probability of a token after a state, and the next state.

        Parameters
        ----------
        state : str
            What ``begin`` or ``advance`` gave.
        token : str or None
            The next token; None is the end of the text.

        Returns
        -------
        tuple of (float, str)
            Natural logarithm of the probability, and the next state.
        """
        known = self._memory.get((state, token))
        if known is None:
            coded = _END if token is None else self._numbers.get(token, _UNKNOWN)
            following = (state + coded)[max(0, len(state) + 2 - self.order) :]
            known = log(self._find_probability(state, coded)), following
            if len(self._memory) >= _REMEMBERED:
                self._memory.clear()
            self._memory[state, token] = known
        return known

    def log_probability(self, token, context=()):
        """Give the log-probability of a token behind others.

        Parameters
        ----------
        token : str or None
            The token; None is the end of the text.
        context : sequence of str, default=()
            The tokens before it, from the beginning of the text on.

        Returns
        -------
        float
            Natural logarithm of the probability.
        """
        return self.advance(self._read(context), token)[0]

    def next_log_probabilities(self, context=()):
        """Give the log-probabilities of all tokens behind others.

        Parameters
        ----------
        context : sequence of str, default=()
            The tokens before, from the beginning of the text on.

        Returns
        -------
        ndarray of shape (n_tokens + 2,)
            Of ``vocabulary_``, of the end, and of an unknown token.
        """
        state = self._read(context)
        coded = [*map(self._numbers.get, self.vocabulary_), _END, _UNKNOWN]
        return np.log([self._find_probability(state, token) for token in coded])

    def _read(self, context):
        check_is_fitted(self)
        state = self.begin()
        for token in context:
            _, state = self.advance(state, token)
        return state

    def _find_probability(self, context, token):
        """Interpolate from the shortest context to the longest that was seen."""
        probability = 1 / (len(self.vocabulary_) + 2)
        for length in range(len(context) + 1):
            suffix = context[len(context) - length :]
            seen = self._contexts[length].get(suffix)
            if seen is None:
                break
            total, n_different = seen
            count = self._counts[length].get(suffix + token, 0)
            discount = self._discounts[length]
            if discount:
                left = discount * n_different * probability
                probability = (max(count - discount, 0) + left) / total
            else:
                left = n_different * probability
                probability = (count + left) / (total + n_different)
        return probability

    def score_samples(self, X):
        """Log-probability of each text, its end included.

        Parameters
        ----------
        X : column of str
            Texts.

        Returns
        -------
        ndarray of shape (n_samples,)
            Natural logarithms; NaN where a text is missing.
        """
        check_is_fitted(self)
        scores = []
        for text in self._split(X):
            if text is None:
                scores.append(np.nan)
                continue
            total, state = 0.0, self.begin()
            for token in [*text, None]:
                change, state = self.advance(state, token)
                total += change
            scores.append(total)
        return np.array(scores)

    def score(self, X, y=None):
        """Mean log-probability of a token, the ends of the texts included.

        Parameters
        ----------
        X : column of str
            Texts.
        y : None
            Ignored.

        Returns
        -------
        float
            Higher is better.
        """
        n_tokens = sum(len(text) + 1 for text in self._split(X) if text is not None)
        return float(np.nansum(self.score_samples(X)) / n_tokens)

    def perplexity(self, X):
        """Give the number of equally likely tokens that would surprise as much.

        Parameters
        ----------
        X : column of str
            Texts.

        Returns
        -------
        float
            ``exp(-score)``, lower is better.
        """
        return float(np.exp(-self.score(X)))

    def _split(self, X):
        """Give the tokens of each text, None where it is missing."""
        column = as_column(X, type(self).__name__)
        for row, (cell, missing) in enumerate(zip(column.cells, column.missing)):
            if missing:
                yield None
            elif not isinstance(cell, str):
                raise TypeError(
                    f"{type(self).__name__} takes texts, got {type(cell).__name__} "
                    f"{cell!r} in row {column.labels[row]}."
                )
            else:
                yield cell if self.unit == "character" else cell.split()

    def __getstate__(self):
        return {**super().__getstate__(), "_memory": {}}


def _count_continuations(counts):
    """Count for n-grams below the highest order the different tokens before them."""
    adjusted = []
    for lower, higher in pairwise(counts):
        before = Counter(ngram[1:] for ngram in higher)
        # At the beginning of a text there is nothing before.
        first = {ngram: c for ngram, c in lower.items() if ngram[0] == _BEGIN}
        adjusted.append(Counter({**before, **first}))
    return [*adjusted, counts[-1]]


def _find_discount(counts):
    frequencies = Counter(counts.values())
    once, twice = frequencies[1], frequencies[2]
    if not once:
        return 0.05
    return min(max(once / (once + 2 * twice), 0.05), 0.95)


def _sum_up(counts):
    """Give for each context how often, and by how many tokens, it was followed."""
    totals, different = Counter(), Counter()
    for ngram, count in counts.items():
        totals[ngram[:-1]] += count
        different[ngram[:-1]] += 1
    return {context: (total, different[context]) for context, total in totals.items()}
