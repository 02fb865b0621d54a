"""What the walk is told: the matrix form of a unit and the preset byte."""

from dataclasses import dataclass

from freezepack.codecs.hazard.arithmetic import clamp
from freezepack.codecs.hazard.predicted import Matrix

STRENGTHS = (1, 2, 4, 8, 16, 64, 256, 4096)
FLAT = 63
"""The preset without |base|, rows, columns and mixer: for masks that nothing predicts."""
DEFAULT = 146


@dataclass(frozen=True, slots=True)
class Layout(Matrix):
    """A unit, its groups and superblocks.

    Examples
    --------
    >>> layout = Layout(rows=50, columns=500, kernel=25, trained=880)
    >>> layout.group_width, layout.groups, layout.superblock_width
    (25, 20, 50)
    """

    @property
    def group_width(self) -> int:
        """Columns of a group: a convolution kernel, or 8."""
        return self.kernel if 2 <= self.kernel <= 64 else 8

    @property
    def groups(self) -> int:
        """Groups of a row; the last one may be narrower."""
        return -(-self.columns // self.group_width)

    @property
    def superblock_width(self) -> int:
        """Columns of a superblock: 2 to 32 groups, chosen so that about 2 in 3 events share one."""
        size = self.rows * self.columns
        return self.group_width * clamp(2 * size // (3 * self.trained * self.group_width), 2, 32)


@dataclass(frozen=True, slots=True)
class Preset:
    """How fast the model trusts what it counts; one byte of the section.

    Examples
    --------
    >>> Preset.of(146)
    Preset(slope=16, row_prior=4, column_prior=4, group_prior=16, flat=False)
    """

    slope: int
    row_prior: int
    column_prior: int
    group_prior: int
    flat: bool

    @classmethod
    def of(cls, byte: int) -> "Preset":
        """Return the meaning of a preset byte; each of the 256 has one."""
        column_prior = STRENGTHS[byte & 7]
        return cls(
            slope=8 * (byte >> 6),
            row_prior=STRENGTHS[byte >> 3 & 7],
            column_prior=column_prior,
            group_prior=4096 if column_prior == 4096 else 16,
            flat=byte == FLAT,
        )
