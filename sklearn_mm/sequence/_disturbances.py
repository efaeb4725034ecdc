"""Disturbances of a sequence: jitter."""

import numpy as np


def add_jitter(cell, strength, generator):
    """Add white Gaussian noise to each channel of a sequence.

    Parameters
    ----------
    cell : array-like of shape (time,) or (time, channels)
        The sequence; NaN stays NaN.
    strength : float
        Standard deviation, in standard deviations of the channel.
    generator : Generator
        Draws the noise.

    Returns
    -------
    ndarray
        Floats of the same shape.
    """
    cell = np.asarray(cell)
    cell = cell if cell.dtype.kind == "f" else cell.astype(float)
    if np.isnan(cell).all():
        return cell
    scale = strength * np.nan_to_num(np.nanstd(cell, axis=0, keepdims=True))
    return (cell + scale * generator.normal(size=cell.shape)).astype(cell.dtype)


#: By name, each with its default strengths.
DISTURBANCES = {"jitter": (add_jitter, (0.1, 0.3, 1.0))}
