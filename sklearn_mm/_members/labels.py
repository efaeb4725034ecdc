"""Labels as classifiers learn them: positions 0, 1, ... without gaps.

As scikit-learn's ensembles do: some libraries accept no other labels. A class of which
a modality has no row would leave a gap, so each model has positions of its own.
"""

import numpy as np
from sklearn.base import is_classifier
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from .._columns.table import n_rows, select_rows
from .._utils.imports import check_method_params, get_scorer_arguments

#: Parameters whose values are labels, lists of labels or dicts by label.
_LABEL_PARAMETERS = {
    "class_names",
    "class_weight",
    "class_weights",
    "classes",
    "labels",
    "pos_label",
}
#: A class with fewer rows may be too small for a model's own folds.
_FEW = 5


class Codes:
    """The labels that a classifier learned, by output of the target.

    An output with a single label is not learned: it is predicted as it is.

    Parameters
    ----------
    labels : list of ndarray
        Sorted labels by output.
    is_table : bool
        Whether the target is 2-D.
    encodes : bool
        Whether the classifier learns positions instead of the labels themselves.
    learned : list of int or None, default=None
        The outputs that the classifier learns; by default, those of several labels.
    """

    _trusted = True
    refusal = None  # why the classifier was fitted without the rare classes

    def __init__(self, labels, is_table, encodes, learned=None):
        self.labels = labels
        self.is_table = is_table
        self.encodes = encodes
        if learned is None:
            learned = [i for i, known in enumerate(labels) if len(known) > 1]
        self.learned = learned

    def encode(self, y):
        """Return the target as the classifier learns it."""
        columns = split_outputs(y)
        learned = self.learned or range(len(columns))
        columns = [
            np.searchsorted(self.labels[i], columns[i]) if self.encodes else columns[i]
            for i in learned
        ]
        return columns[0] if len(columns) == 1 else np.column_stack(columns)

    def predict(self, model, X, method):
        """Predict by a classifier that learned this target, in terms of the labels.

        Parameters
        ----------
        model : classifier
            The fitted classifier.
        X : array-like of shape (n_samples, ...)
            Samples.
        method : {"predict", "predict_proba", "decision_function"}
            The method.

        Returns
        -------
        list of ndarray, or ndarray
            Labels (n_samples,) or probabilities (n_samples, n_labels) by output; from
            "decision_function" one array (n_samples, ...), 0 for a single label.
        """
        values = getattr(model, method)(X) if self.learned else None
        if method == "decision_function":
            return self._fill_decisions(values, n_rows(X))
        if method == "predict":
            learned = [] if values is None else self._decode(values)
            constant = [np.repeat(known[:1], n_rows(X)) for known in self.labels]
        else:
            learned = [] if values is None else self._split_probabilities(values)
            constant = [np.ones((n_rows(X), 1)) for _ in self.labels]
        outputs = dict(zip(self.learned, learned))
        return [outputs.get(i, known) for i, known in enumerate(constant)]

    def _decode(self, predicted):
        predicted = np.asarray(predicted)
        if len(self.learned) == 1:
            predicted = predicted.reshape(-1)  # some libraries return a column
        columns = split_outputs(predicted)
        if not self.encodes:
            return columns
        return [
            self.labels[i][column.astype(int)]
            for i, column in zip(self.learned, columns)
        ]

    def _split_probabilities(self, values):
        if isinstance(values, list):
            return values
        values = np.asarray(values)
        if len(self.learned) == 1:
            return [values]
        return [np.column_stack([1 - p, p]) for p in values.T]  # multilabel

    def _fill_decisions(self, values, n_samples):
        if len(self.learned) == len(self.labels):
            return np.asarray(values)
        decisions = np.zeros((n_samples, len(self.labels)))
        if self.learned:
            decisions[:, self.learned] = np.reshape(values, (n_samples, -1))
        return decisions


def split_outputs(y):
    """List the outputs of a target.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        The target.

    Returns
    -------
    list of ndarray of shape (n_samples,)
        Its columns.
    """
    return list(y.T) if y.ndim == 2 else [y]


def get_labels(y):
    """Get the sorted labels of each output of a target.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Class labels.

    Returns
    -------
    list of ndarray
        Labels by output.
    """
    return [np.unique(column) for column in split_outputs(y)]


def encode_rows(y, rows):
    """Encode the labels of some rows as positions without gaps; 0 elsewhere.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Class labels.
    rows : ndarray of int
        The rows.

    Returns
    -------
    ndarray of int, of the shape of ``y``
        The positions.
    """
    codes = np.zeros(y.shape, dtype=int)
    for code, column in zip(split_outputs(codes), split_outputs(y)):
        code[rows] = np.unique(column[rows], return_inverse=True)[1]
    return codes


