"""What the coder has to know of a tensor beside its integers, and how it sees the tensor."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.hazard.tables import tables

MOST_POSITIONS = 1 << 20
"""Most positions of a run: of all its tensors together."""
MOST_TENSORS = 255
DEEPEST = 1535
"""Six octaves below the largest |base|; what is deeper counts as this."""
Depths = NDArray[np.int16]
"""What `measure_depths` returns."""
_SMALLEST_IMAGE = 64


@dataclass(frozen=True, slots=True)
class JointSpec:
    """One tensor of a run.

    Attributes
    ----------
    shape : tuple of int
        Its dimensions.
    base : callable or None
        Makes the float32 patterns of the base of the whole tensor, for seeded tensors; None where
        the base is zeros or not to be looked at.

    Examples
    --------
    >>> JointSpec((2, 3)).size
    6
    """

    shape: tuple[int, ...]
    base: Callable[[], NDArray[np.uint32]] | None = None

    @property
    def size(self) -> int:
        """Number of positions."""
        return math.prod(self.shape)


class Grid(NamedTuple):
    """A matrix of channels, each a plane of columns in lines of `width`."""

    rows: int
    columns: int
    plane: int
    width: int

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.columns // self.plane

    @property
    def form(self) -> int:
        """0 for planes (kernels, flattened maps), 1 for an image of columns, 2 for neither."""
        return 0 if self.plane > 1 else 1 if self.width > 1 else 2


class Layout(NamedTuple):
    """How the coder sees one tensor; formats/joint.md, section 2.

    `other` is, for a matrix, its predecessor; for a vector, the matrix whose rows it belongs to; -1
    if there is none. `linked` is how columns lie if they belong to the predecessor's rows, `free`
    how they lie if not. A vector has one row.
    """

    matrix: bool
    linked: Grid
    free: Grid
    other: int

    @property
    def size(self) -> int:
        """Number of positions."""
        return self.free.rows * self.free.columns


def lay_out(shapes: Sequence[tuple[int, ...]]) -> list[Layout]:
    """Return how the coder sees the tensors of a run.

    Examples
    --------
    >>> for layout in lay_out([(20,), (20, 1, 5, 5), (500, 320)]):
    ...     print(tuple(layout.linked), layout.other)
    (1, 20, 1, 1) 1
    (20, 25, 25, 5) -1
    (500, 320, 16, 4) 1
    """
    rows = [shape[0] if len(shape) > 1 and 0 not in shape else 0 for shape in shapes]
    return [
        _lay_out_matrix(shape, rows[:i]) if rows[i] else _lay_out_vector(shape, i, rows)
        for i, shape in enumerate(shapes)
    ]


def _lay_out_vector(shape: tuple[int, ...], place: int, rows: list[int]) -> Layout:
    size: int = math.prod(shape)
    found = [(abs(j - place), -j) for j, count in enumerate(rows) if count and count == size]
    flat = Grid(1, size, 1, 1)
    return Layout(False, flat, flat, -min(found)[1] if found else -1)


def _lay_out_matrix(shape: tuple[int, ...], before: list[int]) -> Layout:
    columns: int = math.prod(shape[1:])
    rows = shape[0]
    if len(shape) > 2:
        grid = Grid(rows, columns, columns // shape[1], shape[-1])
        return Layout(True, grid, grid, _latest(before, lambda count: count == shape[1]))
    free = Grid(rows, columns, 1, _image_width(columns))
    other = _latest(before, lambda count: count == columns)
    if other < 0:
        other = _latest(before, lambda count: columns % count == 0)
    if other < 0:
        return Layout(True, free, free, -1)
    plane = columns // before[other]
    return Layout(True, Grid(rows, columns, plane, _root(plane) or plane), free, other)


def _latest(rows: list[int], fits: Callable[[int], bool]) -> int:
    """Return the last matrix of at least two rows whose number of rows fits, or -1."""
    return next((j for j in reversed(range(len(rows))) if rows[j] > 1 and fits(rows[j])), -1)


def _image_width(columns: int) -> int:
    """Return the side of the square image, of one or three colours, that columns may be, or 1."""
    if columns < _SMALLEST_IMAGE:
        return 1
    return _root(columns) or (0 if columns % 3 else _root(columns // 3)) or 1


def _root(n: int) -> int:
    """Return the square root if it is whole, else 0."""
    root = math.isqrt(n)
    return root if root * root == n else 0


def measure_depths(base: NDArray[np.uint32]) -> Depths:
    """Return how far below the largest |base| each is, and its sign.

    Returns
    -------
    int16 array
        Twice the depth in 1/256 octave, at most 1535, and 1 more if the base is negative.

    Examples
    --------
    >>> measure_depths(np.array([0x3F800000, 0xBF000000, 0], np.uint32)).tolist()
    [0, 513, 3070]
    """
    log2 = np.array(tables().log2, np.int32)
    magnitude = base & np.uint32(0x7FFFFFFF)
    level = (magnitude >> 23).astype(np.int32) * 256 + log2[magnitude >> 15 & 255]
    depth = np.minimum(level.max(initial=0) - level, DEEPEST).astype(np.int16)
    found: Depths = 2 * depth + (base >> 31).astype(np.int16)
    return found
