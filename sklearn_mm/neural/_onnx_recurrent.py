"""Recurrent layers as the one operator that ONNX has for each."""

import torch
from torch import nn

#: Where ONNX has each of torch's gates, and what else the operator needs to know.
_LSTM = (0, 3, 1, 2), {}  # input, forget, cell, output -> input, output, forget, cell
_GRU = (1, 0, 2), {"linear_before_reset": 1}  # reset, update, new -> update, reset, new


class OnnxRecurrent(nn.Module):
    """A layer of nn.LSTM or nn.GRU, written as ONNX's LSTM or GRU.

    torch's exporter unrolls the time, or writes a loop.

    Parameters
    ----------
    layer : nn.LSTM or nn.GRU
        Of one layer and direction, with ``batch_first``.
    """

    def __init__(self, layer):
        super().__init__()
        self.operator = layer.mode
        order, options = _LSTM if layer.mode == "LSTM" else _GRU
        self.options = {"hidden_size": layer.hidden_size, **options}

        def arrange(weight):
            gates = weight.detach().chunk(len(order))
            return torch.cat([gates[k] for k in order]).unsqueeze(0)

        biases = [arrange(layer.bias_ih_l0), arrange(layer.bias_hh_l0)]
        self.register_buffer("input_weight", arrange(layer.weight_ih_l0))
        self.register_buffer("state_weight", arrange(layer.weight_hh_l0))
        self.register_buffer("bias", torch.cat(biases, dim=1))

    def forward(self, x):
        """Give the states (n_samples, time, hidden_size) of each step, and None."""
        n_samples, time, _ = x.shape
        size = self.options["hidden_size"]
        last = [(1, n_samples, size)] * (2 if self.operator == "LSTM" else 1)
        states, *_ = torch.onnx.ops.symbolic_multi_out(
            self.operator,
            (x.transpose(0, 1), self.input_weight, self.state_weight, self.bias),
            self.options,
            dtypes=[x.dtype] * (1 + len(last)),
            shapes=[(time, 1, n_samples, size), *last],
        )
        return states.squeeze(1).transpose(0, 1), None


def replace_recurrent(module):
    """Replace in a module, which is changed, each recurrent layer that can be."""
    for name, child in module.named_children():
        if isinstance(child, nn.LSTM | nn.GRU) and _is_plain(child):
            setattr(module, name, OnnxRecurrent(child))
        else:
            replace_recurrent(child)
    return module


def _is_plain(layer):
    return (
        layer.batch_first
        and layer.bias
        and layer.num_layers == 1
        and not layer.bidirectional
        and not layer.proj_size
    )
