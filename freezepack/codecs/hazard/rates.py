"""The three learned factors of a position's rate: level of |base|, row, column.

Specification: formats/hazard.md, sections 6 to 8. Rates are in 2**-24 events, factors in 2**-12.
Vectors are int64; the bounds of the specification keep every product below 2**63.
"""

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.hazard.arithmetic import clamp, log2_fixed
from freezepack.codecs.hazard.layout import Layout, Preset

Vector = NDArray[np.int64]

ONE = log2_fixed(4096)
"""The logarithm of the factor 1."""
_SPREAD = (1, 4, 6, 4, 1)
_PRIOR_EVENTS = 32


def rank_levels(base: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Return the level of each float32 pattern: eighths of an octave below the largest, to 63.

    Examples
    --------
    >>> rank_levels(np.array([1.0, -2.0, 0.0], np.float32).view(np.uint32)).tolist()
    [8, 0, 63]
    """
    magnitude = (base & np.uint32(0x7FFFFFFF)) >> np.uint32(20)
    levels: NDArray[np.uint8] = np.minimum(63, magnitude.max() - magnitude).astype(np.uint8)
    return levels


def _spread(counts: list[int]) -> list[int]:
    """Return the counts, each spread over itself and two neighbours on either side."""
    padded = [0, 0, *counts, 0, 0]
    return [sum(w * padded[level + d] for d, w in enumerate(_SPREAD)) for level in range(64)]


class LevelRates:
    """Rate by level of |base|."""

    def __init__(self, levels: NDArray[np.uint8], layout: Layout, slope: int) -> None:
        self._rows = layout.rows
        self._slope = slope
        counts = [int(n) for n in np.bincount(levels.ravel(), minlength=64)]
        share = [self._share(slope * level) for level in range(64)]
        total = sum(n * s for n, s in zip(counts, share, strict=True))
        scale = clamp((layout.trained << 24) // max(1, total >> 20), 0, 1 << 40)
        self._prior = [clamp(s * scale >> 20, 1, 1 << 24) for s in share]
        self._near = _spread(counts)
        self._seen = [0] * 64
        self.rate: Vector = np.zeros(64, np.int64)
        self.refresh(0)

    @staticmethod
    def _share(drop: int) -> int:
        return max(1, ((1 << 20) - 8192 * (drop & 63)) >> min(20, drop >> 6))

    def add(self, level: int, weight: int) -> None:
        """Count an event."""
        for distance, share in enumerate(_SPREAD, start=-2):
            if 0 <= level + distance < 64:
                self._seen[level + distance] += weight * share

    def refresh(self, rows_done: int) -> None:
        """Set the rates from the events of the rows done and the prior."""
        for level, prior in enumerate(self._prior):
            rate = prior
            if self._slope:
                met = self._near[level] * rows_done // self._rows
                events = ((self._seen[level] >> 4) + _PRIOR_EVENTS) << 24
                rate = events // (met + (_PRIOR_EVENTS << 24) // prior)
            self.rate[level] = clamp(rate, 1, 3 << 22)


class RowFactor:
    """The factor of the row that is being coded."""

    def __init__(self, strength: int) -> None:
        self._prior = strength << 21
        self.events = 0
        self.expected = 0
        self.factor = 4096
        self.log = 0

    def refresh(self) -> None:
        """Set the factor from the row's events so far."""
        ratio = (((self.events << 20) + self._prior) << 12) // (self.expected + self._prior)
        self.factor = clamp(ratio, 64, 1 << 18)
        self.log = log2_fixed(self.factor) - ONE

    def scale(self, rate: int) -> int:
        """Return the rate in this row."""
        return rate * self.factor >> 12


class ColumnFactors:
    """Factors of columns and of groups of columns; arrays of shape (groups, width)."""

    def __init__(self, layout: Layout, preset: Preset) -> None:
        shape = (layout.groups, layout.group_width)
        self._columns = layout.columns
        self._period = clamp(layout.rows // 16, 1, 8)
        self._prior = preset.column_prior << 13
        self._group_prior = preset.group_prior << 13
        self._factor = np.full(shape, 4096, np.int64)
        self._events = np.zeros(shape, np.int64)
        self._expected = np.zeros(shape, np.int64)
        self._waiting = np.zeros(shape, np.int64)
        self._touched = np.zeros(layout.groups, np.bool_)
        self._group_factor = np.full(layout.groups, 4096, np.int64)

    @property
    def factor(self) -> Vector:
        """Factor of each column."""
        return self._factor.ravel()[: self._columns]

    def log(self, column: int) -> int:
        """Return the logarithm of a column's factor."""
        return log2_fixed(int(self._factor.flat[column])) - ONE

    def group_log(self, group: int) -> int:
        """Return the logarithm of a group's factor."""
        return log2_fixed(int(self._group_factor[group])) - ONE

    def touch(self, group: int) -> None:
        """Mark a group that is not empty in this row."""
        self._touched[group] = True

    def add(self, column: int, weight: int) -> None:
        """Count an event."""
        self._events.flat[column] += weight

    def finish_row(self, row: int, pull: Vector, row_factor: int) -> None:
        """Add what the row led to expect, and refresh the groups whose turn it is."""
        self._waiting.ravel()[: self._columns] += pull * row_factor >> 20
        turn = np.arange(self._touched.size) % self._period == row % self._period
        self._refresh(np.flatnonzero(self._touched | turn | (row < 8)))
        self._touched[:] = False

    def _refresh(self, groups: NDArray[np.intp]) -> None:
        self._expected[groups] += self._waiting[groups]
        self._waiting[groups] = 0
        events, expected = self._events[groups], self._expected[groups]
        numerator = ((events.sum(axis=1) << 12) + self._group_prior) << 12
        shared = np.clip(numerator // (expected.sum(axis=1) + self._group_prior), 16, 1 << 18)
        own = ((events << 24) + self._prior * shared[:, None]) // (expected + self._prior)
        self._group_factor[groups] = shared
        self._factor[groups] = np.clip(own, 32, 1 << 19)
