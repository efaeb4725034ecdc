"""The types that skops may create when it loads a saved model."""

import ast
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent
#: Public modules whose classes no model holds.
_WITHOUT_MODELS = {"exceptions", "inspection"}
#: Methods that run when an object is loaded: with one of its own, a class needs a mark.
_RUN_ON_LOADING = {"__new__", "__setstate__", "_set_plain_state"}
#: From other packages: containers, layers, losses, optimizers, parts of scikit-learn
#: and skrub, and a few functions that only compute. ``partial`` can only bind arguments
#: to a listed function, because skops checks the function inside it too.
_OTHERS = {
    "collections": "Counter",
    "functools": "partial",
    "numpy": "dtype",
    "pathlib": "PosixPath WindowsPath",
    "pathlib._local": "PosixPath WindowsPath",
    "sklearn.calibration": "_CalibratedClassifier _SigmoidCalibration "
    "_TemperatureScaling",
    "sklearn.model_selection._split": "GroupKFold GroupShuffleSplit KFold "
    "LeaveOneGroupOut RepeatedKFold RepeatedStratifiedKFold ShuffleSplit "
    "StratifiedGroupKFold StratifiedKFold StratifiedShuffleSplit TimeSeriesSplit",
    "sklearn.utils._bunch": "Bunch",
    "sklearn.utils.validation": "check_array",
    "skorch.callbacks.lr_scheduler": "LRScheduler",
    "skorch.callbacks.regularization": "GradientNormClipping",
    "skorch.callbacks.training": "EarlyStopping",
    "skorch.dataset": "Dataset ValidSplit",
    "skorch.history": "History",
    "skrub._apply_to_each_col": "ApplyToEachCol",
    "skrub._check_input": "CheckInputDataFrame",
    "skrub._clean_categories": "CleanCategories",
    "skrub._clean_null_strings": "CleanNullStrings",
    "skrub._dataframe._common": "is_any_date is_categorical is_numeric",
    "skrub._datetime_encoder": "DatetimeEncoder",
    "skrub._drop_uninformative": "DropUninformative",
    "skrub._duration_to_float": "DurationToFloat",
    "skrub._squashing_scaler": "SquashingScaler _MinMaxScaler",
    "skrub._string_encoder": "StringEncoder",
    "skrub._table_vectorizer": "PassThrough ShortReprDict TableVectorizer "
    "_created_by_predicate",
    "skrub._to_categorical": "ToCategorical",
    "skrub._to_datetime": "ToDatetime",
    "skrub._to_float": "ToFloat",
    "skrub._to_str": "ToStr",
    "skrub.selectors._base": "All And Cols Filter Sub",
    "skrub.selectors._selectors": "_cardinality_below",
    "torch": "device",
    "torch._C._nn": "gelu",
    "torch.nn.functional": "relu",
    "torch.nn.modules.activation": "ELU GELU LeakyReLU MultiheadAttention PReLU ReLU "
    "ReLU6 SELU SiLU Sigmoid Softmax Softplus Tanh",
    "torch.nn.modules.batchnorm": "BatchNorm1d BatchNorm2d BatchNorm3d",
    "torch.nn.modules.container": "ModuleDict ModuleList ParameterDict ParameterList "
    "Sequential",
    "torch.nn.modules.conv": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d",
    "torch.nn.modules.dropout": "Dropout Dropout1d Dropout2d Dropout3d",
    "torch.nn.modules.flatten": "Flatten Unflatten",
    "torch.nn.modules.linear": "Bilinear Identity Linear "
    "NonDynamicallyQuantizableLinear",
    "torch.nn.modules.loss": "BCEWithLogitsLoss CTCLoss CrossEntropyLoss HuberLoss "
    "L1Loss MSELoss MultiMarginLoss NLLLoss PoissonNLLLoss SmoothL1Loss",
    "torch.nn.modules.normalization": "GroupNorm LayerNorm LocalResponseNorm RMSNorm",
    "torch.nn.modules.pooling": "AdaptiveAvgPool1d AdaptiveAvgPool2d "
    "AdaptiveMaxPool1d AdaptiveMaxPool2d AvgPool1d AvgPool2d MaxPool1d MaxPool2d",
    "torch.nn.modules.rnn": "GRU LSTM RNN",
    "torch.nn.modules.sparse": "Embedding EmbeddingBag",
    "torch.nn.modules.transformer": "TransformerEncoder TransformerEncoderLayer",
    "torch.nn.modules.upsampling": "Upsample",
    "torch.optim.adadelta": "Adadelta",
    "torch.optim.adagrad": "Adagrad",
    "torch.optim.adam": "Adam",
    "torch.optim.adamw": "AdamW",
    "torch.optim.nadam": "NAdam",
    "torch.optim.radam": "RAdam",
    "torch.optim.rmsprop": "RMSprop",
    "torch.optim.sgd": "SGD",
}
#: Types whose data compiled code follows without bounds checks.
_UNCHECKED = {
    "sklearn.ensemble._hist_gradient_boosting.predictor": "TreePredictor",
    "sklearn.tree._tree": "Tree",
}


