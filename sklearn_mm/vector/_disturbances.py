"""Disturbances of a vector, or of a single number: noise."""

import numpy as np

from .._columns.modality import Disturbance


def add_noise(cell, strength, generator):
    """Add Gaussian noise to a number, or to the numbers of a vector.

    Parameters
    ----------
    cell : float or array-like of shape (n_features,)
        The number or the vector.
    strength : float or ndarray of shape (n_features,)
        Standard deviation, in the unit of the numbers.
    generator : Generator
        Draws the noise.

    Returns
    -------
    float or ndarray of shape (n_features,)
        The number or the vector with noise.
    """
    if np.ndim(cell) == 0:
        return float(cell + strength * generator.normal())
    noise = strength * generator.normal(size=np.shape(cell))
    return np.asarray(cell, dtype=float) + noise


#: By name, each with its default strengths, in standard deviations of the column.
DISTURBANCES = {"noise": Disturbance(add_noise, (0.1, 0.3, 1.0), relative=True)}
