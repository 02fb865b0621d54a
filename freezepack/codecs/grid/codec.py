"""Value codec `grid` as the container calls it: native where there is a kernel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.base import BaseValues, ValueCodec
from freezepack.codecs.grid import kernel, reference
from freezepack.codecs.grid.step import MOST, Integers, Step, step_of
from freezepack.codecs.numbers import to_numbers
from freezepack.errors import CorruptError, TruncatedError
from freezepack.types import DType, RawArray

_FAR = 1 << 25
"""No q is this large: the sum and k >> t are both below 2**24."""


@dataclass(frozen=True, eq=False)
class Grid(ValueCodec):
    """Values of one grid, coded by how many steps they are away from the base.

    Attributes
    ----------
    step : Step or None
        The grid to encode on. A decoder needs none: it is in the record.

    Examples
    --------
    >>> codec = Grid(Step(1, 0, 0x3E800000))
    >>> values = np.array([0.0, 0.75, -0.25], np.float32)
    >>> coded = codec.encode(values.view(np.uint32), DType.float32, None)
    >>> coded.hex()
    '803e11'
    >>> GRID.decode(memoryview(coded), DType.float32, 3, None, 0).view(np.float32).tolist()
    [0.0, 0.75, -0.25]
    """

    step: Step | None = None

    id = 4
    name = "grid"
    lossy = True
    adaptive = True

    def parameter_length(self, dtype: DType) -> int:
        """Return 2: m and t, or the upper half of s."""
        return 2

    def fixed_length(self, dtype: DType, count: int) -> int | None:
        """Return None: the file stores the length."""
        return None

    def encode(self, values: RawArray, dtype: DType, base: BaseValues | None) -> bytes | None:
        """Return parameter and section, or None if a value is not on the grid, bit for bit."""
        if self.step is None or not dtype.is_floating or self.step.problem():
            return None
        integers = base.integers() if base is not None and base.integers is not None else None
        parameter = self.step.bare_parameter if integers is None else self.step.parameter
        if step_of(parameter, base) != self.step:
            return None
        q = find_integers(values, dtype, self.step, integers)
        return None if q is None else parameter + encode(q)

    def decode(
        self,
        data: memoryview,
        dtype: DType,
        count: int,
        base: BaseValues | None,
        offset: int,
    ) -> RawArray:
        """Return the values."""
        if len(data) < 2:
            raise TruncatedError("values", offset, f"{len(data)} bytes of the grid, expected 2")
        step = read_step(bytes(data[:2]), dtype, base, offset)
        try:
            q = decode(bytes(data[2:]), count)
        except ValueError as error:
            raise CorruptError("values", offset, str(error)) from None
        return make_values(q, step, dtype, base, offset)


def read_step(parameter: bytes, dtype: DType, base: BaseValues | None, offset: int) -> Step:
    """Return the grid of a record, or raise CorruptError with the offset of its section."""
    step = step_of(parameter, base)
    problem = step.problem()
    if not dtype.is_floating:
        problem = f"values of {dtype.name} on a grid, expected a float type"
    if problem:
        raise CorruptError("values", offset, problem)
    return step


def make_values(
    q: Integers, step: Step, dtype: DType, base: BaseValues | None, offset: int
) -> RawArray:
    """Return the values of integers, or raise CorruptError with the offset of their section."""
    integers = base.integers() if base is not None and base.integers is not None else None
    far = np.abs(step.sums(q, integers)) > MOST
    if far.any():
        raise CorruptError("values", offset, f"value {int(far.argmax())} is beyond the grid")
    return step.bits_of(q, integers, dtype)


def encode(q: Integers) -> bytes:
    """Return the section of integers below 2**25 in magnitude."""
    return (kernel.encode if kernel.encoder() else reference.encode)(q)


def decode(data: bytes, count: int) -> Integers:
    """Return the integers of a section.

    Raises
    ------
    ValueError
        If the section is not as its encoder ends it.
    """
    return (kernel.decode if kernel.decoder() else reference.decode)(data, count)


def find_integers(
    values: RawArray, dtype: DType, step: Step, integers: NDArray[np.int32] | None
) -> Integers | None:
    """Return the integers q of values on a grid, or None if a value is not on it, bit for bit.

    Examples
    --------
    >>> on_grid = np.array([0.5, -0.75], np.float32).view(np.uint32)
    >>> find_integers(on_grid, DType.float32, Step(1, 0, 0x3E800000), None).tolist()
    [2, -3]
    """
    place = step.place(to_numbers(values, dtype), integers)
    if not (np.abs(place) < _FAR - 1).all():
        return None
    q = np.rint(place).astype(np.int64)
    if (np.abs(step.sums(q, integers)) > MOST).any():
        return None
    return q if np.array_equal(step.bits_of(q, integers, dtype), values) else None


GRID = Grid()
