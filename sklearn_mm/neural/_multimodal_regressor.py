"""A joint network as a regressor."""

import torch
from skorch.dataset import Dataset

from ._batches import TensorBatches
from ._multimodal import BaseMultimodalNet
from ._parameters import store_parameters
from ._regressor import NetRegressorMixin


class MultimodalNetRegressor(NetRegressorMixin, BaseMultimodalNet):
    """Train one network over all modalities, end to end, as a regressor.

    The target is standardised for training; losses in ``history_`` are in these units.

    Parameters
    ----------
    estimators : list of (str, transformer, columns)
        Name, transformer and columns of each branch, as in
        :class:`~sklearn.compose.ColumnTransformer`. See
        :class:`MultimodalNetClassifier`.
    backbones : dict of str to class or instance of torch.nn.Module
        The backbone of each branch by name, one of :mod:`sklearn_mm.nets` or your
        own, see :class:`NetClassifier`.
    criterion : class, default=torch.nn.MSELoss
        Loss of outputs and standardised targets.
    fusion : str, class or instance of torch.nn.Module, default="transformer"
        How the branches are joined to one vector; see
        :class:`MultimodalNetClassifier` for the names.
    modality_dropout : float, default=0.0
        Probability that a modality is left out of a training step, drawn for each row;
        one always stays. Trains the network for missing modalities.
    auxiliary_loss : float, default=0.0
        Weight of the mean loss of additional heads, one for each branch, which
        ``branch_scores`` evaluates; 0 adds no such heads.
    balance : {"ogm"} or None, default=None
        "ogm" slows down branches that learn faster than the others; see
        :class:`MultimodalNetClassifier`.
    init_from : dict of str to NetEncoder or None, default=None
        Fitted networks, or pipelines that end in one, from whose backbones the branches
        take their initial weights.
    freeze : list of str, "all" or None, default=None
        Branches whose backbone is not trained.
    on_absent : {"raise", "drop"}, default="raise"
        What to do if a modality is missing from every row in ``fit``: raise an error,
        or leave it out.
    optimizer : class, default=torch.optim.Adam
        Optimizer.
    lr : float, default=0.001
        Learning rate.
    max_epochs : int, default=100
        Maximum number of epochs.
    batch_size : int, default=64
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
    predict_nonlinearity : callable, "auto" or None, default="auto"
        Turns outputs into probabilities; softmax for the default criterion.
    compile : bool, default=False
        Whether to use ``torch.compile``, which does not pay off for small networks.
    use_caching : bool or "auto", default="auto"
        Whether skorch's scoring callbacks share predictions, see skorch.
    torch_load_kwargs : dict or None, default=None
        Arguments of ``torch.load``, see skorch.
    **kwargs : dict
        Options of parts, by a prefix: ``backbones__image__n_filters=8`` is one of the
        backbone of branch "image", ``fusion__n_layers=1`` one of the fusion layer; also
        ``balance__*`` and, as in skorch, ``optimizer__*``, ``criterion__*``,
        ``callbacks__*``, ``iterator_train__*``, ``iterator_valid__*``, ``dataset__*``
        and ``compile__*``.

    Attributes
    ----------
    module_ : torch.nn.Module
        The trained network, with ``module_.backbones``, ``fusion`` and ``head``.
    target_mean_, target_std_ : ndarray of shape (n_targets,)
        Mean and standard deviation of the target; the mean is predicted where every
        modality is missing.
    target_ndim_ : int
        Number of axes of the target, 1 or 2.
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
        Losses by epoch, and contributions with ``balance``.
    initialized_ : bool
        Whether the network is fitted.
    virtual_params_ : dict
        Parameters that skorch passes on to the optimizer when they are set.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_mm import MultimodalNetRegressor
    >>> from sklearn_mm.nets import TabularMLP
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> net = MultimodalNetRegressor(
    ...     [
    ...         ("person", "passthrough", ["age", "sex", "bmi", "bp"]),
    ...         ("blood", "passthrough", ["s1", "s2", "s5", "s6"]),
    ...     ],
    ...     backbones={"person": TabularMLP, "blood": TabularMLP},
    ...     random_state=0,
    ... )
    >>> bool(net.fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.4)
    True
    """

    def __init__(
        self,
        estimators,
        *,
        backbones,
        criterion=torch.nn.MSELoss,
        fusion="transformer",
        modality_dropout=0.0,
        auxiliary_loss=0.0,
        balance=None,
        init_from=None,
        freeze=None,
        on_absent="raise",
        optimizer=torch.optim.Adam,
        lr=0.001,
        max_epochs=100,
        batch_size=64,
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
        predict_nonlinearity="auto",
        compile=False,
        use_caching="auto",
        torch_load_kwargs=None,
        **kwargs,
    ):
        store_parameters(self, locals())
