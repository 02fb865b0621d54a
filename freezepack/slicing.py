"""From `[...]` to a range of elements: what has to be made of a tensor to answer an index."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from operator import index as as_index
from types import EllipsisType
from typing import Any

Index = int | slice | EllipsisType | tuple[int | slice | EllipsisType, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """Elements `start` to `stop` - 1 in C order, seen as `shape`, then indexed with `rest`."""

    start: int
    stop: int
    shape: tuple[int, ...]
    rest: tuple[int | slice, ...]

    @property
    def is_run(self) -> bool:
        """Whether all of the range is wanted, in its order."""
        spans = zip(self.rest, self.shape, strict=True)
        return all(isinstance(i, slice) and i.indices(n) == (0, n, 1) for i, n in spans)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an answer: its place there, and where it comes from."""

    place: tuple[int | slice, ...]
    cut: Cut


def cut(shape: tuple[int, ...], index: Any) -> Cut:
    """Return the smallest contiguous range that holds what `index` asks for.

    Parameters
    ----------
    shape : tuple of int
        Of the tensor.
    index : int, slice, ellipsis, or a tuple of them
        As for an array of NumPy; steps may be negative.

    Raises
    ------
    IndexError
        If there are too many indices, or one is out of range.
    TypeError
        If an index is of another type.

    Examples
    --------
    >>> cut((4, 3, 2), (1, slice(1, 3)))
    Cut(start=8, stop=12, shape=(2, 2), rest=(slice(0, 2, 1), slice(None, None, None)))
    """
    whole = _complete(shape, index)
    axis, start = _skip(shape, whole, 0, 0)
    return _cut_rows(shape, whole, axis, start)


def answer_shape(shape: tuple[int, ...], index: Any) -> tuple[int, ...]:
    """Return the shape of what `index` asks for.

    Examples
    --------
    >>> answer_shape((4, 3, 2), (1, slice(None, None, 2)))
    (2, 2)
    """
    pairs = zip(_complete(shape, index), shape, strict=True)
    return tuple(len(range(*i.indices(n))) for i, n in pairs if isinstance(i, slice))


def split(shape: tuple[int, ...], index: Any, unit: int) -> Iterator[Piece]:
    """Return what `index` asks for in pieces, so that little is made that is not asked for.

    A piece is one run of elements that are all wanted, or lies within one unit.

    Parameters
    ----------
    shape, index
        As for `cut`; nothing in the answer may be empty.
    unit : int
        Elements of a unit: a multiple of the longest trailing product of dimensions that is not
        above it.

    Examples
    --------
    >>> [piece.cut.start for piece in split((6, 4), (..., slice(0, 2)), 8)]
    [0, 8, 16]
    """
    yield from _split(shape, _complete(shape, index), unit, 0, 0, ())


def _split(  # noqa: PLR0917
    shape: tuple[int, ...],
    whole: tuple[int | slice, ...],
    unit: int,
    axis: int,
    start: int,
    place: tuple[int | slice, ...],
) -> Iterator[Piece]:
    axis, start = _skip(shape, whole, axis, start)
    made = _cut_rows(shape, whole, axis, start)
    if made.start // unit == (made.stop - 1) // unit or made.is_run:
        yield Piece(place, made)
        return
    item = whole[axis]
    numbers = range(*item.indices(shape[axis])) if isinstance(item, slice) else range(0)
    stride = prod(shape[axis + 1 :])
    done = 0
    while done < len(numbers):
        row = start // stride + numbers[done]
        if stride > unit:
            yield from _split(shape, whole, unit, axis + 1, row * stride, (*place, done))
            done += 1
            continue
        rows = numbers[done : done + _rows_left(row, unit // stride, numbers.step)]
        part = (*whole[:axis], _as_slice(rows), *whole[axis + 1 :])
        inner = _cut_rows(shape, part, axis, start)
        yield Piece((*place, slice(done, done + len(rows))), inner)
        done += len(rows)


def _rows_left(row: int, rows: int, step: int) -> int:
    """Return how many numbers, from `row` on, lie in its unit of `rows` rows."""
    left = rows - 1 - row % rows if step > 0 else row % rows
    return left // abs(step) + 1


def _skip(
    shape: tuple[int, ...], whole: tuple[int | slice, ...], axis: int, start: int
) -> tuple[int, int]:
    """Return the next axis of which several are wanted, and where its first element lies."""
    while axis < len(shape):
        item = whole[axis]
        if isinstance(item, slice):
            break
        start += item * prod(shape[axis + 1 :])
        axis += 1
    return axis, start


def _cut_rows(shape: tuple[int, ...], whole: tuple[int | slice, ...], axis: int, start: int) -> Cut:
    """Return the range that holds what is wanted from `axis` on, in the block at `start`."""
    if axis == len(shape):
        return Cut(start, start + 1, (), ())
    item, stride = whole[axis], prod(shape[axis + 1 :])
    numbers = range(*item.indices(shape[axis])) if isinstance(item, slice) else range(0)
    # The ends, because a dimension may have 2**60 elements of nothing.
    low, high = _span(numbers)
    begin = start + low * stride
    rest = (_shift(numbers, low), *whole[axis + 1 :])
    return Cut(begin, begin + (high - low) * stride, (high - low, *shape[axis + 1 :]), rest)


def _complete(shape: tuple[int, ...], index: Any) -> tuple[int | slice, ...]:
    """Return one non-negative integer or slice for each axis."""
    items = index if isinstance(index, tuple) else (index,)
    dots = sum(item is Ellipsis for item in items)
    given = len(items) - dots
    if given > len(shape) or dots > 1:
        raise IndexError(f"{given} indices and {dots} ellipses for {len(shape)} dimensions")
    missing = (slice(None),) * (len(shape) - given)
    place = next((n for n, item in enumerate(items) if item is Ellipsis), len(items))
    items = (*items[:place], *missing, *items[place + 1 :])
    return tuple(_check(item, length) for item, length in zip(items, shape, strict=True))


def _check(item: Any, length: int) -> int | slice:
    if isinstance(item, slice):
        return item
    kind = type(item).__name__
    problem = f"a slice is indexed with a {kind}, expected integers, slices or ..."
    if isinstance(item, bool):
        raise TypeError(problem)
    try:
        number: int = as_index(item)
    except TypeError:
        raise TypeError(problem) from None
    if not -length <= number < length:
        raise IndexError(f"index {number} is out of range for a dimension of {length}")
    return number % length


def _span(numbers: range) -> tuple[int, int]:
    """Return the smallest number, and the largest plus 1."""
    if not numbers:
        return 0, 0
    low, high = sorted((numbers[0], numbers[-1]))
    return low, high + 1


def _shift(numbers: range, low: int) -> slice:
    """Return the slice that takes `numbers` out of a block that begins at `low`."""
    if not numbers:
        return slice(0, 0, 1)
    return _as_slice(range(numbers[0] - low, numbers[-1] - low + numbers.step, numbers.step))


def _as_slice(numbers: range) -> slice:
    """Return the slice that takes `numbers` out of a long dimension."""
    end = numbers[-1] + (1 if numbers.step > 0 else -1)
    return slice(numbers[0], end if end >= 0 else None, numbers.step)
