"""What the positions beside one, coded before it, say; formats/joint.md, section 7."""

from collections.abc import Sequence
from typing import NamedTuple

from freezepack.codecs.hazard.arithmetic import clamp
from freezepack.codecs.joint.shapes import Grid


class Around(NamedTuple):
    """Levels beside a position, 0 where there is none, and how many of the 12 nearest are not."""

    left: int = 0
    up: int = 0
    up_left: int = 0
    up_right: int = 0
    left2: int = 0
    up2: int = 0
    trained: int = 0

    @property
    def slope(self) -> int:
        """How large a level they lead to, 0 to 7; opposite signs cancel."""
        two = 2 * within2(self.left) + 2 * within2(self.up)
        return min(abs(two - within2(self.up_left) + within2(self.up_right)), 7)

    @property
    def large(self) -> int:
        """0 to 3: how large the larger of left and up is."""
        near = max(abs(self.left), abs(self.up))
        return 3 if near > 3 else min(near, 2)

    def agree(self, positive: int) -> int:
        """Return 0, 1 or 2: left and up are against a sign, undecided, or for it."""
        side = sign(sign(self.left) + sign(self.up))
        return 1 + (side if positive else -side)


def sign(q: int) -> int:
    """Return -1, 0 or 1."""
    return (q > 0) - (q < 0)


def within2(q: int) -> int:
    """Return the number nearest to q from -2 to 2."""
    return clamp(q, -2, 2)


def look_around(levels: Sequence[int], at: int, x: int, y: int, width: int) -> Around:
    """Return what is around position `at`, which is place x of line y of its plane.

    Examples
    --------
    >>> look_around([1, 0, -2, 3], 3, 1, 1, 2)
    Around(left=-2, up=0, up_left=1, up_right=0, left2=0, up2=0, trained=2)
    """

    def get(dx: int, dy: int) -> int:
        inside = 0 <= x + dx < width and dy <= y
        return levels[at + dx - dy * width] if inside else 0

    first = sum(get(dx, 0) != 0 for dx in (-2, -1))
    count = first + sum(get(dx, dy) != 0 for dy in (1, 2) for dx in (-2, -1, 0, 1, 2))
    return Around(get(-1, 0), get(0, 1), get(-1, 1), get(1, 1), get(-2, 0), get(0, 2), count)


def columns_beside(grid: Grid, column: int) -> list[int]:
    """Return the up to four columns beside one, in its plane or image.

    Examples
    --------
    >>> columns_beside(Grid(1, 8, 4, 2), 5)
    [4, 7]
    """
    size = grid.plane if grid.plane > 1 else grid.columns
    y, x = divmod(column % size, grid.width)
    beside = []
    if x > 0:
        beside.append(column - 1)
    if x + 1 < grid.width:
        beside.append(column + 1)
    if y > 0:
        beside.append(column - grid.width)
    if column % size + grid.width < size:
        beside.append(column + grid.width)
    return beside