def fit_model(model, X, y, params, y_table=None):
    """Fit a model; a classifier learns the positions of the labels.

    A classifier whose parameters name labels, such as a dict as ``class_weight``,
    learns the labels themselves. A single label is not learned but predicted. A
    classifier that refuses the data is fitted without the classes of fewer than five
    rows, if the others are several or such rows are only missing here.

    Parameters
    ----------
    model : estimator
        Fitted in place.
    X : array-like of shape (n_samples, ...)
        Samples.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Target.
    params : dict
        Arguments of ``fit``.
    y_table : ndarray or None, default=None
        The target of all rows, those where the modality is missing included.

    Returns
    -------
    model : estimator
        The fitted model.
    codes : Codes or None
        What it learned; None for a regressor.
    """
    if not is_classifier(model):
        return model.fit(X, y, **params), None
    if not learns_labels(model):
        return _fit_fixed(model, X, y, params)
    codes = Codes(get_labels(y), y.ndim == 2, encodes=not names_labels(model))
    if not codes.learned:
        return DummyClassifier().fit(X, codes.encode(y)), codes
    try:
        model = model.fit(X, codes.encode(y), **params)
        return model, _adopt_classes(model, codes)
    except ValueError as error:
        kept = _find_common_rows(y, y_table)
        if kept is None:
            raise
        params = check_method_params(y, params, kept)
        try:
            model, codes = fit_model(model, select_rows(X, kept), y[kept], params)
        except ValueError:
            raise error from None  # rare classes are not its cause
        codes.refusal = str(error)
        return model, codes


def _adopt_classes(model, codes):
    """Take the classes of a model that has others than it was given."""
    known = getattr(model, "classes_", None)
    if codes.is_table or known is None:
        return codes
    learned = np.arange(len(codes.labels[0])) if codes.encodes else codes.labels[0]
    if np.isin(known, learned).all():
        return codes
    return Codes([np.asarray(known)], is_table=False, encodes=False, learned=[0])


def _fit_fixed(model, X, y, params):
    model.fit(X, y, **params)
    labels = model.classes_
    if y.ndim == 1:
        labels = [np.asarray(labels)]
    elif not isinstance(labels, list):  # multilabel, as OneVsRestClassifier has it
        labels = [np.array([0, 1])] * y.shape[1]
    return model, Codes(labels, y.ndim == 2, False, list(range(len(labels))))


def _find_common_rows(y, y_table):
    """Find the rows of classes with several rows; None if nothing is gained by it."""
    if y.ndim == 2:
        return None
    labels, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    common = counts >= _FEW
    if common.all() or not common.any():
        return None
    rare = 0 if y_table is None else np.isin(y_table, labels[~common]).sum()
    if common.sum() == 1 and rare <= counts[~common].sum():
        return None
    return np.flatnonzero(common[codes])


def is_supervised(step):
    """Whether a transformer, or the model inside it, needs a target.

    Parameters
    ----------
    step : transformer, "passthrough" or None
        Step of a pipeline.

    Returns
    -------
    bool
        Whether it does.
    """
    if step in (None, "passthrough") or isinstance(step, FrozenEstimator | Pipeline):
        return False
    inner = getattr(step, "estimator", None)  # of SelectFromModel and the like
    if inner is not None and is_classifier(inner):
        return True
    return get_tags(step).target_tags.required


def learns_labels(model):
    """Whether a classifier learns the labels, and does not bring them along.

    Parameters
    ----------
    model : classifier
        Frozen ones, and those that need no target, bring their labels along.

    Returns
    -------
    bool
        Whether it does.
    """
    while True:
        if isinstance(model, FrozenEstimator):
            return False
        if isinstance(model, Pipeline):
            model = model.steps[-1][1]
        elif get_tags(model).target_tags.required:
            return True
        elif hasattr(model, "estimator"):  # a search
            model = model.estimator
        else:
            return False


def names_labels(model):
    """Whether a parameter of a classifier, or of a model inside it, names labels.

    Parameters
    ----------
    model : estimator
        The classifier.

    Returns
    -------
    bool
        Whether one does: it must learn the labels, and not their positions.
    """
    return _has_labels("", model.get_params(deep=True))


def _has_labels(name, value):
    name = name.rpartition("__")[2]
    if isinstance(value, FrozenEstimator):
        return is_classifier(value)
    if isinstance(value, dict):  # by label, or a grid
        is_by_label = name in _LABEL_PARAMETERS
        return is_by_label or any(_has_labels(str(k), v) for k, v in value.items())
    if name == "pos_label":
        return value is not None
    if isinstance(value, list | tuple | np.ndarray):
        if name in _LABEL_PARAMETERS - {"class_weight"}:
            return True
        return any(_has_labels(name, part) for part in value)
    arguments = get_scorer_arguments(value)
    return arguments is not None and _has_labels(name, arguments)


def complete_class_weights(model, y):
    """Let dicts of class weights hold each class of a table.

    scikit-learn refuses a dict of which no class occurs, as in a fold without them.

    Parameters
    ----------
    model : estimator
        Changed in place.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        The target of the table.

    Returns
    -------
    estimator
        The model.
    """
    if y.ndim == 2 or not is_classifier(model):
        return model
    changes = {}
    for name, value in model.get_params(deep=True).items():
        if name.rpartition("__")[2] == "class_weight" and isinstance(value, dict):
            known = set(np.unique(y).tolist())
            if value.keys() <= known:
                changes[name] = dict.fromkeys(known, 1) | value
    return model.set_params(**changes) if changes else model
