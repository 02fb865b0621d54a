"""How a tensor is cut into units: runs of whole rows of at most 2**20 positions.

See formats/freezepack-1.md, section "Units".
"""

from dataclasses import dataclass
from math import prod

from freezepack.format.constants import UNIT_POSITIONS

MOST_KERNEL_POSITIONS = 64


@dataclass(frozen=True, slots=True)
class Layout:
    """The matrix form of a tensor and its units.

    Attributes
    ----------
    size : int
        Elements of the tensor.
    cols : int
        Elements of one row: the longest product of trailing dimensions, never the first, of at
        most 2**20. If that is 1, each unit is one row.
    kernel : int
        Positions of one convolution kernel, 1 if there is none or it has more than 64.
    """

    size: int
    cols: int
    kernel: int

    @property
    def unit_positions(self) -> int:
        """Positions of every unit but the last, which may be shorter."""
        return UNIT_POSITIONS // self.cols * self.cols

    @property
    def units(self) -> int:
        """Number of units; 0 for an empty tensor."""
        return -(-self.size // self.unit_positions)

    def start(self, unit: int) -> int:
        """Position in the tensor of the first element of unit `unit`."""
        return unit * self.unit_positions

    def unit_size(self, unit: int) -> int:
        """Positions of unit `unit`."""
        return min(self.unit_positions, self.size - self.start(unit))

    def unit_matrix(self, unit: int) -> tuple[int, int]:
        """Rows and columns of unit `unit`."""
        size = self.unit_size(unit)
        return (1, size) if self.cols == 1 else (size // self.cols, self.cols)


def layout_of(shape: tuple[int, ...]) -> Layout:
    """Return the layout of a tensor of `shape`.

    Examples
    --------
    >>> layout_of((50, 20, 5, 5))
    Layout(size=25000, cols=500, kernel=25)
    >>> layout_of((10,)).unit_matrix(0)
    (1, 10)
    """
    size = prod(shape)
    if not size:
        return Layout(0, 1, 1)
    cols = 1
    for dimension in reversed(shape[1:]):
        if cols * dimension > UNIT_POSITIONS:
            break
        cols *= dimension
    kernel = prod(shape[2:])
    return Layout(size, cols, kernel if kernel <= MOST_KERNEL_POSITIONS else 1)
