"""Fitted networks as ONNX files, which run where there is no torch."""

import copy
import json
import logging
import os
import tempfile
import warnings
from contextlib import contextmanager
from typing import NamedTuple

import torch
from sklearn.utils.validation import check_is_fitted
from torch import nn
from torch.export import Dim

from .._utils.imports import import_extra
from ._onnx_recurrent import replace_recurrent


class Samples(NamedTuple):
    """One of the inputs of a network.

    Attributes
    ----------
    shape : tuple of int
        Shape of a sample in ``fit``.
    n_tokens : int or None
        Number of different ids, if samples are token ids.
    is_variable : bool
        Whether the first axis may have another length.
    is_mask : bool
        Whether they are of type bool.
    """

    shape: tuple
    n_tokens: int | None = None
    is_variable: bool = False
    is_mask: bool = False

    def make_example(self, number):
        """Make a few samples, of a length that no other input has."""
        shape = list(self.shape)
        if self.is_variable:
            shape[0] = 24 + 8 * number
        kind = torch.float32 if self.n_tokens is None else torch.int64
        return torch.ones(3, *shape, dtype=torch.bool if self.is_mask else kind)


class OnnxMixin:
    """Writes what an estimator predicts by as an ONNX file."""

    _onnx_outputs: tuple = ()

    def to_onnx(self, path):
        """Write the fitted network to a file that ONNX runtimes read.

        The file computes in float32 what the estimator gives, to about five digits:

        ==================== =================== ======================================
        of                   output              which is
        ==================== =================== ======================================
        a classifier         ``probabilities``   ``predict_proba(X)``
        a regressor          ``predictions``     ``predict(X)``, in the target's units
        an encoder           ``vectors``         ``transform(X)``
        ``MultitaskNet``     one for each task,  probabilities of its classes, or its
                             with its name       numbers
        ``SpeechRecognizer`` ``log_proba``,      ``predict_log_proba(X)``, padded, and
                             ``n_steps``         how many steps each sound has
        ==================== =================== ======================================

        The input of a network over one modality is ``X``, what ``fit`` got: float32, or
        int64 for token ids. A joint network has an input for each branch, with its name
        and what its transformer gives, and ``present`` (n_samples, n_branches), bool,
        which says what each row has; where it has not, any number will do. A
        ``SpeechRecognizer``'s is spectrograms. There may be any number of samples, and
        of steps where the network takes any. NaN means what it means in ``predict``.

        Parameters
        ----------
        path : str or path-like
            Where to. A file that is there is replaced when the new one is complete.

        Raises
        ------
        ImportError
            Without the extra ``onnx``.
        ValueError
            If the network does something that ONNX has no word for.

        Notes
        -----
        The file's metadata have the classes as JSON, under ``classes``. Weights of
        more than 2 GB go to a second file, ``path`` with ``.data`` behind it.
        """
        check_is_fitted(self)
        self._write_onnx(path, self._list_inputs(), self._trace, self._list_outputs())

    def _write_onnx(self, path, inputs, trace, outputs):
        """Export ``trace(module, *inputs)``, the module in evaluation on the CPU."""
        import_extra("onnxscript", "onnx")
        if not hasattr(torch.onnx, "ops"):
            raise ImportError(
                f"to_onnx needs torch 2.8 or later, not {torch.__version__}"
            )
        _check_names([*inputs, *outputs])
        module = getattr(self.module_, "_orig_mod", self.module_)  # as torch compiles
        module = replace_recurrent(copy.deepcopy(module).cpu()).eval()
        try:
            program = _export(module, trace, inputs, outputs)
        except Exception as error:  # of many kinds, by what the exporter stumbled over
            raise ValueError(
                f"{type(self).__name__}: this network cannot be written as ONNX: "
                f"{_find_reason(error)}"
            ) from error
        classes = self._list_classes()
        if classes is not None:
            program.model.metadata_props["classes"] = json.dumps(classes, default=str)
        _save(program, path)

    def _list_inputs(self):
        """Give the network's inputs by name."""
        n_tokens = self.n_tokens_ if self._takes_ids() else None
        is_variable = self._is_variable() and len(self.input_shape_) > 1
        return {"X": Samples(self.input_shape_, n_tokens, is_variable)}

    def _list_outputs(self):
        return self._onnx_outputs

    def _list_classes(self):
        return None

    def _trace(self, module, inputs):
        """Give the outputs for tensors, by nothing but torch."""
        return self._trace_forward(module, inputs)

    def _trace_forward(self, module, inputs):
        return self._get_predict_nonlinearity()(module(*inputs))


class _Traced(nn.Module):
    """A network and what is made of its outputs, as the one module to export."""

    def __init__(self, module, trace, vocabularies):
        super().__init__()
        self.module = module
        self.trace = trace
        self.vocabularies = vocabularies

    def forward(self, inputs):
        inputs = [
            x if n_tokens is None else torch.where(x < n_tokens, x, 1)  # unknown
            for x, n_tokens in zip(inputs, self.vocabularies)
        ]
        return self.trace(self.module, inputs)


def _check_names(names):
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"inputs and outputs of an ONNX file have names of their own, but {twice} "
            "would be there twice: rename the branch or the task."
        )


def _export(module, trace, inputs, outputs):
    vocabularies = [samples.n_tokens for samples in inputs.values()]
    examples, axes = [], []
    for number, samples in enumerate(inputs.values()):
        examples.append(samples.make_example(number))
        axes.append(
            {0: Dim.DYNAMIC, 1: Dim.DYNAMIC if samples.is_variable else Dim.STATIC}
        )
    with _quiet():
        return torch.onnx.export(
            _Traced(module, trace, vocabularies).eval(),
            (examples,),
            dynamo=True,
            dynamic_shapes=(axes,),
            input_names=list(inputs),
            output_names=list(outputs),
            verbose=False,
        )


@contextmanager
def _quiet():
    """Let torch not tell what the exporter is made of."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _find_reason(error):
    """Give the first line of what went wrong in the first place."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _save(program, path):
    """Write beside the place where the file is to be, and move it there as a whole."""
    path = os.path.abspath(os.fspath(path))
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        program.save(os.path.join(folder, os.path.basename(path)))
        for name in sorted(os.listdir(folder), reverse=True):  # weights first
            os.replace(
                os.path.join(folder, name), os.path.join(os.path.dirname(path), name)
            )
