"""Cells as other libraries hold them: convert each to what all loaders read."""

from array import array
from collections import deque
from decimal import Decimal
from numbers import Real
from operator import is_
from os import PathLike

import numpy as np
import pandas as pd
from scipy import sparse

from .._utils.imports import is_instance, is_subclass
from .padding import PaddedArray

#: Lowest sampling rate in Hz at which ``(rate, samples)`` and lists count as audio.
_LOWEST_RATE = 1000
#: Sizes of a channel axis.
_CHANNELS = (1, 3, 4)
#: Exceptions of a cell that cannot be converted.
_BAD = (ValueError, TypeError, OSError, RuntimeError, OverflowError, AttributeError)
_FILES = (str, bytes, bytearray, memoryview, PathLike)


class Unusable(TypeError):
    """A cell that is of no modality; the message says what it is."""


def normalise_cells(cells):
    """Convert the cells of other libraries to arrays, numbers, pairs, bytes or paths.

    Parameters
    ----------
    cells : ndarray of shape (n_samples,), object
        The cells.

    Returns
    -------
    ndarray of shape (n_samples,), object
        The same array if no cell needs to be converted. Cells that cannot be converted
        are left for their loader to refuse.
    """
    converters = {kind: _find_converter(kind) for kind in set(map(type, cells))}
    if converters.get(np.ndarray) and all(
        cell.dtype.kind in "biuf" and cell.ndim
        for cell in cells
        if type(cell) is np.ndarray
    ):
        converters[np.ndarray] = None
    if not any(converters.values()):
        return cells
    converted = list(cells)
    for row, cell in enumerate(converted):
        convert = converters[type(cell)]
        if convert is not None:
            try:
                converted[row] = convert(cell)
            except _BAD:
                continue
    if all(map(is_, converted, cells)):
        return cells
    return make_cells(converted)


def make_cells(cells):
    """Make an object array of cells, which numpy would stack if they have one shape."""
    array = np.empty(len(cells), dtype=object)
    for row, cell in enumerate(cells):
        array[row] = cell
    return array


def explain_cell(cell):
    """Return why a cell is of no modality, as part of an error: its type and more."""
    convert = _find_converter(type(cell))
    try:
        cell = cell if convert is None else convert(cell)
    except Unusable as error:
        return str(error)
    except _BAD as error:
        return f"a {type(cell).__name__} that cannot be read ({error})"
    if isinstance(cell, np.ndarray):
        return f"an array of shape {cell.shape} and type {cell.dtype}"
    if isinstance(cell, list | tuple) and len(cell):
        return f"a {type(cell).__name__} of {type(cell[0]).__name__}"
    return f"values of type {type(cell).__name__}"


def normalise_container(X):
    """Convert a column that is an array of another library to one of numpy or pandas.

    Parameters
    ----------
    X : object
        The column.

    Returns
    -------
    object
        An array or a Series; ``X`` itself if it is neither of another library nor an
        array.
    """
    if is_instance(X, "torch", "Tensor") and X.ndim:
        return _put_channels_last(_from_torch(X), first=1)
    if is_instance(X, "pyarrow", "Array", "ChunkedArray"):
        return arrow_to_series(X)
    if isinstance(X, pd.Index | pd.api.extensions.ExtensionArray):
        return pd.Series(X)
    if isinstance(X, np.ma.MaskedArray) and X.ndim:
        return _from_masked(X)
    is_known = isinstance(X, np.ndarray | pd.DataFrame | pd.Series)
    if is_known or is_instance(X, "polars", "DataFrame", "Series"):
        return X
    is_lazy = isinstance(X, PaddedArray)
    if not is_lazy and (hasattr(X, "__array__") or hasattr(X, "__dlpack__")):
        converted = _from_array_like(X)
        return converted if getattr(converted, "ndim", 0) else X
    return X


def arrow_to_series(array):
    """Convert an arrow column to pandas: integers exactly, tensors with their shape."""
    if not loses_in_pandas(array):
        return array.to_pandas()
    if is_instance(array.type, "pyarrow", "FixedShapeTensorType"):
        chunks = getattr(array, "chunks", [array])
        tensors = [cell for chunk in chunks for cell in chunk.to_numpy_ndarray()]
        present = array.is_valid().to_pylist()
        cells = [t if there else None for t, there in zip(tensors, present)]
        return pd.Series(make_cells(cells))
    name = str(array.type)  # int8, ..., uint64
    dtype = pd.api.types.pandas_dtype(name.replace("i", "I", 1).replace("uI", "UI"))
    return array.to_pandas(types_mapper=lambda _: dtype)


