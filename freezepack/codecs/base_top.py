"""Index codec `base-top`: the largest weights of the base; formats/masks.md, section 2."""

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.base import IndexCodec, Unit
from freezepack.errors import CorruptError
from freezepack.types import Positions


class BaseTop(IndexCodec):
    """The positions of a unit at which the base is largest in magnitude: no bytes.

    Magnitudes are compared as float32 patterns without their sign bit, before narrowing; equal
    ones are taken in order of position.

    Examples
    --------
    >>> base = np.array([0.5, -2.0, 1.0, 2.0], np.float32).view(np.uint32)
    >>> unit = Unit(size=4, rows=1, cols=4, kernel=1, start=0, base=lambda: base)
    >>> BASE_TOP.decode(memoryview(b""), 3, unit).tolist()
    [1, 2, 3]
    """

    id = 6
    name = "base-top"

    def fixed_length(self, size: int, count: int) -> int | None:
        """Return 0."""
        return 0

    def encode(self, positions: Positions, unit: Unit) -> bytes | None:
        """Return no bytes, or None if the mask is another one."""
        if unit.base is None:
            return None
        return b"" if np.array_equal(largest(unit.base(), positions.size), positions) else None

    def decode(self, data: memoryview, count: int, unit: Unit) -> Positions:
        """Return the mask that the base gives."""
        if data:
            raise CorruptError("index", unit.offset, f"{len(data)} bytes, expected none")
        if unit.base is None:
            raise CorruptError("index", unit.offset, "this tensor has no base to rank")
        if not 0 <= count <= unit.size:
            problem = f"{count} trained positions in a unit of {unit.size}"
            raise CorruptError("index", unit.offset, problem)
        return largest(unit.base(), count)


def largest(patterns: NDArray[np.uint32], count: int) -> Positions:
    """Return the positions of the `count` largest magnitudes, increasing.

    Examples
    --------
    >>> largest(np.array([3, 0x80000003, 1, 3], np.uint32), 2).tolist()
    [0, 1]
    """
    if count in (0, patterns.size):
        return np.arange(count, dtype=np.uint32)
    magnitudes = patterns & np.uint32(0x7FFFFFFF)
    limit = np.partition(magnitudes, magnitudes.size - count)[magnitudes.size - count]
    chosen = magnitudes > limit
    ties = np.flatnonzero(magnitudes == limit)
    chosen[ties[: count - np.count_nonzero(chosen)]] = True
    return np.flatnonzero(chosen).astype(np.uint32)


BASE_TOP = BaseTop()
