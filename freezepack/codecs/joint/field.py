"""The effects of a matrix, and which of them apply at a position; formats/joint.md, section 7."""

from collections.abc import Sequence

from freezepack.codecs.hazard.arithmetic import clamp, log2_fixed
from freezepack.codecs.hazard.coder import Calibration
from freezepack.codecs.joint.around import Around, columns_beside, look_around, sign
from freezepack.codecs.joint.model import ONE, Decider, Effect, Magnitudes, effects
from freezepack.codecs.joint.priors import BASE_SIDE, DEPTH, FALL, LATER, Prior, Start
from freezepack.codecs.joint.shapes import DEEPEST, Grid

ALIKE = 16
"""How many rows above one are compared with it, and the fewest columns for which they are."""
_EVENTS = 30
_HALF_OCTAVE = 128
_MIDDLE = 384


class Field:
    """What is known of the rows, channels and positions of a matrix.

    Parameters
    ----------
    levels : list of int
        The integers of the matrix, as far as they are known.
    base : sequence of int or None
        What `shapes.measure_depths` says of the base.
    rows : sequence of int
        Rows that are alive.
    """

    def __init__(
        self,
        grid: Grid,
        prior: Prior,
        levels: list[int],
        base: Sequence[int] | None,
        rows: Sequence[int],
    ) -> None:
        self._grid = grid
        self._prior = prior
        self._levels = levels
        self._base = base
        self._rows = rows
        self._rank = {row: rank for rank, row in enumerate(rows)}
        self.calibration = Calibration(_EVENTS)
        self.magnitudes = Magnitudes(prior.magnitude, LATER)
        self._start_density()
        self._start_around()
        self._side = Effect(prior.side)
        self._signs = [Effect(start) for start in prior.signs]
        self._alike = effects(prior.alike, grid.rows * ALIKE if grid.columns >= ALIKE else 0)
        self._base_side = Effect(BASE_SIDE)
        self._strong_row = effects(prior.strong_row, grid.rows)
        self._large = [Effect(start) for start in prior.large]
        self._agree = [Effect(start) for start in prior.agree]

    def _start_density(self) -> None:
        grid, prior = self._grid, self._prior
        planes = grid.plane > 1
        self._bias = Effect(prior.bias)
        self._row = effects(prior.row, grid.rows)
        self._channel = effects(prior.channel, grid.channels)
        self._column = effects(prior.column, grid.columns) if planes else self._channel
        self._cell = effects(prior.cell, grid.rows * grid.channels if planes else 0)
        self._place = effects(prior.place, grid.plane)
        self._depth = effects(DEPTH, DEEPEST // _HALF_OCTAVE + 1)
        self._fall = Effect(FALL)

    def _start_around(self) -> None:
        prior, around, slope = self._prior, self._prior.around, self._prior.slope
        self._beside = [
            [Effect(start) for start in starts]
            for starts in (prior.left, prior.up, prior.up_right, prior.up_left)
        ]
        self._pattern = effects(prior.pattern, 27)
        self._around = [Effect(Start(around.mean * (n - 3), around.variance)) for n in range(13)]
        self._slope = [Effect(Start(slope.mean * n, slope.variance)) for n in range(8)]
        self._blur = Effect(prior.blur)

    def start_channels(self, before: Sequence[int], channels: Sequence[int]) -> None:
        """Let channels start by how much is trained in the rows that feed them."""
        fed = {channel: log2_fixed(1 + before[channel]) for channel in channels}
        mean = sum(fed.values()) // len(fed)
        for channel, value in fed.items():
            self._channel[channel].mean = (value - mean) * self._prior.fed

    def look_around(self, row: int, column: int, *, blind: bool = False) -> Around:
        """Return what is around a position; nothing if `blind`."""
        grid = self._grid
        if grid.form == 2 or blind:
            return Around()
        y, x = divmod(column % grid.plane if grid.plane > 1 else column, grid.width)
        return look_around(self._levels, row * grid.columns + column, x, y, grid.width)

    def add_trained(self, decider: Decider, row: int, column: int, around: Around) -> None:
        """Add what says whether a position is trained."""
        grid, add = self._grid, decider.add
        channel, i = divmod(column, grid.plane)
        add(self._bias)
        add(self._row[row])
        add(self._channel[channel])
        if grid.plane > 1:
            add(self._column[column])
            add(self._cell[row * grid.channels + channel])
            add(self._place[i])
        if grid.form != 2:
            self._add_around(decider, around, column)
        if self._base is not None:
            depth = self._base[row * grid.columns + column] >> 1
            add(self._depth[depth // _HALF_OCTAVE])
            add(self._fall, (_MIDDLE - depth) * 128)

    def _add_around(self, decider: Decider, a: Around, column: int) -> None:
        add = decider.add
        sizes = [min(abs(q), 2) for q in (a.left, a.up, a.up_right, a.up_left)]
        for starts, size in zip(self._beside, sizes, strict=True):
            add(starts[size])
        add(self._pattern[9 * sizes[0] + 3 * sizes[1] + sizes[2]])
        add(self._around[a.trained])
        add(self._slope[a.slope])
        blur = sum(self._column[j].mean for j in columns_beside(self._grid, column))
        add(self._blur, clamp(blur, -2 * ONE, 2 * ONE))

    def add_sign(self, decider: Decider, row: int, column: int, a: Around) -> None:
        """Add what says whether a level is positive."""
        add, columns = decider.add, self._grid.columns
        add(self._side)
        near = (a.left, a.up, a.up_right, a.left2, a.up2)
        for effect, q in zip(self._signs, near, strict=True):
            if q:
                add(effect, ONE * sign(q))
        if self._alike:
            rank = self._rank[row]
            for k, above in enumerate(reversed(self._rows[max(0, rank - ALIKE) : rank])):
                if q := self._levels[above * columns + column]:
                    add(self._alike[row * ALIKE + k], ONE * sign(q))
        if self._base is not None:
            add(self._base_side, -ONE if self._base[row * columns + column] & 1 else ONE)

    def add_magnitude(self, decider: Decider, row: int, a: Around, positive: int, k: int) -> None:
        """Add what the place says about decision k of a magnitude."""
        decider.add(self._strong_row[row])
        if self._grid.form != 2:
            decider.add(self._large[a.large])
            if k == 0:
                decider.add(self._agree[a.agree(positive)])
