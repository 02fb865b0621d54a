"""Index codec `free`: a mask of which a seed knows a part; formats/masks.md, section 3."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from freezepack.codecs.base import IndexCodec, Unit
from freezepack.codecs.bitmap import BITMAP
from freezepack.codecs.ends import ALL, NONE
from freezepack.codecs.gaps import GAPS
from freezepack.codecs.hazard.codec import HAZARD
from freezepack.codecs.seeded import MASK_STREAMS
from freezepack.errors import CorruptError, TruncatedError
from freezepack.types import Positions

_CODECS: tuple[IndexCodec, ...] = (NONE, ALL, BITMAP, GAPS, HAZARD)
INNER = {codec.id: codec for codec in _CODECS}
"""Codecs for the free positions, by the number that a section gives."""
_WORTH = 64
"""Fewest positions known from the seed for which the encoder tries this codec."""


@dataclass(frozen=True, slots=True)
class _Split:
    """The positions of a unit in seeded order, cut in three.

    Attributes
    ----------
    order : int64 array
        All positions, by the word of the mask stream, then by position.
    marked, locked : int
        How many of the first positions are marked, and how many after them are not.
    """

    order: NDArray[np.int64]
    marked: int
    locked: int

    @property
    def free(self) -> Positions:
        """The other positions, increasing."""
        return np.sort(self.order[self.marked + self.locked :]).astype(np.uint32)

    def unit(self, unit: Unit, offset: int) -> Unit:
        """Return the free positions as a unit of their own: one row."""
        free = self.free
        base = unit.base
        return Unit(
            size=free.size,
            rows=1,
            cols=free.size,
            kernel=1,
            start=0,
            base=(lambda: base()[free]) if base is not None else None,
            offset=offset,
        )


class Free(IndexCodec):
    """Positions first marked, then left out by a seed, and another codec for the rest."""

    id = 7
    name = "free"
    needs_seed = True
    adaptive = True

    def fixed_length(self, size: int, count: int) -> int | None:
        """Return None: the file stores the length."""
        return None

    def encode(self, positions: Positions, unit: Unit) -> bytes | None:
        """Return the smallest section, or None if the seed knows almost nothing of this mask."""
        if unit.key is None:
            return None
        split = _find_split(positions, unit)
        if split.marked + split.locked < _WORTH:
            return None
        head = _varint(split.marked) + _varint(split.locked)
        free = split.free
        mask = np.zeros(unit.size, np.bool_)
        mask[positions] = True
        inner = np.flatnonzero(mask[free]).astype(np.uint32)
        part = split.unit(unit, 0)
        if inner.size in (0, free.size):
            return head + bytes([ALL.id if inner.size else NONE.id])
        sections = [
            bytes([codec.id]) + section
            for codec in _CODECS[2:]
            if (section := codec.encode(inner, part)) is not None
        ]
        return head + min(sections, key=len)

    def decode(self, data: memoryview, count: int, unit: Unit) -> Positions:
        """Return the marked positions."""
        if unit.key is None:
            raise CorruptError("index", unit.offset, "a mask from a seed, and no seed")
        if not 0 <= count <= unit.size:
            problem = f"{count} trained positions in a unit of {unit.size}"
            raise CorruptError("index", unit.offset, problem)
        marked, at = _read_varint(data, 0, min(count, unit.size), unit.offset)
        locked, at = _read_varint(data, at, unit.size - count, unit.offset)
        if at >= len(data):
            raise TruncatedError("index", unit.offset + at, "0 bytes left, expected a codec")
        codec = INNER.get(data[at])
        if codec is None:
            problem = f"codec {data[at]} for free positions, expected one of {sorted(INNER)}"
            raise CorruptError("index", unit.offset + at, problem)
        split = _Split(_order(unit), marked, locked)
        part = split.unit(unit, unit.offset + at + 1)
        inner = count - marked
        ends = {part.size: ALL.id, 0: NONE.id}
        if (codec.id in (NONE.id, ALL.id) or inner in ends) and ends.get(inner) != codec.id:
            problem = f"{inner} of {part.size} free positions with the codec {codec.name}"
            raise CorruptError("index", unit.offset + at, problem)
        chosen = split.free[codec.decode(data[at + 1 :], inner, part)]
        first = split.order[:marked].astype(np.uint32)
        return np.sort(np.concatenate([first, chosen]))


def _order(unit: Unit) -> NDArray[np.int64]:
    """Return the unit's positions by (word, position)."""
    from freezepack.random.seeded import seeded_order

    return seeded_order(unit.size, unit.key or 0, unit.stream + MASK_STREAMS, unit.start)


def _find_split(positions: Positions, unit: Unit) -> _Split:
    """Return the longest run of marked positions, then of others, in seeded order."""
    order = _order(unit)
    mask = np.zeros(unit.size, np.bool_)
    mask[positions] = True
    ordered = mask[order]
    marked = int(np.argmin(np.append(ordered, False)))
    locked = int(np.argmax(np.append(ordered[marked:], True)))
    return _Split(order, marked, locked)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_varint(data: memoryview, at: int, most: int, offset: int) -> tuple[int, int]:
    """Return a number of at most `most` and where the next field begins."""
    number = 0
    # A unit has at most 2**20 positions: three bytes.
    for place in range(3):
        if at + place >= len(data):
            problem = f"{len(data) - at} bytes left, expected a number"
            raise TruncatedError("index", offset + at, problem)
        byte = data[at + place]
        number |= (byte & 127) << 7 * place
        if byte < 128:
            if byte == 0 and place:
                raise CorruptError("index", offset + at, "a number is not in its shortest form")
            if number > most:
                problem = f"{number} positions from the seed, expected at most {most}"
                raise CorruptError("index", offset + at, problem)
            return number, at + place + 1
    raise CorruptError("index", offset + at, "a number of more than three bytes")


FREE = Free()
