"""Ranges of tensors, made unit by unit in threads, whichever tensor a unit belongs to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from freezepack import native
from freezepack.random.tiles import TILE
from freezepack.rebuild.base import TensorBase
from freezepack.rebuild.memory import empty_arrays
from freezepack.rebuild.unit import UnitBase, UnitPatch, UnitPatcher
from freezepack.types import RawArray

_MODULUS = 2**64
_NOTHING = np.empty(0, np.uint8)
_ADAPTIVE = 8
"""How much longer a unit takes if its sections are decoded step by step."""


@dataclass(frozen=True, slots=True)
class Range:
    """Elements `start` to `stop` - 1 of a tensor, in C order."""

    patcher: UnitPatcher
    start: int
    stop: int

    @classmethod
    def whole(cls, patcher: UnitPatcher) -> "Range":
        """Return all elements."""
        return cls(patcher, 0, patcher.record.spec.size)

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class _Sums:
    """What a part adds to the digest of its tensor.

    Attributes
    ----------
    total : int
        Of the tiles that lie in the part as a whole.
    head, tail : raw array
        Elements in front of those tiles and behind them, whose tiles lie in two parts.
    """

    total: int
    head: RawArray
    tail: RawArray


@dataclass(frozen=True, slots=True)
class _Part:
    """What a thread does: the part of one unit that lies in a range.

    Attributes
    ----------
    out : raw array or None
        Where the whole range goes; None where only the digest is wanted.
    """

    wanted: Range
    number: int
    out: RawArray | None
    digest: bool

    @property
    def cost(self) -> int:
        """Return about how long this takes, in elements to be generated."""
        patcher = self.wanted.patcher
        adaptive = patcher.index.adaptive or patcher.values.adaptive
        return patcher.layout.unit_size(self.number) * (_ADAPTIVE if adaptive else 1)

    def make(self) -> _Sums:
        """Write base and patch in one pass."""
        patcher, wanted = self.wanted.patcher, self.wanted
        low = patcher.layout.start(self.number)
        size = patcher.layout.unit_size(self.number)
        begin, end = max(low, wanted.start), min(low + size, wanted.stop)
        if self.out is None:
            out = np.empty(end - begin, patcher.record.spec.dtype.raw)
        else:
            out = self.out[begin - wanted.start : end - wanted.start]
        whole = out.size == size
        base = UnitBase(patcher.base, low, size, out if whole else None)
        patch = patcher.decode(self.number, base)
        if not whole:
            patch = patch.cut(begin - low, end - low) if patch else None
            if base.elements is not None:
                out[:] = base.elements[begin - low : end - low]
        return _write(self, out, begin, patch, base.elements is not None)


def _write(part: _Part, out: RawArray, begin: int, patch: UnitPatch | None, filled: bool) -> _Sums:
    """Write the elements from `begin` on and sum their digest; `filled` if they are the base."""
    base, size = part.wanted.patcher.base, out.size
    if patch is not None and patch.positions is None:
        out[:] = patch.values
        patch, filled = None, True
    if not part.digest or size == base.spec.size:
        return _Sums(_rebuild(base, out, begin, patch, filled, part.digest), _NOTHING, _NOTHING)
    tile = TILE // out.itemsize
    first = min(-begin % tile, size)
    # Only the last tile of a tensor may be shorter.
    last = size if begin + size == base.spec.size else max(first, size - (begin + size) % tile)
    total = 0
    for low, high in ((0, first), (first, last), (last, size)):
        if low < high:
            inner = patch.cut(low, high) if patch else None
            digest = (low, high) == (first, last)
            total += _rebuild(base, out[low:high], begin + low, inner, filled, digest)
    return _Sums(total, out[:first].copy(), out[last:].copy())


def _rebuild(  # noqa: PLR0917
    base: TensorBase,
    out: RawArray,
    start: int,
    patch: UnitPatch | None,
    filled: bool,
    digest: bool,
) -> int:
    positions, values = (patch.positions, patch.values) if patch else (None, None)
    return base.rebuild(out, start, positions, values, filled=filled, digest=digest)


def make_ranges(wanted: Sequence[Range]) -> list[RawArray]:
    """Return the elements of every range.

    Raises
    ------
    FormatError, BaseMismatchError
        If a unit is damaged, or a base outside the file has not the tensor.
    """
    outs = empty_arrays([(each.size, each.patcher.record.spec.dtype.raw) for each in wanted])
    fill_ranges(wanted, outs)
    return outs


def fill_ranges(wanted: Sequence[Range], outs: Sequence[RawArray]) -> None:
    """Write the elements of every range into the array given for it.

    Raises
    ------
    FormatError, BaseMismatchError
        As for `make_ranges`; the arrays may hold anything then.
    """
    _run([_split(each, out, False) for each, out in zip(wanted, outs, strict=True)])


def fill_tensors(patchers: Sequence[UnitPatcher], outs: Sequence[RawArray | None]) -> list[int]:
    """Make whole tensors in the arrays given for them, and return their digests.

    Parameters
    ----------
    outs : sequence of raw arrays or None
        One for each tensor; None where only the digest is wanted, which takes memory for one unit
        in each thread.

    Raises
    ------
    FormatError, BaseMismatchError
        As for `make_ranges`; the arrays may hold anything then.
    """
    wanted = [
        _split(Range.whole(patcher), out, True) for patcher, out in zip(patchers, outs, strict=True)
    ]
    return [_add_up(parts, sums) for parts, sums in zip(wanted, _run(wanted), strict=True)]


def _split(wanted: Range, out: RawArray | None, digest: bool) -> list[_Part]:
    """Return the parts of a range, one for each unit that has elements in it."""
    step = wanted.patcher.layout.unit_positions
    numbers = range(wanted.start // step, -(-wanted.stop // step) if wanted.size else 0)
    return [_Part(wanted, number, out, digest) for number in numbers]


def _run(wanted: Sequence[Sequence[_Part]]) -> list[list[_Sums]]:
    """Make all parts, those that take longest first, and return what each adds to the digest."""
    places = [(i, j) for i, parts in enumerate(wanted) for j in range(len(parts))]
    costs = {(i, j): wanted[i][j].cost for i, j in places}
    places.sort(key=lambda place: -costs[place])
    made = native.map_items(lambda p: wanted[p[0]][p[1]].make(), places, sum(costs.values()))
    found = dict(zip(places, made, strict=True))
    return [[found[i, j] for j in range(len(parts))] for i, parts in enumerate(wanted)]


def _add_up(parts: Sequence[_Part], sums: Sequence[_Sums]) -> int:
    """Return the digest of a tensor: its parts, and the tiles that lie in two of them."""
    total = sum(each.total for each in sums)
    for part, (before, after) in zip(parts[1:], pairwise(sums), strict=True):
        seam = np.concatenate([before.tail, after.head])
        base, start = part.wanted.patcher.base, part.wanted.patcher.layout.start(part.number)
        if seam.size:
            total += base.rebuild(seam, start - before.tail.size, filled=True, digest=True)
    return total % _MODULUS


def group_sizes(sizes: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of items of at most `most` together, or of one item that is larger."""
    first, total = 0, 0
    for number, size in enumerate(sizes):
        if number > first and total + size > most:
            yield first, number
            first, total = number, 0
        total += size
    if first < len(sizes):
        yield first, len(sizes)
