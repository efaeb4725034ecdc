"""Errors and warnings."""

from sklearn.exceptions import InconsistentVersionWarning

__all__ = [
    "AbstentionWarning",
    "CacheWarning",
    "FusionWarning",
    "LoadError",
    "LoadWarning",
    "ModelVersionWarning",
]


class LoadError(ValueError):
    """Cells of a column that could not be read.

    Parameters
    ----------
    message : str
        What was wrong, where, and what would be right.
    failures : sequence of tuple (row, source, reason), default=()
        The bad cells in the order of the column. ``row`` is the index label for a
        pandas column and the position otherwise; ``source`` says what the cell was
        (its path, or a description of it).

    Examples
    --------
    >>> from sklearn_mm import ImageLoader, LoadError
    >>> try:
    ...     ImageLoader().fit_transform([b"not an image"])
    ... except LoadError as error:
    ...     error.failures[0][:2]
    (0, '12 bytes')
    """

    def __init__(self, message, failures=()):
        super().__init__(message)
        self.failures = list(failures)

    def __reduce__(self):
        # An exception pickles its ``args`` alone; workers send errors back by pickle.
        return type(self), (str(self), self.failures), self.__dict__


class LoadWarning(UserWarning):
    """Cells that could not be read were treated as missing (``on_error="warn"``).

    Examples
    --------
    >>> import warnings
    >>> from sklearn_mm import ImageLoader, LoadWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", LoadWarning)
    ...     ImageLoader(on_error="warn").fit_transform([b"not an image"]).shape
    (1, 28, 28)
    """


#: Packages by the name that their modules have.
_NAMES = {"sklearn": "scikit-learn"}


class ModelVersionWarning(InconsistentVersionWarning):
    """A model was saved by other versions, and may predict differently.

    Parameters
    ----------
    estimator_name : str
        The estimator's class.
    found : dict of str to str
        Versions that made the file, by package.
    here : dict of str to str
        Versions that read it.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_mm import ModelVersionWarning
    >>> warnings.simplefilter("error", ModelVersionWarning)
    >>> warnings.simplefilter("default", ModelVersionWarning)
    """

    def __init__(self, *, estimator_name, found, here):
        super().__init__(
            estimator_name=estimator_name,
            current_sklearn_version=here["sklearn"],
            original_sklearn_version=found.get("sklearn", "unknown"),
        )
        self.found = found
        self.here = here

    def __str__(self):
        changes = ", ".join(
            f"{_NAMES.get(package, package)} {self.found.get(package, 'unknown')} "
            f"(here {version})"
            for package, version in self.here.items()
            if self.found.get(package) != version
        )
        return (
            f"{self.estimator_name} was saved by {changes}. It may fail or predict "
            "differently. Compare its predictions with known ones, fit it again, or "
            "install the versions that saved it."
        )


class CacheWarning(UserWarning):
    """What was encoded could not be kept; results are right, and computed again.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_mm.exceptions import CacheWarning
    >>> warnings.simplefilter("ignore", CacheWarning)
    """


class AbstentionWarning(UserWarning):
    """Rows on which all modalities abstain are predicted by the training prior.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_mm.exceptions import AbstentionWarning
    >>> warnings.simplefilter("ignore", AbstentionWarning)
    """


class FusionWarning(UserWarning):
    """Fusion did not beat the best modality on out-of-fold predictions.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_mm.exceptions import FusionWarning
    >>> warnings.simplefilter("ignore", FusionWarning)
    """
