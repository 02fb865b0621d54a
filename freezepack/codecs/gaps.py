"""Index codec `gaps`: distances in blocks of adaptive codes; formats/codecs.md, section 4.

Every number in a section is either unary or a field of known width, and the unary numbers come
first. So one search for ones finds them all, and a running sum finds the fields: decoding needs no
loop over positions. The parameters of a block follow from its gaps, so a decoder proves a section
canonical by computing them again.

Measured (benchmarks/gaps.py): on SNIP masks 1 to 13 % below pcodec, once 2 % above; on even masks
within 2 % of the entropy up to 5 % density, 3.3 % at 20 to 30 %. Without mode 1 SNIP masks cost 6
to 8 % more; the best parameter for every block would save 0.5 %.
"""

from dataclasses import dataclass

import numpy as np

from freezepack.codecs import gaps_native
from freezepack.codecs.base import IndexCodec, Unit
from freezepack.codecs.bits import (
    BitArray,
    IntArray,
    bit_length,
    read_fields,
    read_unary,
    write_fields,
    write_unary,
)
from freezepack.errors import CorruptError, TruncatedError
from freezepack.types import Positions

BLOCK = (16, 32)
"""Gaps that share a parameter, for mode 0 (Rice) and mode 1 (exponential)."""
MAX_PARAMETER = 19
MAX_FIELD = 20


@dataclass(frozen=True, slots=True)
class Numbers:
    """All that a section holds, as integers."""

    parameters: IntArray
    steps: IntArray
    heads: IntArray
    fields: IntArray
    widths: IntArray

    @property
    def bits(self) -> int:
        """Bits of the section after the first."""
        unary = int(self.steps.sum() + self.heads.sum()) + self.steps.size + self.heads.size
        return unary + int(self.widths.sum())


