"""Which types a file of a saved model may hold, for loading it by skops."""

#: Classes of this package that fitted estimators are or hold. Their constructors and
#: their states set attributes alone. Missing on purpose: what opens files or models as
#: it is made (stores, engines, pretrained backbones), what reads bytes of others
#: (``PickledState``), and every function of the package.
_OWN = {
    "_utils.state": "StoredModule StoredTensor",
    "alignment._canonical": "CanonicalAligner",
    "alignment._index": "ExactIndex",
    "alignment._retriever": "CrossModalRetriever",
    "alignment._zero_shot": "ZeroShotClassifier",
    "audio._loader": "AudioLoader",
    "audio._spectrogram": "LogMelSpectrogram",
    "audio._statistics": "AudioStatistics",
    "cache._encoder": "CachedEncoder",
    "_modalities.kinds": "DoublePrecision",
    "compose._blocks": "Reducer",
    "compose._context": "ContextWindow",
    "compose._impute": "MeanImputer",
    "compose._pipeline": "FoldsByNeed TableReader",
    "compose._plan": "Block",
    "compose._selector": "ModalitySelector",
    "compose._vectorizer": "MultimodalVectorizer",
    "ensemble._calibration": "_Calibrator _Given",
    "ensemble._cotraining": "CoTrainingClassifier",
    "ensemble._guard": "Comparison",
    "ensemble._pool": "ProbabilityPool",
    "ensemble._prediction_pool": "PredictionPool",
    "ensemble._soup": "ModelSoupClassifier ModelSoupRegressor",
    "ensemble._stacking": "MultimodalStackingClassifier",
    "ensemble._stacking_regressor": "MultimodalStackingRegressor",
    "ensemble._voting": "MultimodalVotingClassifier",
    "ensemble._voting_regressor": "MultimodalVotingRegressor",
    "image._histograms": "ColorHistogramEncoder HOGEncoder",
    "image._loader": "ImageLoader",
    "nets._head": "WithHead WithStepHead",
    "nets._joint": "JointNet _Heads",
    "nets._layers": "Pool Standardize",
    "nets._recurrent": "Recurrent",
    "nets.alignment": "AlignNet CLIPLoss SigLIPLoss",
    "nets.audio": "AudioCNN AudioCRNN",
    "nets.fusion": "ConcatFusion FiLMFusion GatedFusion LowRankFusion MeanFusion "
    "TensorFusion _Projections",
    "nets.image": "ImageCNN ImageResNet _ResidualBlock",
    "nets.sequence": "SequenceRNN SequenceTCN _CausalBlock",
    "nets.tabular": "PiecewiseLinearEmbedding TabularMLP",
    "nets.text": "TextCNN TextRNN TextTransformer",
    "nets.token_fusion": "BottleneckFusion CrossAttentionFusion TransformerFusion "
    "_CrossLayer _TokenMaps",
    "neural._aligner": "ContrastiveAligner",
    "neural._batches": "TensorBatches",
    "neural._classifier": "NetClassifier",
    "neural._encoder": "NetEncoder",
    "neural._multimodal_classifier": "MultimodalNetClassifier",
    "neural._multimodal_regressor": "MultimodalNetRegressor",
    "neural._multitask": "MultitaskNet",
    "neural._regressor": "NetRegressor",
    "neural._task_loss": "TaskLoss",
    "neural._tasks": "ClassTask NumberTask",
    "pretrained._aligner": "PretrainedAligner",
    "pretrained._audio": "PretrainedAudioEncoder",
    "pretrained._image": "PretrainedImageEncoder",
    "pretrained._text": "PretrainedTextEncoder",
    "pretrained._tokenizer": "PretrainedTokenizer",
    "sequence._padder": "SequencePadder",
    "sequence._resampler": "SequenceResampler",
    "sequence._statistics": "SequenceStatistics",
    "speech._language_model": "NgramLanguageModel",
    "speech._recognizer": "SpeechRecognizer",
    "text._tokenizer": "TextTokenizer",
    "text._vectorizer": "TextVectorizer",
    "vector._pooled": "PooledEncoder",
    "vector._stacker": "VectorStacker",
    "video._loader": "VideoLoader",
}
#: Of other packages: containers, layers, losses and optimizers, parts of scikit-learn
#: and skrub, and a few functions that compute and nothing else. ``partial`` binds
#: arguments to one of these, for what is not listed is refused within it too.
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
#: What compiled code walks through without a check of where it leads.
_UNCHECKED = {
    "sklearn.ensemble._hist_gradient_boosting.predictor": "TreePredictor",
    "sklearn.tree._tree": "Tree",
    "sklearn_mm.alignment._index": "HNSWIndex",
}


def trusted_types(*, unchecked=False):
    """List the types that skops may make of a file of this package's estimators.

    For ``skops.io.load(path, trusted=trusted_types())``: unlike joblib and pickle,
    skops runs no code that a file brings, and makes nothing of a type that is not
    listed. The list has the estimators, networks, layers and losses of this package,
    and what they hold of scikit-learn, skrub, skorch and torch. Each of them sets
    attributes or computes numbers; none runs, imports or opens what it is given.

    Parameters
    ----------
    unchecked : bool, default=False
        Whether the trees of forests and of gradient boosting (those of
        :func:`multimodal_pipeline` included) and the graph of an approximate
        :class:`CrossModalRetriever` are listed too. Compiled code walks through them
        without checks: a file made to do harm can crash the process, or worse, when
        the model predicts. Say True for files of people whom you trust so far.

    Returns
    -------
    list of str
        Full names.

    Notes
    -----
    Classes of your own, backbones say, are not listed: append their names, which
    ``skops.io.get_untrusted_types(file=path)`` tells. Not kept by skops: weights of
    pretrained models (``store_weights=True``, models that are no names or folders, and
    backbones that were fine-tuned).

    What a model is asked to do later it does with the parameters in the file:
    ``CachedEncoder.location`` names a file that is written, ``model`` of a pretrained
    encoder one that is loaded or downloaded. Look at ``get_params()`` first.

    Examples
    --------
    >>> from sklearn_mm import trusted_types
    >>> "sklearn_mm.image._loader.ImageLoader" in trusted_types()
    True
    >>> "builtins.eval" in trusted_types()
    False
    """
    own = {f"sklearn_mm.{module}": names for module, names in _OWN.items()}
    listed = own | _OTHERS | (_UNCHECKED if unchecked else {})
    return [f"{module}.{name}" for module in listed for name in listed[module].split()]
