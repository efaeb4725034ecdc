"""A target on its way through a network, and tuples and dicts of tensors like it."""

from typing import NamedTuple


class Target(NamedTuple):
    """What a network is trained on: numbers, and a weight for each sample.

    Both are arrays before training, and tensors in a batch.

    Attributes
    ----------
    codes : array of shape (n_samples, ...) or None
        The target as a task encodes it.
    weight : array of shape (n_samples,) or None
        Sample weights; None if all are equal.
    """

    codes: object
    weight: object = None

    @classmethod
    def unpack(cls, y):
        """Read the ``y`` of a data set or batch, which :meth:`pack` made."""
        return cls(*y) if isinstance(y, tuple | list) else cls(y)

    def pack(self):
        """Return the ``y`` of a skorch data set: the codes alone without weights."""
        return self.codes if self.weight is None else self

    def take(self, rows):
        """Return the target of some rows, by their numbers or a mask."""
        return Target(*(part if part is None else part[rows] for part in self))

    def to(self, device):
        """Move a batch to a device."""
        return Target(*(part if part is None else part.to(device) for part in self))


def map_parts(function, parts):
    """Apply a function to the values of a dict, or to the items of a (named) tuple."""
    if isinstance(parts, dict):
        return {key: function(part) for key, part in parts.items()}
    changed = [function(part) for part in parts]
    return type(parts)(*changed) if hasattr(parts, "_fields") else tuple(changed)
