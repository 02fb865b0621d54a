"""From words to integers k, reference in NumPy (formats/generators.md, sections 3 to 5)."""

import numpy as np
from numpy.typing import NDArray

from freezepack.random.table import NORMAL_TABLE

_LOW = np.uint64(0xFFFFFFFF)
_ONE = np.uint64(1)
_HALF = np.uint64(32)

MAX_UNIFORM = 2**24 - 1
"""Largest abs(k) of the uniform draw."""
MAX_NORMAL = 13_291_661
"""Largest abs(k) of the normal draw; no truncated normal exceeds it."""


def uniform_integers(words: NDArray[np.uint32]) -> NDArray[np.int32]:
    """Return odd integers, symmetric about 0, below 2**24 in magnitude.

    Examples
    --------
    >>> uniform_integers(np.array([0, 0xFFFFFFFF], np.uint32)).tolist()
    [-16777215, 16777215]
    """
    k: NDArray[np.int32] = (words >> np.uint32(8)).view(np.int32)
    k <<= 1
    k -= MAX_UNIFORM
    return k


def normal_integers(words: NDArray[np.uint32]) -> NDArray[np.int32]:
    """Return normal integers with standard deviation 2**21.

    Examples
    --------
    >>> normal_integers(np.array([0, 1, 0x12345678], np.uint32)).tolist()
    [13291661, -13291661, 3784865]
    """
    return _signed(_magnitudes((words | np.uint32(1)).astype(np.uint64)), words)


def truncated_integers(words: NDArray[np.uint32], tail: int) -> NDArray[np.int32]:
    """Return normal integers with the two outer tails of probability `tail` / 2**32 cut off.

    Examples
    --------
    >>> truncated_integers(np.array([0, 1], np.uint32), 195_422_145).tolist()
    [4194314, -4194314]
    """
    v = (words >> np.uint32(1)).astype(np.uint64)
    v *= np.uint64(2**32 - tail)
    v >>= np.uint64(31)
    v += np.uint64(tail)
    return _signed(_magnitudes(v), words)


def _magnitudes(v: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return |z| in units of 2**-21 for two-sided tail probabilities v / 2**32, v >= 1."""
    # float64 holds v exactly, so its exponent is the place of the highest bit. float32 would
    # round some v up to the next power of two.
    exponent = v.astype(np.float64).view(np.int64) >> 52
    octave = (31 + 1023) - exponent
    t = (v << (octave.view(np.uint64) + _ONE)) & _LOW
    a: NDArray[np.uint64] = NORMAL_TABLE[5].take(octave)
    for row in NORMAL_TABLE[4::-1]:
        a *= t
        a >>= _HALF
        np.subtract(row.take(octave), a, out=a)
    a >>= np.uint64(8)
    return a


def _signed(magnitudes: NDArray[np.uint64], words: NDArray[np.uint32]) -> NDArray[np.int32]:
    """Give each magnitude the sign in the lowest bit of its word; 0 has no sign."""
    k = magnitudes.astype(np.int32)
    minus = -(words & np.uint32(1)).view(np.int32)
    k ^= minus
    k -= minus
    return k
