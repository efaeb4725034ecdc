"""Smoothed n-gram language models of characters or words."""

from collections import Counter
from itertools import chain, pairwise
from math import log
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .._columns.texts import read_texts
from .._utils.imports import Interval, StrOptions, fit_context
from .._utils.versions import VersionMixin

#: Tokens are coded as integers, and n-grams as tuples of them.
_BEGIN, _END, _UNKNOWN = range(3)
#: Maximal number of memoised probabilities.
_MAX_MEMO = 1_000_000


class NgramLanguageModel(VersionMixin, BaseEstimator):
    """Language model: probability of a character or word given the previous ones.

    Parameters
    ----------
    order : int, default=5
        Length of the longest n-gram: a token depends on ``order - 1`` before it.
    unit : {"character", "word"}, default="character"
        Whether a token is a character or a word; words are split at whitespace.
    smoothing : {"witten_bell", "kneser_ney"}, default="witten_bell"
        How orders are interpolated: by the number of distinct tokens seen after the
        same context [1]_, or by absolute discounting, where lower orders count the
        distinct contexts of a token [2]_, [3]_.

    Attributes
    ----------
    vocabulary_ : list of str
        Tokens of the training texts, sorted.

    Notes
    -----
    The end of a text is a token like any other. The lowest order is interpolated with a
    uniform distribution over all tokens, the end, and one token for all unknown ones:
    no token has probability zero, and probabilities sum to one in any context. The
    Kneser-Ney discount of each order, ``n1 / (n1 + 2 * n2)``, is clipped to the range
    from 0.05 to 0.95.

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

    _trusted = True

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
            Texts; missing texts are left out.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted model.
        """
        texts = [text for text in self._split(X) if text is not None]
        if not texts:
            raise ValueError(
                "NgramLanguageModel: X has no text to learn from; all are missing."
            )
        self.vocabulary_ = sorted(set(chain.from_iterable(texts)))
        self._codes = _number_tokens(self.vocabulary_)
        self._counts = self._count_ngrams(texts)
        self._discounts = [0.0] * self.order
        if self.smoothing == "kneser_ney":
            self._counts = _count_continuations(self._counts)
            self._discounts = [_compute_discount(counts) for counts in self._counts]
        self._contexts = [_summarize_contexts(counts) for counts in self._counts]
        self._memo = {}
        return self

    def _count_ngrams(self, texts):
        """Count the n-grams of each length, with the beginning and end of each text."""
        counts = [Counter() for _ in range(self.order)]
        for text in texts:
            coded = (_BEGIN, *map(self._codes.__getitem__, text), _END)
            for n, counter in enumerate(counts, 1):
                # The beginning of a text is never predicted.
                first = 1 if n == 1 else 0
                counter.update(
                    [coded[i : i + n] for i in range(first, len(coded) - n + 1)]
                )
        return counts

    def begin(self):
        """Get the state at the beginning of a text, for :meth:`advance`.

        Returns
        -------
        tuple of int
            The state.
        """
        return (_BEGIN,) if self.order > 1 else ()

    def advance(self, state, token):
        """Compute the log-probability of a token after a state, and the next state.

        Parameters
        ----------
        state : tuple of int
            A state returned by ``begin`` or ``advance``.
        token : str or None
            The next token; None for the end of the text.

        Returns
        -------
        tuple of (float, tuple of int)
            Natural logarithm of the probability, and the next state.
        """
        result = self._memo.get((state, token))
        if result is None:
            code = _END if token is None else self._codes.get(token, _UNKNOWN)
            next_state = (*state, code)[max(0, len(state) + 2 - self.order) :]
            result = log(self._compute_probability(state, code)), next_state
            if len(self._memo) >= _MAX_MEMO:
                self._memo.clear()
            self._memo[state, token] = result
        return result

    def log_probability(self, token, context=()):
        """Compute the log-probability of a token given the previous ones.

        Parameters
        ----------
        token : str or None
            The token; None for the end of the text.
        context : sequence of str, default=()
            All tokens of the text before it.

        Returns
        -------
        float
            Natural logarithm of the probability.
        """
        return self.advance(self._get_state(context), token)[0]

    def next_log_probabilities(self, context=()):
        """Compute the log-probabilities of all tokens given the previous ones.

        Parameters
        ----------
        context : sequence of str, default=()
            All tokens of the text so far.

        Returns
        -------
        ndarray of shape (n_tokens + 2,)
            Natural logarithms of the probabilities of the tokens of ``vocabulary_``, of
            the end, and of an unknown token.
        """
        state = self._get_state(context)
        codes = [*map(self._codes.get, self.vocabulary_), _END, _UNKNOWN]
        return np.log([self._compute_probability(state, code) for code in codes])

    def _get_state(self, context):
        check_is_fitted(self)
        state = self.begin()
        for token in context:
            _, state = self.advance(state, token)
        return state

    def _compute_probability(self, context, token):
        """Interpolate from the shortest context to the longest that was seen."""
        probability = 1 / (len(self.vocabulary_) + 2)
        for length in range(len(context) + 1):
            suffix = context[len(context) - length :]
            seen = self._contexts[length].get(suffix)
            if seen is None:
                break
            total, n_distinct = seen
            count = self._counts[length].get((*suffix, token), 0)
            discount = self._discounts[length]
            if discount:
                left = discount * n_distinct * probability
                probability = (max(count - discount, 0) + left) / total
            else:
                left = n_distinct * probability
                probability = (count + left) / (total + n_distinct)
        return probability

    def score_samples(self, X):
        """Compute the log-probability of each text, including its end.

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
        """Compute the mean log-probability per token, including the ends of the texts.

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
        if n_tokens == 0:
            raise ValueError(
                "NgramLanguageModel: X has no text to score; it is empty, or all its "
                "texts are missing."
            )
        return float(np.nansum(self.score_samples(X)) / n_tokens)

    def perplexity(self, X):
        """Compute the perplexity: the effective number of equally likely next tokens.

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
        """Yield the tokens of each text, None if it is missing."""
        for text in read_texts(X, type(self).__name__):
            yield text if text is None or self.unit == "character" else text.split()

    def __getstate__(self):
        """Return the attributes, with tokens and n-grams as arrays."""
        state = super().__getstate__()
        if "_counts" in state:
            state["vocabulary_"] = _pack_tokens(self.vocabulary_)
            state["_counts"] = [_pack_ngrams(counts) for counts in self._counts]
            for derived in ("_codes", "_contexts", "_memo"):
                del state[derived]
        return state

    def __setstate__(self, state):
        """Set the attributes, and those that follow from tokens and n-grams."""
        super().__setstate__(state)
        if "_counts" in state:
            self.vocabulary_ = _unpack_tokens(self.vocabulary_)
            self._codes = _number_tokens(self.vocabulary_)
            self._counts = [_unpack_ngrams(ngrams) for ngrams in self._counts]
            self._contexts = [_summarize_contexts(counts) for counts in self._counts]
            self._memo = {}


def _number_tokens(vocabulary):
    return {token: code for code, token in enumerate(vocabulary, _UNKNOWN + 1)}


def _pack_tokens(tokens):
    """Return the code points of all tokens in a row, and the length of each token.

    JSON, in which skops writes strings, would fuse two surrogates to one character.
    """
    points = "".join(tokens).encode("utf-32-le", "surrogatepass")
    return {
        "code_points": np.frombuffer(points, "<u4"),
        "lengths": np.array([len(token) for token in tokens], np.int64),
    }


def _unpack_tokens(packed):
    points = packed["code_points"].astype("<u4").tobytes()
    text = points.decode("utf-32-le", "surrogatepass")
    ends = [0, *packed["lengths"].cumsum().tolist()]
    return [text[start:end] for start, end in pairwise(ends)]


def _pack_ngrams(counts):
    """Put n-grams and their counts, the last column, into an array."""
    return np.array([(*ngram, count) for ngram, count in counts.items()])


def _unpack_ngrams(ngrams):
    return {tuple(ngram): count for *ngram, count in ngrams.tolist()}


def _count_continuations(counts):
    """Count the distinct tokens before each n-gram, below the highest order."""
    adjusted = []
    for lower, higher in pairwise(counts):
        before = Counter(ngram[1:] for ngram in higher)
        # No token comes before the beginning of a text.
        first = {ngram: c for ngram, c in lower.items() if ngram[0] == _BEGIN}
        adjusted.append(Counter({**before, **first}))
    return [*adjusted, counts[-1]]


def _compute_discount(counts):
    frequencies = Counter(counts.values())
    once, twice = frequencies[1], frequencies[2]
    if not once:
        return 0.05
    return min(max(once / (once + 2 * twice), 0.05), 0.95)


def _summarize_contexts(counts):
    """Count the tokens, and the distinct tokens, that follow each context."""
    totals, distinct = Counter(), Counter()
    for ngram, count in counts.items():
        totals[ngram[:-1]] += count
        distinct[ngram[:-1]] += 1
    return {context: (total, distinct[context]) for context, total in totals.items()}
