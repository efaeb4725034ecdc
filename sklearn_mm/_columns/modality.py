"""What the package knows about one modality, as an object."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from .files import names_file, read_source

#: Strengths of a disturbance that names none.
_STRENGTHS = (0.1, 0.3, 0.5)
#: Bound on the size in bytes of a file that is disturbed or drawn.
_MAX_BYTES = 2**30


class Disturbance(NamedTuple):
    """A way to disturb a cell, and the strengths to try.

    Parameters
    ----------
    function : callable
        ``function(cell, strength, generator)`` returns the disturbed cell, and draws
        random numbers from the :class:`~numpy.random.Generator`.
    strengths : sequence of float, default=(0.1, 0.3, 0.5)
        Strengths that robustness reports try.
    relative : bool, default=False
        Whether strengths are in standard deviations of the column, whose cells are
        numbers or vectors. ``function`` gets them multiplied by these.

    Examples
    --------
    >>> from sklearn_mm.modalities import Disturbance
    >>> def shift(cell, strength, generator):
    ...     return cell + strength
    >>> Disturbance(shift, (1, 2), relative=True).strengths
    (1, 2)
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
        to try, (0.1, 0.3, 0.5) by default, or
        :class:`~sklearn_mm.modalities.Disturbance` objects. Cells are those of
        :meth:`open_cell`.
    draw : callable or None, default=None
        ``draw(cell, ax)`` draws a cell into matplotlib axes, and may describe it by
        ``ax.set_label``. Cells are those of :meth:`open_cell`. By default ``str(cell)``
        is written.

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

    def open_cell(self, cell, *, root=None, filesystem=None):
        """Return a cell with its file, if it names one, replaced by the file's bytes.

        A string is a path if the modality has files, that is, ``extensions`` or
        ``sniff``.

        Parameters
        ----------
        cell : object
            The cell.
        root : str, PathLike or None, default=None
            Folder that paths are relative to, and must not lead out of.
        filesystem : fsspec filesystem or None, default=None
            Opens the paths instead of the operating system.

        Returns
        -------
        object
            Bytes, or the cell itself.
        """
        has_files = bool(self.extensions) or self.sniff is not None
        if not has_files or not names_file(cell):
            return cell
        return read_source(cell, root=root, max_bytes=_MAX_BYTES, filesystem=filesystem)

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
