"""From `[...]` to a range of elements: what has to be made of a tensor to answer an index."""

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
    start = 0
    for axis, (item, length) in enumerate(zip(whole, shape, strict=True)):
        stride = prod(shape[axis + 1 :])
        if isinstance(item, slice):
            numbers = range(*item.indices(length))
            # The ends, because a dimension may have 2**60 elements of nothing.
            low, high = _span(numbers)
            begin = start + low * stride
            inner = (high - low, *shape[axis + 1 :])
            rest = (_shift(numbers, low), *whole[axis + 1 :])
            return Cut(begin, begin + (high - low) * stride, inner, rest)
        start += item * stride
    return Cut(start, start + 1, (), ())


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
    first, last = numbers[0] - low, numbers[-1] - low
    end = last + (1 if numbers.step > 0 else -1)
    return slice(first, end if end >= 0 else None, numbers.step)