def loses_in_pandas(array):
    """Whether arrow itself would convert a column to pandas with a loss."""
    import pyarrow

    lacks_integers = array.null_count > 0 and pyarrow.types.is_integer(array.type)
    return lacks_integers or is_instance(array.type, "pyarrow", "FixedShapeTensorType")


def _find_converter(kind):
    """Return the function that converts cells of a type, or None if there is none."""
    for types, convert in _CONVERTERS:
        if issubclass(kind, types):
            return convert
    if is_subclass(kind, "torch", "Tensor"):
        return _from_tensor
    if is_subclass(kind, "pyarrow", "Scalar"):
        return _from_arrow_scalar
    if hasattr(kind, "__array__") or hasattr(kind, "__dlpack__"):
        return _from_array_like
    if hasattr(kind, "read") and hasattr(kind, "seek"):
        return _from_file
    return None


def _from_array(cell):
    """Convert an array of objects, or of no axis."""
    if cell.dtype.kind in "biuf" and cell.ndim:
        return cell
    if cell.ndim == 0 and cell.dtype.kind != "V":
        return _convert(cell.item())
    if cell.dtype.kind in "OUST":
        items = list(cell)
        is_nested = any(isinstance(item, np.ndarray | list | tuple) for item in items)
        return _find_pair(items) or (_stack if is_nested else _from_list)(items)
    if cell.dtype.kind == "V" and cell.dtype.names is None:
        return cell.astype(np.float32)  # such as bfloat16 of ml_dtypes
    return cell


def _from_masked(cell):
    if not np.ma.is_masked(cell):
        return _from_array(cell.data)
    if cell.dtype.kind not in "biuf":
        return _from_array(cell.astype(object).filled(None))
    filled = cell.astype(np.result_type(cell.dtype, np.float32)).filled(np.nan)
    return filled if filled.ndim else float(filled)


def _from_list(cell):
    """Convert a list or tuple: to an array of its numbers, a pair, or a list of items.

    Lists of lists become an array; if they differ in length, shorter ones are padded
    with NaN at the end.
    """
    pair = _find_pair(cell)
    if pair is not None or not cell:
        return cell if pair is None else pair
    first = cell[0]
    if isinstance(first, _FILES):
        return cell if isinstance(cell, list) else list(cell)
    if isinstance(first, (float, int, list, tuple, Real)):
        numbers = _as_numbers(cell)
        if numbers is not None:
            return numbers
    if any(isinstance(item, list | tuple) for item in cell):
        return _stack(cell)
    items = [_convert(item) for item in cell]
    if all(map(_is_number, items)):
        return _make_floats(items)
    if any(isinstance(item, Real) for item in items):
        raise Unusable(f"a {type(cell).__name__} of {_list_types(items)}")
    return cell if all(map(is_, items, cell)) else items


def _as_numbers(cell):
    """Return a plain list as an array, or None if it is not one of numbers."""
    try:
        numbers = np.asarray(cell)
    except ValueError:  # lists of different lengths
        return None
    return numbers if numbers.dtype.kind in "biuf" and numbers.size else None


def _stack(items):
    """Stack lists of numbers, which may be nested; pad those of different lengths."""
    arrays = [_convert(item) for item in items]
    arrays = [np.atleast_1d(_make_floats([a]) if _is_number(a) else a) for a in arrays]
    if any(not isinstance(a, np.ndarray) or a.dtype.kind not in "biuf" for a in arrays):
        raise Unusable(f"a list of {_list_types(arrays)}")
    if len({a.shape for a in arrays}) == 1:
        return np.stack(arrays)
    if any(a.ndim > 1 for a in arrays):
        raise Unusable(
            "nested lists of different lengths; pad or flatten them, or make several "
            "columns of them"
        )
    padded = np.full((len(arrays), max(map(len, arrays))), np.nan)
    for row, numbers in zip(padded, arrays):
        row[: len(numbers)] = numbers
    return padded


def _find_pair(cell):
    """Return ``(samples, rate)`` if a cell is a pair of samples and their rate.

    The samples come first in a tuple; in lists, and where they come second, the rate
    must be that of audio.
    """
    if len(cell) != 2:
        return None
    if type(cell) is tuple and type(cell[0]) is np.ndarray and type(cell[1]) is int:
        return cell if cell[0].dtype.kind in "biuf" and cell[0].ndim else None
    in_order = _holds_samples(cell[0]) and _is_rate(cell[1])
    samples, rate = cell if in_order else cell[::-1]
    if not (_holds_samples(samples) and _is_rate(rate)):
        return None
    rate = _convert(rate)
    is_documented = in_order and isinstance(cell, tuple)
    if not is_documented and not (rate >= _LOWEST_RATE and rate == int(rate)):
        return None
    is_tensor = is_subclass(type(samples), "torch", "Tensor")
    converted = _convert(samples)
    if is_tensor and converted.ndim == 2 and len(converted) < converted.shape[1]:
        converted = converted.T  # torchaudio puts channels first
    if converted is samples and is_documented:
        return cell
    return converted, rate


