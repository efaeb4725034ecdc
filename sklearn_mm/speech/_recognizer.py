"""Speech to text: a network that spells, with a language model."""

from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted
from skorch.dataset import Dataset
from skorch.utils import is_dataset

from .._columns.texts import read_texts
from .._utils.imports import HasMethods, Interval, StrOptions
from .._utils.parallel import run_calls
from ..audio import AudioLoader, LogMelSpectrogram
from ..metrics import word_error_rate
from ..nets import AudioCRNN
from ..neural._batches import TensorBatches
from ..neural._parameters import store_parameters
from ._ctc import beam_search
from ._ctc_net import CTCNet
from ._language_model import NgramLanguageModel
from ._transcripts import (
    TranscriptTask,
)

#: Characters less likely than a step's best by exp(12) are not tried.
_THRESHOLD = 12.0


class SpeechRecognizer(CTCNet):
    """Recognise short utterances: audio in, text out.

    A network predicts the probabilities of the characters and of a blank at each step
    of a recording. It is trained by connectionist temporal classification (CTC) [1]_,
    which needs no alignment. A language model of the transcripts, and of further texts,
    scores how likely a text is; a beam search finds the text with the highest sum of
    both log-probabilities (shallow fusion) [2]_.

    Parameters
    ----------
    module : class or instance of torch.nn.Module, default=AudioCRNN
        The acoustic model: a backbone with ``tokens``, see :mod:`sklearn_mm.nets`.
    transformer : "auto", "passthrough" or transformer, default="auto"
        Turns the audio column into spectrograms ``(n_samples, n_frames, n_bands)``.
        "auto" takes an array with three axes as spectrograms; any other column goes
        through an :class:`AudioLoader` and a :class:`LogMelSpectrogram` of 40 bands.
    sampling_rate : int, default=16000
        Sampling rate to which "auto" resamples audio, in Hz.
    language_model : {"character", "word"}, NgramLanguageModel or None, \
default="character"
        The language model: a unit, with default options, or an
        :class:`NgramLanguageModel`, which is fitted on the transcripts.
    text_corpus : column of str or None, default=None
        Further texts to fit the language model on.
    lm_weight : float, default=0.5
        Weight of the language model's log-probability.
    word_bonus : float, default=0.0
        Added for each word; compensates for a language model that favours few words.
    lexicon : "training", collection of str or None, default=None
        The words that texts may consist of; "training" allows those of the transcripts
        and of ``text_corpus``.
    beam_width : int, default=16
        Number of hypotheses that the search keeps.
    criterion : class, default=torch.nn.CTCLoss
        Loss of log-probabilities, characters, and the numbers of steps and characters.
    n_jobs : int or None, default=None
        Number of processes that search.
    optimizer : class, default=torch.optim.Adam
        Optimizer.
    lr : float, default=0.003
        Learning rate.
    max_epochs : int, default=100
        Maximum number of epochs.
    batch_size : int, default=32
        Samples per batch; -1 puts all of them into one batch.
    early_stopping : bool, default=True
        Whether to stop when the loss on a validation set no longer improves, and to
        restore the best epoch. With fewer than ``1 / validation_fraction`` samples
        there is no validation set.
    validation_fraction : float, default=0.1
        Share of the samples in the validation set, stratified by class.
    n_iter_no_change : int, default=10
        Epochs without improvement after which training stops.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the order of the batches and dropout. The same seed
        gives the same weights on a CPU. torch's global generators are left untouched.
    device : str, torch.device or None, default="auto"
        Device to compute on. "auto" is cuda if available, else mps, else the CPU. A
        network fitted on a GPU can be loaded where there is none.
    mixed_precision : bool, default=False
        Whether to compute in bfloat16 where that is safe; on cuda only.
    warm_start : bool, default=False
        Whether ``fit`` continues from the current weights.
    verbose : int, default=0
        1 prints one line per epoch.
    callbacks : list or None, default=None
        skorch callbacks, in addition to the default ones.
    train_split : callable or None, default=None
        skorch's way to split off a validation set, replaces ``validation_fraction``.
    iterator_train, iterator_valid : class, default=TensorBatches
        Iterate over batches. Use :class:`torch.utils.data.DataLoader` for data that are
        not arrays.
    dataset : class, default=skorch.dataset.Dataset
        Holds the samples.
    compile : bool, default=False
        Whether to use ``torch.compile``, which does not pay off for small networks.
    use_caching : bool or "auto", default="auto"
        Whether skorch's scoring callbacks share predictions, see skorch.
    torch_load_kwargs : dict or None, default=None
        Arguments of ``torch.load``, see skorch.
    **kwargs : dict
        Options of parts, by a prefix, as in skorch: ``module__hidden_size=64`` is one
        of the module; also ``optimizer__*``, ``criterion__*``, ``callbacks__*``,
        ``iterator_train__*``, ``iterator_valid__*``, ``dataset__*`` and ``compile__*``.

    Attributes
    ----------
    characters_ : str
        The characters of the transcripts, sorted; predictions contain no others.
    words_ : list of str
        The words of the transcripts and of ``text_corpus``, sorted.
    language_model_ : NgramLanguageModel or None
        The fitted language model.
    transformer_ : transformer or None
        The fitted transformer; None stands for "passthrough".
    module_ : torch.nn.Module
        The trained network, with ``module_.backbone`` and ``module_.head``.
    input_shape_ : tuple of int
        Shape of a spectrogram.
    criterion_ : torch.nn.Module
        The loss.
    optimizer_ : torch.optim.Optimizer
        The optimizer, in its state at the end of training.
    callbacks_ : list of (str, skorch.callbacks.Callback)
        The callbacks of the training.
    history_ : skorch.history.History
        Losses by epoch.
    initialized_ : bool
        Whether the network is fitted.
    virtual_params_ : dict
        Parameters that skorch passes on to the optimizer when they are set.

    See Also
    --------
    sklearn_mm.metrics.word_error_rate : ``score`` is one minus this rate.

    Notes
    -----
    ``lm_weight``, ``word_bonus``, ``lexicon`` and ``beam_width`` concern the search
    alone, and may be changed by ``set_params`` on a fitted estimator.

    Recordings and transcripts that are missing are left out in ``fit``; the prediction
    for a missing recording is None. An empty transcript means silence. Transcripts with
    more characters than their recording has steps are ignored, with a warning.

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
        **CTCNet._parameter_constraints,
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
        n_jobs=None,
        optimizer=torch.optim.Adam,
        lr=0.003,
        max_epochs=100,
        batch_size=32,
        early_stopping=True,
        validation_fraction=0.1,
        n_iter_no_change=10,
        random_state=None,
        device="auto",
        mixed_precision=False,
        warm_start=False,
        verbose=0,
        callbacks=None,
        train_split=None,
        iterator_train=TensorBatches,
        iterator_valid=TensorBatches,
        dataset=Dataset,
        compile=False,
        use_caching="auto",
        torch_load_kwargs=None,
        **kwargs,
    ):
        store_parameters(self, locals())

    def predict(self, X):
        """Recognise recordings.

        Parameters
        ----------
        X : audio column, or ndarray of shape (n_samples, n_frames, n_bands)
            Recordings, as in ``fit``.

        Returns
        -------
        ndarray of shape (n_samples,), object
            Texts; None where a recording is missing.
        """
        texts = [best and best[0][0] for best in self.predict_nbest(X, 1)]
        result = np.empty(len(texts), dtype=object)
        result[:] = texts
        return result

    def predict_nbest(self, X, n_best=5):
        """Find the best texts of each recording.

        Parameters
        ----------
        X : audio column, or ndarray of shape (n_samples, n_frames, n_bands)
            Recordings, as in ``fit``.
        n_best : int, default=5
            Maximum number of texts.

        Returns
        -------
        list of list of (str, float)
            Texts and scores for each recording, best first: the acoustic
            log-probability plus the weighted one of the language model plus the bonus
            of the words. None where a recording is missing.
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
        """Predict log-probabilities of the characters by step, without language model.

        Parameters
        ----------
        X : audio column, or ndarray of shape (n_samples, n_frames, n_bands)
            Recordings, as in ``fit``.

        Returns
        -------
        list of ndarray of shape (n_steps, 1 + n_characters)
            The blank first, then ``characters_``; None where a recording is missing.
        """
        check_is_fitted(self)
        samples = self._check_samples(X, reset=False)
        present = self._find_present(samples)
        steps = [None] * len(samples)
        if present.any():
            found = iter(self._compute_steps(samples[present]))
            steps = [next(found) if is_present else None for is_present in present]
        return steps

    def _compute_steps(self, samples):
        self.module_.eval()
        steps = []
        for x, _ in self.get_iterator(self.get_dataset(samples)):
            with torch.no_grad():
                log_probs, lengths = self.infer(x)
            pairs = zip(log_probs.cpu().numpy(), lengths.tolist())
            steps += [array[:length] for array, length in pairs]
        return steps

    def score(self, X, y):
        """Compute one minus the word error rate.

        Parameters
        ----------
        X : audio column, or ndarray of shape (n_samples, n_frames, n_bands)
            Recordings.
        y : column of str
            Transcripts.

        Returns
        -------
        float
            1 is best; it can be negative. A missing recording counts as silence.
        """
        return 1 - word_error_rate(y, self.predict(X))

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

    def _make_task(self, samples, texts, classes):
        known = [text for text in texts if text is not None]
        task = TranscriptTask(known)
        self.characters_ = task.characters
        self._fit_language_model(known)
        return task

    def _fit_language_model(self, texts):
        if self.text_corpus is not None:
            more = read_texts(self.text_corpus, "text_corpus")
            texts = texts + [text for text in more if text is not None]
        self.words_ = sorted({word for text in texts for word in text.split()})
        model = self.language_model
        if isinstance(model, str):
            model = NgramLanguageModel(unit=model)
        self.language_model_ = None if model is None else clone(model).fit(texts)

    def __sklearn_tags__(self):
        """Declare that audio is not a numeric table."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.target_tags.required = True
        return tags


def _search(steps, options):
    return None if steps is None else beam_search(steps, **options)
