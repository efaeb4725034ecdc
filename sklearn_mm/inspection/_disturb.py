"""Disturbances of one cell, each a function of (cell, strength, generator)."""

import string

import numpy as np

from ..image._pixels import one_thread, pixel_maximum

_LETTERS = string.ascii_lowercase


def blur_image(cell, strength, generator=None):
    """Blur by a Gaussian.

    Parameters
    ----------
    cell : ndarray of shape (H, W) or (H, W, C)
        uint8, uint16 or float pixels.
    strength : float
        Standard deviation as a share of the shorter side.
    generator : Generator or None
        Ignored.

    Returns
    -------
    ndarray
        Of the same shape and type.
    """
    import cv2

    sigma = strength * min(cell.shape[:2])
    if sigma == 0:
        return cell
    with one_thread():
        blurred = cv2.GaussianBlur(cell.astype(np.float32), (0, 0), sigma)
    return _as_pixels(blurred.reshape(cell.shape), cell)


def add_image_noise(cell, strength, generator):
    """Add white Gaussian noise to the pixels.

    Parameters
    ----------
    cell : ndarray of shape (H, W) or (H, W, C)
        uint8, uint16 or float pixels.
    strength : float
        Standard deviation, where white is 1.
    generator : Generator
        Draws the noise.

    Returns
    -------
    ndarray
        Of the same shape and type; values stay between black and white.
    """
    noise = generator.normal(size=cell.shape, scale=strength * _find_white(cell))
    return _as_pixels(cell + noise, cell)


def occlude_image(cell, strength, generator):
    """Cover a rectangle, of the image's own proportions, by the mean colour.

    Parameters
    ----------
    cell : ndarray of shape (H, W) or (H, W, C)
        uint8, uint16 or float pixels.
    strength : float
        Share of the area.
    generator : Generator
        Draws the place.

    Returns
    -------
    ndarray
        Of the same shape and type.
    """
    height, width = cell.shape[:2]
    area = strength * height * width
    rows = min(height, round(height * strength**0.5))
    if rows == 0:
        return cell
    columns = min(width, round(area / rows))
    top = generator.integers(height - rows + 1)
    left = generator.integers(width - columns + 1)
    covered = cell.copy()
    mean = cell.mean(axis=(0, 1))
    covered[top : top + rows, left : left + columns] = _as_pixels(mean, cell)
    return covered


def _find_white(cell):
    if cell.dtype.kind == "f":  # in [0, 1], unless it was never scaled
        return max(1.0, float(np.nanmax(cell)))
    return pixel_maximum(cell.dtype)


def _as_pixels(values, like):
    values = np.clip(values, 0, _find_white(like))
    if like.dtype.kind != "f":
        values = np.rint(values)
    return values.astype(like.dtype)


def add_audio_noise(cell, strength, generator):
    """Add white Gaussian noise to a signal.

    Parameters
    ----------
    cell : ndarray of shape (n_samples,)
        The signal, in floats.
    strength : float
        Ratio of the signal's power to that of the noise, in dB.
    generator : Generator
        Draws the noise.

    Returns
    -------
    ndarray of shape (n_samples,)
        The noise has this power exactly; a silent signal stays silent.
    """
    noise = generator.normal(size=cell.shape)
    power = np.mean(np.square(cell, dtype=float))
    wanted = power / 10 ** (strength / 10)
    noise *= np.sqrt(wanted / np.mean(noise**2))
    return (cell + noise).astype(cell.dtype)


def misspell_text(cell, strength, generator):
    """Replace letters by other letters.

    Parameters
    ----------
    cell : str
        The text.
    strength : float
        Share of the letters.
    generator : Generator
        Draws which, and by what.

    Returns
    -------
    str
        Of the same length.
    """
    characters = list(cell)
    letters = [i for i, character in enumerate(cell) if character.isalpha()]
    for i in _choose(letters, strength, generator):
        others = _LETTERS.replace(characters[i].lower(), "")
        letter = others[generator.integers(len(others))]
        characters[i] = letter.upper() if characters[i].isupper() else letter
    return "".join(characters)


def drop_words(cell, strength, generator):
    """Leave words out.

    Parameters
    ----------
    cell : str
        The text.
    strength : float
        Share of the words.
    generator : Generator
        Draws which.

    Returns
    -------
    str
        The others, in their order.
    """
    words = cell.split()
    dropped = set(_choose(range(len(words)), strength, generator))
    return " ".join(word for i, word in enumerate(words) if i not in dropped)


def _choose(positions, share, generator):
    """Choose a share of positions; what is left of a whole one by chance."""
    n_chosen = int(share * len(positions) + generator.random())
    order = generator.permutation(len(positions))
    return [positions[i] for i in order[:n_chosen]]


def jitter_sequence(cell, strength, generator):
    """Add white Gaussian noise to each channel of a series.

    Parameters
    ----------
    cell : ndarray of shape (time,) or (time, channels)
        The series; NaN stays NaN.
    strength : float
        Standard deviation, in those of the channel.
    generator : Generator
        Draws the noise.

    Returns
    -------
    ndarray
        Floats of the same shape.
    """
    cell = cell if cell.dtype.kind == "f" else cell.astype(float)
    if np.isnan(cell).all():
        return cell
    scale = strength * np.nan_to_num(np.nanstd(cell, axis=0, keepdims=True))
    return (cell + scale * generator.normal(size=cell.shape)).astype(cell.dtype)


def add_number_noise(cell, strength, generator):
    """Add Gaussian noise to a number, or to the numbers of a vector.

    Parameters
    ----------
    cell : float or ndarray of shape (n_features,)
        The number, or the vector.
    strength : float or ndarray of shape (n_features,)
        Standard deviation, in the numbers' own unit.
    generator : Generator
        Draws the noise.

    Returns
    -------
    float or ndarray
        As the cell.
    """
    if np.ndim(cell) == 0:
        return float(cell + strength * generator.normal())
    return np.asarray(cell, dtype=float) + strength * generator.normal(
        size=np.shape(cell)
    )