class Gaps(IndexCodec):
    """Distances between the trained positions, or between the frozen ones if they are fewer.

    Examples
    --------
    >>> from freezepack.codecs.base import vector_unit
    >>> GAPS.encode(np.array([3, 17, 40], np.uint32), vector_unit(50)).hex()
    '96ab01'
    """

    id = 3
    name = "gaps"

    def fixed_length(self, size: int, count: int) -> int | None:
        """Return None: the file stores the length."""
        return None

    def encode(self, positions: Positions, unit: Unit) -> bytes | None:
        """Return the section, or None for an empty and for a full mask."""
        if not 0 < positions.size < unit.size:
            return None
        coded = positions if 2 * positions.size <= unit.size else _others(positions, unit.size)
        section = gaps_native.encode(coded, unit.size)
        return encode_reference(coded, unit.size) if section is None else section

    def decode(self, data: memoryview, count: int, unit: Unit) -> Positions:
        """Return the trained positions."""
        if not 0 < count < unit.size:
            problem = f"{count} trained positions in a unit of {unit.size}"
            raise CorruptError("index", unit.offset, problem)
        coded = min(count, unit.size - count)
        # Bounds first: nothing below may cost more than the count allows.
        least = (coded + -(-coded // BLOCK[1]) + 8) // 8
        if len(data) < least:
            problem = f"{len(data)} bytes left, expected {least} or more for {count} positions"
            raise TruncatedError("index", unit.offset, problem)
        most = 8 * coded + 8
        if len(data) > most:
            problem = f"{len(data)} bytes, expected at most {most} for {count} positions"
            raise CorruptError("index", unit.offset, problem)
        found = gaps_native.decode(data, count, unit.size)
        if found is not None:
            return found
        positions = decode_reference(data, coded, unit.size, unit.offset)
        return positions if coded == count else _others(positions, unit.size)


def encode_reference(positions: Positions, size: int) -> bytes:
    """Return the section for at least one position, in NumPy."""
    ends = positions.astype(np.int64)
    gaps = ends - np.concatenate([[-1], ends[:-1]]) - 1
    plans = [plan(gaps, size, mode) for mode in (0, 1)]
    mode = int(plans[1].bits < plans[0].bits)
    numbers = plans[mode]
    first = np.array([mode], np.uint8)
    unary = write_unary(np.concatenate([numbers.steps, numbers.heads]))
    bits = np.concatenate([first, unary, write_fields(numbers.fields, numbers.widths)])
    return np.packbits(bits, bitorder="little").tobytes()


def decode_reference(data: memoryview, count: int, size: int, offset: int) -> Positions:
    """Return the `count` positions of a section, in NumPy; any flaw is an error here."""
    octets = np.frombuffer(data, np.uint8)
    bits = np.unpackbits(octets, bitorder="little")
    mode = int(bits[0])
    blocks = -(-count // BLOCK[mode])
    unary = read_unary(bits[1:], blocks + count)
    if unary.size < blocks + count:
        problem = f"{unary.size} unary numbers, expected {blocks + count}"
        raise TruncatedError("index", offset, problem)
    steps, heads = unary[:blocks], unary[blocks:]
    moves = np.where(steps & 1, -((steps + 1) >> 1), steps >> 1)
    parameters = first_parameter(count, size) + np.cumsum(moves)
    if parameters.min() < 0 or parameters.max() > MAX_PARAMETER:
        raise CorruptError("index", offset, f"a parameter is not in 0 to {MAX_PARAMETER}")
    spread = np.repeat(parameters, BLOCK[mode])[:count]
    widths = spread + heads * mode
    if widths.max() > MAX_FIELD:
        raise CorruptError("index", offset, f"a field has more than {MAX_FIELD} bits")
    start = 1 + int(unary.sum()) + unary.size
    ends = start + np.cumsum(widths)
    _check_end(bits, int(ends[-1]), offset)
    fields = read_fields(octets, ends - widths, widths)
    gaps = (1 << widths) + fields - (1 << spread) if mode else (heads << spread) + fields
    positions = np.cumsum(gaps + 1) - 1
    if positions[-1] >= size:
        problem = f"position {int(positions[-1])} in a unit of {size}"
        raise CorruptError("index", offset, problem)
    plans = [plan(gaps, size, choice) for choice in (0, 1)]
    if mode != int(plans[1].bits < plans[0].bits):
        raise CorruptError("index", offset, f"mode {mode} is the longer one")
    if not np.array_equal(parameters, plans[mode].parameters):
        raise CorruptError("index", offset, "a parameter does not follow from its gaps")
    return positions.astype(np.uint32)


def _check_end(bits: BitArray, end: int, offset: int) -> None:
    """Hold a section to end in the byte of its last field, with zeros behind it."""
    if end > bits.size:
        problem = f"{bits.size} bits, expected {end}"
        raise TruncatedError("index", offset, problem)
    need = (end + 7) // 8
    if bits.size > 8 * need:
        problem = f"{bits.size // 8 - need} bytes after the last field"
        raise CorruptError("index", offset + need, problem)
    if bits[end:].any():
        raise CorruptError("index", offset + need - 1, "padding bits are not zero")


def first_parameter(count: int, size: int) -> int:
    """Return the parameter from which the first block's is counted."""
    return max(0, ((size - count) // count).bit_length() - 1)


def plan(gaps: IntArray, size: int, mode: int) -> Numbers:
    """Return what a section in one of the modes holds."""
    starts = np.arange(0, gaps.size, BLOCK[mode])
    lengths = np.diff(starts, append=gaps.size)
    if mode:
        total = np.add.reduceat(bit_length(gaps), starts)
        parameters = np.maximum(0, (2 * total - lengths) // (2 * lengths))
    else:
        total = np.add.reduceat(gaps, starts)
        parameters = bit_length((8 * total + 3 * lengths) // (16 * lengths))
    moves = np.diff(parameters, prepend=first_parameter(gaps.size, size))
    steps = np.where(moves < 0, -2 * moves - 1, 2 * moves)
    spread = np.repeat(parameters, lengths)
    heads = bit_length((gaps >> spread) + 1) - 1 if mode else gaps >> spread
    widths = spread + heads * mode
    fields = (gaps + (mode << spread)) & ((1 << widths) - 1)
    return Numbers(parameters, steps, heads, fields, widths)


def _others(positions: Positions, size: int) -> Positions:
    """Return the positions below `size` that are not given."""
    mask = np.ones(size, np.bool_)
    mask[positions] = False
    return np.flatnonzero(mask).astype(np.uint32)


GAPS = Gaps()
