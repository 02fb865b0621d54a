"""Index codec `bitmap`: one bit for each position; formats/codecs.md, section 3."""

import numpy as np

from freezepack.codecs.base import IndexCodec, Unit
from freezepack.errors import CorruptError, TruncatedError
from freezepack.types import Positions


class Bitmap(IndexCodec):
    """Bit i % 8, from the lowest, of byte i // 8 is 1 where position i is trained.

    Examples
    --------
    >>> from freezepack.codecs.base import vector_unit
    >>> BITMAP.encode(np.array([0, 3, 9], np.uint32), vector_unit(10)).hex()
    '0902'
    """

    id = 2
    name = "bitmap"

    def fixed_length(self, size: int, count: int) -> int | None:
        """Return one byte for every eight positions."""
        return (size + 7) // 8

    def encode(self, positions: Positions, unit: Unit) -> bytes | None:
        """Return the bits."""
        mask = np.zeros(unit.size, np.bool_)
        mask[positions] = True
        return np.packbits(mask, bitorder="little").tobytes()

    def decode(self, data: memoryview, count: int, unit: Unit) -> Positions:
        """Return the positions of the ones."""
        need = (unit.size + 7) // 8
        if len(data) < need:
            problem = f"{len(data)} bytes left, expected {need} for {unit.size} weights"
            raise TruncatedError("index", unit.offset, problem)
        if len(data) > need:
            problem = f"{len(data) - need} bytes after the bitmap of {unit.size} weights"
            raise CorruptError("index", unit.offset + need, problem)
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
        if bits[unit.size :].any():
            raise CorruptError("index", unit.offset + need - 1, "padding bits are not zero")
        positions = np.flatnonzero(bits).astype(np.uint32)
        if positions.size != count:
            problem = f"{positions.size} bits are set, expected {count}"
            raise CorruptError("index", unit.offset, problem)
        return positions


BITMAP = Bitmap()
