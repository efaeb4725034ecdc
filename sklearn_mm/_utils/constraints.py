"""Constraints on parameters that scikit-learn has no class for."""

from numbers import Integral

from .imports import HasMethods


class PairOfCounts(HasMethods):
    """A tuple or list of two integers of at least 1.

    Parameters
    ----------
    meaning : str
        What the two are, such as "height, width".
    """

    # scikit-learn accepts instances of its own classes of constraints only.
    def __init__(self, meaning):
        super().__init__([])
        self.meaning = meaning

    def is_satisfied_by(self, val):
        """Return whether a value is such a pair."""
        return (
            isinstance(val, (tuple, list))
            and len(val) == 2
            and all(isinstance(n, Integral) and n >= 1 for n in val)
        )

    def __str__(self):
        """Describe the constraint for an error."""
        return f"a tuple ({self.meaning}) of two integers of at least 1"
