"""Disturb a modality's columns, each by what its cells are."""

import numpy as np

from .._columns.column import as_column
from .._columns.files import names_file, read_source
from .._modalities.detect import detect_modality, holds_lists
from ..audio._signal import as_signal, decode_audio
from ..image._pixels import as_pixels, convert_color, decode_image
from ._cells import count_rows, move_cells, put_cells, replace_columns, take_column
from ._disturb import (
    add_audio_noise,
    add_image_noise,
    add_number_noise,
    blur_image,
    drop_words,
    jitter_sequence,
    misspell_text,
    occlude_image,
)
from ._modalities import find_core

#: Of each kind of cell its disturbances, and their strengths by default.
DISTURBANCES = {
    "image": {
        "blur": (blur_image, (0.02, 0.05, 0.1)),
        "noise": (add_image_noise, (0.1, 0.2, 0.4)),
        "occlusion": (occlude_image, (0.1, 0.3, 0.5)),
    },
    "audio": {"noise": (add_audio_noise, (20, 10, 0))},
    "text": {
        "typing errors": (misspell_text, (0.05, 0.1, 0.2)),
        "dropped words": (drop_words, (0.1, 0.3, 0.5)),
    },
    "sequence": {"jitter": (jitter_sequence, (0.1, 0.3, 1.0))},
    "numeric": {"noise": (add_number_noise, (0.1, 0.3, 1.0))},
    "vector": {"noise": (add_number_noise, (0.1, 0.3, 1.0))},
}
#: Those that move whole rows of a modality, by the share of the rows.
MOVES = ("missing", "swapped")
_MAX_PIXELS = 2**26
_MAX_SECONDS = 3600
_MAX_BYTES = 2**28


def find_files(estimator, name):
    """Find where a modality's loader looks for files: its ``root``, ``filesystem``.

    Parameters
    ----------
    estimator : estimator
        Parameters of the modality's model begin with the modality's name, if it has
        one.
    name : str
        The modality.

    Returns
    -------
    dict
        Arguments of ``read_source``.
    """
    core, _ = find_core(estimator)
    params = core.get_params() if hasattr(core, "get_params") else {}
    own = {key: value for key, value in params.items() if key.startswith(f"{name}__")}
    return {
        option: next(
            (
                value
                for key, value in (own or params).items()
                if key.split("__")[-1] == option and value is not None
            ),
            None,
        )
        for option in ("root", "filesystem")
    }


def find_kinds(X, keys, files):
    """Find what the cells of columns are.

    Parameters
    ----------
    X : DataFrame, ndarray or dict of arrays
        The table.
    keys : list
        The columns.
    files : dict
        As :func:`find_files` gives it.

    Returns
    -------
    dict of key to str
        Of each column its modality, as :mod:`sklearn_mm._modalities.detect` names them.
    """
    columns = {key: as_column(take_column(X, key), "inspection") for key in keys}
    root = None if files["filesystem"] is not None else files["root"]
    return {key: detect_modality(column, root)[0] for key, column in columns.items()}


def disturb_columns(X, kinds, disturbance, strength, seed, files):
    """Give a copy of a table with a modality's columns disturbed.

    Parameters
    ----------
    X : DataFrame, ndarray or dict of arrays
        The table, which stays as it is.
    kinds : dict of key to str
        The columns, and what their cells are; those that the disturbance is not for
        stay as they are.
    disturbance : str
        One of ``MOVES``, or one of a kind's.
    strength : float
        Its strength.
    seed : int
        Rows and noise are the same for all strengths.
    files : dict
        As :func:`find_files` gives it.

    Returns
    -------
    same as ``X``
        The copy. Cells that are missing or cannot be read stay as they are.
    """
    if disturbance in MOVES:
        order = _draw_order(count_rows(X), disturbance, strength, seed)
        return move_cells(X, list(kinds), order)
    return replace_columns(
        X,
        {
            key: _disturb_column(
                take_column(X, key),
                kind,
                DISTURBANCES[kind][disturbance][0],
                strength,
                seed,
                files,
            )
            for key, kind in kinds.items()
            if disturbance in DISTURBANCES.get(kind, ())
        },
    )


def _draw_order(n_samples, disturbance, share, seed):
    """Say whose cells each row gets; with a larger share more rows, the same too."""
    order = np.arange(n_samples)
    shuffled = np.random.default_rng(seed).permutation(n_samples)
    n_chosen = round(share * n_samples)
    chosen = shuffled[:n_chosen]
    if disturbance == "missing":
        order[chosen] = -1
    else:  # in a circle, so that no row keeps its own
        order[chosen] = np.roll(shuffled[: max(n_chosen, 2)], 1)[:n_chosen]
    return order


def _disturb_column(given, kind, disturb, strength, seed, files):
    column = as_column(given, "inspection")
    if kind in ("numeric", "vector"):
        strength = strength * _find_deviation(column)
    lists = column.cells.dtype.kind == "O" and holds_lists(column)
    cells = list(column.cells)
    for row in np.flatnonzero(~column.missing):
        generator = np.random.default_rng([seed, row])
        items = cells[row] if lists else [cells[row]]
        items = [
            _disturb_cell(i, kind, disturb, strength, generator, files) for i in items
        ]
        cells[row] = items if lists else items[0]
    return put_cells(given, cells)


def _find_deviation(column):
    """Find the standard deviation of numbers, or of each of a vector's."""
    there = [np.asarray(cell, dtype=float) for cell in column.cells[~column.missing]]
    return np.nanstd(there, axis=0)


def _disturb_cell(cell, kind, disturb, strength, generator, files):
    try:
        if kind == "image":
            return disturb(read_image(cell, files), strength, generator)
        if kind == "audio":
            return _disturb_audio(cell, disturb, strength, generator, files)
        if kind == "sequence":
            cell = np.asarray(cell)
        return disturb(cell, strength, generator)
    except (ValueError, TypeError, AttributeError, OSError, RuntimeError):
        return cell


def _disturb_audio(cell, disturb, strength, generator, files):
    signal, rate = read_signal(cell, files)
    if signal is None:
        return cell
    disturbed = disturb(signal, strength, generator)
    return disturbed if rate is None else (disturbed, rate)


def read_image(cell, files):
    """Decode an image; an array stays as it is.

    Parameters
    ----------
    cell : path, bytes, ndarray or PIL image
        The image.
    files : dict
        As :func:`find_files` gives it.

    Returns
    -------
    ndarray of shape (H, W) or (H, W, C)
        Colours in the order red, green, blue.
    """
    if names_file(cell):
        data = read_source(cell, max_bytes=_MAX_BYTES, **files)
        pixels, _ = decode_image(data, "rgb", max_pixels=_MAX_PIXELS)
        return convert_color(pixels, "bgr", "rgb")
    pixels = as_pixels(cell, max_pixels=_MAX_PIXELS)
    same = isinstance(cell, np.ndarray) and cell.dtype == pixels.dtype
    return cell if same else pixels


def read_signal(cell, files):
    """Decode a sound.

    Parameters
    ----------
    cell : path, bytes, tuple of (array, rate) or ndarray
        The sound.
    files : dict
        As :func:`find_files` gives it.

    Returns
    -------
    ndarray of shape (n_samples,) or None
        The signal; None if all of it is padding.
    float or None
        Its sampling rate in Hz, if it is known.
    """
    if names_file(cell):
        data = read_source(cell, max_bytes=_MAX_BYTES, **files)
        return decode_audio(data, max_seconds=_MAX_SECONDS)
    if isinstance(cell, tuple):
        array, rate = cell
        return as_signal(array), rate
    return as_signal(cell), None