def _holds_samples(cell):
    if isinstance(cell, list | tuple):
        return len(cell) > 0 and not isinstance(cell[0], _FILES)
    return hasattr(cell, "__array__") and np.ndim(cell) > 0


def _is_rate(cell):
    cell = _convert(cell) if hasattr(cell, "__array__") else cell
    return isinstance(cell, Real) and not isinstance(cell, bool) and cell > 0


def _is_number(cell):
    return isinstance(cell, Real | Decimal) or cell is None or cell is pd.NA


def _make_floats(items):
    if not any(isinstance(item, Real | Decimal) for item in items):
        return np.full(len(items), np.nan)
    missing = [item is None or item is pd.NA for item in items]
    if not any(missing):
        numbers = np.asarray(items)
        return numbers if numbers.dtype.kind in "biuf" else numbers.astype(np.float64)
    items = [np.nan if lacks else float(i) for i, lacks in zip(items, missing)]
    return np.array(items)


def _list_types(items):
    return " and ".join(sorted({type(item).__name__ for item in items}))


def _from_dict(cell):
    """Convert what the ``datasets`` library makes of images and audio."""
    if cell and cell.keys() <= {"bytes", "path"}:
        data = cell.get("bytes")
        return cell.get("path") if data is None else data
    if {"array", "sampling_rate"} <= cell.keys() <= {"array", "sampling_rate", "path"}:
        return _from_list((cell["array"], cell["sampling_rate"]))
    names = ", ".join(map(repr, list(cell)[:5]))
    raise Unusable(
        f"a dict with the keys {names}; make a column of each, for example by "
        "pandas.json_normalize"
    )


def _from_void(cell):
    return bytes(cell) if cell.dtype.names is None else _from_list(cell.item())


def _from_buffer(cell):
    is_bytes = isinstance(cell, memoryview) and cell.format in "Bbc" and cell.ndim == 1
    return cell if is_bytes else np.asarray(cell)


def _from_sequence(cell):
    return _from_list(list(cell))


def _from_sparse(cell):
    array = cell.toarray()
    return array.ravel() if len(array) == 1 else array


def _from_torch(tensor):
    tensor = tensor.detach().cpu()
    tensor = tensor.dequantize() if tensor.is_quantized else tensor.to_dense()
    if tensor.is_floating_point() and tensor.element_size() < 4:
        tensor = tensor.float()  # numpy has no bfloat16
    return tensor.resolve_conj().resolve_neg().numpy()


def _from_tensor(cell):
    numbers = _from_torch(cell)
    return _put_channels_last(numbers) if numbers.ndim else numbers.item()


def _put_channels_last(array, first=0):
    """Turn torch's images ``(C, H, W)`` and frames ``(time, C, H, W)`` into ours.

    ``first`` is the number of axes before those of a cell.
    """
    axis = array.ndim - 3
    is_image = axis - first in (0, 1) and array.shape[axis] in _CHANNELS
    if not is_image or array.shape[-1] in _CHANNELS:
        return array
    return np.moveaxis(array, axis, -1)


def _from_arrow_scalar(cell):
    values = getattr(cell, "values", None)
    if hasattr(cell, "to_numpy"):  # a tensor
        return cell.to_numpy()
    if values is None or not hasattr(values, "to_numpy"):
        return _convert(cell.as_py())
    return _from_array(values.to_numpy(zero_copy_only=False))


def _from_array_like(cell):
    if hasattr(cell, "__array__"):
        return _convert(np.asarray(cell))
    return _convert(np.from_dlpack(cell))


def _from_file(cell):
    place = cell.tell()
    cell.seek(0)
    data = cell.read()
    cell.seek(place)
    if not isinstance(data, str | bytes):
        raise Unusable(f"an open file of type {type(cell).__name__}")
    return data


def _convert(cell):
    convert = _find_converter(type(cell))
    return cell if convert is None else convert(cell)


#: The types of cells with the functions that convert them; None leaves them. The first
#: type that fits counts.
_CONVERTERS = [
    (np.void, _from_void),
    ((np.generic, str, bytes, bytearray), None),
    (np.ma.MaskedArray, _from_masked),
    (np.ndarray, _from_array),
    ((list, tuple), _from_list),
    (dict, _from_dict),
    ((memoryview, array), _from_buffer),
    ((deque, range), _from_sequence),
    ((sparse.sparray, sparse.spmatrix), _from_sparse),
]
