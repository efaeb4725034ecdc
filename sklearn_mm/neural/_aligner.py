"""Networks that map several modalities into one space, by what belongs together."""

from math import log
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from skorch.dataset import unpack_data
from skorch.utils import to_device

from .._members.columns import annotate
from .._utils.devices import pick_device
from .._utils.imports import Interval, StrOptions, num_samples
from ..alignment._base import AlignerMixin
from ..nets import CLIPLoss, SigLIPLoss
from ..nets.alignment import AlignNet, Embeddings, average_over_pairs
from ._branch_net import BaseBranchNet
from ._branches import PRESENT
from ._samples import check_outputs

LOSSES = {"clip": CLIPLoss, "siglip": SigLIPLoss}


class ContrastiveAligner(AlignerMixin, BaseBranchNet):
    """Map modalities into one space, where what belongs together is close.

    Each branch has a transformer, a backbone and a linear layer to ``embedding_dim``
    numbers, which are brought to length one. Trained without labels: of a batch's
    samples, each must find its counterpart in the other modality. Rows with one
    modality only teach nothing and are left out; with more than two branches, every
    pair of them that a row has counts.

    Parameters
    ----------
    branches : list of (str, transformer, module, columns)
        Name, transformer, backbone and columns of each branch, two or more, see
        :class:`MultimodalNetClassifier`.
    embedding_dim : int, default=128
        Dimensions of the space.
    loss : {"clip", "siglip"} or class, default="clip"
        :class:`~sklearn_mm.nets.CLIPLoss`, :class:`~sklearn_mm.nets.SigLIPLoss`, or a
        module built as ``loss(temperature=...)`` whose ``forward(first, second)`` gives
        the loss of two matrices of vectors.
    temperature : "learned" or float, default="learned"
        What cosine similarities are divided by in the loss.
    chunk_size : int or None, default=None
        Samples whose activations are in memory at the same time: gradient caching [1]_
        computes the gradients of a large batch chunk by chunk, twice forward and once
        backward. By default the whole batch.
    batch_size : int, default=256
        Samples in a batch: each is told from the others.
    init_from : dict of str to estimator or None, default=None
        Fitted networks whose backbone's weights a branch starts from.
    freeze : list of str, "all" or None, default=None
        Branches whose backbone stays as it is; the linear layer behind it learns.
    on_absent : {"raise", "drop"}, default="raise"
        What to do about a modality that is missing from every row of ``fit``.
    **kwargs : dict
        What :class:`NetClassifier` takes: ``lr``, ``max_epochs``, ``early_stopping``,
        ``device``, ``random_state`` and so on; ``name__backbone__*``.

    Attributes
    ----------
    module_ : torch.nn.Module
        The trained network, with ``module_.backbones`` and ``module_.projections``.
    modalities_ : list of str
        Names of the branches.
    embedding_dim_ : int
        Dimensions of the space.
    temperature_ : float
        The temperature that was given or learned.
    transformers_ : dict of str to transformer
        Fitted; None stands for "passthrough".
    history_ : skorch History
        Losses by epoch; they depend on the size of the batches.
    n_features_in_ : int
        Number of columns of the table.

    See Also
    --------
    CanonicalAligner : The linear counterpart, for vectors.
    CrossModalRetriever : Search one modality by another.
    ZeroShotClassifier : Classes that are described, not learned.

    Notes
    -----
    What else in a batch is the same as a sample's counterpart (a caption that occurs
    twice) counts as wrong. ``score`` is the mean average precision of finding a row's
    counterparts.

    References
    ----------
    A. Radford et al. (2021), "Learning transferable visual models from natural language
    supervision", ICML.

    .. [1] L. Gao, Y. Zhang, J. Han and J. Callan (2021), "Scaling deep contrastive
       learning batch size under memory limited setup", RepL4NLP.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_mm import ContrastiveAligner
    >>> from sklearn_mm.nets import TabularMLP
    >>> X, _ = load_digits(return_X_y=True)
    >>> aligner = ContrastiveAligner(
    ...     [
    ...         ("upper", "passthrough", TabularMLP, slice(0, 32)),
    ...         ("lower", "passthrough", TabularMLP, slice(32, 64)),
    ...     ],
    ...     max_epochs=20,
    ...     random_state=0,
    ... )
    >>> bool(aligner.fit(X[:1600]).score(X[1600:]) > 0.2)  # by chance 0.03
    True
    >>> aligner.transform(X[1600:, :32], modality="upper").shape
    (197, 128)
    """

    _parameter_constraints: dict = {
        **BaseBranchNet._parameter_constraints,
        "embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "loss": [StrOptions(set(LOSSES)), callable],
        "temperature": [
            StrOptions({"learned"}),
            Interval(Real, 0, None, closed="neither"),
        ],
        "chunk_size": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        branches,
        *,
        embedding_dim=128,
        loss="clip",
        temperature="learned",
        chunk_size=None,
        batch_size=256,
        init_from=None,
        freeze=None,
        on_absent="raise",
        **kwargs,
    ):
        super().__init__(
            branches,
            batch_size=batch_size,
            init_from=init_from,
            freeze=freeze,
            on_absent=on_absent,
            **kwargs,
        )
        self.embedding_dim = embedding_dim
        self.loss = loss
        self.temperature = temperature
        self.chunk_size = chunk_size

    def fit(self, X, y=None):
        """Train the network on the rows that have two modalities or more.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays
            The table.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted aligner.
        """
        return super().fit(X)

    def partial_fit(self, X, y=None):
        """Train for ``max_epochs`` more epochs on these rows.

        Parameters
        ----------
        X : DataFrame, ndarray or dict of arrays
            The table.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted aligner.
        """
        return super().partial_fit(X)

    @property
    def embedding_dim_(self):
        """Dimensions of the space."""
        return self.embedding_dim

    @property
    def temperature_(self):
        """The temperature that was given or learned."""
        return 1 / float(self.criterion_.find_scale().detach())

    # Steps of training.

    def _encode_target(self, samples, y, fresh, classes):
        return None

    def _drop_missing(self, samples, target, weight):
        paired = samples[PRESENT].sum(axis=1) > 1
        if paired.sum() < 2:
            raise ValueError(
                f"{type(self).__name__} learns from rows that hold two modalities or "
                f"more, each told from the others: it needs two, got {paired.sum()} of "
                f"{len(paired)} rows."
            )
        return (samples if paired.all() else samples[paired]), target, weight

    def _check_branches(self, X):
        kept = super()._check_branches(X)
        if len(kept) < 2:
            raise ValueError(
                f"{type(self).__name__} needs two branches or more, got {len(kept)}."
            )
        return kept

    def initialize_module(self):
        """Build the backbones for the shapes of their samples, and linear layers."""
        self.module_ = AlignNet(
            self._build_backbones(), self.embedding_dim, self._find_frozen()
        )
        self._load_branches()
        return self

    def initialize_criterion(self):
        """Build the loss, which may learn a temperature."""
        if "criterion" in self.get_params(deep=False):
            raise ValueError("the loss of an aligner is its parameter 'loss'.")
        criterion = LOSSES.get(self.loss, self.loss)
        options = {"temperature": self.temperature}
        if criterion is SigLIPLoss and self.batch_size > 1:
            options["bias"] = -log(self.batch_size)
        self.criterion_ = criterion(**options)
        return self

    def _adapt(self, samples):
        super()._adapt(samples)
        for column, name in enumerate(self._backbones):
            some = self._take_some(samples, name, column)
            self.module_.adapt(name, some[: self.batch_size])

    def get_loss(self, y_pred, y_true=None, X=None, training=False):
        """Mean loss of all pairs of branches."""
        return average_over_pairs(self.criterion_, y_pred)

    def train_step_single(self, batch, **fit_params):
        """Compute gradients, chunk by chunk if the batch is larger than a chunk."""
        samples, _ = unpack_data(batch)
        n_samples = len(samples[PRESENT])
        if self.chunk_size is None or n_samples <= self.chunk_size:
            return super().train_step_single(batch, **fit_params)
        self._set_training(True)
        chunks = _split(samples, self.chunk_size)
        states, whole = [], []
        with torch.no_grad():
            for chunk in chunks:
                states.append(_get_generators(self.device))
                whole.append(self.infer(chunk))
        embeddings = _join(whole)
        vectors = [part.requires_grad_() for part in embeddings.vectors]
        loss = self.get_loss(embeddings, None, training=True)
        loss.backward()  # down to the vectors, and the temperature
        gradients = [part.grad.split(self.chunk_size) for part in vectors]
        after = _get_generators(self.device)
        for i, (chunk, state) in enumerate(zip(chunks, states)):
            _set_generators(state)  # the same dropout as before
            again = self.infer(chunk).vectors
            torch.autograd.backward(again, [part[i] for part in gradients])
        _set_generators(after)
        return {"loss": loss, "y_pred": embeddings}

    # Embedding.

    def _embed(self, name, cells):
        array, rows, n_samples = self._read_cells(name, cells)
        vectors = np.full((n_samples, self.embedding_dim), np.nan, np.float32)
        if len(rows):
            vectors[rows] = self._embed_array(name, array)
        return vectors

    def to_onnx(self, path, modality):
        """Write the network of one modality to a file that ONNX runtimes read.

        Its input has the branch's name and is what the branch's transformer gives; its
        output ``vectors`` is what ``transform`` gives, for cells that are not missing.

        Parameters
        ----------
        path : str or path-like
            Where to. A file that is there is replaced when the new one is complete.
        modality : str
            The modality.

        See Also
        --------
        NetClassifier.to_onnx : Says what all such files have in common.
        """
        check_is_fitted(self)
        self._check_modality(modality)

        def embed(module, inputs):
            return module.embed(modality, *inputs)

        inputs = {modality: self._describe(modality)}
        self._write_onnx(path, inputs, embed, ["vectors"])

    def _embed_array(self, name, array):
        self.module_.eval()
        device, parts = pick_device(self.device), []
        for x, _ in self.get_iterator(self.get_dataset(array)):
            x = to_device(x, device)
            if name in self.n_tokens_:
                x = torch.where(x < self.n_tokens_[name], x, 1)  # unknown
            with torch.no_grad():
                parts.append(self.module_.embed(name, x).float().cpu().numpy())
        return check_outputs(np.concatenate(parts), type(self).__name__)

    def _read_cells(self, name, cells):
        with annotate(name, self._columns[name]):
            array, rows = self._run_branch(name, cells, None, reset=False)
        return array, rows, num_samples(cells)


def _split(samples, size):
    parts = {key: tensor.split(size) for key, tensor in samples.items()}
    return [dict(zip(parts, chunk)) for chunk in zip(*parts.values())]


def _join(chunks):
    vectors, present = zip(*chunks)
    return Embeddings([torch.cat(part) for part in zip(*vectors)], torch.cat(present))


def _get_generators(device):
    is_cuda = torch.device(pick_device(device)).type == "cuda"
    return torch.get_rng_state(), torch.cuda.get_rng_state() if is_cuda else None


def _set_generators(states):
    torch.set_rng_state(states[0])
    if states[1] is not None:
        torch.cuda.set_rng_state(states[1])
