"""Networks that map several modalities into one space, by what belongs together."""

from math import log
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from skorch.dataset import Dataset, unpack_data
from skorch.utils import to_device

from .._members.columns import annotate
from .._utils.devices import pick_device
from .._utils.imports import Interval, StrOptions, num_samples
from ..alignment._base import AlignerMixin
from ..nets import CLIPLoss, SigLIPLoss
from ..nets.alignment import AlignNet, average_over_pairs
from ._batches import TensorBatches
from ._branch_net import BaseBranchNet
from ._branches import PRESENT
from ._gradient_cache import compute_gradients
from ._onnx import write_onnx
from ._parameters import store_parameters
from ._samples import check_outputs
from ._target import Target

LOSSES = {"clip": CLIPLoss, "siglip": SigLIPLoss}


class ContrastiveAligner(AlignerMixin, BaseBranchNet):
    """Map modalities into one space, where what belongs together is close.

    Each branch has a transformer, a backbone and a linear layer to ``embedding_dim``
    numbers, which are scaled to unit length. Trained without labels: each sample of a
    batch must find its counterpart in the other modality. Rows with a single modality
    are left out; with more than two branches, every pair of branches that a row has
    counts.

    Parameters
    ----------
    estimators : list of (str, transformer, columns)
        Name, transformer and columns of each branch, two or more, as in
        :class:`~sklearn.compose.ColumnTransformer`. See
        :class:`MultimodalNetClassifier`.
    backbones : dict of str to class or instance of torch.nn.Module
        The backbone of each branch by name, one of :mod:`sklearn_mm.nets` or your
        own, see :class:`NetClassifier`.
    embedding_dim : int, default=128
        Dimensions of the space.
    loss : {"clip", "siglip"} or class, default="clip"
        :class:`~sklearn_mm.nets.CLIPLoss`, :class:`~sklearn_mm.nets.SigLIPLoss`, or a
        module built as ``loss(temperature=...)`` whose ``forward(first, second)``
        returns the loss of two matrices of vectors.
    temperature : "learned" or float, default="learned"
        Divisor of the cosine similarities in the loss.
    chunk_size : int or None, default=None
        Samples whose activations are in memory at the same time: gradient caching [1]_
        computes the gradients of a large batch chunk by chunk, twice forward and once
        backward. By default the whole batch.
    init_from : dict of str to estimator or None, default=None
        Fitted networks, or pipelines that end in one, from whose backbones the branches
        take their initial weights.
    freeze : list of str, "all" or None, default=None
        Branches whose backbone is not trained; the linear layer after it is.
    on_absent : {"raise", "drop"}, default="raise"
        What to do if a modality is missing from every row in ``fit``: raise an error,
        or leave it out.
    optimizer : class, default=torch.optim.Adam
        Optimizer.
    lr : float, default=0.001
        Learning rate.
    max_epochs : int, default=100
        Maximum number of epochs.
    batch_size : int, default=256
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
        Options of parts, by a prefix: ``backbones__image__n_filters=8`` is one of the
        backbone of branch "image"; also, as in skorch, ``optimizer__*``,
        ``callbacks__*``, ``iterator_train__*``, ``iterator_valid__*``, ``dataset__*``
        and ``compile__*``.

    Attributes
    ----------
    module_ : torch.nn.Module
        The trained network, with ``module_.backbones`` and ``module_.projections``.
    modalities_ : list of str
        Names of the branches.
    embedding_dim_ : int
        Dimensions of the space.
    temperature_ : float
        The temperature, given or learned.
    transformers_ : dict of str to transformer
        The fitted transformers; None stands for "passthrough".
    input_shapes_ : dict of str to tuple of int
        Shape of each branch's samples.
    n_tokens_ : dict of str to int
        Size of the vocabulary of each branch whose samples are token ids.
    n_features_in_ : int
        Number of columns of the table.
    feature_names_in_ : ndarray of shape (n_features_in,)
        Names of the columns, if ``X`` was a frame with string column names.
    criterion_ : torch.nn.Module
        The loss.
    optimizer_ : torch.optim.Optimizer
        The optimizer, in its state at the end of training.
    callbacks_ : list of (str, skorch.callbacks.Callback)
        The callbacks of the training.
    history_ : skorch.history.History
        Losses by epoch; they depend on the batch size.
    initialized_ : bool
        Whether the network is fitted.
    virtual_params_ : dict
        Parameters that skorch passes on to the optimizer when they are set.

    See Also
    --------
    CanonicalAligner : The linear counterpart, for vectors.
    CrossModalRetriever : Search one modality by another.
    ZeroShotClassifier : Classes that are described, not learned.

    Notes
    -----
    Duplicates of a sample's counterpart in the same batch (a caption that occurs twice)
    count as wrong. ``score`` is the mean average precision of retrieving a row's
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
    ...         ("upper", "passthrough", slice(0, 32)),
    ...         ("lower", "passthrough", slice(32, 64)),
    ...     ],
    ...     backbones={"upper": TabularMLP, "lower": TabularMLP},
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
        estimators,
        *,
        backbones,
        embedding_dim=128,
        loss="clip",
        temperature="learned",
        chunk_size=None,
        init_from=None,
        freeze=None,
        on_absent="raise",
        optimizer=torch.optim.Adam,
        lr=0.001,
        max_epochs=100,
        batch_size=256,
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
        """The temperature, given or learned."""
        return 1 / float(self.criterion_.find_scale().detach())

    def _make_target(self, samples, y, sample_weight, fresh, classes):
        return Target(None)

    def _drop_missing(self, samples, target):
        paired = samples[PRESENT].sum(axis=1) > 1
        if paired.sum() < 2:
            raise ValueError(
                f"{type(self).__name__} learns from rows with two modalities or more: "
                f"it needs two, got {paired.sum()} of {len(paired)} rows."
            )
        return (samples if paired.all() else samples[paired]), target

    def _check_members(self, X):
        members = super()._check_members(X)
        if len(members) < 2:
            raise ValueError(
                f"{type(self).__name__} needs two branches or more, got {len(members)}."
            )
        return members

    def initialize_module(self):
        """Build the backbones for the shapes of their samples, and linear layers."""
        self.module_ = AlignNet(
            self._build_backbones(), self.embedding_dim, self._get_frozen()
        )
        self._load_branches()
        return self

    def initialize_criterion(self):
        """Build the loss, which may learn a temperature."""
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
        """Compute the mean loss of all pairs of branches."""
        return average_over_pairs(self.criterion_, y_pred)

    def train_step_single(self, batch, **fit_params):
        """Compute gradients, chunk by chunk if the batch is larger than a chunk."""
        samples, _ = unpack_data(batch)
        n_samples = len(samples[PRESENT])
        if self.chunk_size is None or n_samples <= self.chunk_size:
            return super().train_step_single(batch, **fit_params)
        self._set_training(True)
        return compute_gradients(self, samples, self.chunk_size)

    def _embed(self, name, cells):
        array, rows, n_samples = self._read_cells(name, cells)
        vectors = np.full((n_samples, self.embedding_dim), np.nan, np.float32)
        if len(rows):
            vectors[rows] = self._embed_array(name, array)
        return vectors

    def to_onnx(self, path, modality):
        """Write the network of one modality to a file that ONNX runtimes read.

        Its input has the branch's name and is the output of the branch's transformer;
        its output ``vectors`` equals ``transform``, for cells that are not missing.

        Parameters
        ----------
        path : str or path-like
            The file. An existing one is replaced when the new one is complete.
        modality : str
            The modality.

        See Also
        --------
        NetClassifier.to_onnx : What all such files have in common.
        """
        check_is_fitted(self)
        self._check_modality(modality)

        def embed(module, inputs):
            return module.embed(modality, *inputs)

        inputs = {modality: self._describe(modality)}
        write_onnx(self, path, inputs=inputs, outputs=["vectors"], trace=embed)

    def _embed_array(self, name, array):
        self.module_.eval()
        device, parts = pick_device(self.device), []
        for x, _ in self.get_iterator(self.get_dataset(array)):
            x = to_device(x, device)
            if name in self.n_tokens_:
                x = torch.where(x < self.n_tokens_[name], x, 1)  # unknown
            with torch.no_grad():
                parts.append(self.module_.embed(name, x).float().cpu().numpy())
        return check_outputs(np.concatenate(parts), type(self).__name__, array)

    def _read_cells(self, name, cells):
        with annotate(name, self._columns[name]):
            array, rows = self._run_branch(name, cells, None, reset=False)
        return array, rows, num_samples(cells)
