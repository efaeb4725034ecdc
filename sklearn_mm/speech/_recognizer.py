"""Speech to text: a network that spells, and a language model that helps it."""

import warnings
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted
from skorch.utils import is_dataset, to_device

from .._columns.column import find_missing
from .._columns.texts import read_texts
from .._utils.devices import pick_device
from .._utils.imports import HasMethods, Interval, StrOptions
from .._utils.parallel import run_calls
from ..audio import AudioLoader, LogMelSpectrogram
from ..metrics import word_error_rate
from ..nets import AudioCRNN
from ..nets._head import WithStepHead
from ..nets._layers import valid_steps
from ..neural._base import BaseNet
from ._ctc import beam_search
from ._language_model import NgramLanguageModel
from ._transcripts import arrange_for_ctc, count_too_short, encode_texts

#: Characters less likely than a step's best by exp(12) are not tried.
_THRESHOLD = 12.0


class SpeechRecognizer(BaseNet):
    """Recognise short utterances: sounds in, texts out.

    A network gives for each step of a sound the probabilities of the characters and of
    a blank, trained by connectionist temporal classification (CTC) [1]_, which needs no
    alignment. A language model of the transcripts, and of further texts, tells which
    texts are likely; a beam search finds the text whose sum of both is highest
    (shallow fusion) [2]_.

    Parameters
    ----------
    module : class or instance of torch.nn.Module, default=AudioCRNN
        The acoustic model: a backbone with ``tokens``, see :mod:`sklearn_mm.nets`.
    transformer : "auto", "passthrough" or transformer, default="auto"
        Makes spectrograms ``(n_samples, n_frames, n_bands)`` of the column of sounds.
        "auto" takes an array of three axes as spectrograms; any other column goes
        through an :class:`AudioLoader` and a :class:`LogMelSpectrogram` of 40 bands at
        ``sampling_rate``.
    sampling_rate : int, default=16000
        Sampling rate that "auto" brings sounds to, in Hz.
    language_model : {"character", "word"}, NgramLanguageModel or None, \
default="character"
        The language model, one of the two units with its defaults or an
        :class:`NgramLanguageModel`, which is fitted on the transcripts.
    text_corpus : column of str or None, default=None
        Further texts that the language model learns from.
    lm_weight : float, default=0.5
        Weight of the language model's log-probability.
    word_bonus : float, default=0.0
        Added for each word; makes up for the words that a language model shuns.
    lexicon : "training", collection of str or None, default=None
        Words that texts may consist of; "training" takes those of the transcripts and
        of ``text_corpus``.
    beam_width : int, default=16
        Beginnings of texts that are followed up at the same time.
    criterion : class, default=torch.nn.CTCLoss
        Loss of log-probabilities, characters, and the numbers of steps and characters.
    lr : float, default=0.003
        Learning rate.
    batch_size : int, default=32
        Sounds in a batch.
    n_jobs : int or None, default=None
        Number of processes that search.
    **kwargs : dict
        What :class:`NetClassifier` takes: ``max_epochs``, ``early_stopping``,
        ``device``, ``random_state``, ``module__*`` and so on.

    Attributes
    ----------
    characters_ : str
        Characters of the transcripts, sorted; there are no others in what is predicted.
    words_ : list of str
        Words of the transcripts and of ``text_corpus``, sorted.
    language_model_ : NgramLanguageModel or None
        The fitted language model.
    transformer_ : transformer or None
        Fitted; None stands for "passthrough".
    module_ : torch.nn.Module
        The trained network, ``module_.backbone`` and ``module_.head``.
    history_ : skorch History
        Losses by epoch.

    See Also
    --------
    sklearn_mm.metrics.word_error_rate : What ``score`` is one minus of.

    Notes
    -----
    ``lm_weight``, ``word_bonus``, ``lexicon`` and ``beam_width`` may be changed by
    ``set_params`` on a fitted estimator; they do not concern the network.

    Sounds that are missing, and transcripts that are, are left out in ``fit``; a
    missing sound's text is None. An empty transcript is one of silence. A transcript
    that has more characters than its sound has steps teaches nothing, with a warning.

    References
    ----------
    .. [1] A. Graves, S. Fernández, F. Gomez and J. Schmidhuber (2006), "Connectionist
       temporal classification", ICML.
    .. [2] A. Y. Hannun, A. L. Maas, D. Jurafsky and A. Y. Ng (2014), "First-pass large
       vocabulary continuous speech recognition using bi-directional recurrent DNNs",
       arXiv:1408.2873; C. Gulcehre et al. (2015), "On using monolingual corpora in
       neural machine translation", arXiv:1503.03535.

    Examples
    --------
    >>> from sklearn_mm import SpeechRecognizer
    >>> from sklearn_mm.datasets import load_av_digits
    >>> X, y = load_av_digits(return_X_y=True)
    >>> sounds = X["audio"][y < 2]
    >>> words = [["zero", "one"][digit] for digit in y[y < 2]]
    >>> recognizer = SpeechRecognizer(
    ...     sampling_rate=8000, max_epochs=30, early_stopping=False, random_state=0
    ... )
    >>> bool(recognizer.fit(sounds, words).score(sounds, words) > 0.8)
    True
    """

    _parameter_constraints: dict = {
        **BaseNet._parameter_constraints,
        "transformer": [
            StrOptions({"auto", "passthrough"}),
            HasMethods(["fit", "transform"]),
        ],
        "sampling_rate": [Interval(Integral, 1, None, closed="left")],
        "language_model": [
            StrOptions({"character", "word"}),
            HasMethods(["fit", "log_probability"]),
            None,
        ],
        "text_corpus": ["array-like", None],
        "lm_weight": [Interval(Real, 0, None, closed="left")],
        "word_bonus": [Real],
        "lexicon": [StrOptions({"training"}), list, tuple, set, frozenset, None],
        "beam_width": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }
    _onnx_outputs = ("log_proba", "n_steps")

    def __init__(
        self,
        module=AudioCRNN,
        *,
        transformer="auto",
        sampling_rate=16000,
        language_model="character",
        text_corpus=None,
        lm_weight=0.5,
        word_bonus=0.0,
        lexicon=None,
        beam_width=16,
        criterion=torch.nn.CTCLoss,
        lr=0.003,
        batch_size=32,
        n_jobs=None,
        **kwargs,
    ):
        super().__init__(
            module=module, criterion=criterion, lr=lr, batch_size=batch_size, **kwargs
        )
        self.transformer = transformer
        self.sampling_rate = sampling_rate
        self.language_model = language_model
        self.text_corpus = text_corpus
        self.lm_weight = lm_weight
        self.word_bonus = word_bonus
        self.lexicon = lexicon
        self.beam_width = beam_width
        self.n_jobs = n_jobs

    def predict(self, X):
        """Recognise sounds.

        Parameters
        ----------
        X : column of sounds, or ndarray of shape (n_samples, n_frames, n_bands)
            Sounds as ``fit`` got them.

        Returns
        -------
        ndarray of shape (n_samples,), object
            Texts; None where a sound is missing.
        """
        texts = [best and best[0][0] for best in self.predict_nbest(X, 1)]
        result = np.empty(len(texts), dtype=object)
        result[:] = texts
        return result

    def predict_nbest(self, X, n_best=5):
        """Give the best texts of each sound.

        Parameters
        ----------
        X : column of sounds, or ndarray of shape (n_samples, n_frames, n_bands)
            Sounds as ``fit`` got them.
        n_best : int, default=5
            How many, at most.

        Returns
        -------
        list of list of (str, float)
            For each sound texts and their scores, best first: the acoustic
            log-probability plus the weighted one of the language model plus the words'
            bonus. None where a sound is missing.
        """
        options = {
            "characters": self.characters_,
            "beam_width": max(self.beam_width, n_best),
            "n_best": n_best,
            "language_model": self.language_model_ if self.lm_weight else None,
            "lm_weight": self.lm_weight,
            "word_bonus": self.word_bonus,
            "lexicon": self.words_ if isinstance(self.lexicon, str) else self.lexicon,
            "threshold": _THRESHOLD,
        }
        calls = [(_search, steps, options) for steps in self.predict_log_proba(X)]
        return run_calls(calls, self.n_jobs)

    def predict_log_proba(self, X):
        """Log-probabilities of the characters by step, of the acoustic model alone.

        Parameters
        ----------
        X : column of sounds, or ndarray of shape (n_samples, n_frames, n_bands)
            Sounds as ``fit`` got them.

        Returns
        -------
        list of ndarray of shape (n_steps, 1 + n_characters)
            For each sound, the blank first, then ``characters_``; None where a sound is
            missing.
        """
        check_is_fitted(self)
        samples = self._check_samples(X, reset=False)
        self.module_.eval()
        steps = []
        for x, _ in self.get_iterator(self.get_dataset(samples)):
            with torch.no_grad():
                log_probs, lengths = self.infer(x)
            pairs = zip(log_probs.cpu().numpy(), lengths.tolist())
            steps += [array[:length] for array, length in pairs]
        for row in np.flatnonzero(find_missing(samples)):
            steps[row] = None
        return steps

    def score(self, X, y):
        """One minus the word error rate.

        Parameters
        ----------
        X : column of sounds, or ndarray of shape (n_samples, n_frames, n_bands)
            Sounds.
        y : column of str
            What is said in them.

        Returns
        -------
        float
            1 is best; it can be negative. A missing sound counts as silence.
        """
        return 1 - word_error_rate(y, self.predict(X))

    # Sounds and transcripts.

    def _check_samples(self, X, reset, y=None):
        if is_dataset(X):  # from a skorch callback, in training: checked already
            return X
        if reset:
            self.transformer_ = self._make_transformer(X)
        if self.transformer_ is not None:
            run = self.transformer_
            X = run.fit_transform(X) if reset else run.transform(X)
        return super()._check_samples(X, reset)

    def _make_transformer(self, X):
        if not isinstance(self.transformer, str):
            return clone(self.transformer)
        if self.transformer == "passthrough" or getattr(X, "ndim", 1) == 3:
            return None
        return make_pipeline(
            AudioLoader(self.sampling_rate),
            LogMelSpectrogram(self.sampling_rate, n_mels=40),
        )

    def _encode_target(self, samples, y, fresh, classes):
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y, the transcripts.")
        texts = read_texts(y, "y")
        check_consistent_length(samples, texts)
        known = [text for text in texts if text is not None]
        if not known:
            raise ValueError("all transcripts are missing: nothing to train on.")
        if fresh:
            self.characters_ = "".join(sorted(set().union(*known)))
            self._fit_language_model(known)
        unknown = sorted(set().union(*known) - set(self.characters_))
        if unknown:
            raise ValueError(
                f"y holds the characters {unknown}, but the network was fitted on "
                f"{self.characters_!r}."
            )
        return encode_texts(texts, self.characters_)

    def _fit_language_model(self, texts):
        if self.text_corpus is not None:
            more = read_texts(self.text_corpus, "text_corpus")
            texts = texts + [text for text in more if text is not None]
        self.words_ = sorted({word for text in texts for word in text.split()})
        model = self.language_model
        if isinstance(model, str):
            model = NgramLanguageModel(unit=model)
        self.language_model_ = None if model is None else clone(model).fit(texts)

    def _drop_missing(self, samples, target, weight):
        kept = (target >= 0).all(axis=1) & ~find_missing(samples)
        if not kept.any():
            raise ValueError("no row has both a sound and a transcript.")
        weight = None if weight is None else weight[kept]
        return samples[kept], target[kept], weight

    # The network.

    def _join_head(self, backbone):
        return WithStepHead(backbone, 1 + len(self.characters_))

    def initialize_criterion(self):
        """Build the loss; what cannot be aligned does not count."""
        options = {"zero_infinity": True, **self.get_params_for("criterion")}
        self.criterion_ = self.initialized_instance(self.criterion, options)
        return self

    def infer(self, x, **fit_params):
        """Run the module on a batch, cut to its longest sound, on its device."""
        n_frames = int(valid_steps(x).sum(dim=1).max())
        device = pick_device(self.device)
        x = to_device(x[:, :n_frames], device)
        mixed = self.mixed_precision and torch.device(device).type == "cuda"
        with torch.autocast("cuda", torch.bfloat16, enabled=mixed):
            return self.module_(x, **fit_params)

    def _find_loss(self, y_pred, y_true, weight, training):
        if training and len(self.history) == 1:
            self._n_too_short += count_too_short(y_true, y_pred[1])
        if weight is not None:
            losses = self._find_row_losses(y_pred, y_true)
            return (losses * weight).sum() / weight.sum().clamp_min(1e-12)
        return self.criterion_(*arrange_for_ctc(y_pred, y_true))

    def _find_row_losses(self, y_pred, y_true):
        options = {"zero_infinity": True, **self.get_params_for("criterion")}
        criterion = self.initialized_instance(
            self.criterion, {**options, "reduction": "none"}
        )
        arguments = arrange_for_ctc(y_pred, y_true)
        return criterion(*arguments) / arguments[3].clamp_min(1)

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        """Begin to count transcripts that are too long."""
        super().on_train_begin(net, X, y, **kwargs)
        self._n_too_short = 0

    def on_train_end(self, net, X=None, y=None, **kwargs):
        """Warn of transcripts that are too long for their sounds."""
        super().on_train_end(net, X, y, **kwargs)
        n_too_short, self._n_too_short = self._n_too_short, 0
        if n_too_short:
            warnings.warn(
                f"{n_too_short} transcripts have more characters than their sounds "
                "have steps, and teach nothing: are they of other sounds? "
                "module__time_reduction=1 gives twice as many steps.",
                UserWarning,
                stacklevel=2,
            )

    def __sklearn_tags__(self):
        """Say that sounds are no numeric table."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.target_tags.required = True
        return tags


def _search(steps, options):
    return None if steps is None else beam_search(steps, **options)
