"""One pass over a matrix, for both directions; formats/joint.md, sections 6 and 7."""

from collections.abc import Sequence

from freezepack.codecs.joint.alive import code_channels_after, code_channels_alone, code_rows
from freezepack.codecs.joint.field import Field
from freezepack.codecs.joint.model import Decider, Side
from freezepack.codecs.joint.priors import PRIORS
from freezepack.codecs.joint.shapes import Grid


class Matrix:
    """A matrix and what is learned of it.

    Parameters
    ----------
    levels : list of int
        The integers of the tensor, which a reader fills.
    base : sequence of int or None
        What `shapes.measure_depths` says of the base.
    before : sequence of int or None
        Trained positions of each row of the predecessor, if channels belong to them.

    Attributes
    ----------
    counts : list of int
        Trained positions of each row.
    rows, channels : list of int
        Those that are alive, in rising order.
    field : Field or None
        What was learned; None before `run`, and if no row is alive.
    """

    def __init__(
        self,
        side: Side,
        grid: Grid,
        levels: list[int],
        base: Sequence[int] | None,
        before: Sequence[int] | None,
    ) -> None:
        self.decider = Decider(side)
        self.grid = grid
        self._levels = levels
        self._base = base
        self._before = before
        self.counts = [0] * grid.rows
        self._in_channel = [0] * grid.channels
        self.rows: list[int] = []
        self.channels: list[int] = []
        self.field: Field | None = None

    def run(self, turned: bool) -> None:
        """Code the matrix row by row or, turned, channel by channel."""
        grid, prior = self.grid, PRIORS[self.grid.form]
        rows, channels = self._find_alive()
        self.rows = code_rows(self.decider, prior, rows)
        if not self.rows:
            return
        if self._before is None:
            self.channels = code_channels_alone(self.decider, grid, channels)
        else:
            self.channels = code_channels_after(self.decider, prior, self._before, channels)
        self.field = Field(grid, prior, self._levels, self._base, self.rows)
        if self._before is not None:
            self.field.start_channels(self._before, self.channels)
        cells = [(row, channel) for row in self.rows for channel in self.channels]
        if turned:
            cells = [(row, channel) for channel in self.channels for row in self.rows]
        for row, channel in cells:
            for column in range(channel * grid.plane, (channel + 1) * grid.plane):
                self._code_position(self.field, row, channel, column)

    def _find_alive(self) -> tuple[list[int], list[int]]:
        """Return for each row and channel whether it holds anything; a reader's do not matter."""
        grid = self.grid
        rows, channels = [0] * grid.rows, [0] * grid.channels
        for at, level in enumerate(self._levels):
            if level:
                row, column = divmod(at, grid.columns)
                rows[row] = channels[column // grid.plane] = 1
        return rows, channels

    def _code_position(self, field: Field, row: int, channel: int, column: int) -> None:
        decider, at = self.decider, row * self.grid.columns + column
        level = self._levels[at]
        around = field.look_around(row, column)
        if not self._is_forced(row, channel, column):
            field.add_trained(decider, row, column, around)
            if not decider.decide_calibrated(field.calibration, int(level != 0)):
                self._levels[at] = 0
                return
        self.counts[row] += 1
        self._in_channel[channel] += 1
        field.add_sign(decider, row, column, around)
        positive = decider.decide(int(level > 0))

        def add(k: int) -> None:
            field.add_magnitude(decider, row, around, positive, k)

        magnitude = field.magnitudes.code(decider, abs(level), add)
        self._levels[at] = magnitude if positive else -magnitude

    def _is_forced(self, row: int, channel: int, column: int) -> bool:
        """Return whether this is the last chance of a row or channel to hold anything."""
        if column % self.grid.plane < self.grid.plane - 1:
            return False
        last_of_row = not self.counts[row] and channel == self.channels[-1]
        return last_of_row or (not self._in_channel[channel] and row == self.rows[-1])
