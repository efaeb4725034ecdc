"""Build backbones: from a class, a function or an instance, for the samples' shape."""

import copy
import inspect

from torch import nn

from ..nets._plain import as_backbone


def takes_ids(backbone):
    """Whether a backbone, class or instance, takes token ids."""
    return "n_tokens" in _list_parameters(backbone)


def build_backbone(backbone, input_shape, n_tokens, options, prefix="module"):
    """Build a backbone for the shape of its samples.

    Parameters
    ----------
    backbone : callable or instance of torch.nn.Module
        The backbone; a copy of an instance is used as it is, unless there are options.
    input_shape : tuple of int
        Shape of a sample.
    n_tokens : int or None
        Size of the vocabulary, if samples are token ids.
    options : dict
        Further arguments.
    prefix : str, default="module"
        Prefix of the options among the parameters of the net, for errors.

    Returns
    -------
    module
        The backbone, with ``out_features``.
    """
    if isinstance(backbone, nn.Module) and not options:
        module = copy.deepcopy(backbone)  # the user's stays as it is
    else:
        module = _call(backbone, input_shape, n_tokens, options, prefix)
    if _is_own(module):
        return module
    knows_shape = "input_shape" in _list_parameters(backbone)
    return as_backbone(module, input_shape, n_tokens is not None, knows_shape)


def _call(backbone, input_shape, n_tokens, options, prefix):
    maker = type(backbone) if isinstance(backbone, nn.Module) else backbone
    name = getattr(maker, "__name__", type(maker).__name__)
    parameters = _list_parameters(maker)
    arguments = {"input_shape": input_shape, "n_tokens": n_tokens}
    arguments = {k: v for k, v in arguments.items() if k in parameters} | options
    try:
        module = maker(**arguments)
    except TypeError as error:
        raise TypeError(
            f"{name} could not be built with {', '.join(arguments) or 'no arguments'}: "
            f"{error}. Pass its arguments as {prefix}__<name>=; a parameter called "
            f"input_shape gets the shape of a sample, {input_shape}."
        ) from error
    if not isinstance(module, nn.Module):
        raise TypeError(
            f"{name} made a {type(module).__name__}; expected a torch.nn.Module."
        )
    return module


def _list_parameters(backbone):
    """List the names of the parameters of what builds a backbone."""
    maker = type(backbone) if isinstance(backbone, nn.Module) else backbone
    try:
        parameters = inspect.signature(maker).parameters
    except (TypeError, ValueError):  # of compiled code
        return []
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    if inspect.isclass(maker) and takes_any:  # a subclass that passes them on
        return [*parameters, *_list_parameters(maker.__mro__[1])]
    return list(parameters)


def _is_own(module):
    """Whether a module is of this package, and need not be tried."""
    package, _, _ = __name__.partition(".")
    return type(module).__module__.startswith(f"{package}.")
