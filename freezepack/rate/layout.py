"""All trained values of a network in one vector, and the matrix that each weight is."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isqrt, prod

from torch import nn

View = tuple[int, int, int, int]
"""Rows, channels, kernel rows, kernel columns."""


@dataclass(frozen=True, slots=True)
class Part:
    """A tensor's place in the vector.

    Attributes
    ----------
    name : str
        As in the state dict.
    shape : tuple of int
    start : int
        Position of its first element in the vector; the elements follow in C order.
    view : View or None
        How its elements are told apart by row, channel and kernel position; None for a vector
        (a bias, a normalisation), whose elements are all alike.
    """

    name: str
    shape: tuple[int, ...]
    start: int
    view: View | None

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def where(self) -> slice:
        """Its elements in the vector."""
        return slice(self.start, self.start + self.size)


def lay_out(named: Iterable[tuple[str, nn.Parameter]]) -> tuple[Part, ...]:
    """Place parameters one after the other.

    A fully connected layer behind a flattened map sees channels of several positions: its
    columns are taken as those of the layer before, if they are a multiple of that one's rows.
    Columns of a first layer that are a square number are taken as an image.

    Examples
    --------
    >>> from freezepack.models.lenet import LeNet5Caffe
    >>> parts = lay_out(LeNet5Caffe().named_parameters())
    >>> [part.view for part in parts if part.view]
    [(20, 1, 5, 5), (50, 20, 5, 5), (500, 50, 4, 4), (10, 500, 1, 1)]
    """
    parts: list[Part] = []
    start, before = 0, 0
    for name, parameter in named:
        shape = tuple(parameter.shape)
        view = _view(shape, before) if len(shape) > 1 else None
        parts.append(Part(name, shape, start, view))
        start += prod(shape)
        before = shape[0] if view else before
    return tuple(parts)


def _view(shape: tuple[int, ...], before: int) -> View:
    rows, columns, kernel = shape[0], shape[1], shape[2:]
    if kernel:
        return rows, columns, prod(kernel[:-1]), kernel[-1]
    if before > 1 and columns % before == 0:
        return rows, before, *_sides(columns // before)
    high, wide = _sides(columns)
    return (rows, 1, high, wide) if high > 1 and not before else (rows, columns, 1, 1)


def _sides(count: int) -> tuple[int, int]:
    """Return the sides of a square of `count` positions, or one line of them."""
    side = isqrt(count)
    return (side, side) if side * side == count else (1, count)
