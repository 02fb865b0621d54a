"""One grid: from integers q to values and back; formats/grid.md, sections 2 and 3."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.base import BaseValues
from freezepack.random.narrow import narrow
from freezepack.types import DType, RawArray

Integers = NDArray[np.int64]

MOST = (1 << 24) - 1
"""Largest magnitude that float32 is sure to hold exactly, and that a sum may have."""
MOST_MULTIPLE = 255
MOST_SHIFT = 23
SMALLEST_FACTOR = 0x00800000
"""float32 pattern of 2**-126: no value is subnormal."""
LARGEST_FACTOR = 0x73000000
"""float32 pattern of 2**103: no value overflows."""


@dataclass(frozen=True, slots=True)
class Step:
    """A grid: the value of q at a base of integer k is float32((k >> t) + m * q) * factor.

    Attributes
    ----------
    multiple : int
        m, 1 to 255; 1 where the base has no integers.
    shift : int
        t, 0 to 23; 0 where the base has no integers.
    bits : int
        float32 pattern of s; with integers the factor of the draw.

    Examples
    --------
    >>> Step(3, 1, 0x3F800000).values(np.array([1, -1]), np.array([8, 9]))
    array([14.,  2.], dtype=float32)
    """

    multiple: int
    shift: int
    bits: int

    @property
    def factor(self) -> np.float32:
        """What a sum is multiplied by, s * 2**t: exact."""
        pattern = np.array([self.bits + (self.shift << 23)], np.uint32)
        factor: np.float32 = pattern.view(np.float32)[0]
        return factor

    @property
    def width(self) -> float:
        """Distance between two values of the grid, as float64."""
        return self.multiple * float(self.factor)

    @property
    def parameter(self) -> bytes:
        """What the record keeps of a grid over integers: m and t."""
        return bytes([self.multiple, self.shift])

    @property
    def bare_parameter(self) -> bytes:
        """What the record keeps of a grid without integers: the upper half of s."""
        return (self.bits >> 16).to_bytes(2, "little")

    def problem(self) -> str:
        """Return what is wrong with this grid, or ""."""
        if not 1 <= self.multiple <= MOST_MULTIPLE:
            return f"the multiple is {self.multiple}, expected 1 to {MOST_MULTIPLE}"
        if not 0 <= self.shift <= MOST_SHIFT:
            return f"the shift is {self.shift}, expected 0 to {MOST_SHIFT}"
        low, high = SMALLEST_FACTOR, LARGEST_FACTOR
        if not low <= self.bits or not self.bits + (self.shift << 23) <= high:
            return f"the factor {self.bits:08x} times 2**{self.shift} is not in 2**-126 to 2**103"
        return ""

    def sums(self, q: Integers, integers: NDArray[np.int32] | None) -> Integers:
        """Return (k >> t) + m * q."""
        sums = self.multiple * np.asarray(q, np.int64)
        if integers is not None:
            sums += np.asarray(integers, np.int64) >> self.shift
        return sums

    def values(self, q: Integers, integers: NDArray[np.int32] | None) -> NDArray[np.float32]:
        """Return the values that q stands for."""
        values: NDArray[np.float32] = self.sums(q, integers).astype(np.float32) * self.factor
        return values

    def bits_of(self, q: Integers, integers: NDArray[np.int32] | None, dtype: DType) -> RawArray:
        """Return the bits of the values that q stands for; one rounding if `dtype` is narrow."""
        return narrow(self.values(q, integers).view(np.uint32), dtype)

    def place(
        self, values: NDArray[np.float64], integers: NDArray[np.int32] | None
    ) -> NDArray[np.float64]:
        """Return where values lie on the grid: the real number that q is near."""
        sums = values / float(self.factor)
        if integers is not None:
            sums -= np.asarray(integers, np.int64) >> self.shift
        return sums / self.multiple


def step_of(parameter: bytes, base: BaseValues | None) -> Step:
    """Return the grid that a record's parameter stands for."""
    if base is not None and base.integers is not None:
        return Step(parameter[0], parameter[1], base.factor)
    return Step(1, 0, int.from_bytes(parameter, "little") << 16)
