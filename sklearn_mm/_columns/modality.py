"""What the package knows about one modality, as an object."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

#: Strengths of a disturbance that names none.
_STRENGTHS = (0.1, 0.3, 0.5)


class Disturbance(NamedTuple):
    """A way to disturb a cell, and how strongly.

    ``function(cell, strength, generator)`` returns the disturbed cell. With
    ``relative=True`` strengths are in standard deviations of the column's numbers.
    """

    function: Callable
    strengths: tuple = _STRENGTHS
    relative: bool = False


@dataclass(frozen=True)
class Modality:
    """A kind of data that the cells of a column may hold.

    The modalities of the package are such objects. Pass one of your own in
    ``MultimodalVectorizer(columns={"dna": modality})``: its columns are encoded by its
    encoder, and :func:`~sklearn_mm.inspection.explain`,
    :func:`~sklearn_mm.inspection.robustness_report` and the displays disturb and draw
    its cells.

    Parameters
    ----------
    name : str
        Name of the modality, such as "dna".
    make_encoder : callable
        ``make_encoder(**loading)`` returns an unfitted transformer from a column of
        cells to vectors of shape ``(n_samples, n_features)``. It is called with those
        of these arguments that it accepts: ``root``, ``on_error``, ``n_jobs``, and
        ``sparse``, whether the vectors may be a sparse matrix in which a missing cell
        is a row of zeros.
    extensions : sequence of str, default=()
        Extensions of its files, in lower case and without a dot.
    sniff : callable or None, default=None
        ``sniff(head)`` returns whether a file that begins with the bytes ``head`` (at
        most 512) is of this modality.
    detect : callable or None, default=None
        ``detect(cells)`` returns the reason why a column is of this modality, as a str,
        or None. ``cells`` is a list of present cells, at most 200 and all of one kind:
        numeric arrays with the same number of axes (lists of numbers included), or
        strings that are not files, or objects of one type.
    disturbances : dict or None, default=None
        By name, functions ``(cell, strength, generator)`` that return a disturbed cell
        for robustness reports, or tuples ``(function, strengths)`` with the strengths
        to try, (0.1, 0.3, 0.5) by default. Files are passed as their bytes.
    draw : callable or None, default=None
        ``draw(cell, ax)`` draws a cell into matplotlib axes. Files are passed as their
        bytes. By default ``str(cell)`` is written.

    See Also
    --------
    MultimodalVectorizer : Encodes a table of columns of any modality.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn_mm import Modality, MultimodalVectorizer
    >>> def make_encoder():
    ...     return CountVectorizer(analyzer="char", ngram_range=(2, 2))
    >>> dna = Modality("dna", make_encoder=make_encoder)
    >>> table = {"gene": ["ACGTAC", "GGTCAA", "TTTACG"]}
    >>> MultimodalVectorizer(columns={"gene": dna}).fit_transform(table).shape
    (3, 9)
    """

    _trusted = True

    name: str
    make_encoder: Callable = field(kw_only=True)
    extensions: tuple = field(default=(), kw_only=True)
    sniff: Callable | None = field(default=None, kw_only=True)
    detect: Callable | None = field(default=None, kw_only=True)
    disturbances: dict | None = field(default=None, kw_only=True, hash=False)
    draw: Callable | None = field(default=None, kw_only=True)

    def __post_init__(self):
        """Refuse a name or an encoder that cannot be used."""
        if not isinstance(self.name, str) or not self.name or "__" in self.name:
            raise ValueError(
                "the name of a modality must be a non-empty string without '__', got "
                f"{self.name!r}."
            )
        if not callable(self.make_encoder):
            raise TypeError(
                f"modality {self.name!r}: make_encoder must be a function that returns "
                f"a transformer, got {self.make_encoder!r}."
            )

    def build_encoder(self, **loading):
        """Return an unfitted encoder, made with the arguments that it accepts.

        Parameters
        ----------
        **loading : dict
            ``root``, ``on_error``, ``n_jobs``, ``sparse``.

        Returns
        -------
        transformer
            From a column of cells to vectors.
        """
        parameters = inspect.signature(self.make_encoder).parameters
        kinds = {parameter.kind for parameter in parameters.values()}
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            loading = {k: v for k, v in loading.items() if k in parameters}
        return self.make_encoder(**loading)

    def list_disturbances(self):
        """Return the disturbances by name, each with its strengths.

        Returns
        -------
        dict of str to Disturbance
            Empty if there are none.
        """
        return {
            name: Disturbance(*entry)
            if isinstance(entry, tuple)
            else Disturbance(entry)
            for name, entry in (self.disturbances or {}).items()
        }