def trusted_types(*, unchecked=False):
    """List the types that skops may create when it loads this package's estimators.

    For ``skops.io.load(path, trusted=trusted_types())``. Unlike joblib and pickle,
    skops does not run code from a file, and it refuses every type that is not listed.
    The list holds the estimators, networks, layers and losses of this package, and the
    types of scikit-learn, skrub, skorch and torch that they contain. Each of them only
    sets attributes or computes numbers; none runs, imports or opens what it is given.

    Parameters
    ----------
    unchecked : bool, default=False
        Whether to include the trees of forests and of gradient boosting (those of
        :func:`multimodal_pipeline` included) and the graph of
        :class:`~sklearn_mm.alignment.FaissNeighbors`. Compiled code follows their data
        without bounds checks: a malicious file can crash the process, or worse, when
        the model predicts. Use True only for files from people whom you trust.

    Returns
    -------
    list of str
        Full names.

    Notes
    -----
    Your own classes, such as backbones, are not listed: append their names, which
    ``skops.io.get_untrusted_types(file=path)`` returns. skops cannot save the weights
    of pretrained models (``store_weights=True``, a ``model`` that is not a name or a
    folder, fine-tuned backbones).

    A loaded model acts on the parameters in its file: ``CachedEncoder.location`` names
    a file to write, and ``model`` of a pretrained encoder names a model to load or
    download. Check ``get_params()`` first.

    Examples
    --------
    >>> from sklearn_mm import trusted_types
    >>> "sklearn_mm.image._loader.ImageLoader" in trusted_types()
    True
    >>> "builtins.eval" in trusted_types()
    False
    """
    levels = (True, "unchecked") if unchecked else (True,)
    own = [name for name, trusted in _find_own().items() if trusted in levels]
    others = _OTHERS | (_UNCHECKED if unchecked else {})
    return own + [f"{home}.{name}" for home in others for name in others[home].split()]


@cache
def _find_own():
    """Map the full name of each class of this package to whether it is trusted.

    A class is trusted if its own body (not that of a parent) says ``_trusted = True``.
    Public classes are trusted unless they say ``_trusted = False``, as those must that
    open a file or a model when they are created, or define what runs on loading.
    ``"unchecked"`` means only with ``unchecked=True``. The source is read, not run, so
    that torch is not imported.
    """
    public = _find_public()
    own = {}
    for path in sorted(_PACKAGE.rglob("*.py")):
        module = _name_module(path)
        source = path.read_text(encoding="utf-8")
        if "_trusted" not in source and module not in public:
            continue
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef):
                is_public = node.name in public.get(module, ())
                own[f"{module}.{node.name}"] = _read_mark(node, is_public)
    return own


def _find_public():
    """Map each module to the public names that it defines, as the stubs say."""
    stubs = {_name_module(path.parent): path for path in _PACKAGE.rglob("*.pyi")}
    public = {}
    for package, stub in stubs.items():
        for node in ast.parse(stub.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module:
                home = f"{package}.{node.module}"
                if home not in stubs:  # else that package's stub says where it is
                    public.setdefault(home, set()).update(a.name for a in node.names)
    without = {f"{_PACKAGE.name}.{name}" for name in _WITHOUT_MODELS}
    return {
        home: names
        for home, names in public.items()
        if not any(f"{home}.".startswith(f"{name}.") for name in without)
    }


def _read_mark(node, is_public):
    methods = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
    marks = [
        statement.value
        for statement in node.body
        if isinstance(statement, ast.Assign)
        and ast.unparse(statement.targets[0]) == "_trusted"
    ]
    if marks:
        return ast.literal_eval(marks[0])
    return is_public and not methods & _RUN_ON_LOADING


def _name_module(path):
    return ".".join(path.relative_to(_PACKAGE.parent).with_suffix("").parts)
