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


def write_onnx(net, path, *, inputs, outputs, trace, classes=None):
    """Export ``trace(module, inputs)``, with the module in evaluation on the CPU.

    Parameters
    ----------
    net : estimator
        A fitted network with ``module_``.
    path : str or path-like
        The file.
    inputs : dict of str to Samples
        The inputs by name.
    outputs : list of str
        Names of the outputs.
    trace : callable
        Computes the outputs from tensors, by torch alone.
    classes : list or dict, default=None
        Classes, for the file's metadata.
    """
    import_extra("onnxscript", "onnx")
    if not hasattr(torch.onnx, "ops"):
        raise ImportError(f"to_onnx needs torch 2.8 or later, not {torch.__version__}")
    _check_names([*inputs, *outputs])
    module = getattr(net.module_, "_orig_mod", net.module_)  # as torch compiles
    module = replace_recurrent(copy.deepcopy(module).cpu()).eval()
    try:
        program = _export(module, trace, inputs, outputs)
    except Exception as error:  # of many kinds, by what the exporter stumbled over
        raise ValueError(
            f"{type(net).__name__}: this network cannot be written as ONNX: "
            f"{_find_reason(error)}"
        ) from error
    if classes is not None:
        program.model.metadata_props["classes"] = json.dumps(classes, default=str)
    _save(program, path)


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
