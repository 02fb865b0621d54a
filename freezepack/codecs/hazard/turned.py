"""Index codec `hazard-turned`: `hazard` with rows and columns exchanged; formats/hazard.md, 13."""

from dataclasses import replace

import numpy as np

from freezepack.codecs.base import IndexCodec, Unit
from freezepack.codecs.hazard.codec import HAZARD
from freezepack.types import Positions

_LARGEST = 1 << 18
"""Most positions for which the encoder tries this codec; larger units gain next to nothing."""


class HazardTurned(IndexCodec):
    """Positions of the turned unit, in which a row is a column of kernels.

    Examples
    --------
    >>> unit = Unit(size=16, rows=2, cols=8, kernel=1, start=0, base=lambda: np.zeros(16, "<u4"))
    >>> section = HAZARD_TURNED.encode(np.array([2, 10], np.uint32), unit)
    >>> section.hex(), HAZARD_TURNED.decode(memoryview(section), 2, unit).tolist()
    ('9258', [2, 10])
    """

    id = 8
    name = "hazard-turned"
    adaptive = True
    canonical = False

    def fixed_length(self, size: int, count: int) -> int | None:
        """Return None: the file stores the length."""
        return None

    def encode(self, positions: Positions, unit: Unit) -> bytes | None:
        """Return the smallest section found, or None if the unit is large or one row or column."""
        turned = _turn(unit)
        if unit.size > _LARGEST or unit.rows == 1 or turned.rows == 1:
            return None
        return HAZARD.encode(_move(positions, unit), turned)

    def decode(self, data: memoryview, count: int, unit: Unit) -> Positions:
        """Return the trained positions."""
        turned = _turn(unit)
        return _move(HAZARD.decode(data, count, turned), turned)


def _turn(unit: Unit) -> Unit:
    """Return the unit with rows and columns of kernels exchanged; its base is turned when asked."""
    columns = unit.cols // unit.kernel
    shape = (unit.rows, columns, unit.kernel)
    turned = replace(unit, rows=columns, cols=unit.rows * unit.kernel)
    if (base := unit.base) is None:
        return turned
    return replace(turned, base=lambda: base().reshape(shape).swapaxes(0, 1).reshape(-1))


def _move(positions: Positions, unit: Unit) -> Positions:
    """Return where the positions of a unit stand after it has been turned, in rising order."""
    kernels, within = np.divmod(positions, np.uint32(unit.kernel))
    rows, columns = np.divmod(kernels, np.uint32(unit.cols // unit.kernel))
    moved = (columns * np.uint32(unit.rows) + rows) * np.uint32(unit.kernel) + within
    return np.sort(moved.astype(np.uint32))


HAZARD_TURNED = HazardTurned()
