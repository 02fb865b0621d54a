"""The walk over a unit, one for both directions: formats/probit.md, sections 6 and 7."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.hazard.arithmetic import clamp, squash
from freezepack.codecs.hazard.coder import BitDecoder, BitEncoder, Calibration
from freezepack.codecs.probit.layout import Layout, Preset
from freezepack.codecs.probit.model import (
    BIAS,
    GAIN,
    LOGIT,
    PULL,
    find_bias,
    inverse_deviation,
    look_up,
    standardize,
)

_SURPRISE = -2816
"""A frozen position at this t or below teaches nothing."""
_MOST = 1 << 23


class Side(Protocol):
    """The encoder's or the decoder's half of a decision."""

    def decide(self, p: int, position: int) -> int:
        """Return whether a position is trained, which has the chance p / 65536."""
        ...


class Writer:
    """Answers decisions from the trained positions, and codes them."""

    def __init__(self, positions: Sequence[int]) -> None:
        self.coder = BitEncoder()
        self._trained = frozenset(positions)

    def decide(self, p: int, position: int) -> int:
        """Code whether `position` is trained."""
        bit = int(position in self._trained)
        self.coder.code(p, bit)
        return bit


class Reader:
    """Answers decisions from the bytes, and collects the trained positions."""

    def __init__(self, stream: bytes) -> None:
        self.coder = BitDecoder(stream)
        self.positions: list[int] = []

    def decide(self, p: int, position: int) -> int:
        """Read whether `position` is trained."""
        bit = self.coder.code(p)
        if bit:
            self.positions.append(position)
        return bit


class Effect:
    """What one row, column, group, place or cell adds: mean in 2**-16, variance in 2**-24."""

    __slots__ = ("mean", "variance")

    def __init__(self, variance: int, mean: int = 0) -> None:
        self.mean = mean
        self.variance = variance

    def update(self, pull: int, loss: int) -> None:
        """Follow a decision; both arguments are in 2**-16."""
        v = self.variance
        self.mean = clamp(self.mean + (v * pull >> 24), -_MOST, _MOST)
        self.variance = v - (v * (v * loss >> 16) >> 24)


class Walk:
    """One pass over the positions of a unit."""

    def __init__(
        self, side: Side, levels: NDArray[np.int64], layout: Layout, preset: Preset
    ) -> None:
        self._side = side
        self._levels = levels.reshape(layout.rows, layout.columns)
        self._layout = layout
        self._preset = preset
        self._left = layout.trained
        self._width = layout.fixed_width or preset.width
        self._columns = [Effect(preset.column) for _ in range(layout.columns)]
        self._groups = [Effect(preset.group) for _ in range(0, layout.columns, self._width)]
        self._places = [Effect(preset.place) for _ in range(self._width)]
        self._bias = Effect(BIAS, find_bias(levels, layout.trained, preset))
        self._calibration = Calibration()

    def run(self) -> bool:
        """Return whether all trained positions were placed."""
        for row, levels in enumerate(self._levels):
            first, effect = row * self._layout.columns, Effect(self._preset.row)
            sums = (levels * 256).tolist()
            for number, group in enumerate(self._groups):
                start = number * self._width
                shared = (self._bias, effect, group, Effect(self._preset.cell))
                if self._walk_cell(first, start, sums[start : start + self._width], shared):
                    return True
        return False

    def _walk_cell(
        self, first: int, start: int, sums: list[int], shared: tuple[Effect, ...]
    ) -> bool:
        mean = sum(effect.mean for effect in shared)
        variance = self._preset.noise + sum(effect.variance for effect in shared)
        columns = self._columns[start : start + len(sums)]
        for i, (level, column, place) in enumerate(zip(sums, columns, self._places, strict=False)):
            inverse = inverse_deviation(variance + column.variance + place.variance)
            t = standardize(level + mean + column.mean + place.mean, inverse)
            bit = self._decide(look_up(LOGIT, t), first + start + i)
            if not self._left:
                return True
            if not bit and t <= _SURPRISE:
                continue
            side = t if bit else -t
            pull = look_up(PULL, side) * inverse >> 16
            loss = (look_up(GAIN, side) * inverse >> 16) * inverse >> 16
            for effect in (*shared, column, place):
                effect.update(pull if bit else -pull, loss)
            mean = sum(effect.mean for effect in shared)
            variance = self._preset.noise + sum(effect.variance for effect in shared)
        return False

    def _decide(self, z: int, position: int) -> int:
        p = (self._calibration.get(z) + (squash(z) >> 6) + 1) >> 1
        bit = self._side.decide(clamp(p, 1, 65534), position)
        self._left -= bit
        if self._left:
            self._calibration.update(bit)
        return bit
