"""What the walk is told: the matrix form of a unit and the two preset bytes."""

from dataclasses import dataclass

from freezepack.codecs.hazard.predicted import Matrix

_COLUMNS = (0, 3 << 14, 3 << 16, 3 << 18, 3 << 19, 3 << 20, 3 << 22, 3 << 23)
_GROUPS = (0, 3 << 14, 3 << 16, 3 << 18, 3 << 19, 3 << 20, 3 << 21, 3 << 22)
_PLACES = (0, 3 << 15, 3 << 18, 3 << 21)
_CELLS = (0, 3 << 18, 3 << 20, 3 << 21)
_WIDTHS = (16, 28, 32, 49)


@dataclass(frozen=True, slots=True)
class Layout(Matrix):
    """A unit as the walk sees it."""

    @property
    def fixed_width(self) -> int:
        """Columns of a group if the kernel says so, else 0: the preset does.

        Examples
        --------
        >>> Layout(20, 25, 25, 255).fixed_width, Layout(10, 100, 1, 287).fixed_width
        (25, 0)
        """
        return self.kernel if 2 <= self.kernel <= 64 else 0


@dataclass(frozen=True, slots=True)
class Preset:
    """How much each effect is expected to vary: its first variance, in 2**-24.

    Examples
    --------
    >>> preset = Preset.of(bytes.fromhex("61b5"))
    >>> preset.noise >> 19, preset.row >> 19, preset.cell >> 18, preset.width
    (6, 12, 3, 28)
    """

    noise: int
    row: int
    place: int
    cell: int
    column: int
    group: int
    width: int

    @classmethod
    def of(cls, data: bytes) -> "Preset":
        """Return the meaning of two bytes; each pair has one."""
        first, second = data
        return cls(
            noise=3 << (19 + (first >> 6)),
            row=3 << (19 + (first >> 4 & 3)),
            place=_PLACES[first >> 2 & 3],
            cell=_CELLS[first & 3],
            column=_COLUMNS[second >> 5],
            group=_GROUPS[second >> 2 & 7],
            width=_WIDTHS[second & 3],
        )
