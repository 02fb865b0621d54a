"""The trained values of a tensor as numbers, and the grids they can be rounded to."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, sqrt

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.grid.step import MOST, MOST_MULTIPLE, MOST_SHIFT, SMALLEST_FACTOR, Step
from freezepack.codecs.numbers import to_numbers
from freezepack.pack.claims import Claim
from freezepack.pack.lossy_round import Integers, Reals, round_to_grid
from freezepack.pack.packer import base_of_claim
from freezepack.pack.patch import make_patch
from freezepack.rebuild.bases import BaseTensors
from freezepack.types import Draw, Init, RawArray, TensorSpec

_SPREAD = {Draw.uniform: 2**24 / sqrt(3), Draw.normal: 2.0**21, Draw.truncated_normal: 2.0**21}
"""Standard deviation of the integers of a draw; of the truncated one before it is cut."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """The trained values of one tensor.

    Attributes
    ----------
    positions : int64 array
        Where they are, in C order.
    numbers : float64 array
        What they are.
    integers : int32 array or None
        The base's integers at the same positions.
    init : Init or None
        How the base is drawn; None without integers.
    """

    spec: TensorSpec
    positions: NDArray[np.int64]
    numbers: Reals
    integers: NDArray[np.int32] | None
    init: Init | None

    @property
    def std(self) -> float:
        """Standard deviation of the base; over another base, of the trained values."""
        if self.init is not None:
            return float(self.init.factor) * _SPREAD[self.init.draw]
        return float(self.numbers.std())

    def step(self, width: float) -> Step | None:
        """Return the widest grid of at most `width` that reaches all values, or None."""
        if self.init is None:
            bits = int(np.float32(width).view(np.uint32)) & 0xFFFF0000
            steps = [Step(1, 0, bits)] if bits >= SMALLEST_FACTOR else []
        else:
            ratio = max(1.0, width / float(self.init.factor))
            shifts = range(MOST_SHIFT + 1)
            steps = [
                Step(floor(ratio / 2**t), t, self.init.bits)
                for t in shifts
                if 1 <= floor(ratio / 2**t) <= MOST_MULTIPLE
            ]
        fitting = (step for step in steps if not step.problem() and self._reaches(step))
        return next(fitting, None)

    def _reaches(self, step: Step) -> bool:
        # A step of room: rounding with the rate in mind may go one beyond the nearest.
        largest = float(np.abs(self.numbers).max()) / float(step.factor)
        return largest + 2 * step.multiple < MOST

    def round(self, step: Step, importance: Reals | None, rate: float) -> Integers:
        """Return the integers of the values on a grid."""
        return round_to_grid(step.place(self.numbers, self.integers), importance, rate)

    def bits(self, step: Step, q: Integers) -> RawArray:
        """Return the bits of the values that `q` stands for."""
        return step.bits_of(q, self.integers, self.spec.dtype)


def find_trained(
    spec: TensorSpec, raw: RawArray, claim: Claim | None, bases: Sequence[BaseTensors]
) -> Trained | None:
    """Return the trained values of a tensor, or None if there is nothing to round.

    Nothing is rounded if the elements are not floating-point numbers, none is trained, one is
    not finite, or all are equal.
    """
    if not spec.dtype.is_floating or not raw.size:
        return None
    claim = (claim or Claim()).simplest()
    base = base_of_claim(spec, claim, bases)
    units = [unit for unit in make_patch(raw, claim, base).units if unit.count]
    if not units:
        return None
    values = np.concatenate([unit.values for unit in units])
    numbers = to_numbers(values, spec.dtype)
    if not np.isfinite(numbers).all() or not numbers.std() > 0:
        return None
    places = [
        unit.unit.start
        + (unit.positions.astype(np.int64) if unit.positions.size else np.arange(unit.count))
        for unit in units
    ]
    made = [unit.base_values.integers for unit in units]
    integers = np.concatenate([make() for make in made if make is not None] or [np.zeros(0, "<i4")])
    drawn = all(make is not None for make in made)
    init = base.init if drawn else None
    return Trained(spec, np.concatenate(places), numbers, integers if drawn else None, init)
