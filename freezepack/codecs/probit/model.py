"""Levels, the scale of a sum of effects, and the first bias: formats/probit.md, sections 3 to 5.

The functions on plain ints are called for every position and check nothing.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.hazard.arithmetic import clamp, log2_fixed, squash
from freezepack.codecs.hazard.tables import tables as adaptive_tables
from freezepack.codecs.probit.layout import Preset
from freezepack.codecs.probit.tables import tables

LOGIT, PULL, GAIN, EXP2 = tables()
BIAS = 3 << 15
"""First variance of the bias."""


def measure_levels(base: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return log2 of each magnitude in 1/256, below that of the largest.

    Examples
    --------
    >>> measure_levels(np.array([1.0, -2.0, 1.5], np.float32).view(np.uint32)).tolist()
    [-256, 0, -106]
    """
    magnitude = base & np.uint32(0x7FFFFFFF)
    below = np.array(adaptive_tables().log2)[magnitude >> np.uint32(15) & np.uint32(255)]
    levels: NDArray[np.int64] = (magnitude >> np.uint32(23)).astype(np.int64) * 256 + below
    levels -= levels.max()
    return levels


def inverse_deviation(variance: int) -> int:
    """Return 2**16 / sqrt(variance / 2**24), of a variance from 3 * 2**19 to 2**27.

    Examples
    --------
    >>> inverse_deviation(1 << 24), inverse_deviation(1 << 22), inverse_deviation(3 << 24)
    (65536, 131072, 37824)
    """
    half = 28 * 512 - log2_fixed(variance)
    down = 16 - (half >> 9)
    mantissa = EXP2[half >> 1 & 255]
    return mantissa >> down if down >= 0 else mantissa << -down


def standardize(x: int, inverse: int) -> int:
    """Return t in 1/1024 of a sum in 2**-16."""
    return clamp(x * inverse >> 22, -4607, 4607)


def look_up(table: Sequence[int], t: int) -> int:
    """Return the entry for t, between two of the table.

    Examples
    --------
    >>> look_up(LOGIT, 0), look_up(LOGIT, 1024), look_up(PULL, -16)
    (0, 616, 52945)
    """
    i, f = (t + 4608) >> 5, t & 31
    return (table[i] * (32 - f) + table[i + 1] * f) >> 5


def find_bias(levels: NDArray[np.int64], trained: int, preset: Preset) -> int:
    """Return the bias at which about `trained` positions are expected at first."""
    counts = np.bincount(np.minimum(255, -levels >> 4), minlength=256)[:255].tolist()
    inverse = inverse_deviation(first_variance(preset))
    low, high = -(1 << 21), 1 << 21
    while high - low > 256:
        middle = (low + high) >> 1
        expected = 0
        for depth, count in enumerate(counts):
            if count:
                t = standardize(middle - (16 * depth + 8) * 256, inverse)
                expected += count * squash(look_up(LOGIT, t))
        if expected > trained << 22:
            high = middle
        else:
            low = middle
    return low


def first_variance(preset: Preset) -> int:
    """Return the variance of a sum before anything is learned."""
    effects = preset.row + preset.place + preset.cell + preset.column + preset.group
    return preset.noise + BIAS + effects
