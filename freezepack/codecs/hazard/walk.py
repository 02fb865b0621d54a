"""The walk over a unit, one for both directions: formats/hazard.md, sections 7 to 9.

Every decision asks whether a position before `stop` is trained, all before it being known.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.hazard.arithmetic import (
    clamp,
    conditional,
    hit_probability,
    log2_fixed,
    squash,
    stretch,
)
from freezepack.codecs.hazard.coder import BitDecoder, BitEncoder, Calibration
from freezepack.codecs.hazard.layout import Layout, Preset
from freezepack.codecs.hazard.mixer import Mixer, Offset
from freezepack.codecs.hazard.rates import ColumnFactors, LevelRates, RowFactor


class Side(Protocol):
    """One direction: answers decisions and is told the trained positions."""

    def decide(self, p: int, stop: int) -> int:
        """Return whether a position before `stop` is trained; the chance is p / 65536."""

    def place(self, position: int) -> None:
        """Take note of a trained position."""


class Writer:
    """Answer decisions from the positions, and code them."""

    def __init__(self, positions: list[int]) -> None:
        self._positions = positions
        self._placed = 0
        self.coder = BitEncoder()

    def decide(self, p: int, stop: int) -> int:
        """Return what is true, and code it."""
        bit = int(self._positions[self._placed] < stop)
        self.coder.code(p, bit)
        return bit

    def place(self, position: int) -> None:
        """Go on to the next position."""
        self._placed += 1


class Reader:
    """Answer decisions from the bytes, and collect the positions."""

    def __init__(self, data: bytes) -> None:
        self.positions: list[int] = []
        self.coder = BitDecoder(data)

    def decide(self, p: int, stop: int) -> int:
        """Return the next decision of the stream."""
        return self.coder.code(p)

    def place(self, position: int) -> None:
        """Keep the position."""
        self.positions.append(position)


class Walk:
    """The state of one pass over a unit.

    Parameters
    ----------
    side : Writer or Reader
        The direction.
    levels : uint8 array, shape (rows, columns)
        Level of |base| of each position.
    """

    def __init__(
        self, side: Side, levels: NDArray[np.uint8], layout: Layout, preset: Preset
    ) -> None:
        count = 30 if preset.flat else 0
        self._side = side
        self._levels = levels
        self._layout = layout
        self._preset = preset
        self._left = layout.trained
        self._level_rates = LevelRates(levels, layout, preset.slope)
        self._columns = ColumnFactors(layout, preset)
        self._group_offset = [Offset() for _ in range(layout.groups)]
        self._mixer = [Mixer() for _ in range(5)]
        self._superblock = Calibration(count)
        self._group = [Calibration(count) for _ in range(2)]
        self._position = [Calibration(count) for _ in range(5)]

    def run(self) -> bool:
        """Return whether all trained positions were placed."""
        for row in range(self._layout.rows):
            self._start_row(row)
            if self._walk_row():
                return True
            self._columns.finish_row(row, self._pull, self._row.factor)
            self._level_rates.refresh(row + 1)
        return False

    def _start_row(self, row: int) -> None:
        self._first = row * self._layout.columns
        self._row = RowFactor(self._preset.row_prior)
        self._row_offset = Offset()
        self._level = self._levels[row]
        self._pull = self._level_rates.rate[self._level]
        self._rate = self._pull * self._columns.factor >> 12

    def _chance(self, rate: int) -> int:
        return hit_probability(self._row.scale(rate))

    def _decide(self, calibration: Calibration, p: int, stop: int) -> int:
        bit = self._side.decide(clamp(calibration.get(stretch(p)), 1, 65534), stop)
        calibration.update(bit)
        return bit

    def _walk_row(self) -> bool:
        columns, width = self._layout.columns, self._layout.superblock_width
        sums = np.add.reduceat(self._rate, np.arange(0, columns, width)).tolist()
        for start, total in zip(range(0, columns, width), sums, strict=True):
            stop = min(columns, start + width)
            if not self._decide(self._superblock, self._chance(total), self._first + stop):
                self._row.expected += total
            elif self._walk_superblock(start, stop, total):
                return True
            self._row.refresh()
        return False

    def _walk_superblock(self, start: int, stop: int, left: int) -> bool:
        width = self._layout.group_width
        first = True
        for a in range(start, stop, width):
            b = min(stop, a + width)
            rates = self._rate[a:b].tolist()
            total = sum(rates)
            any_trained = 1  # the last group, if all before it are empty
            if not first or b < stop:
                p = self._chance(total)
                if first:
                    p = conditional(p, self._chance(left))
                any_trained = self._decide(self._group[first], p, self._first + b)
            left -= total
            if not any_trained:
                self._row.expected += total
                continue
            first = False
            if self._walk_group(a, rates, total):
                return True
        return False

    def _walk_group(self, start: int, rates: list[int], total: int) -> bool:
        group = start // self._layout.group_width
        self._columns.touch(group)
        weights, found, left = 0, 0, total
        for i, base_rate in enumerate(rates):
            rate = self._row.scale(base_rate)
            bit = 1  # the last position, if all before it are frozen
            if found or i + 1 < len(rates):
                p = hit_probability(rate)
                if not found:
                    p = conditional(p, self._chance(left))
                bit = self._decide_position(start + i, group, min(found, 4), base_rate, p)
            left -= base_rate
            if not bit:
                continue
            found += 1
            weights += self._record(start + i, rate)
            self._left -= 1
            if not self._left:
                return True
        self._row.expected += total
        self._row.events += weights
        self._row.refresh()
        return False

    def _decide_position(self, column: int, group: int, context: int, rate: int, p: int) -> int:
        stop = self._first + column + 1
        calibration = self._position[context]
        if self._preset.flat:
            return self._decide(calibration, p, stop)
        mixer, offset, row = self._mixer[context], self._group_offset[group], self._row
        z0 = stretch(p)
        gap = min(1024, z0 - (log2_fixed(max(1, rate)) - 6144 + row.log))
        inputs = (256, z0, row.log, self._columns.log(column), self._columns.group_log(group), gap)
        total = mixer.dot(inputs) + self._row_offset.value + offset.value
        z = clamp(total >> 16, -4095, 4095)
        chance = squash(z)
        mean = (calibration.get(z) + (chance >> 6) + 1) >> 1
        bit = self._side.decide(clamp(mean, 1, 65534), stop)
        calibration.update(bit)
        error = (bit << 22) - chance
        mixer.update(inputs, error)
        self._row_offset.update(error, chance)
        offset.update(error, chance)
        return bit

    def _record(self, column: int, rate: int) -> int:
        """Count a trained position with the weight 16 rate / (1 - exp(-rate))."""
        h = min(2047, rate >> 16)
        weight = 16 + (h >> 5) + (h * h * 85 >> 22)
        self._columns.add(column, weight)
        self._level_rates.add(int(self._level[column]), weight)
        self._side.place(self._first + column)
        return weight
