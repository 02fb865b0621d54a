"""Ranges of tensors, made unit by unit in threads, whichever tensor a unit belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from freezepack import native
from freezepack.rebuild.unit import UnitPatcher
from freezepack.types import RawArray


@dataclass(frozen=True, slots=True)
class Range:
    """Elements `start` to `stop` - 1 of a tensor, in C order."""

    patcher: UnitPatcher
    start: int
    stop: int

    @classmethod
    def whole(cls, patcher: UnitPatcher) -> "Range":
        """Return all elements."""
        return cls(patcher, 0, patcher.record.spec.size)

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class _Part:
    """What a thread does: the part of one unit that lies in `out`."""

    wanted: Range
    number: int
    out: RawArray
    """The whole range."""

    @property
    def size(self) -> int:
        """Elements of the unit."""
        return self.wanted.patcher.record.layout.unit_size(self.number)

    def make(self) -> None:
        """Write base and patch."""
        patcher = self.wanted.patcher
        low = patcher.record.layout.start(self.number)
        high = low + self.size
        begin, end = max(low, self.wanted.start), min(high, self.wanted.stop)
        out = self.out[begin - self.wanted.start : end - self.wanted.start]
        if not patcher.record.unit(self.number).count:
            patcher.base.fill(out, begin)
        elif out.size == self.size:
            self._make_unit(out, low)
        else:
            unit = np.empty(self.size, out.dtype)
            self._make_unit(unit, low)
            out[:] = unit[begin - low : end - low]

    def _make_unit(self, out: RawArray, low: int) -> None:
        patcher = self.wanted.patcher
        if patcher.record.unit(self.number).count < out.size:
            patcher.base.fill(out, low)
        patcher.patch(self.number, out)


def make_ranges(wanted: Sequence[Range]) -> list[RawArray]:
    """Return the elements of every range.

    Raises
    ------
    FormatError, BaseMismatchError
        If a unit is damaged, or a base outside the file has not the tensor.
    """
    outs = [np.empty(r.size, r.patcher.record.spec.dtype.raw) for r in wanted]
    fill_ranges(wanted, outs)
    return outs


def fill_ranges(wanted: Sequence[Range], outs: Sequence[RawArray]) -> None:
    """Write the elements of every range into the array given for it.

    Raises
    ------
    FormatError, BaseMismatchError
        As for `make_ranges`; the arrays may hold anything then.
    """
    parts = [
        _Part(each, number, out)
        for each, out in zip(wanted, outs, strict=True)
        for number in _units(each)
    ]
    parts.sort(key=lambda part: -part.size)
    native.map_items(_Part.make, parts, sum(out.size for out in outs))


def _units(wanted: Range) -> range:
    """Return the numbers of the units that have elements in a range."""
    step = wanted.patcher.record.layout.unit_positions
    return range(wanted.start // step, -(-wanted.stop // step) if wanted.size else 0)
