"""Batches sliced from whole arrays, in place of samples collated one by one."""

import numpy as np
import torch
from skorch.helper import SliceDict
from torch.utils.data import DataLoader, Subset

from ._device import place
from ._target import map_parts


class TensorBatches:
    """Iterate over batches of a dataset that holds arrays.

    A drop-in for :class:`torch.utils.data.DataLoader` with skorch's ``iterator_train``
    and ``iterator_valid``: the array is viewed as a tensor once and a batch is one
    indexing operation, where a DataLoader calls ``__getitem__`` for each sample. For a
    network on a GPU the arrays are moved there once, if they leave half of its free
    memory. Datasets of any other kind go through a DataLoader.

    Parameters
    ----------
    dataset : skorch Dataset, or Subset of one
        Holds arrays ``X`` and ``y``.
    batch_size : int
        Samples in a batch.
    shuffle : bool, default=False
        Whether each pass has another order, drawn from torch's generator.
    **kwargs : dict
        What else a DataLoader takes, for datasets that need one.
    """

    _trusted = True

    def __init__(self, dataset, batch_size=64, shuffle=False, **kwargs):
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.kwargs = kwargs
        self.device = "cpu"
        self._placed = None

    def __len__(self):
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self):
        rows, whole = None, self.dataset
        while isinstance(whole, Subset):
            indices = torch.as_tensor(np.asarray(whole.indices))
            rows = indices if rows is None else indices[rows]
            whole = whole.dataset
        X, y = getattr(whole, "X", None), getattr(whole, "y", None)
        if not isinstance(X, (np.ndarray, torch.Tensor, SliceDict)):
            return iter(
                DataLoader(
                    self.dataset, self.batch_size, shuffle=self.shuffle, **self.kwargs
                )
            )
        if self._placed is None:
            self._placed = place((as_tensors(X), as_tensors(y)), self.device)
        return self._slice(*self._placed, rows, len(whole))

    def _slice(self, X, y, rows, n_samples):
        if rows is None:
            rows = torch.arange(n_samples)
        if self.shuffle:
            rows = rows[torch.randperm(len(rows))]
        some = next(iter(X.values())) if isinstance(X, dict) else X
        rows = rows.to(some.device)
        if y is None:
            y = torch.zeros(n_samples, device=some.device)
        starts = list(range(0, len(rows), self.batch_size))
        if self.shuffle and len(rows) % self.batch_size == 1 and len(starts) > 1:
            starts.pop()  # batch norm cannot train on a batch of one
        for start, end in zip(starts, [*starts[1:], len(rows)]):
            yield _take(X, rows[start:end]), _take(y, rows[start:end])


def as_tensors(arrays):
    """View an array, or each of a tuple or dict of arrays, as a tensor."""
    if isinstance(arrays, dict | tuple):
        return map_parts(as_tensors, arrays)
    if isinstance(arrays, np.ndarray):
        if min(arrays.strides, default=0) < 0:  # torch has no such views
            arrays = arrays.copy()
        return torch.from_numpy(np.asarray(_Writeable(arrays)))
    return arrays


class _Writeable:
    """A view of an array that may be read-only, at which torch would warn.

    The arrays that joblib hands to its workers are; and here they are only read.
    """

    def __init__(self, array):
        self.array = array
        interface = array.__array_interface__
        address, _ = interface["data"]
        self.__array_interface__ = {**interface, "data": (address, False)}


def take_some(samples, n_numbers=2**20):
    """Take every k-th sample, for statistics that many numbers tell well enough."""
    return samples[:: max(1, -(-samples.size // n_numbers))]


def _take(tensors, rows):
    if isinstance(tensors, dict | tuple):
        return map_parts(lambda part: _take(part, rows), tensors)
    taken = tensors[rows]
    return taken.float() if taken.dtype == torch.float64 else taken
