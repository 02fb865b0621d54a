"""The encoder's choices, made for all values at once: formats/floats.md, section 6."""

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.floats.head import Head
from freezepack.codecs.floats.parts import Kind, Split
from freezepack.types import RawArray

_SHIFT_COST = 16
"""Bits that a shift takes in the head."""
_TOLERATED = 64
"""One value in this many may have more raw bits than it needs."""
_POWERS = np.uint64(1) << np.arange(64, dtype=np.uint64)

Words = NDArray[np.uint64]


def plan(values: RawArray, base: RawArray, kind: Kind, *, near: bool) -> Head:
    """Return the head of the section for these values.

    Parameters
    ----------
    values, base : uint16, uint32 or uint64 array
        Patterns; equally many, at least one.
    near : bool
        Code distances from the base, not the values themselves.

    Examples
    --------
    >>> from freezepack.codecs.floats.parts import FLOAT32
    >>> values = np.array([1.0, 0.75, 0.0], np.float32).view(np.uint32)
    >>> head = plan(values, np.zeros(3, np.uint32), FLOAT32, near=False)
    >>> head.split.shift, head.split.raw, head.equal, head.top
    (22, 0, 1, 127)
    """
    differ = values != base
    equal = int(values.size - np.count_nonzero(differ))
    if equal == values.size:
        return Head(Split(kind, near=False, shift=0, raw=0), equal, 0)
    own, other = values[differ].astype(np.uint64), base[differ].astype(np.uint64)
    if not near:
        magnitudes = own & np.uint64((1 << (kind.width - 1)) - 1)
        union = int(np.bitwise_or.reduce(magnitudes)) | 1 << (kind.fraction - 1)
        shift = (union & -union).bit_length() - 1
        if shift * own.size <= _SHIFT_COST:
            shift = 0
        split = Split(kind, near=False, shift=shift, raw=kind.fraction - 1 - shift)
        return Head(split, equal, int(magnitudes.max()) >> kind.fraction)
    lengths = bit_lengths(distances(own, other, kind))
    raw = max(0, min(int(np.sort(lengths)[lengths.size // _TOLERATED]) - 2, kind.fraction))
    exponents = other >> np.uint64(kind.fraction) & np.uint64((1 << kind.exponent_bits) - 1)
    tops = np.maximum(0, lengths - raw) + exponents.astype(np.int64)
    return Head(Split(kind, near=True, shift=0, raw=raw), equal, int(tops.max()))


def distances(values: Words, base: Words, kind: Kind) -> Words:
    """Return how many steps between neighbouring numbers lie between two patterns.

    Examples
    --------
    >>> from freezepack.codecs.floats.parts import FLOAT32
    >>> distances(np.uint64([0x80000000, 5]), np.uint64([0, 7]), FLOAT32).tolist()
    [1, 2]
    """
    sign = np.uint64(1 << (kind.width - 1))
    mask = np.uint64((1 << kind.width) - 1)
    keys = [np.where(x & sign, ~x & mask, x | sign) for x in (values, base)]
    steps: Words = np.maximum(*keys) - np.minimum(*keys)
    return steps


def bit_lengths(words: Words) -> NDArray[np.int64]:
    """Return the bits that each number needs, 0 to 64.

    Examples
    --------
    >>> bit_lengths(np.uint64([0, 1, 255, 256])).tolist()
    [0, 1, 8, 9]
    """
    return np.searchsorted(_POWERS, words, side="right").astype(np.int64)
